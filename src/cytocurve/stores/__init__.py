"""Persistent storage: data versions (DVC), the ledger, Parquet tables, and tracking (MLflow)."""
