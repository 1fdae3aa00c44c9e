"""Read and write tables as Parquet files, deterministically."""

from io import BytesIO
from pathlib import Path

import pandas as pd

from cytocurve.errors import InputError
from cytocurve.files import write_bytes


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a table to a Parquet file without its index; equal tables give equal bytes."""
    write_bytes(path, frame.to_parquet(engine="pyarrow", index=False))


def read_parquet(path: Path, next_step: str) -> pd.DataFrame:
    """The table in a Parquet file; raises ``InputError`` with the next step if it is missing or damaged."""
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", next_step=next_step) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a Parquet file: {error}", next_step=f"remove it, then {next_step}") from error


def parquet_from(content: bytes, name: str) -> pd.DataFrame:
    """The table in the bytes of a Parquet file; raises ``InputError`` naming the file if they are damaged."""
    try:
        return pd.read_parquet(BytesIO(content))
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: not a Parquet file: {error}") from error
