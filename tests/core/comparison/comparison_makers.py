"""Results of arms with predictions for test images, as written by a sweep."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.comparison import ScoredArm, ScoredOn
from cytocurve.core.runs import Arm, digest
from cytocurve.core.statistics.metrics import score
from cytocurve.evaluation.compared import Tables as ScoredTables
from cytocurve.stores.tables import write_parquet
from tests.makers import project_with_params, write_runs

FOLDS, SIZES, SEEDS, A_FOLD = 5, (10, 20, 40), (0, 1), 8

Tables = tuple[pd.DataFrame, pd.DataFrame]


def tables_of(
    arm: Arm,
    skill: float,
    folds: int = FOLDS,
    sizes: Sequence[int] = SIZES,
    seeds: Sequence[int] = SEEDS,
    label_of: Callable[[int], str] = lambda number: "positive" if number % 2 else "negative",
    image_of: Callable[[int], str] = "{}.png".format,
) -> Tables:
    """Runs and predictions that improve with skill and training size; each image is in one fold."""
    runs, predictions = [], []
    for fold, size, seed in product(range(folds), sizes, seeds):
        key = digest([arm.name, skill, fold, size, seed])
        numbers = np.arange(fold * A_FOLD, (fold + 1) * A_FOLD)
        random = np.random.default_rng(int(key[:8], 16))
        toward = np.where(numbers % 2, 1, -1) * skill * np.log(size)
        positive = 1 / (1 + np.exp(-toward - random.normal(size=A_FOLD)))
        rows = pd.DataFrame({"run_key": key, "image": [image_of(n) for n in numbers.tolist()], "subset": "test"})
        rows = rows.assign(label=[label_of(n) for n in numbers.tolist()])
        rows = rows.assign(p_negative=1 - positive, p_positive=positive)
        predictions += [rows, rows.assign(subset="validation")]
        classes = np.array(rows["label"] == "positive", dtype=np.int64)
        metrics = score(classes, np.column_stack([1 - positive, positive]))
        runs.append({"arm": arm.name, **vars(arm), "fold": fold, "size": size, "seed": seed, "run_key": key} | metrics)
    return pd.DataFrame(runs), pd.concat(predictions, ignore_index=True)


def write_arm(project: ProjectPaths, arm: Arm, tables: Tables) -> None:
    runs, predictions = tables
    write_runs(project, arm, runs)
    write_parquet(project.predictions(arm), predictions)


def project_with_arms(root: Path, skills: Sequence[float] = (0.1, 0.9)) -> ProjectPaths:
    """A project whose arms have these skills; by default the second is far better."""
    project = project_with_params(root, SIZES, FOLDS)
    for arm, skill in zip(project.params().arms, skills, strict=True):
        write_arm(project, arm, tables_of(arm, skill))
    return project


def imaged_arm(name: str, skill: float, folds: int = FOLDS, patients: Mapping[str, str] | None = None) -> ScoredArm:
    """An arm with real predictions, so that it can be compared over images."""
    runs, predictions = tables_of(Arm(name, "none", "expert"), skill, folds)
    return ScoredTables(name, runs, predictions[predictions["subset"] == "test"]).scored("roc_auc", patients or {})


def scored(
    name: str,
    scores: Mapping[tuple[int, int, int], float],
    images: pd.DataFrame | None = None,
    labels: str = "expert",
) -> ScoredArm:
    """An arm with these scores by (fold, seed, size), by default tested on one image per fold."""
    runs = pd.DataFrame([(*at, value) for at, value in scores.items()], columns=["fold", "seed", "size", "score"])
    if images is None:
        folds = sorted(set(runs["fold"]))
        images = pd.DataFrame({"image": [f"{fold}.png" for fold in folds], "fold": folds, "label": "positive"})
    return ScoredArm(name, labels, runs, ScoredOn.on(images))


def random_arm(name: str, seed: int, folds: int = 6, seeds: int = 2, sizes: Sequence[int] = SIZES) -> ScoredArm:
    random = np.random.default_rng(seed)
    places = list(product(range(folds), range(seeds), sizes))
    return scored(name, dict(zip(places, random.normal(0.8, 0.05, len(places)).tolist(), strict=True)))
