"""Measurements, each a ratio of one run on one machine; ``make bench`` writes them to ``RESULTS.md``."""
