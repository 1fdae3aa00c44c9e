"""Families of interchangeable parts: datasets, architectures, augmentation policies, protocols, engines, ledgers.

A member of a family is a module (or package) directly in the family's package whose name has no leading underscore.
Another distribution adds a member through the entry-point group ``cytocurve``; the entry point is named after the
family's package and the member, and its value is a module:

.. code-block:: toml

    [project.entry-points.cytocurve]
    "datasets.our_clinic" = "our_package.our_clinic"

The names of cytocurve's own members cannot be taken by a plugin.
"""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import Any

GROUP = "cytocurve"
"""The entry-point group of plugins."""

_registered: list[str] = []


def register(module: str) -> None:
    """Add the members that an importable module defines to their families, in this process only."""
    if module not in _registered:
        _registered.append(module)


class Family:
    """The members of one kind: the modules of ``package`` and of plugins; each defines ``attribute``."""

    def __init__(self, package: str, attribute: str) -> None:
        self._package, self._attribute = package, attribute

    def names(self) -> list[str]:
        """The names of all members, sorted."""
        return sorted(self._modules())

    def load(self, name: str) -> Any:
        """The member of that name; raises ``KeyError`` if there is none."""
        return getattr(importlib.import_module(self.module(name)), self._attribute)

    def module(self, name: str) -> str:
        """The full name of the module that defines the member; raises ``KeyError`` if there is none."""
        return self._modules()[name]

    def _modules(self) -> dict[str, str]:
        registered = {name.rpartition(".")[2]: name for name in _registered if _defines(name, self._attribute)}
        return registered | _installed(self._package)


@cache
def _installed(package: str) -> dict[str, str]:
    """The modules of the package's own members and of plugins, by the member's name."""
    path = importlib.import_module(package).__path__
    own = {found.name: f"{package}.{found.name}" for found in pkgutil.iter_modules(path) if found.name[0] != "_"}
    prefix = f"{package.rpartition('.')[2]}."
    plugins = {
        entry.name.removeprefix(prefix): entry.module
        for entry in entry_points(group=GROUP)
        if entry.name.startswith(prefix)
    }
    return plugins | own


@cache
def _defines(module: str, attribute: str) -> bool:
    return hasattr(importlib.import_module(module), attribute)
