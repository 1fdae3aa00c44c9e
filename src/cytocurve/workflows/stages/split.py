"""Stage ``split``: assign the images of the task to folds with nested training sets, per label version."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.audit.balance import UnbalancedSize, unbalanced_sizes
from cytocurve.core.audit.lacking import LackingFold, lacking
from cytocurve.core.data.assignment import OFFICIAL, locked_away, shared, split_versions, usable, without_holdout
from cytocurve.stores.documents import write_json
from cytocurve.stores.tables import write_parquet
from cytocurve.study.dataset import read_catalog
from cytocurve.study.design import HOLDOUT_COLUMNS, check_arms, split_settings


@dataclass(frozen=True)
class Excluded:
    """Distinct labeled images of a version that are excluded from the study.

    ``unlabelled_in`` and ``outside_task_in`` count them by the versions in which they have no label, or a label outside
    the task; an image may be counted under several versions.
    """

    images: int
    unlabelled_in: dict[str, int]
    outside_task_in: dict[str, int]


@dataclass(frozen=True)
class SplitSummary:
    """Counts of a split: images, folds, images per class in total and per test fold, and excluded images.

    ``training_images`` is the size of the smallest training set of a fold. ``test_folds`` shows how evenly the classes
    are distributed, which patients and groups can limit; ``fold_names`` are their official names, if they have any.
    ``unbalanced`` lists the training sizes for which a class has too few images, ``lacking`` the official folds without
    images of a class. ``holdout`` counts the images per class that are locked away; none of the other counts has them.
    """

    images: int
    folds: int
    classes: dict[str, int]
    test_folds: list[dict[str, int]]
    training_images: int
    left_out: Excluded
    unbalanced: list[UnbalancedSize]
    fold_names: list[str]
    lacking: list[LackingFold]
    holdout: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The summary as JSON."""
        return asdict(self)


def split(project: ProjectPaths) -> dict[str, SplitSummary]:
    """Write ``build/split/<labels>.parquet`` for each label version, and the holdout; returns a summary of each.

    Raises ``InputError``, before anything is written, if there are not enough images, patients or classes.
    """
    params = project.params()
    check_arms(params)
    catalog = read_catalog(project)
    tables, locked = split_versions(catalog, params), _locked(catalog, params)
    for labels, table in tables.items():
        write_parquet(project.split(labels), table)
    if params.holdout:
        write_parquet(project.holdout, locked)
    else:
        project.holdout.unlink(missing_ok=True)
    write_json(project.split_settings, split_settings(params))
    excluded = left_out(without_holdout(catalog, params), params)
    held = _counts(locked["class"])
    return {
        labels: replace(summary(table, excluded[labels], params.sizes), holdout=held)
        for labels, table in tables.items()
    }


def _locked(catalog: pd.DataFrame, params: Params) -> pd.DataFrame:
    """The images of the holdout: ``image, pixel_sha256, patient, class``, the class by the first label version."""
    if not params.holdout:
        return pd.DataFrame(columns=HOLDOUT_COLUMNS, dtype="str")
    locked = locked_away(catalog, params)
    return locked.loc[locked["withdrawn"].isna(), HOLDOUT_COLUMNS].reset_index(drop=True)


def _counts(classes: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in sorted(classes.value_counts().items())}


def left_out(catalog: pd.DataFrame, params: Params) -> dict[str, Excluded]:
    """The labeled images of each label version that are excluded from the study, and why."""
    kept = usable(catalog, params)
    kept = kept[kept["withdrawn"].isna()]
    tasks, included = shared(kept, params)
    excluded = {}
    for labels in params.labels:
        images = kept[~included & kept[labels].notna()]
        unlabeled = {other: int(images[other].isna().sum()) for other in params.labels}
        outside = {
            other: int((images[other].notna() & ~images[other].isin(task.members.keys())).sum())
            for other, task in tasks.items()
        }
        excluded[labels] = Excluded(
            images=len(images),
            unlabelled_in={other: count for other, count in unlabeled.items() if count},
            outside_task_in={other: count for other, count in outside.items() if count},
        )
    return excluded


def summary(table: pd.DataFrame, excluded: Excluded, sizes: Sequence[int] = ()) -> SplitSummary:
    """Summarize a split."""
    tested = table[table["subset"] == "test"]
    train = table[table["subset"] == "train"].groupby("fold").size()
    return SplitSummary(
        images=len(tested),
        folds=int(tested["fold"].nunique()),
        classes=_counts(tested["label"]),
        test_folds=[_counts(fold["label"]) for _, fold in tested.groupby("fold")],
        training_images=int(train.min()),
        left_out=excluded,
        unbalanced=unbalanced_sizes(table, sizes),
        fold_names=sorted(table[OFFICIAL].unique()) if OFFICIAL in table else [],
        lacking=lacking(table),
    )
