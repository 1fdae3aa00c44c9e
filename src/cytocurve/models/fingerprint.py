"""Versions of recipe components: a changed statement changes run keys, a changed comment does not."""

import ast
import importlib.util
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from cytocurve.closure import Package, Sources, digest, imports, parent, reach

__all__ = ["INERT", "Sources", "closure", "of_sources"]

INERT = frozenset({"cytocurve.errors", "cytocurve.files", "cytocurve.registry", "cytocurve.models.fingerprint"})
"""Modules that members import and that change no result: messages, file handling, lookup, this module."""


def closure(*modules: str, without: Collection[str] = ()) -> Sources:
    """The modules, and everything they import from cytocurve and from their own top-level package, such as a plug-in.

    Modules in ``INERT`` and ``without`` are neither included nor followed. Packages are included only where something
    is imported from them: that another family exists must not change a version.
    """
    return reach(modules, _locate, _follow, {*INERT, *without})


@cache
def _follow(module: str, file: Path) -> tuple[str, ...]:
    tops = {_top(module), "cytocurve"}
    names = (name for name in imports(module, file) if _top(name) in tops)
    return tuple(name if _locate(name) else parent(name) for name in names)


def _top(module: str) -> str:
    return module.partition(".")[0]


@cache
def _locate(module: str) -> Path | None:
    """The source file of an installed module; None for other names and for ``cytocurve``, which holds its release."""
    return next(_candidates(module), None)


def _candidates(module: str) -> Iterator[Path]:
    try:
        spec = importlib.util.find_spec(_top(module))
    except ValueError:  # no name, or __main__
        return
    if spec is None:
        return
    if module == spec.name != "cytocurve" and spec.has_location and spec.origin:
        yield Path(spec.origin)
    for folder in spec.submodule_search_locations or ():
        if file := Package(spec.name, Path(folder)).file(module):
            yield file


def of_sources(sources: Sources) -> str:
    """A digest (12 hex digits) of the statements of these modules, without the fields of classes named ``*Settings``.

    The run key holds every setting that differs from its default, so that a new setting orphans no finished run. A
    default must therefore never change; tests pin them.
    """
    return _digest(tuple(path for _, path in sorted(sources.items())))


@cache
def _digest(files: tuple[Path, ...]) -> str:
    return digest(*files, omit=_is_setting)


def _is_setting(owner: ast.AST, statement: ast.stmt) -> bool:
    return isinstance(owner, ast.ClassDef) and owner.name.endswith("Settings") and isinstance(statement, ast.AnnAssign)
