"""Digests of code that determines results: a change of it changes run keys, one of comments or layout does not."""

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any


def of_files(*paths: Path) -> str:
    """A digest (12 hex digits) of the statements of Python files, in this order."""
    return _digest([path.read_text(encoding="utf-8") for path in paths])


def of_functions(*functions: Callable[..., Any]) -> str:
    """A digest (12 hex digits) of the statements of functions; what they call is not followed."""
    return _digest([textwrap.dedent(inspect.getsource(function)) for function in functions])


def _digest(sources: list[str]) -> str:
    return hashlib.sha256("\0".join(map(_statements, sources)).encode()).hexdigest()[:12]


def _statements(source: str) -> str:
    """The source without comments, layout and docstrings; as it is where it is a part of a statement, as a lambda."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
