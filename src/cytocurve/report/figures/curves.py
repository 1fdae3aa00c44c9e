"""Learning curves: the mean of every arm over the number of training images, each with its band."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytocurve.core.answers import Answers, CurvePoint
from cytocurve.report import wording
from cytocurve.report.arm_names import short_names
from cytocurve.report.figures.style import Drawn, defined, floats, legend, look, size_axis
from cytocurve.report.formatting import score
from cytocurve.report.palette import NEUTRALS


def learning_curves(answers: Answers, width: float) -> Drawn | None:
    """Means by the leading metric, bands of 95 %, a ring at the saturation size, hollow points at unbalanced sizes."""
    arms, names, metric = answers.arms, short_names(answers.arms), answers.metric
    curves = {arm: defined(results.curves[metric]) for arm, results in arms.items()}
    if not any(curves.values()):
        return None
    uneven = wording.unbalanced_sizes(answers.audit)
    figure = Figure(figsize=(width, 0.68 * width + 0.14 * len(arms)), layout="constrained")
    axes = figure.add_subplot()
    for number, (arm, points) in enumerate(curves.items()):
        _curve(axes, number, names[arm], points, arms[arm].saturation.size)
        _hollow(axes, number, [point for point in points if point.size in uneven.get(arms[arm].labels, ())])
    size_axis(axes, answers.sizes)
    axes.set_ylabel(f"mean {answers.metrics[metric]}")
    legend(figure, axes, list(names.values()))
    ends = "; ".join(f"{names[arm]}: {_ends(points)}" for arm, points in curves.items() if points)
    return Drawn(figure, f"Learning curves, {answers.title} over the number of images. {ends}.")


def _curve(axes: Axes, number: int, name: str, points: list[CurvePoint], saturation: int | None) -> None:
    banded = defined(points, "ci_low")
    axes.fill_between(
        [p.size for p in banded],
        floats(p.ci_low for p in banded),
        floats(p.ci_high for p in banded),
        color=look(number)["color"],
        alpha=0.16,
        linewidth=0,
    )
    axes.plot([p.size for p in points], floats(p.mean for p in points), label=name, **look(number))
    ring = [p for p in points if p.size == saturation]
    if ring:
        axes.plot(
            [p.size for p in ring],
            floats(p.mean for p in ring),
            "o",
            color=look(number)["color"],
            markersize=9,
            markerfacecolor="none",
        )


def _hollow(axes: Axes, number: int, points: list[CurvePoint]) -> None:
    """Points without filling, for sizes at which a class has too few images."""
    hollow = look(number) | {"linestyle": "", "markerfacecolor": NEUTRALS["paper"]}
    axes.plot([p.size for p in points], floats(p.mean for p in points), **hollow)


def _ends(points: list[CurvePoint]) -> str:
    return ", ".join(f"{score(p.mean)} with {p.size}" for p in (points[0], points[-1]))
