"""``cytocurve labels``: list, compare, import and merge label versions."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytocurve.cli.shared import current_project, json_option, named, show, table
from cytocurve.text import counted

if TYPE_CHECKING:
    from cytocurve.workflows.labels import LabelDiff, ShareWithInterval, VersionAgreement, VersionCounts
    from cytocurve.workflows.labels_write import ImportOutcome, MergeOutcome

SHOWN = 10
"""Number of changed images printed; --json lists all of them."""

MOST_CLASSES = 50
"""The number of classes whose counts are printed; more are probably not classes, and --json has all of them."""

dataset_option = click.option(
    "--dataset", metavar="DATASET", help="A dataset in data/; by default the one in params.yaml."
)
root_option = click.option(
    "--root",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Read the label files in this upstream folder of --dataset instead of data/.",
)
version_option = click.option("--as", "name", required=True, metavar="NAME", help="Name of the new label version.")


@click.group()
def labels() -> None:
    """Label versions: list, compare, import, merge, review.

    \b
    cytocurve labels list
    cytocurve labels diff expert expert2
    """


@labels.command("list")
@dataset_option
@root_option
@json_option
def labels_list(dataset: str | None, root: Path | None, json_output: bool) -> None:
    """List label versions with their counts of images.

    Images are counted by class and annotator, and unlabeled ones apart.

    \b
    cytocurve labels list --dataset starter --json
    """
    listing = current_project().labels_list(dataset, root)
    show(json_output, listing.to_json(), lambda: "\n".join(_overview(listing.versions)))


def _overview(versions: "Mapping[str, VersionCounts]") -> Iterator[str]:
    counts = versions.values()
    yield from table(
        ["", *versions],
        [
            ["images", *(version.images for version in counts)],
            ["labeled", *(version.labelled for version in counts)],
            ["unlabeled", *(version.unlabelled for version in counts)],
            ["not assignable", *(version.not_assignable for version in counts)],
        ],
    )
    names = sorted({label for version in counts for label in version.classes})
    yield ""
    yield from table(
        ["label", *versions],
        [[name, *(version.classes.get(name, 0) for version in counts)] for name in names[:MOST_CLASSES]],
    )
    if len(names) > MOST_CLASSES:
        yield f"and {len(names) - MOST_CLASSES:,} more; --json lists them"
    annotated = {name: version.annotators for name, version in versions.items() if version.annotators}
    if annotated:
        yield ""
    yield from (f"{name}: annotated by {named(annotators)}" for name, annotators in annotated.items())


@labels.command("diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@dataset_option
@root_option
@json_option
def labels_diff(first: str, second: str, dataset: str | None, root: Path | None, json_output: bool) -> None:
    """Show what changed from version A to B.

    Prints the confusion matrix, and every image whose label changed.

    \b
    cytocurve labels diff expert expert2
    """
    diff = current_project().labels_diff(first, second, dataset, root)
    show(json_output, diff.to_json(), lambda: "\n".join(_difference(diff)))


def _difference(diff: "LabelDiff") -> Iterator[str]:
    yield f"{counted(diff.images, 'image')} labeled in both versions, {diff.agreeing:,} of them identically."
    if len(diff.confusion) > MOST_CLASSES:
        yield f"There are {len(diff.confusion):,} classes; --json has how often each pair occurs"
    else:
        yield from _confusion(diff)
    yield f"{counted(len(diff.changed), 'image')} with different labels:"
    yield from (f"  {change.image}: {change.before} -> {change.after}" for change in diff.changed[:SHOWN])
    if len(diff.changed) > SHOWN:
        yield f"  and {len(diff.changed) - SHOWN:,} more; --json lists them"
    for version, images in diff.only_in.items():
        yield f"{counted(len(images), 'image')} labeled only in {version}" + ("; --json lists them" if images else "")


def _confusion(diff: "LabelDiff") -> Iterator[str]:
    first, second = diff.versions
    yield f"Rows: {first}; columns, numbered like the rows: {second}"
    header = ["", *(str(number) for number in range(1, len(diff.confusion) + 1))]
    rows = [
        [f"{number} {name}", *(count or "." for count in row.values())]
        for number, (name, row) in enumerate(diff.confusion.items(), start=1)
    ]
    yield from table(header, rows)


@labels.command("agreement")
@click.argument("reference")
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@dataset_option
@root_option
@json_option
def labels_agreement(
    reference: str, others: tuple[str, ...], dataset: str | None, root: Path | None, json_output: bool
) -> None:
    """Score label versions against a REFERENCE.

    Takes REFERENCE as the truth. On the images labeled in both versions, prints Cohen's kappa, sensitivity and
    specificity for blasts and atypical cells, and precision and sensitivity per class, with 95 % intervals.

    \b
    cytocurve labels agreement gold first second --dataset aml_cytomorphology --root ~/AML
    """
    scored = current_project().labels_agreement(reference, *others, dataset=dataset, root=root)
    show(
        json_output,
        scored.to_json(),
        lambda: "\n\n".join(_agreement(reference, name, version) for name, version in scored.versions.items()),
    )


def _agreement(reference: str, name: str, scored: "VersionAgreement") -> str:
    title = f"{name} against {reference}: {counted(scored.images, 'image')} labeled in both"
    if scored.not_assignable:
        title += f", excluding {scored.not_assignable} not assignable in {name}"
    lines = [title, f"Cohen's kappa {_kappa(scored)}"]
    tasks = [
        [task, _percent(scores.sensitivity), _percent(scores.specificity)] for task, scores in scored.tasks.items()
    ]
    lines += table(["task", "sensitivity %", "specificity %"], tasks) if tasks else []
    if scored.unknown_to_the_taxonomy:
        lines.append(f"Not in the taxonomy, so neither blast nor atypical: {', '.join(scored.unknown_to_the_taxonomy)}")
    rows = [
        [label, scores.sensitivity.total, _percent(scores.precision), _percent(scores.sensitivity)]
        for label, scores in scored.classes.items()
    ]
    return "\n".join([*lines, *table(["class", reference, "precision %", "sensitivity %"], rows)])


def _kappa(scored: "VersionAgreement") -> str:
    kappa = scored.kappa
    return (
        "undefined: only one class" if kappa.value is None else f"{kappa.value:.3f} [{kappa.low:.3f}, {kappa.high:.3f}]"
    )


def _percent(share: "ShareWithInterval") -> str:
    if share.value is None or share.low is None or share.high is None:
        return "-"
    return f"{100 * share.value:.1f} [{100 * share.low:.1f}, {100 * share.high:.1f}]"


@labels.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@version_option
@click.option("--annotator", required=True, metavar="WHO", help="Who assigned these labels.")
@click.option("--base", metavar="VERSION", help="Label version from which images missing in FILE keep their labels.")
@click.option(
    "--new-class",
    "new_classes",
    multiple=True,
    metavar="LABEL",
    help="Declare a class that no version has yet; repeatable.",
)
@dataset_option
@json_option
def labels_import(
    file: Path,
    name: str,
    annotator: str,
    base: str | None,
    new_classes: tuple[str, ...],
    dataset: str | None,
    json_output: bool,
) -> None:
    """Import a list of labels as a new version.

    FILE is a .csv, .xlsx or .xlsm file with the columns image and label. Where a column corrected (or new_label) is
    filled, it takes precedence over label; other columns are ignored. Rows are attributed to the annotator. With
    --base, a list with such a column contributes only the rows where it is filled, as in the table of `labels review`.
    DVC records the new version.

    \b
    cytocurve labels import reviewed.xlsx --as expert2 --annotator "Dr A" --base expert
    """
    outcome = current_project().labels_import(file, name, annotator, base, new_classes, dataset)
    show(json_output, outcome.to_json(), lambda: "\n".join(_written(outcome, _imported(outcome))))


def _imported(outcome: "ImportOutcome") -> Iterator[str]:
    changed = "" if outcome.changed is None else f", {outcome.changed:,} of them with a changed label"
    yield f"{counted(outcome.rows, 'row')} imported{changed}"
    yield from (f"New class: {label!r}" for label in outcome.new_classes)
    if outcome.left_out:
        yield f"Ignored in the list: {', '.join(outcome.left_out)}"


@labels.command("merge")
@click.argument("versions", metavar="A B...", nargs=-1, required=True)
@version_option
@dataset_option
@json_option
def labels_merge(versions: tuple[str, ...], name: str, dataset: str | None, json_output: bool) -> None:
    """Merge versions A, B, … into their consensus.

    Each image gets its most frequent label. Ties go to the version listed first; a version that leaves an image
    unlabeled has no vote on it. DVC records the new version.

    \b
    cytocurve labels merge first second gold --as consensus
    """
    outcome = current_project().labels_merge(versions, name, dataset)
    show(json_output, outcome.to_json(), lambda: "\n".join(_written(outcome, _merged(outcome))))


def _merged(outcome: "MergeOutcome") -> Iterator[str]:
    votes = outcome.votes
    yield (
        f"{counted(votes['unanimous'], 'image')} unanimous, {votes['majority']} by majority, {votes['tie']} by tie, "
        f"{votes['single']} by a single vote, {votes['unlabelled']} unlabeled"
    )


def _written(outcome: "ImportOutcome | MergeOutcome", details: Iterator[str]) -> Iterator[str]:
    path, counts = f"data/{outcome.dataset}/labels/{outcome.version}.csv", outcome.counts
    there = ", already there with the same content" if outcome.already else ""
    yield f"{path}: {counts.labelled} of {counts.images} images labeled{there}; recorded in data.dvc"
    yield from details
    yield named(counts.classes)
    yield f"Next: add {outcome.version} to labels in params.yaml, then dvc repro"
