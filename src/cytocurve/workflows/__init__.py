"""The stages of ``dvc.yaml``, one a file."""
