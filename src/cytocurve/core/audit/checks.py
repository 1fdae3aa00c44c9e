"""All checks of the audit on one study."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cytocurve.core.audit import balance, classes, duplicates, lacking, leakage, names, shortcuts, sizes
from cytocurve.core.audit.finding import AT_MOST, SEVERITIES, Finding


@dataclass(frozen=True)
class Audit:
    """The findings, most severe first, the checks that passed, and the tables behind the shortcut and size findings.

    ``passed`` lists checks as (``id``, label version or None), without those that could not be run, such as patient
    checks when no patient is known. ``shortcuts`` and ``sizes`` are by label version.
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
        """The findings of severity ``leakage``."""
        return [finding for finding in self.findings if finding.severity == "leakage"]

    @property
    def as_json(self) -> dict[str, Any]:
        """The audit as JSON; ``sizes`` only for label versions in which a size has a different class distribution."""
        counts = Counter(finding.severity for finding in self.findings)
        return {
            "images": self.images,
            "counts": {severity: counts[severity] for severity in SEVERITIES},
            "offenders_at_most": AT_MOST,
            "findings": [finding.as_json for finding in self.findings],
            "passed": [{"id": name, "labels": labels} for name, labels in self.passed],
            "shortcuts": {labels: [shortcut.as_json for shortcut in table] for labels, table in self.shortcuts.items()},
            "sizes": {
                labels: [size.as_json for size in table]
                for labels, table in self.sizes.items()
                if any(size.different for size in table)
            },
        }


def audit(
    catalog: pd.DataFrame,
    splits: Mapping[str, pd.DataFrame],
    folds: int,
    official: bool,
    training_sizes: Sequence[int] = (),
) -> Audit:
    """All checks on a catalog and the splits of its label versions.

    ``folds`` is the number of folds requested, ``official`` whether they are the dataset's own, ``training_sizes``
    are those of the study. Images excluded from the task are still included in checks that do not depend on a label
    version.
    """
    images = catalog[catalog["withdrawn"].isna()].reset_index(drop=True)
    given = {labels: classes.members(split, images) for labels, split in splits.items()}
    by_feature = {labels: shortcuts.shortcuts(table) for labels, table in given.items()}
    by_size = {labels: sizes.sizes(table) for labels, table in given.items()}
    checks = [
        *_image_checks(catalog, images, official),
        names.spelling(images, list(splits)),
        names.image_names(images),
    ]
    for labels, split in splits.items():
        checks += _label_checks(images, split, given[labels], labels, folds)
        checks += [shortcuts.finding(shortcut, labels) for shortcut in by_feature[labels]]
        checks.append(sizes.finding(by_size[labels], labels))
        checks.append(balance.finding(balance.unbalanced_sizes(split, training_sizes), labels))
        if official:
            binary = split["label"].nunique() == 2
            checks.append(lacking.finding(lacking.lacking(split), folds, binary, labels))
    failed = [check for check in checks if check.offenders]
    passed = [(check.id, check.labels) for check in checks if not check.offenders]
    findings = sorted(failed, key=lambda finding: SEVERITIES.index(finding.severity))
    return Audit(len(images), findings, passed, by_feature, by_size)


def _image_checks(catalog: pd.DataFrame, images: pd.DataFrame, official: bool) -> Iterator[Finding]:
    if images["fold"].notna().any():
        for grouping in leakage.groupings(images):
            yield leakage.across_official_folds(images, grouping, official)
    yield from duplicates.identical(images)
    shared = duplicates.shared_pictures(images)
    if shared:
        yield shared
    yield classes.without_patient(images)
    yield classes.withdrawn(catalog)


def _label_checks(
    images: pd.DataFrame, split: pd.DataFrame, given: pd.DataFrame, labels: str, folds: int
) -> Iterator[Finding]:
    for grouping in leakage.groupings(images):
        yield leakage.across_subsets(split, grouping, labels)
    yield duplicates.conflicts(images, labels)
    yield classes.small_classes(given, folds, labels)
    patients = classes.one_class_patients(given, labels)
    if patients:
        yield patients
