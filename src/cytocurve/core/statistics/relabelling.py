"""The gain from relabeling: arms that differ only in label version, compared run by run on the same labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cytocurve.core.comparison.significance import corrected_t, fold_ratio
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.curves import Curve, Summary, summarize
from cytocurve.core.statistics.metrics import score
from cytocurve.core.statistics.review import probability_columns
from cytocurve.core.statistics.values import mean

RUN = ["fold", "size", "seed"]


@dataclass(frozen=True)
class Relabelling:
    """By training size, the gain of an arm over the same arm with another label version, paired by fold and seed.

    Both are scored on the labels of version ``judge`` for the same test images, since scoring each arm on its own
    labels would hide its label errors. ``changed`` of the ``images`` have a different class in the two versions.
    """

    arm: str
    other: str
    judge: str
    metric: str
    images: int
    changed: int
    differences: Mapping[int, Summary]


def relabellings(
    arms: Sequence[Arm], results: Mapping[str, pd.DataFrame], predictions: Mapping[str, pd.DataFrame], metric: str
) -> list[Relabelling]:
    """All pairs of arms with the same architecture and augmentation, each later label version against the first.

    The judge is the last label version of the study. ``results`` and ``predictions`` (for test images) are the arms'
    tables by name. Pairs whose classes or test images differ are omitted.
    """
    gains = []
    for arm in arms:
        family = [other for other in arms if replace(other, labels=arm.labels) == arm]
        first, judge = family[0], family[-1]
        if arm == first:
            continue
        given = _labels(predictions[judge.name])
        scored = [judged(results[member.name], predictions[member.name], given, metric) for member in (first, arm)]
        if scored[0] is None or scored[1] is None:
            continue
        pairs = scored[0].merge(scored[1], on=RUN, suffixes=("_first", "_second"))
        difference = (pairs["score_second"] - pairs["score_first"]).tolist()
        curve = Curve.of(pairs["fold"].tolist(), pairs["seed"].tolist(), pairs["size"].tolist(), difference)
        before, after = (_labels(predictions[member.name]) for member in (first, arm))
        changed = int((before.sort_index() != after.sort_index()).sum())
        gains.append(Relabelling(arm.name, first.name, judge.labels, metric, len(before), changed, _summaries(curve)))
    return gains


def _summaries(curve: Curve) -> dict[int, Summary]:
    """The summary of the differences at each size, with the 95 % interval of the corrected t-test over folds."""
    by_fold = mean(curve.scores, axis=1)  # (folds, sizes)
    corrected = {}
    for i, (size, summary) in enumerate(summarize(curve).items()):
        test = corrected_t(by_fold[:, i], fold_ratio(max(3, len(curve.folds))))
        corrected[size] = replace(summary, ci_low=test.ci_low, ci_high=test.ci_high)
    return corrected


def _labels(table: pd.DataFrame) -> pd.Series:
    tests = table[["image", "label"]].drop_duplicates("image").astype(str)
    return tests.set_index("image")["label"]


def judged(runs: pd.DataFrame, table: pd.DataFrame, given: pd.Series, metric: str) -> pd.DataFrame | None:
    """Each run's ``fold, size, seed`` and ``score`` on the labels ``given`` by image; ``table`` has test predictions.

    None if an image has no given label, or if a label is not one of the classes.
    """
    columns = probability_columns(table)
    names = [column.removeprefix("p_") for column in columns]
    images = table["image"].astype(str)
    if not set(images) <= set(given.index) or not set(given) <= set(names):
        return None
    classes = images.map(given).map(names.index).to_numpy(np.int64)
    probabilities = table[columns].to_numpy()
    rows = table.reset_index(drop=True).groupby("run_key", observed=True).indices
    scores = {key: score(classes[index], probabilities[index])[metric] for key, index in rows.items()}
    return runs[RUN].assign(score=runs["run_key"].map(scores))
