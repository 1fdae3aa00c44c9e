"""The forecast of the chosen arm: the observed means, and the expected scores of larger training sets."""

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from cytocurve.core.answers import Answers
from cytocurve.report import wording
from cytocurve.report.figures.style import Drawn, defined, floats
from cytocurve.report.formatting import target
from cytocurve.report.palette import COLORS, NEUTRALS


def forecast(answers: Answers, width: float) -> Drawn | None:
    """The median with its 90 % band up to the horizon, and the page's initial target."""
    plan, title = answers.best.plan, answers.title
    rows = plan.forecast
    if plan.refusal is not None or not rows or not plan.targets:
        return None
    needed = plan.targets[wording.default_target(plan)]
    figure = Figure(figsize=(width, 0.66 * width), layout="constrained")
    axes = figure.add_subplot()
    sizes = [row.size for row in rows]
    blue, red = COLORS[0], COLORS[1]
    axes.fill_between(
        sizes, floats(r.low for r in rows), floats(r.high for r in rows), color=blue, alpha=0.16, linewidth=0
    )
    for inside, dash in ((True, "-"), (False, (0, (4, 2)))):
        part = [r for r in rows if (r.size <= plan.largest if inside else r.size >= plan.largest)]
        axes.plot([r.size for r in part], floats(r.median for r in part), color=blue, linestyle=dash)
    seen = defined(plan.observed)
    axes.plot([r.size for r in seen], floats(r.mean for r in seen), "o", color=NEUTRALS["ink"], label="observed")
    axes.axvline(plan.largest, color=NEUTRALS["muted"], linewidth=0.7, linestyle=(0, (1.5, 2)))
    axes.axhline(needed.target, color=red, linewidth=0.9, linestyle=(0, (3, 2)))
    axes.annotate(
        f"target {target(needed.target)}",
        (sizes[0], needed.target),
        xytext=(2, 2.5),
        textcoords="offset points",
        color=red,
    )
    if needed.size is not None:
        axes.plot(needed.size, needed.target, "D", color=red, markersize=5)
    axes.set_xscale("log")
    axes.set_xlim(sizes[0], sizes[-1])
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.minorticks_off()
    axes.set(xlabel="training images", ylabel=f"mean {title}")
    return Drawn(figure, f"Forecast of the mean {title}. {wording.answer(needed, plan, title)}")
