"""Check compiled kernels on disk before use, since numba also loads damaged files."""

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
    """Wrap training: damaged files are deleted once per process before, checksums of new files are written after."""
    folder = jit.folder()
    _drop_damaged(folder)
    yield
    record(folder)


def to_compile(recipe: Recipe) -> bool:
    """Whether training needs kernels not yet compiled on this machine, by the markers of ``jit.compiling``."""
    parts = recipes.resolved(recipe)
    augmented = parts.policy.draw is not None
    marker = jit.folder() / f"{parts.protocol_settings.optimizer}-{'augmented' if augmented else 'plain'}"
    return recipe.engine.name == "native" and not marker.exists()


def record(folder: Path) -> None:
    """Write the SHA-256 of each compiled file that has no checksum or is newer than its checksum."""
    for path in folder.rglob("*.nb[ci]"):
        checksum = _checksum(path)
        with contextlib.suppress(OSError):  # another process may have deleted it, and a full disk must not fail the run
            if not checksum.exists() or checksum.stat().st_mtime < path.stat().st_mtime:
                write_text(checksum, sha256(path))


@cache
def _drop_damaged(folder: Path) -> None:
    drop_damaged(folder)


def drop_damaged(folder: Path) -> list[Path]:
    """Delete and return compiled files that do not match their checksums; numba recompiles them when needed.

    A file without a checksum is kept, since another process may have just written it.
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
