"""The estimator engine: classifiers without epochs, in the style of scikit-learn."""

from importlib.metadata import version as installed
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.architectures import Architecture, Weights
from cytocurve.models.engines import Engine
from cytocurve.models.epochs import epoch_images
from cytocurve.models.estimators import inputs, probabilities, vectors_of
from cytocurve.models.jobs import Indices, Job

LEAST = np.float32(1e-7)
"""Losses clip probabilities at this value, as in Keras."""


class EstimatorNetwork:
    """Adapts an estimator to the training loop: a single epoch fits it to all training images."""

    epochs: int | None = 1

    def __init__(self, job: Job, rng: np.random.Generator) -> None:
        if job.architecture.estimator is None:
            raise ValueError("the architecture has no estimator")
        self._job, self._fitted = job, False
        self._estimator = job.architecture.estimator(job.architecture_settings, int(rng.integers(2**31)))
        self._measured: dict[bytes, NDArray[Any]] = {}

    def epoch(self, rng: np.random.Generator) -> float:
        """Fit to the training images, each transformed once; returns the mean loss of the fitted estimator."""
        job = self._job
        order = job.train[rng.permutation(len(job.train))]
        classes = job.classes[order]
        if job.policy.draw is None:
            given = self._inputs_at(order)
        else:
            changed = epoch_images(job.policy.draw, job.policy_settings, np.asarray(job.images), order, rng)
            given = inputs(job.architecture, job.architecture_settings, changed)
        weights = None if job.class_weights is None else job.class_weights[classes]
        self._estimator.fit(given, classes, sample_weight=weights)
        self._fitted = True
        return self._loss(probabilities(self._estimator, given, job.outputs), classes, weights)

    def loss(self, indices: Indices) -> float:
        """The mean loss of the job's images at the indices."""
        return self._loss(self.probabilities(indices), self._job.classes[indices], None)

    def probabilities(self, indices: Indices) -> NDArray[np.float32]:
        """The probabilities (n, outputs) of the job's images at the indices."""
        return probabilities(self._estimator, self._inputs_at(indices), self._job.outputs)

    def get_weights(self) -> Weights:
        """The fitted state; empty before the first fit."""
        return self._estimator.get_weights() if self._fitted else []

    def set_weights(self, weights: Weights) -> None:
        """Restore these weights; an empty list keeps the last fit."""
        if weights:
            self._estimator.set_weights(weights)

    def _inputs_at(self, indices: Indices) -> NDArray[Any]:
        """The inputs of the job's images at the indices; without vectors of a sweep, features are measured once."""
        job = self._job
        vectors = vectors_of(job.images)
        if job.architecture.features is None:
            return job.images[indices]
        if vectors is not None:
            return vectors[indices]
        key = indices.tobytes()
        if key not in self._measured:
            self._measured[key] = inputs(job.architecture, job.architecture_settings, job.images[indices])
        return self._measured[key]

    def _loss(
        self, predicted: NDArray[np.float32], classes: NDArray[np.int32], weights: NDArray[np.float32] | None
    ) -> float:
        losses = -np.log(np.maximum(predicted[np.arange(len(classes)), classes], LEAST))
        return float(np.mean(losses if weights is None else losses * weights))


def serves(architecture: Architecture, _optimizer: str) -> bool:
    """Whether the architecture is an estimator; the optimizer is ignored."""
    return architecture.estimator is not None


ENGINE = Engine(rank=30, libraries=f"numpy-{installed('numpy')}", serves=serves, start=EstimatorNetwork)
