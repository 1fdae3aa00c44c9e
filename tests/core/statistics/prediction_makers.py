"""Random predictions of a few runs."""

from collections.abc import Sequence

import numpy as np

from cytocurve.core.statistics.predictions import Predictions


def random_predictions(classes: int, folds: int = 4, seeds: int = 2, images: int = 30, seed: int = 0) -> Predictions:
    """Runs with shuffled rows whose probabilities favor the right class and are rounded, so that some are tied."""
    rng = np.random.default_rng(seed)
    runs = [(fold, number) for fold in range(folds) for number in range(seeds)]
    run = rng.permutation(np.repeat(np.arange(len(runs)), images))
    labels = rng.integers(0, classes, len(run))
    logits = rng.normal(0, 1, (len(run), classes)) + (labels[:, np.newaxis] == np.arange(classes))
    probabilities = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 2)
    probabilities[:, -1] = 1 - probabilities[:, :-1].sum(axis=1)
    names = [fold for fold, _ in runs], [number for _, number in runs]
    return Predictions.of(labels, probabilities, run, *names)


def positives(runs: Sequence[tuple[int, Sequence[int], Sequence[float]]]) -> Predictions:
    """Binary predictions of one seed: fold, labels and positive-class probabilities of each run."""
    labels = np.concatenate([labels for _, labels, _ in runs])
    positive = np.concatenate([values for _, _, values in runs])
    run = np.repeat(np.arange(len(runs)), [len(labels) for _, labels, _ in runs])
    folds = [fold for fold, _, _ in runs]
    return Predictions.of(labels, np.stack([1 - positive, positive], axis=1), run, folds, [0] * len(runs))


def rows(predictions: Predictions, number: int) -> slice:
    """The rows of one run."""
    return slice(predictions.starts[number], predictions.starts[number + 1])
