"""Binary questions to a multiclass arm: the probability of the positive side is the sum of its classes'."""

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.data.taxonomy import CELL_TYPES, Task
from cytocurve.core.statistics.agreement import BINARY_TASKS
from cytocurve.core.statistics.metrics import METRICS, score
from cytocurve.core.statistics.predictions import Predictions
from cytocurve.core.statistics.values import Values

Sides = NDArray[np.bool_]


def questions(task: Task) -> dict[str, Sides]:
    """The binary tasks of the taxonomy that the classes of this one answer, and whether each is positive, (classes,).

    A class may hold several labels. A question cannot be asked where the taxonomy does not know one of them, where the
    labels of a class lie on both sides, or where one side is empty. A binary task answers none but its own.
    """
    if task.binary or not set(task.members) <= set(CELL_TYPES):
        return {}
    found = {}
    for name in BINARY_TASKS:
        sides = {(number, getattr(CELL_TYPES[label], name)) for label, number in task.members.items()}
        positive = np.array([(number, True) in sides for number in range(len(task.classes))])
        if len(sides) == len(task.classes) and positive.any() and not positive.all():
            found[name] = positive
    return found


def asked(predictions: Predictions, positive: Sides) -> Predictions:
    """The predictions as those of a binary task, its classes negative and positive (Matek et al. 2019, Results).

    P(blast) = P(myeloblast) + P(monoblast), and likewise for the other side.
    """
    sums = [predictions.probabilities[:, side].sum(axis=1) for side in (~positive, positive)]
    return Predictions(
        positive[predictions.labels].astype(np.intp),
        np.stack(sums, axis=1),
        predictions.run,
        predictions.fold,
        predictions.seed,
        predictions.subject,
    )


def scores(predictions: Predictions) -> dict[str, Values]:
    """Every metric of every run, (R,), as in ``metrics.score``; NaN where undefined."""
    starts = predictions.starts
    rows = [slice(starts[number], starts[number + 1]) for number in range(predictions.runs)]
    found = [score(predictions.labels[each], predictions.probabilities[each]) for each in rows]
    return {metric: np.array([values[metric] for values in found]) for metric in METRICS}
