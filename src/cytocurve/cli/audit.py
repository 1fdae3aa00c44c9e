"""``cytocurve audit``: the stage, and the audit of an inventory alone."""

from pathlib import Path
from typing import Any

import click

from cytocurve.cli.shared import as_json, current_project, show

SHOWN = 3
"""Offenders of a finding that are printed; reports/audit.json has the others."""


@click.command()
@click.option(
    "--inventory",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Audit this list of files (path,bytes,sha256; CSV, gzip or not) and nothing else.",
)
@click.option("--dataset", metavar="NAME", help="With --inventory: the dataset whose paths tell patients and folds.")
@as_json
def audit(inventory: Path | None, dataset: str | None, machine: bool) -> None:
    """Stage: duplicates, leakage, shortcuts -> reports/audit.json.

    Looks at the catalog and the split for what makes a score too good: duplicates, patients or pictures that stand in
    training and test, classes that are too small or told by image size, colour or format. Prints the first offenders.
    Exits 1 where `leakage: fail` or `duplicates: fail` in params.yaml meets a finding.

    \b
    dvc repro audit                                              with the stages that it needs
    cytocurve audit --json                                       on build/ as it is
    cytocurve audit --inventory files.csv.gz --dataset c_nmc     before images are there
    """
    if inventory:
        _inventory(inventory, dataset, machine)
        return
    if dataset:
        raise click.UsageError("--dataset goes with --inventory; the stage audits the dataset of params.yaml.")
    from cytocurve.workflows.stages.audit import audit as run

    outcome = run(current_project())
    show(machine, outcome.figures, lambda: _summary(outcome.figures))
    if outcome.refusal:
        raise outcome.refusal


def _inventory(file: Path, dataset: str | None, machine: bool) -> None:
    from cytocurve.workflows.inventory import audit_inventory

    figures = audit_inventory(file, dataset)
    show(machine, figures, lambda: _pairs(figures, dataset))


def _summary(figures: dict[str, Any]) -> str:
    counts = ", ".join(f"{severity} {count}" for severity, count in figures["counts"].items())
    lines = [f"{figures['dataset']}, task {figures['task']}, {figures['images']:,} images: findings: {counts}"]
    for finding in figures["findings"]:
        lines += _finding(finding)
    for labels, table in figures["shortcuts"].items():
        lines += _shortcuts(labels, table)
    for labels, table in figures["sizes"].items():
        lines += _sizes(labels, table)
    passed = sorted({check["id"] for check in figures["passed"]} - {found["id"] for found in figures["findings"]})
    return "\n".join([*lines, f"Nothing found by: {', '.join(passed) or 'no check'}", "All of it: reports/audit.json"])


def _finding(finding: dict[str, Any]) -> list[str]:
    from cytocurve.core.audit.finding import describe

    offenders, rest = finding["offenders"][:SHOWN], finding["offenders_in_all"] - SHOWN
    lines = [f"{finding['severity']:<9}  {finding['sentence']}", *(f"{'':<11}- {describe(o)}" for o in offenders)]
    return [*lines, f"{'':<11}- and {rest:,} more"] if rest > 0 else lines


def _shortcuts(labels: str, table: list[dict[str, Any]]) -> list[str]:
    if not table:
        return [f"Shortcuts, label version {labels}: too few images to tell"]
    head = f"{'alone':<12}  {'ROC-AUC':>7}  {'95 % interval':>13}  given away most"
    rows = [
        f"{row['feature']:<12}  {row['roc_auc']:>7.3f}  {row['ci_low']:>6.3f}–{row['ci_high']:.3f}  "
        + (f"{row['worst']['class']} {row['worst']['roc_auc']:.3f}" if row["worst"]["above_chance"] else "no class")
        for row in table
    ]
    title = f"Shortcuts, label version {labels}: what tells the classes apart by itself"
    return [title, *(f"  {row}" for row in (head, *rows))]


def _sizes(labels: str, table: list[dict[str, Any]]) -> list[str]:
    classes = list(table[0]["classes"])
    widths = [max(len(name), 5) for name in classes]
    head = "  ".join(f"{name:>{width}}" for name, width in zip(classes, widths, strict=True))
    rows = [
        f"  {row['size']:>9}  {row['images']:>6}  "
        + "  ".join(f"{row['classes'][name]:>{width}}" for name, width in zip(classes, widths, strict=True))
        + ("  <- other shares" if row["different"] else "")
        for row in table
    ]
    return [f"Image sizes by class, label version {labels}", f"  {'size':>9}  {'images':>6}  {head}", *rows]


def _pairs(figures: dict[str, Any], dataset: str | None) -> str:
    found = f"{figures['files']:,} files: {figures['byte_identical_pairs']:,} byte-identical pairs"
    if not dataset:
        rows = [f"  {' = '.join(pair['paths'])}" for pair in figures["pairs"]]
        return "\n".join([f"{found}; --dataset tells which are across official folds", *rows])
    lines = [f"{found}, {figures['pairs_across_folds']:,} across official folds"]
    for row in figures["subject_pairs"]:
        names = " = ".join(row["patients"])
        lines.append(f"  patients {names:<10}  {row['pairs']:>4} pairs, {row['across_folds']:>4} across folds")
    rest = (("of one patient", "pairs_of_one_patient"), ("of unknown patients", "pairs_of_unknown_patients"))
    return "\n".join([*lines, *(f"  {what:<19}  {figures[count]:>4} pairs" for what, count in rest)])
