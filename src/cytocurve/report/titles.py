"""Display names of metrics."""

import re

_TITLES = {"roc_auc": "ROC-AUC", "f1": "F1 (macro)", "f1_weighted": "F1 (weighted)"}
_OPERATING_POINT = re.compile(r"(\w+)_at_(\w+)_(\d+)")


def title_of(metric: str) -> str:
    """The display name of a metric."""
    if point := _OPERATING_POINT.fullmatch(metric):
        return f"{point[1].capitalize()} at {point[3]} % {point[2]}"
    return _TITLES.get(metric, metric.replace("_", " ").capitalize())
