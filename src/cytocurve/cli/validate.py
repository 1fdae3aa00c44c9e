"""``cytocurve validate``: score a registered model on images it has not seen."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cytocurve.cli.shared import current_project, json_option, show, table
from cytocurve.text import counted, some

if TYPE_CHECKING:
    from cytocurve.core.answers import Validation

SHOWN = 5
"""Number of wrong images, and of left-out images per reason, that are printed; the files list more."""


@click.command()
@click.argument("version", required=False)
@click.option("--dataset", metavar="NAME", help="A dataset in data/.")
@click.option("--labels", metavar="VERSION", help="Its label version. Default: the only one, or that of the model.")
@click.option("--holdout", is_flag=True, help="The images that `holdout` in params.yaml locks away.")
@click.option("--reason", metavar="TEXT", help="Why you look at the holdout; recorded with the date.")
@json_option
def validate(
    version: str | None,
    dataset: str | None,
    labels: str | None,
    holdout: bool,
    reason: str | None,
    json_output: bool,
) -> None:
    """Score a registered model on images it has not seen.

    VERSION is a number or an alias of the study's model; by default the champion, else the challenger. Leaves out
    images that the model has seen, pictures like them, and, in the study's own dataset, their patients. Intervals are
    by patient. Writes the result and a page of the worst errors to reports/validation/. Every look at the holdout is
    recorded in holdout.jsonl.

    \b
    cytocurve validate --dataset other_clinic
    cytocurve validate 3 --holdout --reason "final score of version 3"
    """
    result = current_project().validate(version, dataset, labels, holdout, reason)
    from cytocurve.core.answers import to_json

    show(json_output, to_json(result), lambda: "\n".join(_text(result)))


def _text(result: "Validation") -> Iterator[str]:
    from cytocurve.report import validation as words
    from cytocurve.report.formatting import score

    yield words.title(result)
    yield from words.looks(result)
    yield from table(["", "here", "95 % interval", "study", "difference", "95 % interval"], [*_scores(result)])
    yield from words.remarks(result)
    yield words.calibrated(result)
    yield from table(
        ["class", "images", "sensitivity", "95 % interval", "precision", "95 % interval"],
        [
            [
                row.class_name,
                f"{row.images:,}",
                *(text for its in (row.sensitivity, row.precision) for text in (score(its.value), words.within(its))),
            ]
            for row in result.by_class
        ],
    )
    yield f"{counted(result.errors, 'error')}{', the most confident first:' if result.errors else ''}"
    for wrong in result.worst[:SHOWN]:
        yield f"  {wrong.image}: {wrong.class_name}, predicted {wrong.predicted} with {score(wrong.probability)}"
    for its in result.left_out:
        yield f"Left out: {counted(len(its.images), 'image')} {its.reason}: {some([*its.images], SHOWN)}"
    yield f"Open reports/validation/{result.name}.html; cytocurve report adds the result to the study's page"


def _scores(result: "Validation") -> Iterator[list[str]]:
    """A row per metric: here, in the study, and the difference, with intervals."""
    from cytocurve.report import validation as words
    from cytocurve.report.formatting import score, signed

    for metric, found in result.scores.items():
        difference = result.differences.get(metric)
        yield [
            result.metrics[metric],
            score(found.value),
            words.within(found),
            words.study_score(result, metric),
            signed(difference.value if difference else None),
            words.apart(difference),
        ]
