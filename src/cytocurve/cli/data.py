"""``cytocurve data``: datasets brought in, shown, traced and withdrawn from."""

from pathlib import Path
from typing import Any

import click

from cytocurve.cli.shared import as_json, current_project, show


@click.group()
def data() -> None:
    """Datasets: bring in, show, trace, withdraw from."""


@data.command("add")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--as", "as_name", metavar="DATASET", help="Name below data/; by default that of the dataset.")
@click.option(
    "--link/--copy",
    default=False,
    show_default=True,
    help="--link: add by hard links where the disk can; DVC may turn them into copies when it records them.",
)
@as_json
def data_add(name: str, path: Path | None, as_name: str | None, link: bool, machine: bool) -> None:
    """Copy a dataset to data/ and let DVC track it.

    NAME is one of `cytocurve data list`. PATH is the folder that you downloaded, unpacked, or its archive: .zip, .tar,
    .tar.gz, .tgz, .tar.bz2 or .tar.xz; for `table` a CSV or XLSX file, for `bloodmnist` an NPZ file. Without PATH
    `starter` is drawn and `bloodmnist` downloaded. Nothing at PATH is changed.

    \b
    cytocurve data add pbc ~/Downloads/PBC
    cytocurve data add folder ~/cells --as our_smears     a folder a class
    cytocurve data add folder cells.zip --as our_smears   the same, packed
    cytocurve data add table ~/cells.csv --as our_smears  columns image, label, patient
    cytocurve data add starter                            the built-in synthetic dataset
    """
    from cytocurve.progress import Bars
    from cytocurve.stores.dvc import track_data
    from cytocurve.workflows.data_add import add

    project, bars = current_project(), Bars()
    project.params()  # DVC cannot record data beside a params.yaml that it cannot read
    try:
        figures = add(
            project, name, path, as_name, bars(f"{as_name or name}", "images"), link, bars("unpacking", "files")
        )
    finally:
        bars.close()
    track_data(Path())
    copied = figures["images"] - figures["linked"] if link and path and path.is_dir() else 0
    show(machine, figures, lambda: _added(as_name or name, figures, copied))


def _added(dataset: str, figures: dict[str, Any], copied: int) -> str:
    lines = [f"data/{dataset}: {figures['images']} images; recorded in data.dvc"]
    lines += (
        [f"  {copied} of them copied: the disk cannot link them, or DVC's cache would take the links over"]
        if copied
        else []
    )
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
    """List the datasets that can be added, and those that are here.

    \b
    cytocurve data list --json
    """
    from cytocurve import datasets

    folder = current_project().data
    there = folder.iterdir() if folder.is_dir() else ()
    here = sorted(path.name for path in there if path.is_dir() and not path.name.startswith("."))
    known = [datasets.load(name) for name in datasets.names()]
    figures = {"known": {item.name: {"title": item.title, "licence": item.licence} for item in known}, "here": here}
    width = max(len(item.name) for item in known)
    lines = [f"{item.name:<{width}}  {item.title} ({item.licence})" for item in known]
    show(machine, figures, lambda: "\n".join([*lines, f"In data/: {', '.join(here) or 'nothing yet'}"]))


@data.command("info")
@click.argument("name")
@as_json
def data_info(name: str, machine: bool) -> None:
    """Show what a dataset is, and what of it is here.

    NAME is a folder below data/, or one of `cytocurve data list`. No image is decoded.

    \b
    cytocurve data info pbc
    """
    from cytocurve.progress import Bars
    from cytocurve.workflows.data_info import info

    project, bars = current_project(), Bars()
    try:
        figures = info(project, name, bars(name, "images"))
    finally:
        bars.close()
    show(machine, figures, lambda: _described(figures))


def _described(figures: dict[str, Any]) -> str:
    here = figures["here"]
    lines = [f"{key}: {figures[key] or 'not stated'}" for key in ("title", "licence", "citation", "url")]
    if here is None:
        return "\n".join([*lines, f"Not in data/ yet. Next: cytocurve data add {figures['name']} PATH"])
    lines.append(f"data/{figures['name']}: {here['images']} images, {here['bytes'] / 2**20:.1f} MiB")
    lines += [f"  {key}: {_listed(here[key])}" for key in ("formats", "sizes")]
    patients = here["patients"]
    lines.append(
        f"  patients: {patients['count']}, with {patients['min']} to {patients['max']} images, "
        f"median {patients['median']:g}"
        if patients
        else "  patients: not known"
    )
    lines.append(f"  official folds: {_listed(here['folds']) if here['folds'] else 'none'}")
    for version, found in here["labels"].items():
        unlabelled = f", unlabelled {found['unlabelled']}" if found["unlabelled"] else ""
        lines.append(f"  label version {version}: {_listed(found['classes'])}{unlabelled}")
    return "\n".join(lines)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
