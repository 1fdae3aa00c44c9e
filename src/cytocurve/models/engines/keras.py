"""The Keras engine: any architecture, one build and one trace a worker process, one thread."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.models import architectures, tensorflow
from cytocurve.models.augmentation import Pixels, epoch_images
from cytocurve.models.early_stopping import EarlyStopping
from cytocurve.models.engines import Job, Trained


def _tensorflow_version() -> str:
    try:
        return installed("tensorflow-cpu")
    except PackageNotFoundError:
        return installed("tensorflow")


LIBRARIES = f"keras-{installed('keras')}+tensorflow-{_tensorflow_version()}"
SOURCES = (Path(tensorflow.__file__),)

# Bounds the memory of a pass over validation and test images.
PREDICTION_BATCH = 25

OPTIMIZERS = {"rmsprop": "RMSprop", "adam": "Adam"}


def serves(architecture: str, optimizer: str) -> bool:
    """Whether this engine trains such a network: it trains all."""
    return architecture in architectures.names() and optimizer in OPTIMIZERS


def train(job: Job) -> Trained:
    """Train as the job says; early stopping and the choice of weights see the validation images only."""
    weights_rng, rng = (np.random.default_rng(seed) for seed in np.random.SeedSequence(job.entropy).spawn(2))
    shape = job.images.shape[1:]
    network = _network(job.architecture.name, job.architecture_settings.model_dump_json(), shape, job.outputs,
                       job.optimizer, job.learning_rate, job.batch_size)  # fmt: skip
    network.reset(job.architecture.initial_weights(job.architecture_settings, shape, job.outputs, weights_rng))
    stopping = EarlyStopping(job.patience)
    losses, validation_losses = [], []
    validation = job.images[job.validation], job.classes[job.validation]
    best = network.model.get_weights()
    weights = np.ones(job.outputs, np.float32) if job.class_weights is None else job.class_weights
    for _ in range(job.max_epochs):
        order = job.train[rng.permutation(len(job.train))]
        images = epoch_images(job.policy, job.policy_settings, job.images, order, rng)
        losses.append(float(network.epoch(images, job.classes[order], weights[job.classes[order]])))
        validation_losses.append(float(network.loss(*validation)))
        if stopping.improved(validation_losses[-1]):
            best = network.model.get_weights()
        if stopping.stop:
            break
    network.model.set_weights(best)
    predictions = {
        "validation": network.predict(validation[0]),
        "test": network.predict(job.images[job.test]),
    }
    return Trained(best, tuple(losses), tuple(validation_losses), predictions)


@dataclass(frozen=True)
class _Network:
    """A built model and its traced functions; ``reset`` makes it fresh for the next run."""

    model: Any
    optimizer: Any
    epoch: Callable[[Pixels, NDArray[np.int32], NDArray[np.float32]], Any]
    loss: Callable[[Pixels, NDArray[np.int32]], Any]
    probabilities: Callable[[Pixels], Any]

    def reset(self, weights: list[NDArray[np.float32]]) -> None:
        self.model.set_weights(weights)
        for variable in self.optimizer.variables:
            if variable is not self.optimizer._learning_rate:
                variable.assign(np.zeros(variable.shape, variable.dtype))

    def predict(self, images: Pixels) -> NDArray[np.float32]:
        batches = range(0, len(images), PREDICTION_BATCH)
        return np.concatenate([self.probabilities(images[i : i + PREDICTION_BATCH]).numpy() for i in batches])


@functools.lru_cache(maxsize=1)
def _network(architecture: str, settings: str, shape: tuple[int, int, int], outputs: int, optimizer_name: str,
             learning_rate: float, batch_size: int) -> _Network:  # fmt: skip
    tf, keras = tensorflow.load(), tensorflow.keras()
    family = architectures.load(architecture)
    model = family.build(family.settings.model_validate_json(settings), shape, outputs)
    optimizer = getattr(keras.optimizers, OPTIMIZERS[optimizer_name])(learning_rate)
    optimizer.build(model.trainable_variables)
    pixels = tf.TensorSpec((None, *shape), tf.uint8)
    classes, numbers = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.float32)

    def losses(images: Any, targets: Any, training: bool) -> Any:
        return keras.losses.sparse_categorical_crossentropy(targets, model(images, training=training))

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
        return model(images, training=False)

    return _Network(model, optimizer, epoch, loss, probabilities)
