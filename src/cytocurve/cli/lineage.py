"""``cytocurve data trace`` and ``data withdraw``: trace what used an image, and remove a patient."""

from typing import TYPE_CHECKING

import click

from cytocurve.cli.shared import current_project, json_option, show
from cytocurve.text import counted, some_lines

if TYPE_CHECKING:
    from cytocurve.workflows.data_trace import Trace
    from cytocurve.workflows.data_withdraw import WithdrawOutcome


SHOWN = 10
"""How many runs of a list are printed; --json has all."""


@click.command("trace")
@click.argument("image", required=False)
@click.option("--patient", metavar="ID", help="Trace all images of this patient.")
@json_option
def trace(image: str | None, patient: str | None, json_output: bool) -> None:
    """List what was trained, validated or tested on IMAGE.

    Searches all runs in the ledger, learning curves and registered model versions. IMAGE is a path below images/ of the
    dataset in params.yaml, or a file name if it is unique; withdrawn images are found too. Exits with 1 if runs in
    results/, MLflow or the model registry are damaged in the ledger or missing from it, since their images are unknown.

    \b
    cytocurve data trace Im001_1.tif
    cytocurve data trace --patient P07 --json
    """
    if (image is None) == (patient is None):
        raise click.UsageError("Specify either IMAGE or --patient ID.")
    traced = current_project().trace(image, patient)
    show(json_output, traced.to_json(), lambda: _traced(traced))
    if not traced.complete:
        click.get_current_context().exit(1)


def _traced(traced: "Trace") -> str:
    runs = {run.run_key: run.present for run in traced.runs}
    lines = [f"{counted(len(traced.images), 'image')}, used by {counted(len(runs), 'run')}:"]
    images = [image.image + (f" (withdrawn: {image.withdrawn})" if image.withdrawn else "") for image in traced.images]
    lines += [f"  {line}" for line in some_lines(images)]
    present = sum(runs.values())
    lines.append(f"Current results: {counted(present, 'run')}; earlier results: {len(runs) - present}")
    for curve in traced.curves:
        roles = "; ".join(f"{role} at {', '.join(map(str, sizes))}" for role, sizes in curve.sizes.items())
        lines.append(f"{'Curve' if curve.present else 'Earlier curve'} {curve.arm}: {roles}")
    for model in traced.models:
        members = sorted({role for roles_of_run in model.members.values() for role in roles_of_run})
        alias = f" ({', '.join(model.aliases)})" if model.aliases else ""
        lines.append(f"Model {model.model} version {model.version}{alias}: {', '.join(members)}")
    if damaged := traced.damaged_runs:
        lines.append(f"warning: {counted(len(damaged), 'damaged run')}, whose images are unknown:")
        lines += _some(damaged)
    if unsearched := traced.unsearched_runs:
        number = len(unsearched)
        lines.append(f"warning: {counted(number, 'run')} missing from the ledger, whose images are unknown:")
        lines += _some([f"{run.run_key}: {', '.join(run.found_in)}" for run in unsearched])
    if not traced.complete:
        lines.append(
            "This trace is incomplete. Next: set CYTOCURVE_LEDGER to the ledger that contains these runs and trace "
            "again, or count them as runs that used the images"
        )
    return "\n".join([*lines, "List all run keys: --json"])


def _some(lines: list[str]) -> list[str]:
    rest = [f"  and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return [f"  {line}" for line in lines[:SHOWN]] + rest


@click.command("withdraw")
@click.option("--patient", metavar="ID", required=True, help="The patient to remove.")
@click.option("--reason", metavar="TEXT", required=True, help="The reason, recorded in withdrawn.csv with the date.")
@click.option("--dataset", metavar="DATASET", help="A dataset in data/; by default the one in params.yaml.")
@json_option
def withdraw(patient: str, reason: str, dataset: str | None, json_output: bool) -> None:
    """Remove a patient from a dataset, and record the withdrawal.

    Deletes the images and label rows from data/, keeps a record in data/DATASET/withdrawn.csv, and lets DVC record a
    new data version. `dvc repro` then retrains only the runs that used them. Earlier data versions, runs in ledger/ and
    registered models are kept: docs/data.md explains how to remove them.

    \b
    cytocurve data withdraw --patient P07 --reason "consent withdrawn" && dvc repro
    """
    outcome = current_project().withdraw(patient, reason, dataset)
    show(json_output, outcome.to_json(), lambda: _withdrawn(outcome))


def _withdrawn(outcome: "WithdrawOutcome") -> str:
    number = len(outcome.images)
    images = f"{counted(number, 'image')} of {outcome.patient} {'was' if number == 1 else 'were'}"
    when = f"already withdrawn on {outcome.date} ({outcome.reason})" if outcome.already else "withdrawn"
    lines = [f"data/{outcome.dataset}: {images} {when}:"]
    lines += [f"  {line}" for line in some_lines(outcome.images)]
    if outcome.not_recorded:
        lines.append(f"  the reason {outcome.not_recorded!r} was not recorded; the one above remains")
    lines += [f"  the same image under another name: {name}" for name in some_lines(outcome.identical)]
    lines += [f"  near-identical, kept: {name}" for name in some_lines(outcome.near_identical_that_stay)]
    lines.append(
        "Recorded in data.dvc. Next: dvc repro. To list what was trained on these images: cytocurve data trace "
        f"--patient {outcome.patient}. Earlier data versions and ledger/ are unchanged, see docs/data.md"
    )
    return "\n".join(lines)
