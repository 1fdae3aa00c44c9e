"""What is wrong with a table of runs or of predictions, as sentences; an empty list where it can be used."""

import pandas as pd
from pandas.api.types import is_integer_dtype, is_numeric_dtype

from cytocurve.core.statistics.metrics import METRICS
from cytocurve.core.statistics.review import probability_columns

PLACE = ("fold", "size", "seed")
RUN_COLUMNS = (*PLACE, "run_key", "arm", "labels", *METRICS)
PREDICTION_COLUMNS = ("run_key", "image", "label")


def wrong_runs(table: pd.DataFrame, arm: str) -> list[str]:
    """What keeps this from being an arm's runs, one a fold, size and seed, with scores from 0 to 1 or undefined."""
    if missing := [f"no column {column}" for column in RUN_COLUMNS if column not in table]:
        return missing
    if table.empty:
        return ["no runs"]
    found = [f"{column}: whole numbers are expected" for column in PLACE if not is_integer_dtype(table[column])]
    for metric in METRICS:
        if not is_numeric_dtype(table[metric]):
            found.append(f"{metric}: numbers are expected")
        elif outside := int(((table[metric] < 0) | (table[metric] > 1)).sum()):
            found.append(f"{metric}: {outside} scores are not from 0 to 1")
    if table["run_key"].isna().any() or table["run_key"].duplicated().any():
        found.append("run_key: every run needs one of its own")
    if table.duplicated(list(PLACE)).any():
        found.append("a fold, size and seed is there twice")
    if others := sorted(set(table["arm"].dropna().astype(str)) - {arm}):
        found.append(f"runs of another arm: {', '.join(others)}")
    return found


def wrong_predictions(table: pd.DataFrame, runs: pd.DataFrame) -> list[str]:
    """What keeps this from being these runs' test predictions: one row per run and image, labels among the classes."""
    if missing := [f"no column {column}" for column in PREDICTION_COLUMNS if column not in table]:
        return missing
    columns = probability_columns(table)
    if len(columns) < 2:
        return ["fewer than two columns p_<class>"]
    found = [f"{column}: numbers are expected" for column in columns if not is_numeric_dtype(table[column])]
    classes = {column.removeprefix("p_") for column in columns}
    if strange := sorted({str(label) for label in table["label"].unique()} - classes):
        found.append(f"labels that are no class: {', '.join(strange[:5])}")
    keys, known = set(table["run_key"].dropna().unique()), set(runs["run_key"])
    if table["run_key"].isna().any() or keys - known:
        found.append("predictions of runs that are not among the arm's")
    if lacking := len(known - keys):
        found.append(f"{lacking} of {len(known)} runs have no test predictions")
    if table["image"].isna().any() or table.duplicated(["run_key", "image"]).any():
        found.append("a run predicts an image twice, or one without a name")
    return found
