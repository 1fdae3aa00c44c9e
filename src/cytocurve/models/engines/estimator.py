"""The estimator engine: classifiers without epochs, in the style of scikit-learn."""

from importlib.metadata import version as installed

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.architectures import Architecture, Weights
from cytocurve.models.engines import Engine
from cytocurve.models.epochs import epoch_images
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

    def epoch(self, rng: np.random.Generator) -> float:
        """Fit to the training images, each transformed once; returns the mean loss of the fitted estimator."""
        job = self._job
        order = job.train[rng.permutation(len(job.train))]
        images, classes = epoch_images(job.policy.draw, job.policy_settings, job.images, order, rng), job.classes[order]
        weights = None if job.class_weights is None else job.class_weights[classes]
        self._estimator.fit(images, classes, sample_weight=weights)
        self._fitted = True
        return self._loss(self._predict(images), classes, weights)

    def loss(self, indices: Indices) -> float:
        """The mean loss of the job's images at the indices."""
        return self._loss(self.probabilities(indices), self._job.classes[indices], None)

    def probabilities(self, indices: Indices) -> NDArray[np.float32]:
        """The probabilities (n, outputs) of the job's images at the indices."""
        return self._predict(self._job.images[indices])

    def get_weights(self) -> Weights:
        """The fitted state; empty before the first fit."""
        return self._estimator.get_weights() if self._fitted else []

    def set_weights(self, weights: Weights) -> None:
        """Restore these weights; an empty list keeps the last fit."""
        if weights:
            self._estimator.set_weights(weights)

    def _predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities of all outputs: zero for classes without training images."""
        probabilities = np.zeros((len(images), self._job.outputs), np.float32)
        probabilities[:, np.asarray(self._estimator.classes_, np.intp)] = self._estimator.predict_proba(images)
        return probabilities

    def _loss(
        self, probabilities: NDArray[np.float32], classes: NDArray[np.int32], weights: NDArray[np.float32] | None
    ) -> float:
        losses = -np.log(np.maximum(probabilities[np.arange(len(classes)), classes], LEAST))
        return float(np.mean(losses if weights is None else losses * weights))


def serves(architecture: Architecture, _optimizer: str) -> bool:
    """Whether the architecture is an estimator; the optimizer is ignored."""
    return architecture.estimator is not None


ENGINE = Engine(rank=30, libraries=f"numpy-{installed('numpy')}", serves=serves, start=EstimatorNetwork)
