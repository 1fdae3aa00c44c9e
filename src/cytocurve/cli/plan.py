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
    default=0.95,
    show_default=True,
    help="The mean score to reach.",
)
@click.option("--metric", default="roc_auc", show_default=True, help="A metric of the study.")
@click.option("--arm", "arms", multiple=True, help="An arm; repeatable. Default: all.")
@json_option
def plan(target: float, metric: str, arms: tuple[str, ...], json_output: bool) -> int:
    """Forecast how many labeled images a target score needs.

    Also forecasts the gain of additional images. Extrapolates the learning curve of each arm with several curve
    families, weighted by how well they predicted its larger sizes. Intervals are 90 %. Exits with 1 if no arm allows a
    forecast.

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
            yield "  from there on, the curve shows the gain of more images of the other classes only"
        yield ""


def _lines(arm: str, planned: "PlannedArm", beside: str) -> Iterator[str]:
    from cytocurve.report import formatting, wording
    from cytocurve.report.titles import title_of

    plan = planned.plan
    yield f"{arm}, {title_of(plan.metric)} with up to {plan.largest:,} training images, in addition to {beside}"
    if plan.refusal:
        yield f"  No forecast: {plan.refusal}"
    if not plan.refusal or planned.required.verdict == "reached":
        yield f"  {wording.answer(planned.required, plan, title_of(plan.metric))}"
    for row in plan.next:
        gain, low, high = (formatting.signed(value) for value in (row.gain, row.low, row.high))
        yield f"  {row.images:>3} more images are expected to add {gain} (90 % interval {low} to {high})"
    for trial in plan.backtest:
        predicted, observed = formatting.score(trial.forecast), formatting.score(trial.truth)
        interval = formatting.interval(trial.low, trial.high)
        yield (
            f"  Back-test: from sizes up to {trial.shown:,}, predicted {predicted} ({interval}) at {trial.size:,}; "
            f"observed {observed}"
        )
