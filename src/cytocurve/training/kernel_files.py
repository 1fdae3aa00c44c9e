"""Compiled kernels on disk, checked before they run: numba loads any file, damaged or not."""

import contextlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cytocurve.core.runs import Recipe
from cytocurve.files import sha256, write_text
from cytocurve.models import recipes
from cytocurve.models.kernels import jit


@contextlib.contextmanager
def checked() -> Iterator[None]:
    """Wrap trainings: damaged files are dropped once per process; new ones get their checksums afterwards."""
    folder = jit.folder()
    _drop_damaged(folder)
    yield
    record(folder)


def to_compile(recipe: Recipe) -> bool:
    """Whether this training needs kernels that this machine never compiled, by the marks of ``jit.compiling``."""
    parts = recipes.resolved(recipe)
    augmented = parts.policy.draw is not None
    marker = jit.folder() / f"{parts.protocol_settings.optimizer}-{'augmented' if augmented else 'plain'}"
    return recipe.engine.name == "native" and not marker.exists()


def record(folder: Path) -> None:
    """Write the SHA-256 of each compiled file below the folder that has no checksum or is newer than it."""
    for path in folder.rglob("*.nb[ci]"):
        checksum = _checksum(path)
        with contextlib.suppress(OSError):  # another process may have dropped it; a full disk costs no run
            if not checksum.exists() or checksum.stat().st_mtime < path.stat().st_mtime:
                write_text(checksum, sha256(path))


@cache
def _drop_damaged(folder: Path) -> None:
    drop_damaged(folder)


def drop_damaged(folder: Path) -> list[Path]:
    """Delete and return compiled files that do not match their checksums; they are compiled again when needed.

    A file without a checksum stays: another process may just have written it.
    """
    damaged = []
    for path in sorted(folder.rglob("*.nb[ci]")):
        checksum = _checksum(path)
        with contextlib.suppress(OSError):
            if checksum.is_file() and checksum.read_text(encoding="utf-8", errors="replace") != sha256(path):
                path.unlink()
                checksum.unlink()
                damaged.append(path)
    return damaged


def _checksum(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
