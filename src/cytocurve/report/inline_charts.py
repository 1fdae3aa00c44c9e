"""Small charts as SVG elements of the page: drawn without scripts, in the page's colors on screens and on paper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log

from cytocurve.core.answers import CurvePoint, LossCurve
from cytocurve.report.figures.style import thinned
from cytocurve.report.formatting import score

Scale = Callable[[float], float]


@dataclass(frozen=True)
class Frame:
    """A chart of this size in pixels, with room for its labels on the left, on the right, above and below."""

    width: int
    height: int
    left: int = 40
    right: int = 14
    top: int = 14
    bottom: int = 26

    def across(self, low: float, high: float) -> Scale:
        """Places from the left, for values from ``low`` to ``high``; the middle if both are equal."""
        room, span = self.width - self.left - self.right, high - low
        return lambda value: self.left + (room * (value - low) / span if span else room / 2)

    def up(self, low: float, high: float) -> Scale:
        """Places from the top, for values from ``low`` at the bottom to ``high``."""
        room, span = self.height - self.top - self.bottom, high - low
        return lambda value: self.top + (room * (high - value) / span if span else room / 2)

    def svg(self, label: str, parts: Sequence[str]) -> str:
        """The element, with a label for readers who do not see it."""
        size = f'viewBox="0 0 {self.width} {self.height}"'
        return f'<svg class="inline" role="img" aria-label="{escape(label)}" {size}>{"".join(parts)}</svg>'


def learning_curve(points: Sequence[CurvePoint], title: str, name: str, unbalanced: Sequence[int]) -> str:
    """The curve of an arm with the band of its intervals; empty if no score is defined.

    Points are hollow at sizes that are ``unbalanced``.
    """
    drawn = [point for point in points if point.mean is not None]
    if not drawn:
        return ""
    frame = Frame(440, 230)
    lows = [_or(point.ci_low, point.mean) for point in drawn]
    highs = [_or(point.ci_high, point.mean) for point in drawn]
    low, high = floor(20 * min(lows)) / 20, min(ceil(20 * max(highs)) / 20, 1.0)
    x = frame.across(log(drawn[0].size), log(drawn[-1].size))
    y = frame.up(low, high)
    at = [x(log(point.size)) for point in drawn]
    means = [y(_or(point.mean, 0)) for point in drawn]
    marks = [
        f'<circle cx="{left:.1f}" cy="{top:.1f}" r="4" class="{"hollow" if point.size in unbalanced else "dot"}"/>'
        for point, left, top in zip(drawn, at, means, strict=True)
    ]
    sizes = [drawn[i].size for i in thinned([log(point.size) for point in drawn], room=9)]
    ends = _ends(drawn, at, means)
    label = f"Learning curve of the network {name}. {title}: " + ", ".join(
        f"{score(point.mean)} with {point.size:,} images" for point in (drawn[0], drawn[-1])
    )
    return frame.svg(
        label,
        [
            *_axis(frame, y, _ticks(low, high)),
            *(_text(x(log(size)), frame.height - 8, f"{size:,}", "middle") for size in sizes),
            _band(at, [y(value) for value in lows], [y(value) for value in highs]),
            _line(at, means, "line"),
            *marks,
            *ends,
        ],
    )


def loss_curves(curve: LossCurve, highest: float) -> str:
    """The losses of one training size by epoch, up to ``highest``; the vertical line is where weights were kept."""
    frame = Frame(300, 190, left=34, right=10, top=10)
    last = max(curve.epoch[-1], 2)
    x, y = frame.across(1, last), frame.up(0, highest)
    at = [x(epoch) for epoch in curve.epoch]
    parts = _axis(frame, y, _ticks(0, highest))
    parts += [_text(x(1), frame.height - 8, "1", "middle"), _text(x(last), frame.height - 8, f"{last:,}", "end")]
    for course, kind in ((curve.training, "training"), (curve.validation, "validation")):
        there = [i for i, value in enumerate(course.median) if value is not None]
        places = [at[i] for i in there]
        low, middle, high = (
            [y(min(_or(values[i], 0), highest)) for i in there] for values in (course.q1, course.median, course.q3)
        )
        if there:
            parts += [_band(places, low, high, kind), _line(places, middle, f"line {kind}")]
    if curve.kept_epoch is not None:
        kept = x(min(curve.kept_epoch, last))
        parts.append(f'<line x1="{kept:.1f}" x2="{kept:.1f}" y1="{frame.top}" y2="{y(0):.1f}" class="kept"/>')
    losses = ", ".join(
        f"{kind} {score(kept.mean)}"
        for kind, kept in (
            ("training", curve.training_kept),
            ("validation", curve.validation_kept),
            ("test", curve.test_kept),
        )
    )
    return frame.svg(f"Losses by epoch with {curve.size:,} training images. Of the kept weights: {losses}", parts)


def _or(value: float | None, other: float | None) -> float:
    return value if value is not None else other or 0.0


def _ticks(low: float, high: float) -> list[float]:
    """Three to five round values from ``low`` to ``high``."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
    step = next((step for step in steps if (high - low) / step <= 4.5), high - low or 1.0)
    first = ceil(low / step - 1e-9)
    return [round(k * step, 6) for k in range(first, floor(high / step + 1e-9) + 1)]


def _axis(frame: Frame, y: Scale, ticks: Sequence[float]) -> list[str]:
    digits = 2 if any(round(tick, 1) != tick for tick in ticks) else 1
    lines = [
        f'<line x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" class="grid"/>'
        for tick in ticks
    ]
    return lines + [_text(frame.left - 7, y(tick) + 4, f"{tick:.{digits}f}", "end") for tick in ticks]


def _ends(points: Sequence[CurvePoint], at: Sequence[float], means: Sequence[float]) -> list[str]:
    """The first and the last score, beside their points."""
    first = _text(at[0] + 6, means[0] + 17, score(points[0].mean), "start", "value")
    last = _text(at[-1] + 2, means[-1] + 19, score(points[-1].mean), "end", "value")
    return (
        [first, last] if len(points) > 1 else [_text(at[0] + 8, means[0] + 5, score(points[0].mean), "start", "value")]
    )


def _text(x: float, y: float, text: str, anchor: str, kind: str = "label") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def _line(xs: Sequence[float], ys: Sequence[float], kind: str) -> str:
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    return f'<polyline points="{places}" class="{kind}"/>'


def _band(xs: Sequence[float], lows: Sequence[float], highs: Sequence[float], kind: str = "") -> str:
    there = [*zip(xs, lows, strict=True), *zip(reversed(xs), reversed(highs), strict=True)]
    return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in there)}" class="band {kind}"/>'
