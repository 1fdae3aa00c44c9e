"""Select the best arm by validation scores only; test images are not used."""

import numpy as np
import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.metrics import score
from cytocurve.core.statistics.review import probability_columns
from cytocurve.errors import InputError
from cytocurve.study.results import read_predictions

METRIC = "roc_auc"


def validation_scores(project: ProjectPaths, size: int) -> dict[str, float]:
    """Each arm's mean validation score over its runs at a training size; NaN if undefined.

    Raises ``InputError`` listing all results that are missing or lack runs of that size.
    """
    scores, offenders = {}, []
    for arm in project.params().arms:
        try:
            scores[arm.name] = _validation_score(project, arm, size)
        except (InputError, OSError, KeyError, ValueError) as error:
            offenders.append(f"{project.predictions(arm)}: {error}")
    if offenders:
        raise InputError("These results cannot be compared:", offenders, next_step="dvc repro")
    return scores


def best_arm(scores: dict[str, float], params: Params) -> str:
    """The arm of the last label version with the highest score; ties go to the first by name.

    Arms of other versions are scored against other labels, which would favor versions that agree with the networks.
    """
    names = sorted(arm.name for arm in params.arms if arm.labels == params.labels[-1])
    return max(names, key=lambda name: np.nan_to_num(scores[name], nan=-1.0))


def _validation_score(project: ProjectPaths, arm: Arm, size: int) -> float:
    runs = pd.read_parquet(project.results(arm), columns=["run_key", "size"])
    keys = runs.loc[runs["size"] == size, "run_key"]
    rows = read_predictions(project, arm, "validation", set(keys)).reset_index(drop=True)
    if keys.empty or rows["run_key"].nunique() < len(keys):
        raise ValueError(f"lacks runs with {size} training images")
    columns = probability_columns(rows)
    names = [column.removeprefix("p_") for column in columns]
    labels = rows["label"].astype(str).map(names.index).to_numpy()
    probabilities = rows[columns].to_numpy()
    rows_by_run = rows.groupby("run_key", observed=True).indices.values()
    scores = [score(labels[part], probabilities[part])[METRIC] for part in rows_by_run]
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else float("nan")
