"""Validation of tables of runs and predictions: problems as sentences, an empty list if there are none."""

from collections.abc import Collection

import pandas as pd
from pandas.api.types import is_integer_dtype, is_numeric_dtype

from cytocurve.core.statistics.metrics import METRICS
from cytocurve.core.statistics.review import probability_columns
from cytocurve.text import counted

PLACE = ("fold", "size", "seed")
RUN_COLUMNS = (*PLACE, "run_key", "arm", "labels")
PREDICTION_COLUMNS = ("run_key", "image", "label")


def wrong_runs(table: pd.DataFrame, arm: str, metrics: Collection[str] = METRICS) -> list[str]:
    """The problems of a table of an arm's runs: one per fold, size and seed, with scores from 0 to 1 or undefined.

    Only the columns of ``metrics`` are needed: a table of an older version may lack others.
    """
    if missing := [f"no column {column}" for column in (*RUN_COLUMNS, *metrics) if column not in table]:
        return missing
    if table.empty:
        return ["no runs"]
    problems = [f"{column}: expected integers" for column in PLACE if not is_integer_dtype(table[column])]
    for metric in metrics:
        if not is_numeric_dtype(table[metric]):
            problems.append(f"{metric}: expected numbers")
        elif outside := int(((table[metric] < 0) | (table[metric] > 1)).sum()):
            problems.append(f"{metric}: {counted(outside, 'score')} outside 0 to 1")
    if table["run_key"].isna().any() or table["run_key"].duplicated().any():
        problems.append("run_key: missing or duplicate run keys")
    if table.duplicated(list(PLACE)).any():
        problems.append("duplicate runs of the same fold, size and seed")
    if others := sorted(set(table["arm"].dropna().astype(str)) - {arm}):
        problems.append(f"runs of another arm: {', '.join(others)}")
    return problems


def wrong_predictions(table: pd.DataFrame, runs: pd.DataFrame) -> list[str]:
    """The problems of a table of these runs' test predictions: one row per run and image, labels among the classes."""
    if missing := [f"no column {column}" for column in PREDICTION_COLUMNS if column not in table]:
        return missing
    columns = probability_columns(table)
    if len(columns) < 2:
        return ["fewer than two columns p_<class>"]
    problems = [f"{column}: expected numbers" for column in columns if not is_numeric_dtype(table[column])]
    classes = {column.removeprefix("p_") for column in columns}
    if strange := sorted({str(label) for label in table["label"].unique()} - classes):
        problems.append(f"labels that are not classes: {', '.join(strange[:5])}")
    keys, known = set(table["run_key"].dropna().unique()), set(runs["run_key"])
    if table["run_key"].isna().any() or keys - known:
        problems.append("predictions of runs that do not belong to the arm")
    if lacking := len(known - keys):
        problems.append(f"{lacking} of {counted(len(known), 'run')} without test predictions")
    if table["image"].isna().any() or table.duplicated(["run_key", "image"]).any():
        problems.append("duplicate predictions for an image in a run, or images without a name")
    return problems
