"""``cytocurve labels review``: the labels that an arm's own networks doubt."""

from collections.abc import Mapping
from typing import Any

import click

from cytocurve.cli.shared import current_project, json_option, show


@click.command("review")
@click.argument("arm")
@click.option("--top", type=click.IntRange(1), default=60, show_default=True, help="Number of images on the page.")
@click.option("--overwrite", is_flag=True, help="Replace a table with decisions that were not imported.")
@json_option
def review(arm: str, top: int, overwrite: bool, json_output: bool) -> None:
    """Rank the labels that a finished ARM's networks doubt.

    ARM is <architecture>-<augmentation>-<label version>. Each image is judged by networks that never trained on it.
    Writes a table of all images and a page of the first ones to reports/review/. Enter your decisions into the table's
    column new_label, also to confirm a label, and import it with `labels import`: rows without an entry there keep
    their label.

    \b
    cytocurve labels review sequential-none-expert
    cytocurve labels import reports/review/sequential-none-expert.csv --as second --annotator "Dr A" --base expert
    """
    result = current_project().labels_review(arm, top, overwrite)
    show(json_output, result, lambda: _ranking(result, arm.rpartition("-")[2]))


def _ranking(result: Mapping[str, Any], labels: str) -> str:
    lines = [f"The most suspect of {result['images']} labels:"]
    lines += [
        f"  {suspect['rank']:>3}  {suspect['score']:.3f}  {suspect['image']}: {suspect['label']}, {_verdict(suspect)}"
        for suspect in result["suspects"][:10]
    ]
    return "\n".join(
        [
            *lines,
            f"Look at {result['page']}; decide in {result['table']}, column new_label; then:",
            f"  cytocurve labels import {result['table']} --as NAME --annotator WHO --base {labels}",
        ]
    )


def _verdict(suspect: Mapping[str, Any]) -> str:
    agreed = suspect["given"] == suspect["suggested"]
    return "the networks agree" if agreed else f"the networks suggest {suspect['suggested']}"
