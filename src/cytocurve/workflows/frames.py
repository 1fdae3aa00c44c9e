"""The results of a study as DataFrames."""

from collections.abc import Sequence

import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.errors import InputError
from cytocurve.evaluation.answers import read_answers
from cytocurve.study.results import check_results, read_predictions, read_runs
from cytocurve.text import check_known

SUBSETS = ("validation", "test")


def runs_table(project: ProjectPaths, arms: Sequence[Arm]) -> pd.DataFrame:
    """One row per run: ``arm, architecture, augmentation, labels, fold, size, seed, run_key, epochs`` and the metrics.

    Raises ``InputError`` listing all results that are missing or cannot be used.
    """
    return pd.concat(read_runs(project, arms).values(), ignore_index=True)


def predictions_table(project: ProjectPaths, arms: Sequence[Arm], subset: str) -> pd.DataFrame:
    """One row per run and image of a subset: ``arm, run_key, image, label`` and the probabilities ``p_<class>``.

    Raises ``InputError`` for an unknown subset, and if an arm's predictions are missing or damaged.
    """
    if unknown := check_known("subset", [subset], SUBSETS):
        raise InputError(unknown[0], hint=f"Subsets: {', '.join(SUBSETS)}")
    check_results(project, arms)
    tables = []
    for arm in arms:
        table = read_predictions(project, arm, subset).astype({"run_key": "str", "image": "str", "label": "str"})
        table.insert(0, "arm", arm.name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def curves_table(project: ProjectPaths, metric: str) -> pd.DataFrame:
    """One row per arm and training size: the mean score with its 95 % interval and its spread over runs.

    Raises ``InputError`` for an unknown metric, and if the study has not been evaluated.
    """
    if unknown := check_known("metric", [metric], list(METRICS)):
        raise InputError(unknown[0], hint=f"Metrics: {', '.join(METRICS)}")
    columns = ("size", "mean", "sd", "median", "q1", "q3", "ci_low", "ci_high", "n")
    answers = read_answers(project)
    return pd.DataFrame(
        [
            {"arm": name} | {column: getattr(point, column) for column in columns}
            for name, arm in answers.arms.items()
            for point in arm.curves[metric]
        ]
    )
