"""Untrusted input: archives, images and tables, validated before use."""
