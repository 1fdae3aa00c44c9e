"""Select the best arm by validation scores only; test images are not used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.metrics import score
from cytocurve.core.statistics.review import probability_columns
from cytocurve.errors import InputError
from cytocurve.stores.tables import read_parquet
from cytocurve.study.results import read_predictions

METRIC = "roc_auc"


@dataclass(frozen=True, eq=False)
class Validated:
    """An arm's runs at one training size on their validation images: ``fold, seed, score`` and each fold's images."""

    runs: pd.DataFrame
    images: Mapping[int, frozenset[str]]

    @property
    def score(self) -> float:
        """The mean score; NaN if it is undefined for all runs."""
        return float(self.runs["score"].mean())


def validated(project: ProjectPaths, size: int, among: Sequence[Arm] = ()) -> dict[str, Validated]:
    """The validation scores of each arm's runs at a training size, by arm; ``among`` are all arms by default.

    Raises ``InputError`` listing all results that are missing or lack runs of that size.
    """
    arms, offenders = {}, []
    for arm in among or project.params().arms:
        try:
            arms[arm.name] = _validated(project, arm, size)
        except (InputError, OSError, KeyError, ValueError) as error:
            offenders.append(f"{project.predictions(arm)}: {error}")
    if offenders:
        raise InputError("These results cannot be compared:", offenders, next_step="dvc repro")
    return arms


def candidates(params: Params, among: Sequence[Arm] = ()) -> list[str]:
    """The arms of the last label version, sorted; ``among`` are all arms of the study by default.

    Arms of other versions are scored against other labels, which would favor versions that agree with the networks.
    """
    arms = among or params.arms
    last = max((arm.labels for arm in arms), key=params.labels.index)
    return sorted(arm.name for arm in arms if arm.labels == last)


def best_arm(scores: Mapping[str, float], params: Params, among: Sequence[Arm] = ()) -> str:
    """The candidate with the highest score; ties go to the first by name."""
    return max(candidates(params, among), key=lambda name: np.nan_to_num(scores[name], nan=-1.0))


def _validated(project: ProjectPaths, arm: Arm, size: int) -> Validated:
    runs = read_parquet(project.results(arm), "dvc repro", columns=["run_key", "size", "fold", "seed"])
    runs = runs[runs["size"] == size].set_index("run_key")
    rows = read_predictions(project, arm, "validation", set(runs.index)).reset_index(drop=True)
    if runs.empty or rows["run_key"].nunique() < len(runs):
        raise ValueError(f"lacks runs with {size} training images")
    columns = probability_columns(rows)
    names = [column.removeprefix("p_") for column in columns]
    labels = rows["label"].astype(str).map(names.index).to_numpy()
    probabilities = rows[columns].to_numpy()
    rows_by_run = rows.groupby("run_key", observed=True).indices
    scores = {key: score(labels[part], probabilities[part])[METRIC] for key, part in rows_by_run.items()}
    return Validated(runs.assign(score=pd.Series(scores))[["fold", "seed", "score"]], images_by_fold(rows, runs))


def images_by_fold(predictions: pd.DataFrame, runs: pd.DataFrame) -> dict[int, frozenset[str]]:
    """The images of each fold's predictions; ``runs`` has the folds by run key."""
    folds = predictions["run_key"].astype(str).map(runs["fold"])
    images = predictions["image"].astype(str).groupby(folds)
    return {int(fold): frozenset(names) for fold, names in images}
