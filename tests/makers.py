"""Makers of small projects and of results as written by a sweep."""

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytocurve.config import ProjectPaths
from cytocurve.core.runs import Arm, digest
from cytocurve.core.statistics.metrics import score
from cytocurve.stores.tables import write_parquet
from cytocurve.stores.tracking.connection import connected
from cytocurve.study.design import about_results

PARAMS = """\
dataset: toy
task: blast
labels: [expert]
architectures: [sequential]
augmentations: [none, flip_rotate]
folds: {folds}
sizes: {sizes}
seeds: [0]
image_size: 16
training: {{}}
settings: {{sequential: {{filters: [2, 3]}}, none: {{}}, flip_rotate: {{}}}}
"""


def project_with_params(root: Path, sizes: Sequence[int] = (10, 20, 40), folds: int = 5) -> ProjectPaths:
    (root / "params.yaml").write_text(PARAMS.format(sizes=list(sizes), folds=folds), encoding="utf-8")
    return ProjectPaths(root)


def copy_tracking_store(folder: Path) -> None:
    """Put an empty MLflow store at ``mlflow.db`` in a folder, migrated once per process: that takes over a second."""
    folder.mkdir(exist_ok=True)
    shutil.copy(_tracking_store(), folder / "mlflow.db")


@cache
def _tracking_store() -> Path:
    root = Path(tempfile.mkdtemp(prefix="cytocurve-tracking-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    with connected(f"sqlite:///{root}/mlflow.db", root / "lock") as client:
        client.search_experiments()
    with closing(sqlite3.connect(root / "mlflow.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the copy is of this one file
    return root / "mlflow.db"


TESTED = 8
"""Test images of a fold, half of each class."""


def project_with_results(root: Path, sizes: Sequence[int] = (10, 20, 40), folds: int = 5) -> ProjectPaths:
    """Two arms whose networks get better with the training size; the second gets better faster."""
    shutil.copytree(_results(tuple(sizes), folds), root, dirs_exist_ok=True)
    return ProjectPaths(root)


@cache
def _results(sizes: tuple[int, ...], folds: int) -> Path:
    """A project with results, made once per process, to be copied."""
    root = Path(tempfile.mkdtemp(prefix="cytocurve-results-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    project = project_with_params(root, sizes, folds)
    for number, arm in enumerate(project.params().arms):
        write_results(project, arm, skill=0.8 + 1.2 * number, errors=1 - number)
    return root


def write_results(project: ProjectPaths, arm: Arm, skill: float, errors: int = 0, labels: Sequence[str] = ()) -> None:
    """An arm's runs and predictions: log-odds of the true class around ``skill`` times the log of the training size.

    Of six validation images a run, all but ``errors`` are ranked rightly. ``labels`` are those of a fold's test images.
    """
    params = project.params()
    random = np.random.default_rng(round(1000 * skill))
    test_labels = list(labels) or ["negative", "positive"] * (TESTED // 2)
    truth = np.array([word == "positive" for word in test_labels], dtype=np.int64)
    rows, tables = [], []
    for fold in range(params.folds):
        luck = random.normal(0, 0.2)
        for size in params.sizes:
            for seed in params.seeds:
                odds = (2 * truth - 1) * (skill * np.log10(size) + luck) + random.normal(0, 1, len(truth))
                positive = 1 / (1 + np.exp(-odds))
                key = digest([arm.name, fold, size, seed])
                run = {"arm": arm.name, **vars(arm), "fold": fold, "size": size, "seed": seed, "run_key": key}
                rows.append(run | {"epochs": 60 + fold} | score(truth, np.stack([1 - positive, positive], axis=1)))
                names = [f"{fold}-{i}.tif" for i in range(len(truth))]
                tables.append(_predictions(key, names, "test", test_labels, positive))
                tables.append(_validation(key, errors))
    write_runs(project, arm, pd.DataFrame(rows))
    write_parquet(project.predictions(arm), pd.concat(tables, ignore_index=True))


def write_runs(project: ProjectPaths, arm: Arm, runs: pd.DataFrame) -> None:
    """An arm's runs as those of the present settings and split."""
    about = about_results(project, project.params(), arm, ["negative", "positive"])
    write_parquet(project.results(arm), runs, about)


def _validation(key: str, errors: int) -> pd.DataFrame:
    positive = np.where(np.arange(6) % 2, 0.9, 0.1)
    positive[:errors] = 0.95
    names = [f"v{i}.tif" for i in range(6)]
    return _predictions(key, names, "validation", ["negative", "positive"] * 3, positive)


def _predictions(
    key: str, names: Sequence[str], subset: str, test_labels: Sequence[str], positive: NDArray[np.float64]
) -> pd.DataFrame:
    columns = {"run_key": key, "image": names, "subset": subset, "label": test_labels}
    return pd.DataFrame(columns | {"p_negative": 1 - positive, "p_positive": positive})
