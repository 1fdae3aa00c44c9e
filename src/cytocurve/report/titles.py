"""What metrics are called for people."""

_TITLES = {"roc_auc": "ROC-AUC", "f1": "F1 (macro)", "f1_weighted": "F1 (weighted)"}


def title_of(metric: str) -> str:
    """A metric's name for people."""
    return _TITLES.get(metric, metric.replace("_", " ").capitalize())
