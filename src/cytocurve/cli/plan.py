"""``cytocurve plan``: how many labelled images a target needs."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from cytocurve.cli.shared import arms_named, as_json, current_project, show


@click.command()
@click.option(
    "--target",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.95,
    show_default=True,
    help="The mean score wanted.",
)
@click.option("--metric", default="roc_auc", show_default=True, help="A metric of the study.")
@click.option("--arm", "arms", multiple=True, help="An arm; may be given several times. All by default.")
@as_json
def plan(target: float, metric: str, arms: tuple[str, ...], machine: bool) -> int:
    """How many labelled images a target needs.

    And what the next ones buy: from the learning curve of each arm, extended by several families of curves that are
    weighted by how well they foretold its larger sizes. Intervals are 90 %. Exit code 1 where no arm allows a forecast.

    \b
    cytocurve plan --target 0.95 --arm sequential-flip_rotate-expert
    """
    from cytocurve.workflows.plan import plan as run

    figures = run(current_project(), arms_named(arms), metric, target)
    show(machine, figures, lambda: "\n".join(line for item in figures["arms"].items() for line in _told(*item)))
    return int(all(found["refusal"] for found in figures["arms"].values()))


def _told(arm: str, plan: Mapping[str, Any]) -> Iterator[str]:
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
            f"  Back-test: sizes up to {row['shown']:,} foretold {words.score(row['forecast'])} "
            f"({words.interval(row['low'], row['high'])}) at {row['size']:,}; it was {words.score(row['truth'])}"
        )
    yield ""
