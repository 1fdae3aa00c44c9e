"""``cytocurve data trace`` and ``data withdraw``: what became of a record, and taking it out."""

from typing import Any

import click

from cytocurve.cli.shared import as_json, current_project, show


@click.command("trace")
@click.argument("image", required=False)
@click.option("--patient", metavar="ID", help="All images of this patient.")
@as_json
def trace(image: str | None, patient: str | None, machine: bool) -> None:
    """List what was trained, validated or tested on IMAGE.

    Every run of the ledger, every curve, every registered model version. IMAGE is a name below images/ of the dataset
    of params.yaml, or a file name alone where only one image has it; withdrawn images are found too.

    \b
    cytocurve data trace Im001_1.tif
    cytocurve data trace --patient P07 --json
    """
    from cytocurve.progress import Bars
    from cytocurve.workflows.data_trace import trace as run

    if (image is None) == (patient is None):
        raise click.UsageError("Give either IMAGE or --patient ID.")
    bars = Bars()
    try:
        figures = run(current_project(), image, patient, bars("ledger", "runs"))
    finally:
        bars.close()
    show(machine, figures, lambda: _traced(figures))


def _traced(figures: dict[str, Any]) -> str:
    from cytocurve.text import counted

    images = figures["images"]
    runs = {run["run_key"]: run["present"] for run in figures["runs"]}
    lines = [f"{counted(len(images), 'image')}, seen by {counted(len(runs), 'run')}:"]
    lines += [f"  {row['image']}" + (f" (withdrawn: {row['withdrawn']})" if row["withdrawn"] else "") for row in images]
    present = sum(runs.values())
    lines.append(f"present results: {counted(present, 'run')}; earlier: {len(runs) - present}")
    for curve in figures["curves"]:
        sizes = {role: ", ".join(map(str, found)) for role, found in curve.items() if isinstance(found, list)}
        roles = "; ".join(f"{role} at {found}" for role, found in sizes.items())
        lines.append(f"{'curve' if curve['present'] else 'earlier curve'} {curve['arm']}: {roles}")
    for model in figures["models"]:
        found = sorted({role for roles_of_run in model["members"].values() for role in roles_of_run})
        alias = f" ({', '.join(model['aliases'])})" if model["aliases"] else ""
        lines.append(f"model {model['model']} version {model['version']}{alias}: {', '.join(found)}")
    if damaged := figures["damaged_runs"]:
        lines.append(f"warning: {len(damaged)} damaged runs cannot be read; what they saw is unknown:")
        lines += [f"  {key}" for key in damaged]
    return "\n".join([*lines, "Every run with its key: --json"])


@click.command("withdraw")
@click.option("--patient", metavar="ID", required=True, help="The patient whose records are taken out.")
@click.option("--reason", metavar="TEXT", required=True, help="Why; kept in withdrawn.csv with the date.")
@click.option("--dataset", metavar="DATASET", help="By default that of params.yaml.")
@as_json
def withdraw(patient: str, reason: str, dataset: str | None, machine: bool) -> None:
    """Take a patient out of a dataset, and record that.

    The images and label rows are deleted from data/, what they were is kept in data/DATASET/withdrawn.csv, and DVC
    records a new data version. `dvc repro` then trains again the runs that had seen them, and no others. Earlier data
    versions, runs in ledger/ and registered models stay: docs/data.md says how to remove them.

    \b
    cytocurve data withdraw --patient P07 --reason "consent withdrawn" && dvc repro
    """
    from datetime import UTC, datetime
    from pathlib import Path

    from cytocurve.stores.dvc import track_data
    from cytocurve.workflows.data_withdraw import withdraw as run

    project = current_project()
    name = dataset or project.params().dataset
    figures = {"dataset": name, **run(project, name, patient, reason, datetime.now(UTC).date())}
    track_data(Path())
    show(machine, figures, lambda: _withdrawn(figures))


def _withdrawn(figures: dict[str, Any]) -> str:
    from cytocurve.text import counted

    number = len(figures["images"])
    what = f"{counted(number, 'image')} of {figures['patient']} {'is' if number == 1 else 'are'}"
    when = f"already withdrawn on {figures['date']} ({figures['reason']})" if figures["already"] else "withdrawn"
    lines = [f"data/{figures['dataset']}: {what} {when}:"]
    lines += [f"  {name}" for name in figures["images"]]
    lines += [f"  {name}: the same picture under another name" for name in figures["identical"]]
    lines += [f"  near-identical, and still there: {name}" for name in figures["near_identical_that_stay"]]
    lines.append(
        "Recorded in data.dvc. Next: dvc repro. What was trained on them: cytocurve data trace --patient "
        f"{figures['patient']}. Earlier data versions and ledger/ still hold what they held: see docs/data.md"
    )
    return "\n".join(lines)
