"""A single figure of a study, for notebooks."""

from dataclasses import dataclass, field
from pathlib import Path

from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.evaluation.answers import read_answers
from cytocurve.files import write_bytes
from cytocurve.report.figures import draw
from cytocurve.text import check_known


@dataclass(frozen=True)
class Figure:
    """A figure as SVG and PDF, with the fonts embedded; a notebook displays it."""

    name: str
    svg: str = field(repr=False)
    pdf: bytes = field(repr=False)

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Write the figure to an ``.svg`` or ``.pdf`` file; raises ``InputError`` for any other suffix."""
        path = Path(path)
        if path.suffix not in (".svg", ".pdf"):
            raise InputError(f"{path}: the name of a figure file must end in .svg or .pdf")
        write_bytes(path, self.pdf if path.suffix == ".pdf" else self.svg.encode())
        return path


def figure(project: ProjectPaths, name: str, width_mm: float) -> Figure:
    """Draw a figure at a width in millimeters.

    Raises ``InputError`` if the study has not been evaluated or has no such figure.
    """
    drawn = draw(read_answers(project), width_mm)
    if unknown := check_known("figure", [name], list(drawn)):
        raise InputError(unknown[0], hint=f"Figures of this study: {', '.join(drawn)}")
    svg, pdf = drawn[name]
    return Figure(name, svg.decode(), pdf)
