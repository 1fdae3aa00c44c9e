"""Architectures that represent other kinds of models, registered the way a plug-in package would."""

import pkgutil

from cytocurve.registry import register


def register_all() -> None:
    """Register every module of this package as an architecture."""
    for module in pkgutil.iter_modules(__path__):
        register(f"architectures.{module.name}", f"{__name__}.{module.name}")
