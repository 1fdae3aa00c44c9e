"""``cytocurve labels``: label versions listed, compared, brought in and merged."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cytocurve.cli.shared import as_json, current_project, show, table

of_dataset = click.option("--dataset", metavar="DATASET", help="A dataset in data/; by default that of params.yaml.")
from_root = click.option(
    "--root",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Read the label files of this upstream folder instead of data/; --dataset says whose they are.",
)
as_version = click.option("--as", "name", required=True, metavar="NAME", help="The new label version.")


@click.group()
def labels() -> None:
    """Label versions: list, compare, bring in, merge, review."""


def _versions(dataset: str | None, root: Path | None) -> tuple[str, Any]:
    from cytocurve.workflows.labels import versions_of

    project = current_project()
    dataset = dataset or project.params().dataset
    return dataset, versions_of(project, dataset, root)


@labels.command("list")
@of_dataset
@from_root
@as_json
def labels_list(dataset: str | None, root: Path | None, machine: bool) -> None:
    """List label versions and their counts.

    How many images each class has, how many are unlabelled, and how many each annotator labelled.

    \b
    cytocurve labels list --dataset starter --json
    """
    from cytocurve.workflows.labels import overview

    dataset, tables = _versions(dataset, root)
    versions = overview(tables)
    show(machine, {"dataset": dataset, "versions": versions}, lambda: "\n".join(_overview(versions)))


def _overview(versions: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        ("images", lambda figure: figure["images"]),
        ("labelled", lambda figure: figure["labelled"]),
        ("unlabelled", lambda figure: figure["unlabelled"]),
        ("of them not assignable", lambda figure: figure["not_assignable"]),
    ]
    yield from table(["", *versions], [[name, *map(count, versions.values())] for name, count in rows])
    names = sorted({label for figure in versions.values() for label in figure["classes"]})
    yield ""
    yield from table(
        ["label", *versions],
        [[name, *(figure["classes"].get(name, 0) for figure in versions.values())] for name in names],
    )
    annotators = {version: figure["annotators"] for version, figure in versions.items() if figure["annotators"]}
    if annotators:
        yield ""
    yield from (f"{version}: annotated by {_counts(who)}" for version, who in annotators.items())


@labels.command("diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@of_dataset
@from_root
@as_json
def labels_diff(first: str, second: str, dataset: str | None, root: Path | None, machine: bool) -> None:
    """Show what changed from version A to B.

    Counts of each pair of labels, and every image whose label changed.

    \b
    cytocurve labels diff expert expert2
    """
    from cytocurve.workflows.labels import difference

    dataset, tables = _versions(dataset, root)
    figures = {"dataset": dataset, **difference(tables, first, second)}
    show(machine, figures, lambda: "\n".join(_difference(figures)))


def _difference(figures: Mapping[str, Any]) -> Iterator[str]:
    (first, second), confusion = figures["versions"], figures["confusion"]
    yield f"{figures['images']} images are labelled in both, {figures['agreeing']} of them alike, by {first} (rows) and"
    yield f"{second} (columns, numbered as the rows):"
    header = ["", *(str(number) for number in range(1, len(confusion) + 1))]
    rows = [
        [f"{number} {name}", *(count or "." for count in row.values())]
        for number, (name, row) in enumerate(confusion.items(), start=1)
    ]
    yield from table(header, rows)
    yield f"{len(figures['changed'])} images have another label:"
    yield from (f"  {row['image']}: {row['from']} -> {row['to']}" for row in figures["changed"])
    for version, images in figures["only_in"].items():
        yield f"{len(images)} images are labelled in {version} only" + ("; --json lists them" if images else "")


@labels.command("agreement")
@click.argument("reference")
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@of_dataset
@from_root
@as_json
def labels_agreement(
    reference: str, others: tuple[str, ...], dataset: str | None, root: Path | None, machine: bool
) -> None:
    """Score label versions against a REFERENCE.

    REFERENCE is taken for the truth. On images labelled in both: Cohen's kappa, sensitivity and specificity for blasts
    and atypical cells, precision and sensitivity of each class, with 95 % intervals.

    \b
    cytocurve labels agreement gold first second --dataset aml_cytomorphology --root ~/AML
    """
    from cytocurve.workflows.labels import agreements

    dataset, tables = _versions(dataset, root)
    figures = {"dataset": dataset, **agreements(tables, reference, others)}
    show(machine, figures, lambda: "\n\n".join(_agreement(reference, *item) for item in figures["versions"].items()))


def _agreement(reference: str, name: str, figures: Mapping[str, Any]) -> str:
    kappa = figures["kappa"]
    lines = [f"{name} against {reference}: {figures['images']} images labelled in both"]
    if figures["not_assignable"]:
        lines[0] += f"; left out: {figures['not_assignable']} that {name} could not assign"
    value = (
        "not defined: one class" if kappa["value"] is None else "{value:.3f} [{low:.3f}, {high:.3f}]".format(**kappa)
    )
    lines.append(f"Cohen's kappa {value}")
    scores = [
        [task, *(_percent(score) for score in (both["sensitivity"], both["specificity"]))]
        for task, both in figures["tasks"].items()
    ]
    lines += table(["task", "sensitivity %", "specificity %"], scores) if scores else []
    if figures["unknown_to_the_taxonomy"]:
        lines.append(f"Not blast or atypical by the taxonomy: {', '.join(figures['unknown_to_the_taxonomy'])}")
    rows = [
        [label, both["sensitivity"]["total"], _percent(both["precision"]), _percent(both["sensitivity"])]
        for label, both in figures["classes"].items()
    ]
    return "\n".join([*lines, *table(["class", reference, "precision %", "sensitivity %"], rows)])


def _percent(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return "-"
    return "{:.1f} [{:.1f}, {:.1f}]".format(*(100 * score[key] for key in ("value", "low", "high")))


@labels.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@as_version
@click.option("--annotator", required=True, metavar="WHO", help="Who gave these labels.")
@click.option("--base", metavar="VERSION", help="Images that FILE does not name keep this version's labels.")
@click.option("--new-class", "new_classes", multiple=True, metavar="LABEL", help="A class that no version has yet.")
@of_dataset
@as_json
def labels_import(
    file: Path,
    name: str,
    annotator: str,
    base: str | None,
    new_classes: tuple[str, ...],
    dataset: str | None,
    machine: bool,
) -> None:
    """Bring in a list as a new version.

    FILE is a CSV or XLSX with the columns image and label; a column corrected (or new_label) wins where it is filled,
    others do not matter. Its rows count as given by the annotator; of a list with such a column, and with --base, only
    those where it is filled, as in the table of `labels review`. DVC records the new version.

    \b
    cytocurve labels import reviewed.xlsx --as expert2 --annotator "Dr A" --base expert
    """
    from cytocurve.workflows.labels import bring_in

    _recorded(
        machine, dataset, _imported, lambda project, of: bring_in(project, of, file, name, annotator, base, new_classes)
    )


def _imported(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"{figures['rows']} rows brought in" + (
        "" if figures["changed"] is None else f", {figures['changed']} of them with another label than before"
    )
    yield from (f"New class: {label!r}" for label in figures["new_classes"])


@labels.command("merge")
@click.argument("versions", metavar="A B...", nargs=-1, required=True)
@as_version
@of_dataset
@as_json
def labels_merge(versions: tuple[str, ...], name: str, dataset: str | None, machine: bool) -> None:
    """Merge versions A, B, … into their consensus.

    An image gets the label that most of them give; ties go to the version named first, and a version that leaves an
    image unlabelled does not vote on it. DVC records the new version.

    \b
    cytocurve labels merge first second gold --as consensus
    """
    from cytocurve.workflows.labels import merge

    _recorded(machine, dataset, _merged, lambda project, of: merge(project, of, versions, name))


def _merged(figures: Mapping[str, Any]) -> Iterator[str]:
    votes = figures["votes"]
    yield (
        f"{votes['unanimous']} images unanimous, {votes['majority']} by majority, {votes['tie']} by tie, "
        f"{votes['single']} by one vote alone, {votes['unlabelled']} unlabelled"
    )


def _recorded(
    machine: bool,
    dataset: str | None,
    told: Callable[[Mapping[str, Any]], Iterator[str]],
    write: Callable[[Any, str], dict[str, Any]],
) -> None:
    """Write a label version, let DVC record it and say what it holds."""
    from cytocurve.stores.dvc import track_data

    project = current_project()
    params = project.params()  # DVC cannot record data beside a params.yaml that it cannot read
    dataset = dataset or params.dataset
    figures = {"dataset": dataset, **write(project, dataset)}
    track_data(project.root)
    path = f"data/{dataset}/labels/{figures['version']}.csv"
    first = f"{path}: {figures['labelled']} of {figures['images']} images labelled; recorded in data.dvc"
    last = [_counts(figures["classes"]), f"Next: add {figures['version']} to labels in params.yaml, then dvc repro"]
    show(machine, figures, lambda: "\n".join([first, *told(figures), *last]))


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
