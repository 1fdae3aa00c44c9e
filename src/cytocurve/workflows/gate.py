"""The audit gate: whether ``params.yaml`` allows training on the current catalog and splits."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.audit.finding import Finding, describe
from cytocurve.core.data.spelling import canonical
from cytocurve.errors import CytocurveError, InputError
from cytocurve.stores.documents import write_json
from cytocurve.study.dataset import read_catalog
from cytocurve.study.design import held_out, in_several_subsets, read_split

if TYPE_CHECKING:
    from cytocurve.core.audit.checks import Audit

IDENTICAL = ("byte-identical", "pixel-identical")
"""Findings that ``duplicates: fail`` rejects; near-identical images are a judgment call and only reported."""

SHOWN = 10
"""Number of offenders that a refusal lists per finding."""

REMEDIES = {
    "leakage: fail": "split: patient or duplicates: group keeps related images together; leakage: warn trains anyway",
    "duplicates: fail": "duplicates: drop keeps the first image of each group, duplicates: group puts them in one fold",
}
"""How to resolve a failed audit, by policy."""


@dataclass(frozen=True)
class AuditOutcome:
    """An audit of a study; ``refusal`` is the error to raise if a policy in ``params.yaml`` rejects a finding."""

    dataset: str
    task: str
    labels: tuple[str, ...]
    audit: "Audit"
    refusal: CytocurveError | None

    def to_json(self) -> dict[str, Any]:
        """The contents of ``reports/audit.json``, without its checksum."""
        return {"dataset": self.dataset, "task": self.task, "labels": list(self.labels), **self.audit.as_json}


def audit_study(project: ProjectPaths) -> AuditOutcome:
    """Audit the catalog and the split of each label version, and write ``reports/audit.json``, even if it fails.

    Raises ``InputError`` if the catalog or the splits are missing or do not match.
    """
    # scikit-learn takes a second to import, and a sweep imports this module even when it does not audit.
    from cytocurve.core.audit.checks import audit

    params = project.params()
    catalog, splits = _tables(project, params)
    audited = audit(catalog, splits, params.folds, params.split == "predefined", params.sizes)
    refusal = _refusal(audited, params)
    outcome = AuditOutcome(params.dataset, params.task_name, tuple(params.labels), audited, refusal)
    write_json(project.reports / "audit.json", outcome.to_json())
    return outcome


def require_audit(project: ProjectPaths) -> None:
    """Raise the refusal of the audit, if any; audits only if a policy in ``params.yaml`` is ``fail``.

    Raises ``InputError`` if the splits cannot be used, or one breaks the promise of ``split: patient``.
    """
    params = project.params()
    if params.split == "patient":
        _check_patients(project, params)
    if "fail" in (params.duplicates, params.leakage) and (refusal := audit_study(project).refusal):
        raise refusal


def _check_patients(project: ProjectPaths, params: Params) -> None:
    """Raise ``InputError`` listing the patients that a split has in several subsets of a fold."""
    known = read_catalog(project).set_index("image")["patient"].dropna()
    patients = known.groupby(known.map(canonical)).transform("first")  # spellings of one number are one patient
    for labels in params.labels:
        split = read_split(project, params, labels)
        if mixed := in_several_subsets(split, split["image"].map(patients)):
            raise InputError(
                f"{project.split(labels)}: split: patient keeps each patient in one subset of a fold, but",
                mixed,
                next_step="remove it, then dvc repro split",
            )


def _tables(project: ProjectPaths, params: Params) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    catalog = read_catalog(project)
    splits = {labels: read_split(project, params, labels) for labels in params.labels}
    wrong = [
        f"build/catalog.parquet: column {labels!r} is missing" for labels in params.labels if labels not in catalog
    ]
    if not wrong:
        present = set(catalog.loc[catalog["withdrawn"].isna(), "image"])
        wrong = [
            f"build/split/{labels}.parquet: {image} is not in the catalog"
            for labels, table in splits.items()
            for image in sorted(set(table["image"]) - present)
        ]
    if wrong:
        raise InputError("The catalog and the splits do not match:", wrong, next_step="dvc repro split")
    return catalog[~catalog["image"].isin(held_out(project, params)["image"])].reset_index(drop=True), splits


def _offenders(finding: Finding) -> list[str]:
    """The first offenders of a finding, and the number of the others."""
    rest = len(finding.offenders) - SHOWN
    lines = [f"- {describe(offender)}" for offender in finding.offenders[:SHOWN]]
    return [*lines, f"- and {rest:,} more"] if rest > 0 else lines


def _refusal(audited: "Audit", params: Params) -> CytocurveError | None:
    """The error that lists everything that the policies reject, None if they reject nothing."""
    rejected: dict[str, list[Finding]] = {}
    if params.leakage == "fail":
        rejected["leakage: fail"] = audited.leaks
    if params.duplicates == "fail":
        rejected["duplicates: fail"] = audited.of(*IDENTICAL)
    rejected = {policy: findings for policy, findings in rejected.items() if findings}
    if not rejected:
        return None
    findings = [finding for group in rejected.values() for finding in group]
    return CytocurveError(
        f"Audit failed; nothing was trained (params.yaml: {', '.join(rejected)}):",
        ["\n    ".join((finding.sentence, *_offenders(finding))) for finding in findings],
        "Details: reports/audit.json",
        f"in params.yaml: {'; '.join(REMEDIES[policy] for policy in rejected)}",
    )
