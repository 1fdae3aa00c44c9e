"""``cytocurve audit``: the stage, and the audit of a list of files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytocurve.cli.shared import current_project, json_option, show
from cytocurve.text import counted

if TYPE_CHECKING:
    from cytocurve.core.audit.finding import Finding
    from cytocurve.core.audit.shortcuts import Shortcut
    from cytocurve.core.audit.sizes import Size
    from cytocurve.workflows.gate import AuditOutcome
    from cytocurve.workflows.inventory import InventoryAudit

SHOWN = 3
"""Number of offenders printed per finding; reports/audit.json lists all of them."""

ROWS = 10
"""Number of rows printed of a table or list that grows with the dataset."""


@click.command()
@click.option(
    "--inventory",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Audit only this list of files (CSV with columns path, bytes, sha256; may be gzipped).",
)
@click.option(
    "--dataset", metavar="NAME", help="With --inventory: the dataset that defines how paths encode patients and folds."
)
@json_option
def audit(inventory: Path | None, dataset: str | None, json_output: bool) -> None:
    """Stage: find duplicates and leakage -> reports/audit.json.

    Checks the catalog and the split for anything that inflates scores: duplicates, patients or images in both training
    and test sets, classes that are too small, and classes that image size, color or format give away. Prints the first
    offenders. Exits with 1 if a finding violates `leakage: fail` or `duplicates: fail` in params.yaml.

    \b
    dvc repro audit                                              also runs the stages it depends on
    cytocurve audit --json                                       uses build/ as it is
    cytocurve audit --inventory files.csv.gz --dataset c_nmc     before downloading the images
    """
    if inventory:
        listing = current_project().audit_inventory(inventory, dataset)
        show(json_output, listing.to_json(), lambda: _pairs(listing, dataset))
        return
    if dataset:
        raise click.UsageError("--dataset requires --inventory; the stage audits the dataset in params.yaml.")
    outcome = current_project().audit()
    show(json_output, outcome.to_json(), lambda: _summary(outcome))
    if outcome.refusal:
        raise outcome.refusal


def _summary(outcome: "AuditOutcome") -> str:
    audited = outcome.audit
    by_severity: dict[str, int] = outcome.to_json()["counts"]
    counts = ", ".join(f"{severity} {count}" for severity, count in by_severity.items())
    lines = [f"{outcome.dataset}, task {outcome.task}, {counted(audited.images, 'image')}; findings: {counts}"]
    for finding in audited.findings:
        lines += _finding(finding)
    for labels, shortcuts in audited.shortcuts.items():
        lines += _shortcuts(labels, shortcuts)
    for labels, sizes in audited.sizes.items():
        if any(size.different for size in sizes):
            lines += _sizes(labels, sizes)
    passed = sorted({check for check, _ in audited.passed} - {finding.id for finding in audited.findings})
    return "\n".join([*lines, f"Passed: {', '.join(passed) or 'none'}", "Details: reports/audit.json"])


def _finding(finding: "Finding") -> list[str]:
    from cytocurve.core.audit.finding import describe

    rest = len(finding.offenders) - SHOWN
    offenders = [f"{'':<11}- {describe(offender)}" for offender in finding.offenders[:SHOWN]]
    lines = [f"{finding.severity:<9}  {finding.sentence}", *offenders]
    return [*lines, f"{'':<11}- and {rest:,} more"] if rest > 0 else lines


def _shortcuts(labels: str, shortcuts: "Sequence[Shortcut]") -> list[str]:
    if not shortcuts:
        return [f"Shortcuts, label version {labels}: too few images to check"]
    head = f"{'feature':<12}  {'ROC-AUC':>7}  {'95 % interval':>13}  most predictable class"
    rows = [
        f"{row.feature:<12}  {row.macro.roc_auc:>7.3f}  {row.macro.ci_low:>6.3f}–{row.macro.ci_high:.3f}  "
        + (f"{row.worst_class} {row.worst.roc_auc:.3f}" if row.worst.above_chance else "none")
        for row in shortcuts
    ]
    title = f"Shortcuts, label version {labels}: features that predict the class on their own"
    return [title, *(f"  {row}" for row in (head, *rows))]


def _sizes(labels: str, sizes: "Sequence[Size]") -> list[str]:
    classes = list(sizes[0].classes)
    widths = [max(len(name), 5) for name in classes]
    head = "  ".join(f"{name:>{width}}" for name, width in zip(classes, widths, strict=True))
    rows = [
        f"  {row.size:>9}  {row.images:>6}  "
        + "  ".join(f"{row.classes[name]:>{width}}" for name, width in zip(classes, widths, strict=True))
        + ("  <- different shares" if row.different else "")
        for row in sizes[:ROWS]
    ]
    if len(sizes) > ROWS:
        rows.append(f"  and {len(sizes) - ROWS:,} more sizes")
    return [f"Image sizes by class, label version {labels}", f"  {'size':>9}  {'images':>6}  {head}", *rows]


def _pairs(listing: "InventoryAudit", dataset: str | None) -> str:
    pairs = f"{counted(listing.files, 'file')}: {counted(listing.byte_identical_pairs, 'byte-identical pair')}"
    if not dataset:
        rows = [f"  {' = '.join(pair.paths)}" for pair in listing.pairs[:ROWS]]
        rows += [f"  and {len(listing.pairs) - ROWS:,} more; --json lists them"] if len(listing.pairs) > ROWS else []
        return "\n".join([f"{pairs}; use --dataset to count pairs across official folds", *rows])
    lines = [f"{pairs}, {listing.pairs_across_folds:,} across official folds"]
    for row in listing.subject_pairs:
        names = " = ".join(row.patients)
        lines.append(f"  patients {names:<10}  {counted(row.pairs, 'pair'):>10}, {row.across_folds:>4} across folds")
    rest = (
        ("of the same patient", listing.pairs_of_one_patient),
        ("of unknown patients", listing.pairs_of_unknown_patients),
    )
    return "\n".join([*lines, *(f"  {what:<19}  {counted(count, 'pair'):>10}" for what, count in rest)])
