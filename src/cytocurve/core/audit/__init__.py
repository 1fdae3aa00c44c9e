"""The audit of images, labels and folds before any training, a check a file; pure functions of the catalog."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cytocurve.core.audit import classes, duplicates, leakage, shortcuts, sizes
from cytocurve.core.audit.finding import AT_MOST, SEVERITIES, Finding


@dataclass(frozen=True)
class Audit:
    """What was found, the gravest first, which checks found nothing, and the tables behind the findings on shortcuts.

    ``passed`` names checks (``id``, label version or None); those that could not be made, such as those of patients
    where none is known, are not among them. ``shortcuts`` and ``sizes`` are by label version.
    """

    images: int
    findings: Sequence[Finding]
    passed: Sequence[tuple[str, str | None]]
    shortcuts: Mapping[str, Sequence[shortcuts.Shortcut]]
    sizes: Mapping[str, Sequence[sizes.Size]]

    def of(self, *ids: str) -> list[Finding]:
        """The findings of these checks."""
        return [finding for finding in self.findings if finding.id in ids]

    @property
    def leaks(self) -> list[Finding]:
        """The findings of the severity ``leakage``."""
        return [finding for finding in self.findings if finding.severity == "leakage"]

    @property
    def figures(self) -> dict[str, Any]:
        """The audit as JSON has it; ``sizes`` only where some size holds the classes in quite different shares."""
        counts = Counter(finding.severity for finding in self.findings)
        return {
            "images": self.images,
            "counts": {severity: counts[severity] for severity in SEVERITIES},
            "offenders_at_most": AT_MOST,
            "findings": [finding.figures for finding in self.findings],
            "passed": [{"id": name, "labels": labels} for name, labels in self.passed],
            "shortcuts": {labels: [found.figures for found in table] for labels, table in self.shortcuts.items()},
            "sizes": {
                labels: [size.figures for size in table]
                for labels, table in self.sizes.items()
                if any(size.different for size in table)
            },
        }


def audit(catalog: pd.DataFrame, splits: Mapping[str, pd.DataFrame], folds: int, official: bool) -> Audit:
    """All checks on a catalog and the splits of its label versions.

    ``folds`` is the number of folds asked for, ``official`` whether they are the dataset's own. Images that take no
    part in a task count in the checks that are about no label version.
    """
    images = catalog[catalog["withdrawn"].isna()].reset_index(drop=True)
    given = {labels: classes.members(split, images) for labels, split in splits.items()}
    given_away = {labels: shortcuts.shortcuts(table) for labels, table in given.items()}
    by_size = {labels: sizes.sizes(table) for labels, table in given.items()}
    made = [*_of_images(catalog, images, official)]
    for labels, split in splits.items():
        made += _of_labels(images, split, given[labels], labels, folds)
        made += [shortcuts.finding(shortcut, labels) for shortcut in given_away[labels]]
        made.append(sizes.finding(by_size[labels], labels))
    found = sorted((m for m in made if m.offenders), key=lambda finding: SEVERITIES.index(finding.severity))
    passed = [(finding.id, finding.labels) for finding in made if not finding.offenders]
    return Audit(len(images), found, passed, given_away, by_size)


def _of_images(catalog: pd.DataFrame, images: pd.DataFrame, official: bool) -> Iterator[Finding]:
    if images["fold"].notna().any():
        for grouping in leakage.groupings(images):
            yield leakage.across_official_folds(images, grouping, official)
    yield from duplicates.identical(images)
    shared = duplicates.shared_pictures(images)
    if shared:
        yield shared
    yield classes.without_patient(images)
    yield classes.withdrawn(catalog)


def _of_labels(
    images: pd.DataFrame, split: pd.DataFrame, given: pd.DataFrame, labels: str, folds: int
) -> Iterator[Finding]:
    for grouping in leakage.groupings(images):
        yield leakage.across_subsets(split, grouping, labels)
    yield duplicates.conflicts(images, labels)
    yield classes.small_classes(given, folds, labels)
    patients = classes.one_class_patients(given, labels)
    if patients:
        yield patients
