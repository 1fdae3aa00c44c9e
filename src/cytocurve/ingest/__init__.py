"""Untrusted input: archives, images and tables, checked before they are used."""
