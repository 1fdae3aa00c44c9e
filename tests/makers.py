"""Makers of small projects and of results as a sweep leaves them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cytocurve.config import Project
from cytocurve.core.metrics import METRICS
from cytocurve.core.runs import Arm, digest
from cytocurve.stores.tables import write_parquet

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
settings: {{sequential: {{}}, none: {{}}, flip_rotate: {{}}}}
"""


def project_with_params(root: Path, sizes: Sequence[int] = (10, 20, 40), folds: int = 5) -> Project:
    (root / "params.yaml").write_text(PARAMS.format(sizes=list(sizes), folds=folds), encoding="utf-8")
    return Project(root)


def project_with_results(root: Path, sizes: Sequence[int] = (10, 20, 40), folds: int = 5) -> Project:
    """Two arms whose scores rise with the training size; the second rises faster."""
    project = project_with_params(root, sizes, folds)
    for number, arm in enumerate(project.params().arms):
        runs = results_of(arm, sizes, folds, loss=0.9 - 0.35 * number, seed=number)
        write_parquet(project.results(arm), runs)
        write_parquet(project.predictions(arm), predictions_of(runs, errors=1 - number))
    return project


def predictions_of(runs: pd.DataFrame, errors: int = 0) -> pd.DataFrame:
    """Six validation images a run, all but ``errors`` of them ranked rightly."""
    labels = ["negative", "positive"] * 3
    positive = np.where(np.arange(6) % 2, 0.9, 0.1)
    positive[:errors] = 0.95
    image = pd.DataFrame({"image": [f"{i}.tif" for i in range(6)], "subset": "validation", "label": labels})
    image = image.assign(p_negative=1 - positive, p_positive=positive)
    return pd.concat([image.assign(run_key=key) for key in runs["run_key"]], ignore_index=True)


def results_of(arm: Arm, sizes: Sequence[int], folds: int, loss: float = 0.9, seed: int = 0) -> pd.DataFrame:
    """One arm's runs: every metric is 1 - loss / sqrt(size), less some noise a fold and a run."""
    random = np.random.default_rng(seed)
    rows = []
    for fold in range(folds):
        luck = random.normal(0, 0.01)
        for size in sizes:
            row: dict[str, str | int | float] = {
                "arm": arm.name,
                "architecture": arm.architecture,
                "augmentation": arm.augmentation,
            }
            row |= {"labels": arm.labels, "fold": fold, "size": size, "seed": 0, "epochs": 60 + fold}
            row |= {"run_key": digest([arm.name, fold, size])}
            noise = random.normal(0, 0.35 / size**0.75, len(METRICS))
            scores = np.clip(0.985 - loss / np.sqrt(size) + luck + noise, 0, 1)
            rows.append(row | dict(zip(METRICS, scores.tolist(), strict=True)))
    return pd.DataFrame(rows)
