"""Discovery of interchangeable parts: datasets, architectures, engines, ledgers.

A member of a family is a module (or package) directly in the family's package whose name has no leading underscore.
Other distributions can add a member through the entry-point group ``cytocurve``; the entry point is named after the
family's package and the member, and its value is a module:

.. code-block:: toml

    [project.entry-points.cytocurve]
    "datasets.our_clinic" = "our_package.our_clinic"

A plugin cannot replace cytocurve's own members.
"""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from cytocurve.errors import InputError

GROUP = "cytocurve"
"""The entry-point group of plugins."""


def members(package: str) -> list[str]:
    """The names of all members of the family in a package (its dotted name), sorted."""
    return sorted(_modules(package))


def module_name(package: str, name: str) -> str:
    """The dotted name of a member's module; raises ``KeyError`` if the member does not exist."""
    return _modules(package)[name]


def module(package: str, name: str) -> ModuleType:
    """Import a member's module; raises ``KeyError`` if the member does not exist."""
    found = module_name(package, name)
    try:
        return importlib.import_module(found)
    except ImportError as error:
        raise InputError(
            f"{package}: the member {name!r} cannot be loaded: {error}",
            next_step=f"fix or uninstall the package that provides the module {found}",
        ) from error


def load(package: str, name: str, attribute: str) -> Any:
    """An attribute of a member's module, such as ``DATASET``; raises ``KeyError`` if the member does not exist."""
    member = module(package, name)
    if not hasattr(member, attribute):
        raise InputError(f"{package}: the module {member.__name__} of the member {name!r} does not define {attribute}")
    return getattr(member, attribute)


_registered: dict[str, str] = {}


def register(entry: str, module: str) -> None:
    """Add a member in this process only, like an entry point named ``entry`` with the value ``module``."""
    _registered[entry] = module
    _modules.cache_clear()


@cache
def _modules(package: str) -> dict[str, str]:
    """The members' modules by name; looked up once per process."""
    path = importlib.import_module(package).__path__
    own = {info.name: f"{package}.{info.name}" for info in pkgutil.iter_modules(path) if info.name[0] != "_"}
    return plugins(package) | own


def plugins(package: str) -> dict[str, str]:
    """The modules, by name, of the members that plugins add to the family in a package; nothing is imported."""
    prefix = f"{package.rpartition('.')[2]}."
    entries = {entry.name: entry.module for entry in entry_points(group=GROUP)} | _registered
    return {name.removeprefix(prefix): value for name, value in sorted(entries.items()) if name.startswith(prefix)}
