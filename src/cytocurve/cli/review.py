"""``cytocurve labels review``: rank the labels that an arm's own networks doubt."""

from typing import TYPE_CHECKING

import click

from cytocurve.cli.shared import current_project, json_option, show

if TYPE_CHECKING:
    from cytocurve.report.review import Suspect
    from cytocurve.workflows.review import ReviewOutcome


@click.command("review")
@click.argument("arm")
@click.option("--top", type=click.IntRange(1), default=60, show_default=True, help="Number of images on the page.")
@click.option("--overwrite", is_flag=True, help="Replace a table that contains decisions.")
@json_option
def review(arm: str, top: int, overwrite: bool, json_output: bool) -> None:
    """Rank the labels that a finished ARM's networks doubt.

    ARM is <architecture>-<augmentation>-<label version>. Each image is judged by networks that never trained on it.
    Writes a table of all images and a page of the most suspect ones to reports/review/. Enter your decisions in the
    table's new_label column, including labels that you confirm, then import it with `labels import`: rows without an
    entry keep their label.

    \b
    cytocurve labels review sequential-none-expert
    cytocurve labels import reports/review/sequential-none-expert.csv --as second --annotator "Dr A" --base expert
    """
    outcome = current_project().labels_review(arm, top, overwrite)
    show(json_output, outcome.to_json(), lambda: _ranking(outcome, arm.rpartition("-")[2]))


def _ranking(outcome: "ReviewOutcome", labels: str) -> str:
    lines = [f"Most suspect of {outcome.images} labels:"]
    lines += [
        f"  {suspect.rank:>3}  {suspect.score:.3f}  {suspect.image}: {suspect.label}, {_verdict(suspect)}"
        for suspect in outcome.suspects[:10]
    ]
    return "\n".join(
        [
            *lines,
            f"Open {outcome.page}, enter decisions in the new_label column of {outcome.table}, then run",
            f"  cytocurve labels import {outcome.table} --as NAME --annotator WHO --base {labels}",
        ]
    )


def _verdict(suspect: "Suspect") -> str:
    agreed = suspect.given == suspect.suggested
    return "networks agree" if agreed else f"networks suggest {suspect.suggested}"
