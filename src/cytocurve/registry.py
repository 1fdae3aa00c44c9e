"""Families of parts, one member per module, found by their being there.

Every module of a family's package is a member, named after its module, and defines the family's attribute; modules
that begin with ``_`` are not members. A package elsewhere adds members through the entry-point group ``cytocurve``:
each entry point names a module, a member of every family whose attribute it defines (``ARCHITECTURE``, ``POLICY``,
``PROTOCOL``, ``ENGINE``, ``EXECUTOR``).
"""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import Any

GROUP = "cytocurve"

_registered: list[str] = []


def register(module: str) -> None:
    """Add the members that an importable module defines, in this process."""
    if module not in _registered:
        _registered.append(module)


@cache
def _installed() -> tuple[str, ...]:
    return tuple(sorted(point.module for point in entry_points(group=GROUP)))


class Family:
    """The members of one kind: the modules of ``package``, and those of plug-ins, that define ``attribute``."""

    def __init__(self, package: str, attribute: str) -> None:
        self._package, self._attribute = package, attribute

    def names(self) -> list[str]:
        """Names of all members, sorted."""
        return sorted(self._modules())

    def load(self, name: str) -> Any:
        """The member of that name; raises ``KeyError`` if there is none."""
        return getattr(importlib.import_module(self.module(name)), self._attribute)

    def module(self, name: str) -> str:
        """The full name of the module that defines the member; raises ``KeyError`` if there is none."""
        return self._modules()[name]

    def _modules(self) -> dict[str, str]:
        path = importlib.import_module(self._package).__path__
        own = [module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_")]
        plugged = [name for name in (*_installed(), *_registered) if _defines(name, self._attribute)]
        return {name.rpartition(".")[2]: name for name in plugged} | {name: f"{self._package}.{name}" for name in own}


@cache
def _defines(module: str, attribute: str) -> bool:
    return hasattr(importlib.import_module(module), attribute)
