"""Files that other stages and people read: complete or not there, and equal bytes for equal contents."""

import hashlib
import os
import uuid
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to a file, at once and completely; its folder is made."""
    write_bytes(path, text.encode())


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file at once and completely: into a temporary neighbour, synced, then renamed; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with scratch.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
