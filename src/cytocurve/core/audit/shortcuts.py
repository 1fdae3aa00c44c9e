"""Shortcuts: how well features unrelated to a cell's morphology separate the classes by themselves.

A network that can learn the image size or background of a batch does not need morphology. A small decision tree is
trained on each feature alone, and its cross-validated ROC-AUC measures what the feature reveals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from cytocurve.core.audit.finding import Finding, Severity

FEATURES: Mapping[str, tuple[str, ...]] = {
    "image size": ("width", "height"),
    "file format": ("format",),
    "mean color": ("red", "green", "blue"),
    "background": ("background_red", "background_green", "background_blue"),
}
"""Each feature's columns in the catalog."""

OF_THE_CELL = frozenset({"mean color"})
"""Features that depend on the cell itself, so that what they reveal is not necessarily a shortcut."""

PARTS = 5
"""Folds of the cross-validation; classes with fewer images are excluded."""

CONFIDENCE = 0.95
SEED = 0


@dataclass(frozen=True)
class Auc:
    """A ROC-AUC with its 95 % interval, and whether it is above chance, 0.5."""

    roc_auc: float
    ci_low: float
    ci_high: float
    above_chance: bool


@dataclass(frozen=True)
class Shortcut:
    """What one feature reveals: the macro average over classes, one against the rest, and the worst class."""

    feature: str
    macro: Auc
    worst_class: str
    worst: Auc

    @property
    def above_chance(self) -> bool:
        """Whether the feature reveals the classes on average, or one of them."""
        return self.macro.above_chance or self.worst.above_chance

    @property
    def as_json(self) -> dict[str, Any]:
        """The shortcut as JSON."""
        macro, worst = asdict(self.macro), asdict(self.worst)
        return {"feature": self.feature, **macro, "worst": {"class": self.worst_class, **worst}}


def shortcuts(images: pd.DataFrame) -> list[Shortcut]:
    """What each of ``FEATURES`` reveals about ``class``, most revealing first; empty if fewer than two classes remain.

    ``images`` has one row per image. ROC-AUC is the mean over five stratified folds, with the interval of Hanley and
    McNeil 1982. For an average over classes, the average of their standard errors is used, which is an upper bound;
    the worst class is Bonferroni-corrected for having been selected. Images of one patient are treated as independent,
    so the intervals are too narrow if patients have many images.
    """
    sizes = images["class"].value_counts()
    kept = images[images["class"].isin(sizes[sizes >= PARTS].index)]
    names = sorted(kept["class"].unique())
    if len(names) < 2:
        return []
    truth = np.searchsorted(names, kept["class"])
    by_feature = [_shortcut(feature, _coded(kept, columns), truth, names) for feature, columns in FEATURES.items()]
    return sorted(by_feature, key=lambda shortcut: -shortcut.macro.roc_auc)


def _coded(images: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    """The columns as numbers, (images, columns); names are encoded in alphabetical order."""
    coded = [pd.factorize(images[c], sort=True)[0] if images[c].dtype.kind not in "iuf" else images[c] for c in columns]
    return np.stack([np.asarray(column, np.float64) for column in coded], axis=1)


def _shortcut(feature: str, values: NDArray[np.float64], truth: NDArray[np.intp], names: Sequence[str]) -> Shortcut:
    scores = _scores(values, truth, len(names))
    judged = range(1, 2) if len(names) == 2 else range(len(names))
    counts = [(int((truth == number).sum()), int((truth != number).sum())) for number in judged]
    aucs = [float(scores[:, number].mean()) for number in judged]
    errors = [standard_error(auc, *count) for auc, count in zip(aucs, counts, strict=True)]
    chance = [standard_error(0.5, *count) for count in counts]
    macro = _judge(float(np.mean(aucs)), float(np.mean(errors)), float(np.mean(chance)), 1)
    worst = int(np.argmax(aucs))
    return Shortcut(feature, macro, names[judged[worst]], _judge(aucs[worst], errors[worst], chance[worst], len(aucs)))


def _scores(values: NDArray[np.float64], truth: NDArray[np.intp], classes: int) -> NDArray[np.float64]:
    """ROC-AUC of each part and class, one against the rest, (parts, classes).

    Parts are scored separately, so that a constant feature gets exactly 0.5; pooled predictions would reflect the
    slightly different class shares of the parts.
    """
    if (values == values[0]).all():
        return np.full((PARTS, classes), 0.5)
    parts = StratifiedKFold(PARTS, shuffle=True, random_state=SEED)
    scores = np.empty((PARTS, classes))
    for part, (train, test) in enumerate(parts.split(values, truth)):
        tree = DecisionTreeClassifier(max_leaf_nodes=16, min_samples_leaf=5, random_state=SEED)
        predicted = tree.fit(values[train], truth[train]).predict_proba(values[test])
        scores[part] = [roc_auc_score(truth[test] == number, predicted[:, number]) for number in range(classes)]
    return scores


def standard_error(auc: float, positives: int, negatives: int) -> float:
    """The standard error of a ROC-AUC (Hanley & McNeil 1982, Radiology 143:29-36, formula 1)."""
    both_positive, both_negative = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (both_positive - auc**2) + (negatives - 1) * (both_negative - auc**2)
    return float(np.sqrt(max(variance, 0.0) / (positives * negatives)))


def _judge(auc: float, error: float, chance: float, comparisons: int) -> Auc:
    """An AUC with its interval; ``chance`` is the standard error at 0.5, since the one at an AUC of 1 is zero."""
    z = float(ndtri(1 - (1 - CONFIDENCE) / 2 / comparisons))
    low, high = max(auc - z * error, 0.0), min(auc + z * error, 1.0)
    above = auc - z * max(error, chance) > 0.5
    return Auc(round(auc, 4), round(low, 4), round(high, 4), bool(above))


def finding(shortcut: Shortcut, labels: str) -> Finding:
    """The shortcut as a finding, without offenders if it is not above chance."""
    cell = shortcut.feature in OF_THE_CELL
    severity: Severity = "note" if cell else "warning"
    worst = shortcut.worst
    sentence = (
        f"Label version {labels}: the {shortcut.feature} alone separates {shortcut.worst_class} from the rest with "
        f"ROC-AUC {worst.roc_auc:.2f} (95 % interval {worst.ci_low:.2f} to {worst.ci_high:.2f}), "
        f"and the classes on average with {shortcut.macro.roc_auc:.2f}. "
        + (
            "It also depends on the cell itself, so this is not necessarily a shortcut."
            if cell
            else "It is unrelated to the cell."
        )
    )
    numbers = {"macro_roc_auc": shortcut.macro.roc_auc, "worst_roc_auc": worst.roc_auc}
    offenders = [{"feature": shortcut.feature, "class": shortcut.worst_class}] if shortcut.above_chance else []
    name = f"shortcut-{shortcut.feature.replace(' ', '-')}"
    return Finding(name, severity, sentence, numbers, offenders, labels)
