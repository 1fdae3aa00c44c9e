"""Small jobs for the engines, and a numpy reference implementation of the sequential network."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.models import architectures, augmentation, engines, protocols
from cytocurve.models.architectures import Weights
from cytocurve.models.architectures.sequential import SequentialSettings, initial_weights, minimum_size
from cytocurve.models.jobs import Job
from cytocurve.models.transforms import Pixels

Numbers = NDArray[np.float64]


def is_slow(engine: str) -> bool:
    """Whether an engine loads TensorFlow, which takes seconds."""
    return "tensorflow" in engines.load(engine).libraries


def toy_job(policy: str = "none", settings: Mapping[str, Any] = MappingProxyType({}), **changes: Any) -> Job:
    """Forty images of 24x22 noise, class 1 with a bright square: 20 to train, 8 to validate, 12 to test."""
    rng = np.random.default_rng(1)
    images = rng.integers(0, 120, (40, 24, 22, 3), dtype=np.uint8)
    classes = (np.arange(40) % 2).astype(np.int32)
    images[classes == 1, 7:17, 6:16] += 120
    protocol = protocols.load("early_stopping")
    training = {"batch_size": 5, "optimizer": "rmsprop", "learning_rate": 0.003, "max_epochs": 4, "patience": 5}
    training |= {name: changes.pop(name) for name in list(changes) if name in training}
    job = Job(
        architecture=architectures.load("sequential"),
        architecture_settings=SequentialSettings(filters=[4, 3], dense=[8]),
        policy=augmentation.load(policy),
        policy_settings=augmentation.load(policy).settings(**settings),
        protocol=protocol,
        protocol_settings=protocol.settings(**training),
        images=images,
        classes=classes,
        train=np.arange(20),
        validation=np.arange(20, 28),
        test=np.arange(28, 40),
        outputs=2,
        entropy=3,
    )
    return replace(job, **changes)


def random_job(seed: int, optimizer: str = "rmsprop") -> tuple[Job, Weights]:
    """A job with a random sequential network and one batch of noise images, and weights for the network.

    Odd seeds have class weights. Rounding cannot change which output is a maximum or whether it is above zero.
    """
    rng = np.random.default_rng(seed)
    while True:
        settings = SequentialSettings(
            filters=[int(n) for n in rng.integers(1, 10, rng.integers(1, 5))],
            dense=[int(n) for n in rng.integers(1, 40, rng.integers(0, 4))],
        )
        smallest = max(12, minimum_size(settings))
        shape = (int(rng.integers(smallest, 71)), int(rng.integers(smallest, 71)), int(rng.integers(1, 5)))
        outputs, n = int(rng.integers(2, 7)), int(rng.integers(1, 6))
        job = toy_job(
            architecture_settings=settings,
            images=rng.integers(0, 256, (n, *shape), dtype=np.uint8),
            classes=rng.integers(0, outputs, n).astype(np.int32),
            train=np.arange(n), validation=np.arange(n), test=np.arange(n),
            outputs=outputs, batch_size=n, optimizer=optimizer, learning_rate=0.001, max_epochs=1,
            class_weights=rng.uniform(0.2, 5, outputs).astype(np.float32) if seed % 2 else None,
        )  # fmt: skip
        weights = drawn_weights(job, rng)
        if reference(weights, job.images)[1] > 5e-7:
            return job, weights


def drawn_weights(job: Job, rng: np.random.Generator) -> Weights:
    """Initial weights with nonzero biases."""
    settings: Any = job.architecture_settings
    weights = initial_weights(settings, job.images.shape[1:], job.outputs, rng)
    return [a if a.ndim > 1 else rng.normal(0, 0.05, a.shape).astype(np.float32) for a in weights]


def reference(weights: Sequence[NDArray[Any]], images: Pixels) -> tuple[Numbers, float]:
    """Probabilities (n, outputs) of the network in float64, and the smallest margin deciding a maximum or a ReLU."""
    x: Numbers = images / 255
    margin = np.inf
    layers = list(zip(weights[::2], weights[1::2], strict=True))
    for kernel, bias in [layer for layer in layers if layer[0].ndim == 4]:
        fields = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))  # (n, height, width, channels, 3, 3)
        convolved = np.tensordot(fields, kernel.transpose(2, 0, 1, 3).astype(float), 3) + bias
        n, height, width, filters = convolved.shape
        whole = convolved[:, : height // 2 * 2, : width // 2 * 2]
        windows = whole.reshape(n, height // 2, 2, width // 2, 2, filters).transpose(0, 1, 3, 5, 2, 4)
        ordered = np.sort(windows.reshape(*windows.shape[:4], 4), -1)  # (n, rows, columns, filters, 4)
        best, second = ordered[..., 3], ordered[..., 2]
        margin = min(margin, np.abs(best).min(), (best - second)[best > 0].min(initial=np.inf))
        x = np.maximum(best, 0)
    *hidden, (kernel, bias) = [layer for layer in layers if layer[0].ndim == 2]
    values = x.reshape(len(x), -1)
    for units, offsets in hidden:
        values = values @ units.astype(float) + offsets
        margin = min(margin, np.abs(values).min())
        values = np.maximum(values, 0)
    logits = values @ kernel.astype(float) + bias
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True), float(margin)


def cross_entropy(
    probabilities: NDArray[Any], classes: NDArray[np.int32], class_weights: NDArray[np.float32] | None = None
) -> float:
    """The mean loss."""
    losses = -np.log(probabilities[np.arange(len(classes)), classes].astype(float))
    return float((losses if class_weights is None else losses * class_weights[classes]).mean())
