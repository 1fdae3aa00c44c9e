"""The stages of ``dvc.yaml``."""
