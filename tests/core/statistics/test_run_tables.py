"""Tables of runs are checked before their scores are used."""

import pandas as pd

from cytocurve.core.statistics.metrics import METRICS
from cytocurve.core.statistics.run_tables import wrong_runs

PLACES = pd.DataFrame(
    {"fold": [0, 1], "size": [4, 4], "seed": [0, 0], "run_key": ["a", "b"], "arm": "one", "labels": "expert"}
)


def test_table_of_an_older_version_needs_only_the_compared_metric() -> None:
    older = PLACES.assign(roc_auc=[0.5, 0.75])
    assert wrong_runs(older, "one", ["roc_auc"]) == []
    assert wrong_runs(older, "one") == [f"no column {metric}" for metric in METRICS if metric != "roc_auc"]


def test_scores_outside_zero_to_one_are_counted() -> None:
    assert wrong_runs(PLACES.assign(f1=[0.5, 1.5]), "one", ["f1"]) == ["f1: 1 score outside 0 to 1"]
