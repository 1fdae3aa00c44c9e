"""What relabelling bought: arms that differ in their label version only, compared run by run on the same labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cytocurve.core.runs import Arm
from cytocurve.core.statistics.curves import Curve, Summary, summarise
from cytocurve.core.statistics.metrics import score
from cytocurve.core.statistics.review import probability_columns

RUN = ["fold", "size", "seed"]


@dataclass(frozen=True)
class Relabelling:
    """By training size, how much better an arm is than the arm of another label version, paired by fold and seed.

    Both are scored on the ``judge``'s labels of the same test images: an arm's own labels would judge each by its own
    mistakes. Of ``images`` tested, ``changed`` have another class under the arm's labels than under the other's.
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
    """Each pair of arms with the same architecture and augmentation, the later label version against the first.

    The judge is the last label version of the study. ``results`` and ``predictions`` (of test images) are the arms'
    tables by name. Pairs whose classes or test images differ are left out.
    """
    found = []
    for arm in arms:
        family = [each for each in arms if replace(each, labels=arm.labels) == arm]
        first, judge = family[0], family[-1]
        if arm == first:
            continue
        given = _labels(predictions[judge.name])
        scored = [judged(results[each.name], predictions[each.name], given, metric) for each in (first, arm)]
        if scored[0] is None or scored[1] is None:
            continue
        pairs = scored[0].merge(scored[1], on=RUN, suffixes=("_first", "_second"))
        difference = (pairs["score_second"] - pairs["score_first"]).tolist()
        curve = Curve.of(pairs["fold"].tolist(), pairs["seed"].tolist(), pairs["size"].tolist(), difference)
        before, after = (_labels(predictions[each.name]) for each in (first, arm))
        changed = int((before.sort_index() != after.sort_index()).sum())
        found.append(Relabelling(arm.name, first.name, judge.labels, metric, len(before), changed, summarise(curve)))
    return found


def _labels(table: pd.DataFrame) -> pd.Series:
    tests = table[["image", "label"]].drop_duplicates("image").astype(str)
    return tests.set_index("image")["label"]


def judged(runs: pd.DataFrame, table: pd.DataFrame, given: pd.Series, metric: str) -> pd.DataFrame | None:
    """Each run's ``fold, size, seed`` and ``score`` on the given labels, by image; ``table`` are its test predictions.

    None where an image has no such label, or a label is not one of the classes.
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
