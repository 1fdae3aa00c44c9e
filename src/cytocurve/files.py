"""Atomic file writes, locks, checksums, and local paths of URLs."""

import errno
import hashlib
import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk without space, a quota, and a limit on file sizes."""

LOG = logging.getLogger("cytocurve")


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
        with naming(path, scratch):
            with scratch.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


@contextmanager
def naming(path: Path, scratch: Path | None = None) -> Iterator[None]:
    """Add the file's name to an ``OSError`` that has none, as of writing and syncing, or that of the scratch file."""
    try:
        yield
    except OSError as error:
        if error.filename in (None, str(scratch)) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a lock file while reading, changing and writing other files; logs a message if it has to wait.

    The lock ends with the process that holds it. A process that already holds it must not take it again.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        LOG.info("Another command is changing files of this project; waiting for it to finish")
        held.acquire()
    try:
        yield
    finally:
        held.release()


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
