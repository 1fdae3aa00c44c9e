"""All figures of a study, as files for a paper and as elements of a page. Equal answers give equal bytes."""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from html import escape

import matplotlib as mpl
from matplotlib.figure import Figure

from cytocurve.core.answers import Answers
from cytocurve.report.figures.boxes import box_plots
from cytocurve.report.figures.confusion import confusion
from cytocurve.report.figures.curves import learning_curves
from cytocurve.report.figures.fonts import with_fonts
from cytocurve.report.figures.forecast import forecast
from cytocurve.report.figures.receiver import receiver
from cytocurve.report.figures.reliability import reliability
from cytocurve.report.figures.style import Drawn, style
from cytocurve.report.palette import NEUTRALS

FIGURES: Mapping[str, Callable[[Answers, float], Drawn | None]] = {
    "curves": learning_curves,
    "boxplot": box_plots,
    "forecast": forecast,
    "roc": receiver,
    "confusion": confusion,
    "reliability": reliability,
}
"""Each draws at a width in inches, or returns None if these answers have nothing to draw."""

_MM = 1 / 25.4
_PAGE_MM = 150.0


def draw(answers: Answers, width_mm: float = 85.0) -> dict[str, tuple[bytes, bytes]]:
    """Every figure as SVG and as PDF, ``width_mm`` wide (85 is one column), with text in embedded fonts.

    PDF fonts are TrueType (type 42), SVG fonts are subsets of the same ones. No file has a date.
    """
    return {name: (with_fonts(_svg(drawn)).encode(), _pdf(drawn.figure)) for name, drawn in _drawn(answers, width_mm)}


def drawings(answers: Answers) -> dict[str, str]:
    """Every figure as SVG text that uses the fonts and neutral colors of the page that contains it."""
    return {name: _svg(drawn) for name, drawn in _drawn(answers, _PAGE_MM)}


def inline(svg: str, name: str) -> str:
    """A figure as an inline element of a page, with unique ids and neutral colors defined by the page's style."""
    element = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg[svg.index("<svg") :])
    for variable, color in NEUTRALS.items():
        element = element.replace(color, f"var(--{variable})")
    return element


def _drawn(answers: Answers, width_mm: float) -> Iterator[tuple[str, Drawn]]:
    with mpl.rc_context(style(width_mm)):
        for name, figure in FIGURES.items():
            drawn = figure(answers, width_mm * _MM)
            if drawn is not None:
                yield name, drawn


def _svg(drawn: Drawn) -> str:
    sink = io.StringIO()
    drawn.figure.savefig(sink, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return sink.getvalue().replace("<svg ", f'<svg role="img" aria-label="{escape(drawn.description)}" ', 1)


def _pdf(figure: Figure) -> bytes:
    sink = io.BytesIO()
    figure.savefig(sink, format="pdf", metadata=dict.fromkeys(("CreationDate", "Creator", "Producer")))
    return sink.getvalue()
