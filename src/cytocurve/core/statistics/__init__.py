"""Scores, curves and what they support; pure."""
