"""The native engine: trains plain stacks of convolutions with compiled kernels, without TensorFlow."""

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version as installed
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.architectures import Architecture, Weights
from cytocurve.models.engines import Engine
from cytocurve.models.jobs import Indices, Job
from cytocurve.models.kernels import jit, network, optimizers
from cytocurve.models.kernels.layout import layout
from cytocurve.models.transforms import Pixels, Transforms, gather

# The update function of each optimizer, and the number of state values per weight.
OPTIMIZERS: Mapping[str, tuple[Callable[..., None], int]] = {
    "rmsprop": (optimizers.rmsprop, 1),
    "adam": (optimizers.adam, 2),
}


def serves(architecture: Architecture, optimizer: str) -> bool:
    """Whether the architecture is a plain stack and the optimizer is known."""
    return architecture.stack is not None and optimizer in OPTIMIZERS


def start(job: Job, rng: np.random.Generator) -> "Trainer":
    """The job's network with initial weights, its kernels compiled."""
    if job.architecture.initial_weights is None:
        raise ValueError("the native engine needs an architecture with initial_weights")
    shape = job.images.shape[1:]
    trainer = Trainer(job, job.architecture.initial_weights(job.architecture_settings, shape, job.outputs, rng))
    trainer.compile()
    return trainer


class Trainer:
    """A network in training: ``weights`` and ``gradient`` are flat, in the order of the Keras model's arrays."""

    epochs: int | None = None

    def __init__(self, job: Job, initial: Weights) -> None:
        if job.architecture.stack is None:
            raise ValueError("the native engine trains plain stacks only")
        stack = job.architecture.stack(job.architecture_settings)
        self.job = job
        self._like = initial
        self.weights = np.concatenate([array.ravel() for array in initial])
        self.gradient = np.zeros_like(self.weights)
        self._layout = layout(job.images.shape[1:], stack.filters, stack.dense, job.outputs)
        self._class_weights = np.ones(job.outputs, np.float32) if job.class_weights is None else job.class_weights
        self._work = self._layout.work()
        self._update, memory = OPTIMIZERS[job.optimizer]
        self._state = np.zeros((memory, len(self.weights)), np.float32)
        self._steps = 0
        self._images = _read_only(np.ascontiguousarray(job.images))
        self._augmented = np.empty((min(job.batch_size, len(job.train)), *job.images.shape[1:]), np.uint8)

    def compile(self) -> None:
        """Compile or load the kernels that training needs; only one process per machine compiles at a time."""
        one = self.job.train[:1]
        augmented = self.job.policy.draw is not None
        with jit.compiling(f"{self.job.optimizer}-{'augmented' if augmented else 'plain'}"):
            if augmented:
                next(self._batches(one, np.random.default_rng(0)))
            self.differentiate(self._images, one, self.job.classes[one])
            self.predict(one)
            self._update(self.weights.copy(), self.gradient, self._state.copy(), np.float32(0), 1)

    def epoch(self, rng: np.random.Generator) -> float:
        """Train on every training image once; returns the mean loss."""
        order = self.job.train[rng.permutation(len(self.job.train))]
        total = sum(self.step(*batch) for batch in self._batches(order, rng))
        return total / len(order)

    def _batches(self, order: Indices, rng: np.random.Generator) -> Iterator[tuple[Pixels, Indices, NDArray[np.int32]]]:
        """Yield images, the batch's indices into them, and its classes; the next batch overwrites augmented images."""
        job = self.job
        transforms = job.policy.draw and job.policy.draw(rng, len(order), job.policy_settings)
        for start in range(0, len(order), job.batch_size):
            batch = order[start : start + job.batch_size]
            images, chosen = self._images, batch
            if transforms is not None:
                images, chosen = self._transformed(batch, transforms[start : start + len(batch)])
            yield images, chosen, job.classes[batch]

    def step(self, images: Pixels, order: Indices, classes: NDArray[np.int32]) -> float:
        """One optimizer step on the ordered images; returns the sum of their losses before the step."""
        loss = self.differentiate(images, order, classes)
        self._steps += 1
        self._update(self.weights, self.gradient, self._state, np.float32(self.job.learning_rate), self._steps)
        return loss

    def differentiate(self, images: Pixels, order: Indices, classes: NDArray[np.int32]) -> float:
        """Set ``gradient`` to that of the ordered images' mean loss; returns the sum of their losses."""
        pixels = _read_only(images).reshape(-1)
        loss: float = network.differentiate(
            self._layout.blocks,
            self._layout.layers,
            pixels,
            _integers(order),
            _integers(classes),
            self._class_weights,
            self.weights,
            self.gradient,
            self._work,
        )
        return loss

    def predict(self, indices: Indices) -> tuple[NDArray[np.float32], float]:
        """The probabilities (n, outputs) of the job's images at the indices, and their mean loss."""
        probabilities = np.empty((len(indices), self.job.outputs), np.float32)
        classes = _integers(self.job.classes[indices])
        pixels = self._images.reshape(-1)
        loss = network.evaluate(
            self._layout.blocks,
            self._layout.layers,
            pixels,
            _integers(indices),
            classes,
            self.weights,
            self._work,
            probabilities,
        )
        return probabilities, loss / max(len(indices), 1)

    def loss(self, indices: Indices) -> float:
        """The mean loss of the job's images at the indices."""
        return self.predict(indices)[1]

    def probabilities(self, indices: Indices) -> NDArray[np.float32]:
        """The probabilities (n, outputs) of the job's images at the indices."""
        return self.predict(indices)[0]

    def get_weights(self) -> Weights:
        """A copy of all weights."""
        return unflattened(self.weights.copy(), self._like)

    def set_weights(self, weights: Weights) -> None:
        """Restore these weights."""
        self.weights[:] = np.concatenate([array.ravel() for array in weights])

    def _transformed(self, batch: Indices, transforms: Transforms) -> tuple[Pixels, Indices]:
        settings: Any = self.job.policy_settings
        gather(self._images, batch, transforms, settings.fill == "nearest", self._augmented[: len(batch)])
        return self._augmented, np.arange(len(batch))


def _read_only(images: Pixels) -> Pixels:
    """A read-only view: one type for compiled code, whatever the source of the images."""
    view = images.view()
    view.flags.writeable = False
    return view


def _integers(numbers: NDArray[Any]) -> NDArray[np.int64]:
    return np.ascontiguousarray(numbers, np.int64)


def unflattened(flat: NDArray[np.float32], like: Weights) -> Weights:
    """Split flat weights into arrays shaped as those in ``like``."""
    ends = np.cumsum([array.size for array in like])[:-1]
    return [part.reshape(array.shape) for part, array in zip(np.split(flat, ends), like, strict=True)]


ENGINE = Engine(rank=10, libraries=f"numba-{installed('numba')}+numpy-{installed('numpy')}", serves=serves, start=start)
