"""Import closures: the modules that code can reach, and digests of their statements.

Everything is read from source files; nothing is imported. Imports inside functions count, those below
``if TYPE_CHECKING`` do not. Comments, docstrings and layout do not change a digest. Stage dependencies and the
versions of recipe components (``models.fingerprint``) are both built on this module.
"""

import ast
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Sources = dict[str, Path]
"""Files by the full names of their modules."""

Omit = Callable[[ast.AST, ast.stmt], bool]
"""Whether to leave a statement of a module, class or function out of a digest."""


def reach(
    roots: Collection[str],
    locate: Callable[[str], Path | None],
    follow: Callable[[str, Path], Iterable[str]],
    without: Collection[str] = (),
) -> Sources:
    """The modules that ``roots`` reach, sorted by name.

    ``locate`` returns the file of a module, or None for a name that is not one; ``follow`` returns the names that a
    module leads to. Modules in ``without`` are neither included nor followed; ``a.b.*`` excludes everything below
    ``a.b``.
    """
    reached: Sources = {}
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        file = locate(module)
        if file is not None and module not in reached and not is_excluded(module, without):
            reached[module] = file
            waiting += follow(module, file)
    return dict(sorted(reached.items()))


def is_excluded(module: str, without: Collection[str]) -> bool:
    """Whether a rule of ``without`` in ``reach`` excludes a module."""
    return any(module.startswith(rule.removesuffix("*")) if rule.endswith(".*") else module == rule for rule in without)


def parent(name: str) -> str:
    """The package of a module, or the module of an attribute."""
    return name.rpartition(".")[0]


@dataclass(frozen=True)
class Package:
    """A top-level package: its dotted name and the folder of its sources."""

    name: str
    folder: Path

    def file(self, module: str) -> Path | None:
        """The source file of a module or package below this one; None if there is no such module."""
        top, *parts = module.split(".")
        if top != self.name or not parts:
            return None
        place = self.folder.joinpath(*parts)
        return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)

    def closure(self, roots: Collection[str], without: Collection[str] = ()) -> Sources:
        """Files by name: the modules that ``roots`` reach below this package, their packages, and package data.

        ``without`` is that of ``reach``. A package that looks up its own modules by name reaches all of them. The
        top-level package itself is excluded: it holds the version and what notebooks import. Package data are the
        files in folders that are not packages.
        """
        reached = reach(roots, self.file, _with_packages, without)
        data = {name: path for module, file in reached.items() for name, path in _package_data(module, file)}
        return dict(sorted({**reached, **data}.items()))


def _with_packages(module: str, file: Path) -> Iterator[str]:
    """What Python runs or may run for a module: its package, its imports and their packages, and its members."""
    source = file.read_text(encoding="utf-8")
    yield parent(module)
    for name in _imports(source, _package_of(module, file)):
        yield from (name, parent(name))
    if file.name == "__init__.py" and _looks_up_members(source):
        yield from (f"{module}.{path.stem}" for path in file.parent.iterdir() if path.name[0] != "_")


def imports(module: str, file: Path) -> tuple[str, ...]:
    """Full names of all that a module imports: ``a.b.c`` for ``from a.b import c``, be it a module or an attribute."""
    return _imports(file.read_text(encoding="utf-8"), _package_of(module, file))


@cache
def _imports(source: str, package: str) -> tuple[str, ...]:
    return tuple(sorted(set(_imported(ast.parse(source), package))))


def _package_of(module: str, file: Path) -> str:
    return module if file.name == "__init__.py" else parent(module)


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom():
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            yield from (name for statement in node.orelse for name in _imported(statement, package))
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _imported(child, package)


@cache
def _looks_up_members(source: str) -> bool:
    """Whether a package hands its own name or path to a call other than ``getLogger``: it is a registry."""
    return any(
        isinstance(name, ast.Name) and name.id in {"__name__", "__path__"}
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and not ast.unparse(call.func).endswith("getLogger")
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        for name in ast.walk(argument)
    )


def _package_data(module: str, file: Path) -> Iterator[tuple[str, Path]]:
    if file.name != "__init__.py":
        return
    for folder in sorted(path for path in file.parent.iterdir() if path.is_dir() and path.name != "__pycache__"):
        if not (folder / "__init__.py").exists():
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                yield f"{module}/{path.relative_to(file.parent).as_posix()}", path


def digest(*files: Path, omit: Omit = lambda *_: False) -> str:
    """A digest (12 hex digits) of the statements of Python files and the bytes of other files."""
    return hashlib.sha256(b"\0".join(_content(file, omit) for file in files)).hexdigest()[:12]


def _content(file: Path, omit: Omit) -> bytes:
    content = file.read_bytes()
    return statements(content.decode(), omit).encode() if file.suffix == ".py" else content


@cache
def statements(source: str, omit: Omit = lambda *_: False) -> str:
    """Python source without comments, layout, docstrings and omitted statements; raises ``SyntaxError``."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node, clean=False) is not None
            node.body = [statement for statement in node.body[documented:] if not omit(node, statement)]
            if not node.body and not isinstance(node, ast.Module):
                node.body = [ast.Pass()]
    return ast.unparse(tree)
