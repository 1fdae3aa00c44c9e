"""``cytocurve plan``: forecast how many labeled images a target score needs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cytocurve.cli.shared import current_project, json_option, show
from cytocurve.text import first_few

if TYPE_CHECKING:
    from cytocurve.core.answers import PlanAnswer, PlannedArm

SHOWN = 10
"""Number of unbalanced training sizes printed; --json lists all of them."""


@click.command()
@click.option(
    "--target",
    type=click.FloatRange(0, 1, min_open=True),
    help="The mean score to reach. Default: each arm's most informative target.",
)
@click.option("--metric", default="roc_auc", show_default=True, help="A metric of the study.")
@click.option("--arm", "arms", multiple=True, help="An arm; repeatable. Default: all.")
@json_option
def plan(target: float | None, metric: str, arms: tuple[str, ...], json_output: bool) -> int:
    """Forecast how many labeled images a target score needs.

    Gives the chance that a number of images reaches the target, the sizes at 50 % and 90 %, the labels in all, and
    the gain of additional images. Extrapolates the learning curve of each arm with several curve families, weighted
    by how well they predicted its larger sizes. Intervals of scores are 90 %, ranges of sizes 80 %. Exits with 1 if no
    arm allows a forecast.

    \b
    cytocurve plan --target 0.95 --arm sequential-flip_rotate-expert
    """
    answer = current_project().plan(target, metric, arms)
    show(json_output, answer.to_json(), lambda: "\n".join(_text(answer)))
    return int(all(arm.plan.refusal for arm in answer.arms.values()))


def _text(answer: "PlanAnswer") -> Iterator[str]:
    beside = f"{answer.validation_images or 0:.0f} labeled images to validate"
    for arm, planned in answer.arms.items():
        yield from _lines(arm, planned, beside)
        if sizes := answer.unbalanced.get(arm):
            yield f"  Warning: a class has too few images for balanced sizes {first_few([*map(str, sizes)], SHOWN)};"
            yield "  such a set is larger mostly by images of the other classes, and the curve shows that gain"
        yield ""


def _lines(arm: str, planned: "PlannedArm", beside: str) -> Iterator[str]:
    from cytocurve.report import formatting, wording
    from cytocurve.report.titles import title_of

    plan, needed = planned.plan, planned.required
    yield f"{arm}, {title_of(plan.metric)} with up to {plan.largest:,} training images, in addition to {beside}"
    if plan.refusal:
        yield f"  No forecast: {plan.refusal}"
    if needed and (not plan.refusal or needed.verdict == "reached"):
        yield f"  {wording.answer(needed, plan, title_of(plan.metric))}"
        if needed.labels:
            yield f"  {wording.labels(needed)}"
        if chances := wording.chances(needed, plan):
            yield f"  Chance of {formatting.target(needed.target)}: {chances}"
    if plan.start and needed:
        here = needed.target == plan.start.target
        yield f"  {'Target chosen' if here else 'Most informative target'}: {wording.why(plan)}"
    for row in plan.next:
        gain, low, high = (formatting.signed(value) for value in (row.gain, row.low, row.high))
        yield f"  {row.images:>3} more images are expected to add {gain} (90 % interval {low} to {high})"
    for trial in plan.backtest:
        predicted, observed = formatting.score(trial.forecast), formatting.score(trial.truth)
        interval = formatting.interval(trial.low, trial.high)
        yield (
            f"  Back-test: from sizes up to {trial.shown:,}, predicted {predicted} ({interval}) at {trial.size:,}; "
            f"observed {observed}{'' if trial.covered else ', outside'}"
        )
    for caution in plan.cautions:
        yield f"  Caution: {caution.sentence}"
