"""``cytocurve plan``: how many labelled images a target needs."""

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
def plan(target: float, metric: str, arms: tuple[str, ...], machine: bool) -> None:
    """How many labelled images a target needs, and what the next ones buy.

    From the learning curve of each arm, extended by several families of curves that are weighted by how well they
    foretold its larger sizes. Intervals are 90 %. Exit code 1 where no arm allows a forecast.

    \b
    cytocurve plan --target 0.95 --arm sequential-flip_rotate-expert
    """
    from cytocurve.pipeline.plan import plan as run

    figures = run(current_project(), arms_named(arms), metric, target)
    show(machine, figures, lambda: "\n\n".join(_told(arm, found) for arm, found in figures["arms"].items()))
    if all(found["refusal"] for found in figures["arms"].values()):
        raise SystemExit(1)
