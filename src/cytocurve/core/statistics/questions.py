"""Binary questions to a multiclass arm: the positive probability is the sum over the positive classes."""

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.data.taxonomy import CELL_TYPES, Task
from cytocurve.core.statistics.agreement import BINARY_TASKS
from cytocurve.core.statistics.metrics import METRICS, score
from cytocurve.core.statistics.predictions import Predictions
from cytocurve.core.statistics.values import Values

Sides = NDArray[np.bool_]


def questions(task: Task) -> dict[str, Sides]:
    """The binary tasks of the taxonomy that these classes can answer, and which classes are positive, (classes,).

    A class may comprise several labels. A question cannot be answered if a label is not in the taxonomy, if a class
    has labels on both sides, or if one side is empty. A binary task answers no other questions.
    """
    if task.binary or not set(task.members) <= set(CELL_TYPES):
        return {}
    answered = {}
    for name in BINARY_TASKS:
        sides = {(number, getattr(CELL_TYPES[label], name)) for label, number in task.members.items()}
        positive = np.array([(number, True) in sides for number in range(len(task.classes))])
        if len(sides) == len(task.classes) and positive.any() and not positive.all():
            answered[name] = positive
    return answered


def asked(predictions: Predictions, positive: Sides) -> Predictions:
    """The predictions as those of a binary task with the classes negative and positive (Matek et al. 2019, Results).

    For example, P(blast) = P(myeloblast) + P(monoblast).
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
    by_run = [score(predictions.labels[part], predictions.probabilities[part]) for part in rows]
    return {metric: np.array([values[metric] for values in by_run]) for metric in METRICS}
