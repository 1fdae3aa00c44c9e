"""Stage ``audit``: duplicates, leakage, small classes and shortcuts are told before anything is trained."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core import audit as core
from cytocurve.core.audit.finding import Finding, describe
from cytocurve.errors import CytocurveError, InputError
from cytocurve.files import write_text
from cytocurve.study.dataset import read_catalog
from cytocurve.study.design import read_split

IDENTICAL = ("byte-identical", "pixel-identical")
"""The findings that ``duplicates: fail`` refuses; near-identical pictures are a judgement, and only told."""

WAYS = {
    "leakage: fail": "split: patient or duplicates: group keep together what belongs together, leakage: warn trains on",
    "duplicates: fail": "duplicates: drop keeps the first of each group, duplicates: group all of them in one fold",
}
"""What can be done about a refusal."""


@dataclass(frozen=True)
class Outcome:
    """What an audit found, as JSON has it, and the error to end with where ``params.yaml`` lets a finding fail it."""

    figures: dict[str, Any]
    refusal: CytocurveError | None


def audit(project: ProjectPaths) -> Outcome:
    """Write ``reports/audit.json`` for the catalog and the split of each label version of the study.

    It is written where the audit says no as well. Raises ``InputError`` where catalog or splits are missing or do not
    belong together.
    """
    params = project.params()
    catalog, splits = _tables(project, params)
    found = core.audit(catalog, splits, params.folds, params.split == "predefined")
    figures = {"dataset": params.dataset, "task": params.task_name, "labels": list(params.labels), **found.figures}
    write_text(
        project.reports / "audit.json", json.dumps(figures, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    )
    return Outcome(figures, _refusal(found, params))


def _tables(project: ProjectPaths, params: Params) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    catalog = read_catalog(project)
    splits = {labels: read_split(project, params, labels) for labels in params.labels}
    wrong = [f"build/catalog.parquet: no column {labels!r}" for labels in params.labels if labels not in catalog]
    if not wrong:
        there = set(catalog.loc[catalog["withdrawn"].isna(), "image"])
        wrong = [
            f"build/split/{labels}.parquet: {image} is not in the catalog"
            for labels, table in splits.items()
            for image in sorted(set(table["image"]) - there)
        ]
    if wrong:
        raise InputError("Catalog and splits do not belong together:", wrong, next_step="dvc repro split")
    return catalog, splits


def _refusal(found: core.Audit, params: Params) -> CytocurveError | None:
    """The error that lists everything that the policies refuse, None where they refuse nothing."""
    refused: dict[str, list[Finding]] = {}
    if params.leakage == "fail":
        refused["leakage: fail"] = found.leaks
    if params.duplicates == "fail":
        refused["duplicates: fail"] = found.of(*IDENTICAL)
    refused = {policy: findings for policy, findings in refused.items() if findings}
    if not refused:
        return None
    every = [finding for findings in refused.values() for finding in findings]
    return CytocurveError(
        f"The audit says no, and nothing is trained, since params.yaml asks for {' and '.join(refused)}:",
        [line for finding in every for line in (finding.sentence, *(f"  {describe(o)}" for o in finding.offenders))],
        "reports/audit.json has the numbers.",
        f"in params.yaml: {'; '.join(WAYS[policy] for policy in refused)}.",
    )
