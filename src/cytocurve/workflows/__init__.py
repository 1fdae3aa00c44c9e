"""Workflows: one function per command, and one module per stage of ``dvc.yaml`` in ``stages``."""
