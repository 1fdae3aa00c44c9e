"""Datasets as tables: labels, classes, folds and similarity; pure."""
