"""Import closures: the code that a module can reach, and digests of statements.

Source files are parsed, not imported. Imports count anywhere in a module, including inside functions, except below
``if TYPE_CHECKING``. Comments, docstrings and layout do not change a digest.
"""

import ast
import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """A top-level package: its name and the folder with its sources."""

    name: str
    folder: Path

    def file(self, module: str) -> Path | None:
        """The source file of a module or package below this one; None if it does not exist."""
        top, *parts = module.split(".")
        if top != self.name or not parts:
            return None
        path = self.folder.joinpath(*parts)
        return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)

    def closure(self, roots: Collection[str], without: Collection[str] = ()) -> dict[str, Path]:
        """Files by name: the modules that ``roots`` reach below this package, their parent packages, and package data.

        Modules in ``without`` are neither included nor followed; ``a.b.*`` means everything below ``a.b``. A package
        that looks up its own modules by name reaches all of them. The top-level package itself is excluded, since it
        only holds the version and the names for notebooks. Package data are the files in folders that are not packages.
        """
        reached: dict[str, Path] = {}
        pending = list(roots)
        while pending:
            module = pending.pop()
            file = self.file(module)
            if file is None or module in reached or _excluded(module, without):
                continue
            reached[module] = file
            pending += [module.rpartition(".")[0], *self._imports(module, file)]
        data = {name: path for module, file in reached.items() for name, path in _package_data(module, file)}
        return dict(sorted({**reached, **data}.items()))

    def _imports(self, module: str, file: Path) -> Iterator[str]:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        yield from _imported(tree, package)
        if file.name == "__init__.py" and _looks_up_members(tree):
            yield from (f"{module}.{path.stem}" for path in file.parent.iterdir() if path.name[0] != "_")


def _excluded(module: str, without: Collection[str]) -> bool:
    return any(module.startswith(rule.removesuffix("*")) if rule.endswith(".*") else module == rule for rule in without)


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    """Names of imported modules and of possible modules: ``a.b`` and ``a.b.c`` for ``from a.b import c``."""
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom():
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            yield from (name for statement in node.orelse for name in _imported(statement, package))
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _imported(child, package)


def _looks_up_members(tree: ast.Module) -> bool:
    """Whether a package passes its own name or path to a call other than ``getLogger``, as registries do."""
    return any(
        isinstance(name, ast.Name) and name.id in {"__name__", "__path__"}
        for call in ast.walk(tree)
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


def digest(file: Path) -> str:
    """A digest (12 hex digits) of a Python file's statements, or of any other file's bytes."""
    content = file.read_bytes()
    if file.suffix == ".py":
        content = statements(content.decode()).encode()
    return hashlib.sha256(content).hexdigest()[:12]


def statements(source: str) -> str:
    """Python source without comments, layout and docstrings; raises ``SyntaxError``."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
