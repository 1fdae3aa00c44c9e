"""``cytocurve labels review``: the labels that an arm's own networks doubt."""

from typing import Any

import click

from cytocurve.cli.shared import arms_named, as_json, current_project, show


@click.command("review")
@click.argument("arm")
@click.option("--top", type=click.IntRange(1), default=60, show_default=True, help="How many images the page shows.")
@click.option("--overwrite", is_flag=True, help="Also where the table holds decisions that were not brought in.")
@as_json
def review(arm: str, top: int, overwrite: bool, machine: bool) -> None:
    """Rank the labels that a finished ARM's networks doubt.

    ARM is <architecture>-<augmentation>-<label version>. Each image is judged by networks that never trained on it.
    Writes a table of all images and a page of the first ones to reports/review/. Put what you decide into the table's
    column new_label, also where you confirm the label, and bring it back by `labels import`: rows without an entry
    there keep the label that they have.

    \b
    cytocurve labels review sequential-none-expert
    cytocurve labels import reports/review/sequential-none-expert.csv --as second --annotator "Dr A" --base expert
    """
    from cytocurve.progress import Bars
    from cytocurve.workflows.review import review as run

    (chosen,), bars = arms_named((arm,)), Bars()
    try:
        figures = run(current_project(), chosen, top, bars("reading", "images"), overwrite)
    finally:
        bars.close()
    show(machine, figures, lambda: _told(figures, chosen.labels))


def _told(figures: dict[str, Any], labels: str) -> str:
    lines = [f"The most suspect of {figures['images']} labels:"]
    lines += [
        f"  {suspect['rank']:>3}  {suspect['score']:.3f}  {suspect['image']}: {suspect['label']}, {_verdict(suspect)}"
        for suspect in figures["suspects"][:10]
    ]
    return "\n".join(
        [
            *lines,
            f"Look at {figures['page']}; decide in {figures['table']}, column new_label; then:",
            f"  cytocurve labels import {figures['table']} --as NAME --annotator WHO --base {labels}",
        ]
    )


def _verdict(suspect: dict[str, Any]) -> str:
    agreed = suspect["given"] == suspect["suggested"]
    return "the networks agree" if agreed else f"the networks say {suspect['suggested']}"
