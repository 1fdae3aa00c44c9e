"""Compilation of kernels: once per machine, independent of array shapes, cached on disk."""

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from filelock import FileLock

from cytocurve.models.kernels import simd

Function = TypeVar("Function", bound=Callable[..., Any])


def function(plain: Function) -> Function:
    """A function that compiled code calls."""
    return cast(Function, numba.njit(plain))


def inlined(plain: Function) -> Function:
    """A function that is inlined into the compiled code that calls it."""
    return cast(Function, numba.njit(forceinline=True)(plain))


def summing(plain: Function) -> Function:
    """A function whose sums the compiler may reorder; the order is fixed once compiled."""
    return cast(Function, numba.njit(fastmath={"reassoc", "contract", "nsz"})(plain))


def kernel(plain: Function) -> Function:
    """A function that Python calls; its machine code is cached in ``folder()``."""
    with _numba_caches_in(folder()):
        return cast(Function, numba.njit(cache=True)(plain))


@cache
def folder() -> Path:
    """The cache folder of machine code: one folder per version of the kernels' source and processor.

    It is in ``$CYTOCURVE_CACHE``, or else in the user's cache folder, or in a temporary folder if that is not writable.
    numba checks only the file that defines a function, and would load stale code after a change elsewhere.
    """
    roots = [Path(tempfile.gettempdir()) / f"cytocurve-{_user()}"]
    if given := os.environ.get("CYTOCURVE_CACHE"):
        roots.insert(0, Path(given))
    else:
        with contextlib.suppress(RuntimeError):
            roots.insert(0, Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "cytocurve")
    for root in roots:
        found = root / "kernels" / key()
        with contextlib.suppress(OSError):
            found.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_ours(found):
                return found
    return Path(tempfile.mkdtemp(prefix="cytocurve-"))


@cache
def key() -> str:
    """A digest of the kernels' source files, numba's version and the processor."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    given = [file.read_bytes() for file in files] + [f"{numba.__version__} {simd.LANES} {simd.processor()}".encode()]
    return hashlib.sha256(b"\0".join(given)).hexdigest()[:16]


@contextlib.contextmanager
def compiling(kernels: str) -> Iterator[None]:
    """Wrap the first calls of ``kernels``: one process compiles them; the others wait and then load them."""
    compiled = folder() / kernels
    with _without_blas(), contextlib.nullcontext() if compiled.exists() else FileLock(folder() / "lock"):
        yield
        compiled.touch()


@contextlib.contextmanager
def _without_blas() -> Iterator[None]:
    """Keep numba from importing scipy, which takes longer than loading the kernels; no kernel calls BLAS."""
    wanted = "scipy.linalg" not in sys.modules
    modules: dict[str, Any] = sys.modules
    if wanted:
        modules["scipy.linalg"] = None
    try:
        yield
    finally:
        if wanted:
            del modules["scipy.linalg"]


def _is_ours(path: Path) -> bool:
    """Whether the folder is writable and owned by this user, because numba executes what it contains."""
    with tempfile.TemporaryFile(dir=path):
        return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


@contextlib.contextmanager
def _numba_caches_in(path: Path) -> Iterator[None]:
    config: Any = numba.config
    previous, config.CACHE_DIR = config.CACHE_DIR, str(path)
    try:
        yield
    finally:
        config.CACHE_DIR = previous
