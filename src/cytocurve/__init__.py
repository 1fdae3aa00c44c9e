"""cytocurve: learning-curve studies on images of single blood cells.

>>> import cytocurve
>>> project = cytocurve.Project("my-study")
>>> project
Project('my-study')
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cytocurve.api import Project, load_answers

__version__ = "0.1.0"
__all__ = ["Project", "__version__", "load_answers"]


def __getattr__(name: str) -> Any:
    """Import the API on first use: ``import cytocurve`` alone stays cheap."""
    if name in ("Project", "load_answers"):
        return getattr(import_module("cytocurve.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
