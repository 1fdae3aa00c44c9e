"""The estimator engine: classifiers without epochs, in the style of scikit-learn."""

from importlib.metadata import version as installed
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.architectures import Architecture, Weights
from cytocurve.models.engines import Engine
from cytocurve.models.epochs import epoch_images
from cytocurve.models.estimators import inputs, probabilities
from cytocurve.models.jobs import Indices, Job

LEAST = np.float32(1e-7)
"""Losses clip probabilities at this value, as in Keras."""


class EstimatorNetwork:
    """Adapts an estimator to the training loop: a single epoch fits it to all training images.

    A job's images may be the vectors of ``Architecture.features``, unless its policy changes images: vectors of
    changed images are computed here.
    """

    epochs: int | None = 1

    def __init__(self, job: Job, rng: np.random.Generator) -> None:
        if job.architecture.estimator is None:
            raise ValueError("the architecture has no estimator")
        self._job, self._fitted = job, False
        self._estimator = job.architecture.estimator(job.architecture_settings, int(rng.integers(2**31)))
        self._inputs_at: dict[bytes, NDArray[Any]] = {}

    def epoch(self, rng: np.random.Generator) -> float:
        """Fit to the training images, each transformed once; returns the mean loss of the fitted estimator."""
        job = self._job
        order = job.train[rng.permutation(len(job.train))]
        images, classes = epoch_images(job.policy.draw, job.policy_settings, job.images, order, rng), job.classes[order]
        weights = None if job.class_weights is None else job.class_weights[classes]
        given = self._inputs(images)
        self._estimator.fit(given, classes, sample_weight=weights)
        self._fitted = True
        return self._loss(probabilities(self._estimator, given, job.outputs), classes, weights)

    def loss(self, indices: Indices) -> float:
        """The mean loss of the job's images at the indices."""
        return self._loss(self.probabilities(indices), self._job.classes[indices], None)

    def probabilities(self, indices: Indices) -> NDArray[np.float32]:
        """The probabilities (n, outputs) of the job's images at the indices."""
        key = indices.tobytes()
        if key not in self._inputs_at:  # the loss and the predictions are of the same validation images
            self._inputs_at[key] = self._inputs(self._job.images[indices])
        return probabilities(self._estimator, self._inputs_at[key], self._job.outputs)

    def get_weights(self) -> Weights:
        """The fitted state; empty before the first fit."""
        return self._estimator.get_weights() if self._fitted else []

    def set_weights(self, weights: Weights) -> None:
        """Restore these weights; an empty list keeps the last fit."""
        if weights:
            self._estimator.set_weights(weights)

    def _inputs(self, images: NDArray[Any]) -> NDArray[Any]:
        return inputs(self._job.architecture, self._job.architecture_settings, images)

    def _loss(
        self, predicted: NDArray[np.float32], classes: NDArray[np.int32], weights: NDArray[np.float32] | None
    ) -> float:
        losses = -np.log(np.maximum(predicted[np.arange(len(classes)), classes], LEAST))
        return float(np.mean(losses if weights is None else losses * weights))


def serves(architecture: Architecture, _optimizer: str) -> bool:
    """Whether the architecture is an estimator; the optimizer is ignored."""
    return architecture.estimator is not None


ENGINE = Engine(rank=30, libraries=f"numpy-{installed('numpy')}", serves=serves, start=EstimatorNetwork)
