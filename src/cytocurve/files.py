"""Atomic file writes, checksums, and local paths of URLs."""

import hashlib
import os
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to a file, completely or not at all, creating its folder."""
    write_bytes(path, text.encode())


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file completely or not at all, creating its folder: write a temporary file, sync it, rename it."""
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


def local_path(url: str) -> Path | None:
    """The local path of a plain path, a ``file://`` or a ``sqlite:///`` URL; None for any other URL."""
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    if url.startswith("file://"):
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        return Path(unquote(parts.path)) if parts.netloc in ("", "localhost") and parts.path else None
    return None if "://" in url else Path(url)
