"""``cytocurve data``: bring in datasets."""

from pathlib import Path
from typing import Any

import click

from cytocurve.cli.shared import as_json, current_project, show


@click.group()
def data() -> None:
    """Bring in datasets."""


@data.command("add")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--as", "as_name", metavar="DATASET", help="Name below data/; by default that of the dataset.")
@as_json
def data_add(name: str, path: Path | None, as_name: str | None, machine: bool) -> None:
    """Copy a dataset to data/ and let DVC track it.

    NAME is one of `cytocurve data list`; PATH is laid out as its upstream has it.

    \b
    cytocurve data add pbc ~/Downloads/PBC
    cytocurve data add folder ~/cells --as our_smears     a folder a class
    cytocurve data add starter                            the built-in synthetic dataset
    """
    from cytocurve.pipeline.data import add
    from cytocurve.progress import Bars
    from cytocurve.stores.dvc import track_data

    project, bars = current_project(), Bars()
    project.params()  # DVC cannot record data beside a params.yaml that it cannot read
    try:
        figures = add(project, name, path, as_name, bars(f"{as_name or name}", "images"))
    finally:
        bars.close()
    track_data(Path())
    show(machine, figures, lambda: _added(as_name or name, figures))


def _added(dataset: str, figures: dict[str, Any]) -> str:
    lines = [f"data/{dataset}: {figures['images']} images; recorded in data.dvc"]
    lines += [
        f"  label version {version}: " + ", ".join(f"{label} {count}" for label, count in counts.items())
        for version, counts in figures["labels"].items()
    ]
    lines += [f"  left out: {file}: {reason}" for file, reason in figures["skipped"].items()]
    lines.append(
        f"Next, in params.yaml: dataset: {dataset}, labels: [{next(iter(figures['labels']))}], "
        "and a task, folds and sizes that fit; then dvc repro"
    )
    return "\n".join(lines)


@data.command("list")
@as_json
def data_list(machine: bool) -> None:
    """List the datasets that can be added, and those that are here."""
    from cytocurve import datasets

    folder = current_project().data
    here = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    known = [datasets.load(name) for name in datasets.names()]
    figures = {"known": {item.name: {"title": item.title, "licence": item.licence} for item in known}, "here": here}
    width = max(len(item.name) for item in known)
    lines = [f"{item.name:<{width}}  {item.title} ({item.licence})" for item in known]
    show(machine, figures, lambda: "\n".join([*lines, f"In data/: {', '.join(here) or 'nothing yet'}"]))
