"""Atomic file writes, locks, checksums, and local paths of URLs."""

import errno
import fcntl
import hashlib
import logging
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk without space, a quota, and a limit on file sizes."""

SCRATCH = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{32}", re.DOTALL)
"""The names of temporary files: that of the file to be written, and a random number."""

LOG = logging.getLogger("cytocurve")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to a file, completely or not at all, creating its folder."""
    write_bytes(path, text.encode())


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file completely or not at all, creating its folder: write a temporary file, sync it, rename it.

    The temporary files that killed calls have left for the same file are removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    scratch = scratch_of(path)
    try:
        with naming(path, scratch), _claimed(scratch) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def scratch_of(path: Path) -> Path:
    """A new name for a temporary file or link next to the file that it will replace."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}")


def scratch_files(folder: Path, name: str | None = None) -> list[Path]:
    """The temporary files in a folder, by default those for any file."""
    with os.scandir(folder) as entries:
        found = [(entry.path, match["name"]) for entry in entries if (match := SCRATCH.fullmatch(entry.name))]
    return sorted(Path(path) for path, of in found if name in (None, of))


def remove_abandoned(path: Path) -> None:
    """Remove the temporary files for this file whose writers have been killed."""
    for scratch in scratch_files(path.parent, path.name):
        with suppress(OSError), scratch.open("rb") as file:  # such as a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            scratch.unlink()


@contextmanager
def _claimed(scratch: Path) -> Iterator[IO[bytes]]:
    """The new temporary file, open for writing, and locked as long as its writer lives."""
    while True:
        with scratch.open("wb") as file:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
            if scratch.exists():  # otherwise another writer took it for an abandoned one before it was locked
                yield file
                return


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
