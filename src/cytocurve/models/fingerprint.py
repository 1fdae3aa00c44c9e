"""Digests of the code that determines results: a changed statement changes run keys, a changed comment does not."""

import ast
import hashlib
import importlib.util
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

Sources = dict[str, Path]
"""Full names of modules to their files."""

INERT = frozenset({"cytocurve.errors", "cytocurve.files", "cytocurve.registry", "cytocurve.models.fingerprint"})
"""Modules that members import and that change no result: messages, file handling, look-up, this module."""


def closure(*modules: str, without: Collection[str] = ()) -> Sources:
    """The modules, and all that they import of their own top-level package and of cytocurve, however late.

    Modules in ``INERT`` and ``without`` are neither included nor followed. Imports are read from the source; nothing
    is imported.
    """
    stops = {*INERT, *without}
    sources: Sources = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in sources or module in stops:
            continue
        if file := _file_of(module):
            sources[module] = file
            waiting += [name for name in imports(file) if name.partition(".")[0] in _roots(module)]
    return dict(sorted(sources.items()))


def _roots(module: str) -> set[str]:
    return {module.partition(".")[0], "cytocurve"}


@cache
def imports(file: Path) -> tuple[str, ...]:
    """Names of modules, and of what may be modules, that a file imports."""
    return tuple(sorted(set(_imports(ast.parse(file.read_text(encoding="utf-8"))))))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if _file_of(name) else node.module


@cache
def _file_of(module: str) -> Path | None:
    """The source file of a module or package; None where the name is neither."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:
        return None
    if spec is None:
        return None
    for root in spec.submodule_search_locations or ():
        place = Path(root, *rest)
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if rest and file.is_file():
                return file
    return None


def of_sources(sources: Sources) -> str:
    """A digest (12 hex digits) of the statements of these modules; settings' fields are not part of it.

    What a setting is set to is in the run key wherever it differs from the default, so that a new setting orphans no
    finished run. A default must therefore never change; tests pin them.
    """
    return _digest(tuple(path for _, path in sorted(sources.items())))


@cache
def _digest(files: tuple[Path, ...]) -> str:
    sources = [statements(file.read_text(encoding="utf-8")) for file in files]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:12]


def statements(source: str) -> str:
    """The source without comments, layout, docstrings and the fields of classes whose names end in ``Settings``."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            if ast.get_docstring(node, clean=False):
                node.body = node.body[1:]
            if isinstance(node, ast.ClassDef) and node.name.endswith("Settings"):
                node.body = [statement for statement in node.body if not isinstance(statement, ast.AnnAssign)]
            if not isinstance(node, ast.Module):
                node.body = node.body or [ast.Pass()]
    return ast.unparse(tree)
