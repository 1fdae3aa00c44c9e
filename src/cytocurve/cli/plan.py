"""``cytocurve plan``: how many labelled images a target needs."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from cytocurve.cli.shared import current_project, json_option, show


@click.command()
@click.option(
    "--target",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.95,
    show_default=True,
    help="The mean score to reach.",
)
@click.option("--metric", default="roc_auc", show_default=True, help="A metric of the study.")
@click.option("--arm", "arms", multiple=True, help="An arm; repeatable. All by default.")
@json_option
def plan(target: float, metric: str, arms: tuple[str, ...], json_output: bool) -> int:
    """Forecast how many labelled images a target needs.

    Also forecasts the gain of adding images. The learning curve of each arm is extrapolated by several families of
    curves, weighted by how well they predicted its larger sizes. Intervals are 90 %. Exit code 1: no arm allows a
    forecast.

    \b
    cytocurve plan --target 0.95 --arm sequential-flip_rotate-expert
    """
    answer = current_project().plan(target, metric, arms)
    show(json_output, answer, lambda: "\n".join(line for item in answer["arms"].items() for line in _forecast(*item)))
    return int(all(plan["refusal"] for plan in answer["arms"].values()))


def _forecast(arm: str, plan: Mapping[str, Any]) -> Iterator[str]:
    from cytocurve.report import words
    from cytocurve.report.titles import title_of

    yield f"{arm}, {title_of(plan['metric'])} with up to {plan['largest']:,} training images"
    if plan["refusal"]:
        yield f"  No forecast: {plan['refusal']}"
    if not plan["refusal"] or plan["required"]["verdict"] == "reached":
        yield f"  {words.answer(plan['required'], plan, title_of(plan['metric']))}"
    for row in plan["next"]:
        gain, low, high = (words.signed(row[name]) for name in ("gain", "low", "high"))
        yield f"  {row['images']:>3} more images are expected to add {gain} (90 % interval {low} to {high})"
    for row in plan["backtest"]:
        yield (
            f"  Backtest: sizes up to {row['shown']:,} predicted {words.score(row['forecast'])} "
            f"({words.interval(row['low'], row['high'])}) at {row['size']:,}; observed {words.score(row['truth'])}"
        )
    yield ""
