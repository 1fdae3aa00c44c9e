"""Architectures that stand in for whole kinds of them, added as a package outside would add its own."""

import pkgutil

from cytocurve.registry import register


def register_all() -> None:
    """Make every module of this package an architecture."""
    for module in pkgutil.iter_modules(__path__):
        register(f"architectures.{module.name}", f"{__name__}.{module.name}")
