"""``cytocurve plan``: forecast how many labeled images a target score needs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cytocurve.cli.shared import current_project, json_option, show

if TYPE_CHECKING:
    from cytocurve.core.answers import PlannedArm


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
    beside = f"{answer.validation_images or 0:.0f} labeled images to validate"
    show(
        json_output,
        answer.to_json(),
        lambda: "\n".join(line for arm in answer.arms.items() for line in _lines(*arm, beside)),
    )
    return int(all(arm.plan.refusal for arm in answer.arms.values()))


def _lines(arm: str, planned: "PlannedArm", beside: str) -> Iterator[str]:
    from cytocurve.report import formatting, wording
    from cytocurve.report.titles import title_of

    plan = planned.plan
    yield f"{arm}, {title_of(plan.metric)} with up to {plan.largest:,} training images, beside {beside}"
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
    yield ""
