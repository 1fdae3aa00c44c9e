"""The training loop, shared by all engines."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.architectures import Weights
from cytocurve.models.jobs import Indices, Job, Trained


class Network(Protocol):
    """A network in training, as an engine provides it."""

    epochs: int | None
    """The number of epochs after which it cannot learn more, or None if there is no such limit."""

    def epoch(self, rng: np.random.Generator) -> float:
        """Train on every training image once; returns the mean loss."""

    def loss(self, indices: Indices) -> float:
        """The mean loss of the job's images at the indices."""

    def probabilities(self, indices: Indices) -> NDArray[np.float32]:
        """The probabilities (n, outputs) of the job's images at the indices."""

    def get_weights(self) -> Weights:
        """A copy of all weights, including non-trainable ones."""

    def set_weights(self, weights: Weights) -> None:
        """Restore these weights."""


Start = Callable[[Job, np.random.Generator], Network]
"""Creates a job's network, with initial weights drawn from the generator."""


def fit(start: Start, job: Job) -> Trained:
    """Train a job; stopping and weight selection use the validation images only."""
    weights_rng, rng = (np.random.default_rng(seed) for seed in np.random.SeedSequence(job.entropy).spawn(2))
    network = start(job, weights_rng)
    watch = job.protocol.watch(job.protocol_settings)
    losses, validation_losses = [], []
    best = network.get_weights()
    for _ in range(min(job.protocol_settings.max_epochs, network.epochs or job.protocol_settings.max_epochs)):
        losses.append(network.epoch(rng))
        validation_losses.append(network.loss(job.validation))
        if watch.improved(validation_losses[-1]):
            best = network.get_weights()
        if watch.stop:
            break
    network.set_weights(best)
    predictions = {name: network.probabilities(getattr(job, name)) for name in ("validation", "test")}
    return Trained(best, tuple(losses), tuple(validation_losses), predictions)
