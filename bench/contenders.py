"""One contender in its own process: what its epochs on the starter dataset cost, as JSON.

All train the published network (or as ``--side`` and ``--widen`` say) on the same images in batches of 5 with RMSprop,
and take the loss of 25 validation images after each epoch.

- ``script``: as the published script feeds Keras: ``fit`` on a Python generator, augmentation by scipy (A).
- ``pipeline``: what a good engineer writes first: ``fit`` on cached tf.data, augmentation by Keras layers (B).
- ``keras`` and ``native``: the two engines.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cytocurve.core.data.taxonomy import named_task
from cytocurve.datasets import starter
from cytocurve.models import architectures, augmentation, protocols
from cytocurve.models.jobs import Job
from cytocurve.models.transforms import Pixels

STORE = Path(__file__).parent.parent / "build" / "bench-starter.npz"
VALIDATION, BATCH = 25, 5

Epoch = Callable[[], object]


def starter_images() -> tuple[Pixels, NDArray[np.int32]]:
    """All images of the starter (260, 257, 257, 3) in a fixed random order, and whether each is a blast."""
    if not STORE.exists():
        cells, smears = starter.specimens(), starter.slides()
        names = [cell.expert for cell in cells]
        members = named_task("blast", {name: names.count(name) for name in names}, 1).members
        chosen = np.random.default_rng(0).permutation(len(cells))
        images = np.stack([starter.paint(cells[i], smears) for i in chosen])
        classes = np.array([members[names[i]] for i in chosen], np.int32)
        STORE.parent.mkdir(exist_ok=True)
        scratch = STORE.with_name(f"bench-{os.getpid()}.npz")
        np.savez(scratch, images=images, classes=classes)
        scratch.replace(STORE)
    with np.load(STORE) as arrays:
        return arrays["images"], arrays["classes"]


def make_job(policy: str, n: int, side: int, widen: int) -> Job:
    """A job of ``n`` training images of ``side`` pixels and a network ``widen`` times as wide as the published one."""
    images, classes = starter_images()
    images, classes = images[: n + VALIDATION], classes[: n + VALIDATION]
    if side != images.shape[1]:
        images = np.stack([np.asarray(Image.fromarray(image).resize((side, side))) for image in images])
    architecture = architectures.load("sequential")
    blocks = 6 if side >= 190 else 4 if side >= 46 else 3
    settings = architecture.settings(filters=[widen * f for f in (4, 8, 8, 8, 16, 16)[:blocks]], dense=[32])
    rows, protocol = np.arange(n + VALIDATION), protocols.load("early_stopping")
    return Job(
        architecture=architecture, architecture_settings=settings,
        policy=augmentation.load(policy), policy_settings=augmentation.load(policy).settings(),
        images=images, classes=classes, train=rows[:n], validation=rows[n:], test=rows[n:], outputs=2,
        protocol=protocol, entropy=1,
        protocol_settings=protocol.settings(batch_size=BATCH, learning_rate=1e-3, max_epochs=1, patience=1000),
    )  # fmt: skip


def native(job: Job) -> tuple[Epoch, Epoch]:
    """An epoch of the native engine, and its part that validates."""
    from cytocurve.models.engines.native import start

    rng = np.random.default_rng(0)
    trainer = start(job, rng)
    return lambda: trainer.epoch(rng), lambda: trainer.predict(job.validation)


def keras_engine(job: Job) -> tuple[Epoch, Epoch]:
    """The same for the Keras engine, whose validation is not measured separately."""
    from dataclasses import replace

    from cytocurve.models.engines import train

    return lambda: train("keras", replace(job, test=job.test[:1])), lambda: None


def script(job: Job) -> tuple[Epoch, Epoch]:
    """An epoch as published."""
    keras, rng = _plain_keras(), np.random.default_rng(0)
    images = job.images.astype(np.float32) / 255
    targets = keras.utils.to_categorical(job.classes, 2)
    turned = job.policy.draw is not None
    model = _compiled(keras, job, [])

    def batches() -> Iterator[tuple[Any, Any]]:
        while True:
            order = rng.permutation(job.train)
            for start in range(0, len(order) - BATCH + 1, BATCH):
                chosen = order[start : start + BATCH]
                batch = [_turned(images[i], rng) for i in chosen] if turned else images[chosen]
                yield np.asarray(batch), targets[chosen]

    feed = batches()
    held_out = images[job.validation], targets[job.validation]
    steps = len(job.train) // BATCH
    return lambda: model.fit(feed, steps_per_epoch=steps, validation_data=held_out, verbose=0), lambda: None


def _turned(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Flips and any rotation as Keras 2's ImageDataGenerator applies them: scipy, linear, one channel at a time."""
    from scipy.ndimage import affine_transform

    angle = rng.uniform(0, 2 * np.pi)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (np.array(image.shape[:2]) - 1) / 2
    offset = middle - matrix @ middle
    channels = [affine_transform(image[..., c], matrix, offset, order=1, mode="nearest") for c in range(3)]
    turned = np.stack(channels, -1)[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    return np.ascontiguousarray(turned)


def pipeline(job: Job) -> tuple[Epoch, Epoch]:
    """An epoch as a good engineer would write it."""
    keras = _plain_keras()
    import tensorflow as tf

    targets = keras.utils.to_categorical(job.classes, 2)
    layers = [keras.layers.Rescaling(1 / 255)]
    if job.policy.draw is not None:
        layers += [keras.layers.RandomFlip(), keras.layers.RandomRotation(0.5, fill_mode="nearest")]
    model = _compiled(keras, job, layers)
    n = len(job.train)
    training = tf.data.Dataset.from_tensor_slices((job.images[:n], targets[:n])).cache().shuffle(n).batch(BATCH)
    training = training.prefetch(tf.data.AUTOTUNE)
    held_out = tf.data.Dataset.from_tensor_slices((job.images[n:], targets[n:])).batch(VALIDATION).cache()
    return lambda: model.fit(training, validation_data=held_out, verbose=0), lambda: None


def _plain_keras() -> Any:
    """Keras as people import it: TensorFlow's own threads and choices."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras


def _compiled(keras: Any, job: Job, before: list[Any]) -> Any:
    settings: Any = job.architecture_settings
    layers = [keras.Input(job.images.shape[1:]), *before]
    for filters in settings.filters:
        layers += [keras.layers.Conv2D(filters, 3, activation="relu"), keras.layers.MaxPooling2D(2)]
    layers += [keras.layers.Flatten(), keras.layers.Dense(32, activation="relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    model.compile(keras.optimizers.RMSprop(job.learning_rate), "categorical_crossentropy")
    return model


CONTENDERS: Mapping[str, Callable[[Job], tuple[Epoch, Epoch]]] = {
    "script": script,
    "pipeline": pipeline,
    "keras": keras_engine,
    "native": native,
}


def measured(name: str, job: Job, epochs: int, warm_up: int) -> dict[str, float]:
    """Milliseconds per step (medians over epochs): CPU time of all threads, wall time, CPU time without validation."""
    epoch, validate = CONTENDERS[name](job)
    costs = []
    for _ in range(warm_up + epochs):
        cpu, wall = time.process_time(), time.perf_counter()
        epoch()
        trained = time.process_time()
        validate()
        costs.append((time.process_time() - cpu, time.perf_counter() - wall, trained - cpu))
    steps = -(-len(job.train) // BATCH)
    cpu, wall, training = np.median(costs[warm_up:], 0) / steps * 1e3
    return {"cpu": cpu, "wall": wall, "training": training}


def main() -> None:
    """Measure one contender."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="Example: python -m bench.contenders native --n 200")
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("--policy", choices=augmentation.names(), default="none")
    for option, default in (("epochs", 3), ("warm-up", 2), ("n", 200), ("side", 257), ("widen", 1)):
        parser.add_argument(f"--{option}", type=int, default=default)
    given = parser.parse_args()
    job = make_job(given.policy, given.n, given.side, given.widen)
    print(json.dumps(measured(given.name, job, given.epochs, given.warm_up)))


if __name__ == "__main__":
    main()
