"""The Keras engine: trains any Keras model, single-threaded, built and traced once per worker process."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from cytocurve.models import tensorflow
from cytocurve.models.architectures import Architecture, Shape, Weights
from cytocurve.models.engines import Engine
from cytocurve.models.epochs import epoch_images
from cytocurve.models.jobs import Indices, Job
from cytocurve.models.transforms import Pixels


def _tensorflow_version() -> str:
    try:
        return installed("tensorflow-cpu")
    except PackageNotFoundError:
        return installed("tensorflow")


# Bounds the memory needed for validation and test images.
PREDICTION_BATCH = 25

OPTIMIZERS = {"rmsprop": "RMSprop", "adam": "Adam"}


def serves(architecture: Architecture, optimizer: str) -> bool:
    """Whether the architecture has a Keras model and the optimizer is known."""
    return architecture.build is not None and optimizer in OPTIMIZERS


class KerasNetwork:
    """A job's network in training."""

    epochs: int | None = None

    def __init__(self, job: Job, rng: np.random.Generator) -> None:
        self._job = job
        self._traced = traced(job)
        self._traced.reset(_initial_weights(job, rng), int(rng.integers(2**31)))
        self._validation: tuple[Indices, Pixels] | None = None

    def epoch(self, rng: np.random.Generator) -> float:
        """Train on every training image once; returns the mean loss."""
        job = self._job
        order = job.train[rng.permutation(len(job.train))]
        images, classes = epoch_images(job.policy.draw, job.policy_settings, job.images, order, rng), job.classes[order]
        weights = np.ones(job.outputs, np.float32) if job.class_weights is None else job.class_weights
        return float(self._traced.epoch(images, classes, weights[classes]))

    def loss(self, indices: Indices) -> float:
        """The mean loss of the job's images at the indices."""
        if self._validation is None or self._validation[0] is not indices:  # the same indices after every epoch
            self._validation = indices, self._job.images[indices]
        return float(self._traced.loss(self._validation[1], self._job.classes[indices]))

    def probabilities(self, indices: Indices) -> NDArray[np.float32]:
        """The probabilities (n, outputs) of the job's images at the indices."""
        return self._traced.predict(self._job.images[indices])

    def get_weights(self) -> Weights:
        """A copy of all weights, including non-trainable ones."""
        weights: Weights = self._traced.model.get_weights()
        return weights

    def set_weights(self, weights: Weights) -> None:
        """Restore these weights."""
        self._traced.model.set_weights(weights)


def _initial_weights(job: Job, rng: np.random.Generator) -> Weights:
    """Initial trainable arrays, drawn by the architecture or else by Keras."""
    shape = job.images.shape[1:]
    if job.architecture.initial_weights is not None:
        return job.architecture.initial_weights(job.architecture_settings, shape, job.outputs, rng)
    tensorflow.keras().utils.set_random_seed(int(rng.integers(2**31)))
    model = _built(job.architecture, job.architecture_settings, shape, job.outputs)
    return [variable.numpy() for variable in model.trainable_variables]


@dataclass(frozen=True)
class Traced:
    """A built model and its traced functions; ``reset`` prepares it for the next run."""

    model: Any
    optimizer: Any
    untrained: Weights
    """Initial values of the non-trainable variables."""
    epoch: Callable[[Pixels, NDArray[np.int32], NDArray[np.float32]], Any]
    loss: Callable[[Pixels, NDArray[np.int32]], Any]
    probabilities: Callable[[Pixels], Any]

    def reset(self, trainable: Weights, seed: int) -> None:
        """Start from these trainable arrays; the seed is that of layers that draw random numbers."""
        for variable, value in zip(self.model.trainable_variables, trainable, strict=True):
            variable.assign(value)
        for variable, value in zip(self.model.non_trainable_variables, self.untrained, strict=True):
            variable.assign(np.array([seed, 0], value.dtype) if "seed_generator" in variable.path else value)
        for variable in self.optimizer.variables:
            if variable is not self.optimizer._learning_rate:
                variable.assign(np.zeros(variable.shape, variable.dtype))

    def predict(self, images: Pixels) -> NDArray[np.float32]:
        """Probabilities (n, outputs), computed in batches."""
        batches = range(0, len(images), PREDICTION_BATCH)
        return np.concatenate([self.probabilities(images[i : i + PREDICTION_BATCH]).numpy() for i in batches])


def traced(job: Job) -> Traced:
    """The model and functions of a job, cached so that all runs of an arm share them."""
    settings = job.architecture_settings.model_dump_json()
    return _traced(
        job.architecture,
        settings,
        job.images.shape[1:],
        job.outputs,
        (job.optimizer, job.learning_rate, job.batch_size),
    )


def _built(architecture: Architecture, settings: BaseModel, shape: Shape, outputs: int) -> Any:
    if architecture.build is None:
        raise ValueError("the architecture has no Keras model")
    model = architecture.build(settings, shape, outputs)
    if model.output_shape[-1] != outputs and (model.output_shape[-1], outputs) != (1, 2):
        raise ValueError(f"{model.name} has {model.output_shape[-1]} outputs for {outputs} classes")
    return model


@functools.lru_cache(maxsize=1)
def _traced(
    architecture: Architecture, settings: str, shape: Shape, outputs: int, protocol: tuple[str, float, int]
) -> Traced:
    optimizer_name, learning_rate, batch_size = protocol
    tf, keras = tensorflow.load(), tensorflow.keras()
    model = _built(architecture, architecture.settings.model_validate_json(settings), shape, outputs)
    single = model.output_shape[-1] == 1
    optimizer = getattr(keras.optimizers, OPTIMIZERS[optimizer_name])(learning_rate)
    optimizer.build(model.trainable_variables)
    pixels = tf.TensorSpec((None, *shape), tf.uint8)
    classes, numbers = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.float32)

    def losses(images: Any, targets: Any, training: bool) -> Any:
        given = model(images, training=training)
        if single:
            return keras.losses.binary_crossentropy(tf.cast(targets[:, None], tf.float32), given)
        return keras.losses.sparse_categorical_crossentropy(targets, given)

    @tf.function(input_signature=[pixels, classes, numbers])  # type: ignore[untyped-decorator]
    def epoch(images: Any, targets: Any, weights: Any) -> Any:
        total = tf.constant(0.0)
        for start in tf.range(0, tf.shape(images)[0], batch_size):
            end = start + batch_size
            with tf.GradientTape() as tape:
                batch = losses(images[start:end], targets[start:end], True) * weights[start:end]
                loss = tf.reduce_mean(batch)
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            total += tf.reduce_sum(batch)
        return total / tf.cast(tf.shape(images)[0], tf.float32)

    @tf.function(input_signature=[pixels, classes])  # type: ignore[untyped-decorator]
    def loss(images: Any, targets: Any) -> Any:
        return tf.reduce_mean(losses(images, targets, False))

    @tf.function(input_signature=[pixels])  # type: ignore[untyped-decorator]
    def probabilities(images: Any) -> Any:
        given = model(images, training=False)
        return tf.concat([1 - given, given], 1) if single else given

    untrained = [variable.numpy() for variable in model.non_trainable_variables]
    return Traced(model, optimizer, untrained, epoch, loss, probabilities)


ENGINE = Engine(
    rank=20,
    libraries=f"keras-{installed('keras')}+tensorflow-{_tensorflow_version()}",
    serves=serves,
    start=KerasNetwork,
)
