"""The score of choosing an arm and training it, corrected for the choice.

Folds rotate, so the validation images of all folds together are the test images of all folds: the arm with the best
mean validation score tends to be the one whose mean test score is too good by chance. To be honest, a score must come
from images that had no part in the choice.
"""

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics.values import Values, mean


def best(validation: Values) -> NDArray[np.intp]:
    """The first arm with the highest mean score of each column; scores (arms, runs, columns), NaN if undefined.

    An undefined mean counts as the lowest.
    """
    return np.asarray(np.nan_to_num(mean(validation, axis=1), nan=-1.0).argmax(axis=0))


def chosen_elsewhere(validation: Values, shared: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The arm, (folds,), that the other folds' images choose for each fold; -1 where no other images are left.

    ``validation`` (arms, folds, seeds) are validation scores; ``shared[i, j]`` says that validation images of fold j
    are test images of fold i, so that fold j has no say in the choice for fold i. This is cross-validation of the
    choice itself (Varma & Simon 2006, BMC Bioinformatics 7:91), for folds whose validation images are not nested in
    their training images.
    """
    arms, folds, seeds = validation.shape
    heard = np.where(shared.T[np.newaxis, :, np.newaxis, :], np.nan, validation[:, :, :, np.newaxis])
    chosen = best(heard.reshape(arms, folds * seeds, folds))
    return np.where(shared.all(axis=1), -1, chosen)


def scores_of_choosing(validation: Values, tests: Values, shared: NDArray[np.bool_]) -> Values:
    """The test scores, (folds, seeds), of the arms of ``chosen_elsewhere``; NaN where there is no choice.

    ``tests`` (arms, folds, seeds) are test scores. With equally good arms, the mean is an unbiased estimate of the
    expected score of choosing and training; the mean test score of the best arm by validation is too high
    (``bench/choice.py``).
    """
    chosen = chosen_elsewhere(validation, shared)
    scores = tests[chosen, np.arange(tests.shape[1])]
    return np.where((chosen < 0)[:, np.newaxis], np.nan, scores)
