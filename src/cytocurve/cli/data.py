"""``cytocurve data``: add datasets and describe them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytocurve.cli.shared import current_project, json_option, named, show
from cytocurve.text import by_reason, counted, some, some_lines

if TYPE_CHECKING:
    from cytocurve.workflows.data_add import AddOutcome
    from cytocurve.workflows.data_info import DatasetInfo


@click.group()
def data() -> None:
    """Datasets: add, list, describe, trace, withdraw.

    \b
    cytocurve data list
    cytocurve data add folder ~/cells --as our_smears
    """


@data.command("add")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--as", "as_name", metavar="DATASET", help="Name below data/; by default NAME.")
@click.option(
    "--link/--copy",
    default=False,
    show_default=True,
    help="--link: use hard links if the file system supports them; DVC may replace them by copies.",
)
@json_option
def data_add(name: str, path: Path | None, as_name: str | None, link: bool, json_output: bool) -> None:
    """Copy a dataset to data/ and track it with DVC.

    NAME is listed by `cytocurve data list`. PATH is the downloaded folder or archive (.zip, .tar, .tar.gz, .tgz,
    .tar.bz2 or .tar.xz); for `table` a CSV or XLSX file, for `bloodmnist` an NPZ file. Without PATH, `starter` is drawn
    and `bloodmnist` is downloaded. Nothing at PATH is changed.

    \b
    cytocurve data add pbc ~/Downloads/PBC
    cytocurve data add folder ~/cells --as our_smears     one folder per class
    cytocurve data add folder cells.zip --as our_smears   the same, as an archive
    cytocurve data add table ~/cells.csv --as our_smears  columns image, label, patient
    cytocurve data add starter                            the built-in synthetic dataset
    """
    outcome = current_project().data_add(name, path, as_name, link)
    copied = outcome.images - outcome.linked if link and path and path.is_dir() and not outcome.already else 0
    show(json_output, outcome.to_json(), lambda: _added(name if as_name is None else as_name, outcome, copied))


def _added(dataset: str, outcome: "AddOutcome", copied: int) -> str:
    there = " already there, with the same content" if outcome.already else ""
    lines = [f"data/{dataset}: {counted(outcome.images, 'image')}{there}; recorded in data.dvc"]
    if copied:
        lines.append(f"  {copied:,} of them copied: they cannot be linked, or DVC's cache would take over the links")
    versions = [f"label version {version}: {named(counts)}" for version, counts in outcome.labels.items()]
    lines += [f"  {line}" for line in some_lines(versions)]
    lines += [f"  note: {note} ({len(names)}): {some(names)}" for note, names in outcome.notes.items()]
    lines += [f"  skipped: {line}" for line in by_reason(outcome.skipped)]
    if outcome.in_use:
        lines.append("params.yaml already names this dataset. Next: dvc repro")
    elif outcome.settings:
        if not outcome.forecasts:
            lines.append("These images allow too few training sizes for a forecast (cytocurve plan)")
        lines.append("Next: replace these settings in params.yaml, check the task, then dvc repro")
        lines += outcome.params.splitlines()
    else:
        lines.append(
            f"There are too few labeled images for a study. Next: add images, or set dataset: {dataset}, "
            f"labels: [{next(iter(outcome.labels))}], task, folds and sizes in params.yaml yourself"
        )
    return "\n".join(lines)


@data.command("list")
@json_option
def data_list(json_output: bool) -> None:
    """List the known datasets, and those in data/.

    \b
    cytocurve data list --json
    """
    datasets = current_project().data_list()
    width = max(map(len, datasets.known))
    lines = [f"{name:<{width}}  {item.title} ({item.licence})" for name, item in datasets.known.items()]
    lines.append(f"In data/: {', '.join(datasets.here) or 'nothing yet'}")
    show(json_output, datasets.to_json(), lambda: "\n".join(lines))


@data.command("info")
@click.argument("name")
@json_option
def data_info(name: str, json_output: bool) -> None:
    """Describe a dataset and its copy in data/.

    NAME is a folder below data/, or a dataset listed by `cytocurve data list`. Images are not decoded.

    \b
    cytocurve data info pbc
    """
    info = current_project().data_info(name)
    show(json_output, info.to_json(), lambda: _described(info))


def _described(info: "DatasetInfo") -> str:
    origin = {"title": info.title, "license": info.licence, "citation": info.citation, "url": info.url}
    lines = [f"{key}: {value or 'not stated'}" for key, value in origin.items()]
    here = info.here
    if here is None:
        return "\n".join([*lines, f"Not in data/ yet. Next: cytocurve data add {info.name} PATH"])
    lines.append(f"data/{info.name}: {counted(here.images, 'image')}, {here.bytes / 2**20:.1f} MiB")
    lines += [f"  formats: {named(here.formats)}", f"  sizes: {named(here.sizes)}"]
    patients = here.patients
    lines.append(
        f"  patients: {patients.count}, {patients.min} to {patients.max} images per patient, median {patients.median:g}"
        if patients
        else "  patients: unknown"
    )
    lines.append(f"  official folds: {named(here.folds) if here.folds else 'none'}")
    versions = [
        f"label version {version}: {named(counts.classes)}"
        + (f", unlabeled {counts.unlabelled}" if counts.unlabelled else "")
        for version, counts in here.labels.items()
    ]
    return "\n".join([*lines, *(f"  {line}" for line in some_lines(versions))])
