"""Stage ``split``: the catalog's images of a task, in folds with nested training sets, for each label version."""

import json
from typing import Any

import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.data.assignment import shared, split_versions, usable
from cytocurve.files import write_text
from cytocurve.stores.tables import write_parquet
from cytocurve.study.dataset import read_catalog
from cytocurve.study.design import check_arms, split_settings


def split(project: ProjectPaths) -> dict[str, Any]:
    """Write ``build/split/<labels>.parquet`` for each label version; returns counts of images, folds and classes.

    ``left_out`` counts the images that are labelled in a version but take no part, and why (see ``left_out``). Raises
    ``InputError``, before anything is written, where the study asks for more than the images give.
    """
    params = project.params()
    check_arms(params)
    catalog = read_catalog(project)
    tables = split_versions(catalog, params)
    for labels, table in tables.items():
        write_parquet(project.split(labels), table)
    write_text(project.split_settings, json.dumps(split_settings(params), indent=1, ensure_ascii=False) + "\n")
    without = left_out(catalog, params)
    return {labels: summary(table) | {"left_out": without[labels]} for labels, table in tables.items()}


def left_out(catalog: pd.DataFrame, params: Params) -> dict[str, dict[str, Any]]:
    """For each label version its labelled images, duplicates aside, that take no part in the study, and why.

    ``unlabelled_in`` and ``outside_task_in`` count them by the versions in which they have no label, or one that is in
    no class of the task; an image may be counted under several.
    """
    kept = usable(catalog, params)
    kept = kept[kept["withdrawn"].isna()]
    tasks, part = shared(kept, params)
    out = {}
    for labels in params.labels:
        without = kept[~part & kept[labels].notna()]
        unlabelled = {other: int(without[other].isna().sum()) for other in params.labels}
        outside = {
            other: int((without[other].notna() & ~without[other].isin(task.members.keys())).sum())
            for other, task in tasks.items()
        }
        out[labels] = {
            "images": len(without),
            "unlabelled_in": {other: count for other, count in unlabelled.items() if count},
            "outside_task_in": {other: count for other, count in outside.items() if count},
        }
    return out


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Counts of a split: images, folds, images a class in all and in each test fold, and the least training images.

    ``test_folds`` shows how even the classes are, which patients and groups do not let be exact.
    """
    tested = table[table["subset"] == "test"]
    train = table[table["subset"] == "train"].groupby("fold").size()
    return {
        "images": len(tested),
        "folds": int(tested["fold"].nunique()),
        "classes": {str(name): int(count) for name, count in sorted(tested["label"].value_counts().items())},
        "test_folds": [
            {str(name): int(count) for name, count in sorted(fold["label"].value_counts().items())}
            for _, fold in tested.groupby("fold")
        ],
        "training_images": int(train.min()),
    }
