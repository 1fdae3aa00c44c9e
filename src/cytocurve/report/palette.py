"""Colors, shapes and dashes of the arms, in the page and in figures: one source for CSS, JavaScript and matplotlib."""

from typing import Any, NamedTuple

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b87c00", "#3b96cc")
"""Okabe & Ito 2008, with darker orange and sky blue so that lines have a contrast ratio of 3 against white."""

DARK_COLORS = ("#4aa8e8", "#f0813a", "#2fc49a", "#e3a3c6", "#f2b632", "#9ad4f5")
"""The same hues for a dark background."""

NEUTRALS = {"ink": "#1d2125", "muted": "#626a73", "rule": "#dfe3e7", "paper": "#fefefe"}
"""Text, secondary text, grid and background of figures, by the CSS variables that replace them in the page."""

_LIGHT = {
    "ink": "#16191d", "muted": "#565e67", "rule": "#dde2e7", "paper": "#ffffff", "ground": "#f6f7f9",
    "accent": "#005a8e", "mark": "#e2eff8", "shade": "0, 90, 142",
}  # fmt: skip
_DARK = {
    "ink": "#eceef0", "muted": "#a6afb9", "rule": "#333b44", "paper": "#191e24", "ground": "#101317",
    "accent": "#7cc4f2", "mark": "#1d3a4d", "shade": "62, 142, 196",
}  # fmt: skip
_PRINT = {
    "ink": "#000000", "muted": "#444444", "rule": "#cccccc", "paper": "#ffffff", "ground": "#ffffff",
    "accent": "#005a8e", "mark": "#e2eff8", "shade": "0, 90, 142",
}  # fmt: skip


class Shape(NamedTuple):
    """The shape of an arm's points: its name in Vega and in matplotlib, and its path in a 48 x 16 legend swatch."""

    vega: str
    matplotlib: str
    path: str


SHAPES = (
    Shape("circle", "o", "M24 8m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0"),
    Shape("square", "s", "M20 4h8v8h-8z"),
    Shape("triangle-up", "^", "M24 3l5 9h-10z"),
    Shape("diamond", "D", "M24 2l5 6l-5 6l-5-6z"),
    Shape("triangle-down", "v", "M24 13l5-9h-10z"),
    Shape("cross", "P", "M22.5 3h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z"),
)


class Dash(NamedTuple):
    """The dash pattern of an arm's lines: in pixels for the page, in line widths for figures."""

    page: tuple[float, ...]
    figure: tuple[float, ...]


DASHES = (
    Dash((1, 0), ()),
    Dash((7, 3), (4, 2)),
    Dash((2, 2.5), (1.2, 1.2)),
    Dash((9, 3, 2, 3), (5, 1.5, 1.5, 1.5)),
)


class Look(NamedTuple):
    """Indices of the color, shape and dash of an arm or class."""

    color: int
    shape: int
    dash: int


def look(number: int) -> Look:
    """The look of an arm or class by its number; no two looks differ by color alone."""
    return Look(number % len(COLORS), number % len(SHAPES), (number + number // len(COLORS)) % len(DASHES))


def script_looks(arms: int) -> list[dict[str, Any]]:
    """The looks of this many arms for the page's scripts."""
    return [
        {
            "color": f"var(--c{place.color})",
            "shape": SHAPES[place.shape].vega,
            "path": SHAPES[place.shape].path,
            "dash": DASHES[place.dash].page,
        }
        for place in map(look, range(arms))
    ]


def css() -> str:
    """The page's CSS variables for light and dark screens and for print."""
    light, dark, paper = _variables(_LIGHT, COLORS), _variables(_DARK, DARK_COLORS), _variables(_PRINT, COLORS)
    return (
        f":root {{ {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        f"@media print {{ :root {{ {paper} }} }}\n"
    )


def _variables(named: dict[str, str], colors: tuple[str, ...]) -> str:
    numbered = {f"c{number}": color for number, color in enumerate(colors)}
    return " ".join(f"--{name}: {value};" for name, value in (named | numbered).items())
