"""The native engine's arithmetic, against a numpy reference and step by step against Keras."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cytocurve.models import architectures
from cytocurve.models.architectures import Weights
from cytocurve.models.architectures.sequential import SequentialSettings
from cytocurve.models.engines import native, train
from cytocurve.models.jobs import Job
from tests.models.engines.engine_makers import cross_entropy, drawn_weights, random_job, reference, toy_job
from tests.projects import ROOT

SEEDS = range(12)


def published_job(**changes: Any) -> tuple[Job, Weights]:
    """The published network on one batch of five images of 257x257 noise."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 257, 257, 3), dtype=np.uint8)
    five = np.arange(5)
    job = toy_job(
        architecture_settings=SequentialSettings(),
        images=images,
        classes=np.array([0, 1, 0, 1, 1], np.int32),
        train=five,
        validation=five,
        test=five,
        learning_rate=0.001,
        **changes,
    )
    return job, drawn_weights(job, rng)


def differentiated(job: Job, weights: Weights) -> tuple[float, Weights]:
    """The mean loss of a job's images and its gradient, by the native engine."""
    trainer = native.Trainer(job, weights)
    total = trainer.differentiate(job.images, job.train, job.classes)
    return total / len(job.train), native.unflattened(trainer.gradient, weights)


def keras_differentiated(job: Job, weights: Weights) -> tuple[float, list[NDArray[np.float64]]]:
    """Loss and gradient by the Keras model in float64; its float32 rounding errors reach 1e-5 at 257 pixels."""
    import keras
    import tensorflow as tf

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    assert job.architecture.build is not None
    model = job.architecture.build(job.architecture_settings, job.images.shape[1:], job.outputs)
    keras.config.set_dtype_policy(policy)
    model.set_weights(weights)
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(job.classes, model(job.images, training=True))
        loss = tf.reduce_mean(losses if job.class_weights is None else losses * job.class_weights[job.classes])
    return float(loss), [gradient.numpy() for gradient in tape.gradient(loss, model.trainable_variables)]


def keras_stepped(job: Job, weights: Weights) -> Weights:
    """The weights after one step of the Keras engine on all images."""
    from cytocurve.models.engines import keras as engine

    network = engine.traced(job)
    network.reset(weights, 0)
    weights_of = np.ones(job.outputs, np.float32) if job.class_weights is None else job.class_weights
    network.epoch(job.images, job.classes, weights_of[job.classes])
    stepped: Weights = network.model.get_weights()
    return stepped


def assert_same_gradient(job: Job, weights: Weights) -> None:
    loss, gradient = differentiated(job, weights)
    keras_loss, keras_gradient = keras_differentiated(job, weights)
    assert loss == pytest.approx(keras_loss, rel=1e-6)
    for ours, theirs in zip(gradient, keras_gradient, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("seed", SEEDS)
def test_any_network_gives_the_loss_and_probabilities_of_the_reference_implementation(seed: int) -> None:
    job, weights = random_job(seed)
    probabilities, loss = native.Trainer(job, weights).predict(job.test)
    expected, _ = reference(weights, job.images)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    assert loss == pytest.approx(cross_entropy(expected, job.classes), rel=1e-5)


@pytest.mark.parametrize("seed", [0, 1])
def test_gradient_predicts_how_the_loss_changes(seed: int) -> None:
    job, weights = random_job(seed)
    _, gradient = differentiated(job, weights)
    rng = np.random.default_rng(seed)
    for place, array in enumerate(weights):
        step = 1e-7 * rng.normal(size=array.shape)
        losses = []
        for moved in (array + step, array - step):
            probabilities, _ = reference([*weights[:place], moved, *weights[place + 1 :]], job.images)
            losses.append(cross_entropy(probabilities, job.classes, job.class_weights))
        expected = (losses[0] - losses[1]) / 2
        scale = np.linalg.norm(step) * np.linalg.norm(gradient[place])
        assert np.sum(gradient[place] * step) == pytest.approx(expected, abs=1e-4 * float(scale))


@pytest.mark.parametrize("side", [64, 65, 66, 129, 130, 131, 257, 400])
def test_images_of_any_size_give_the_probabilities_of_the_reference_implementation(side: int) -> None:
    rng = np.random.default_rng(side)
    images = rng.integers(0, 256, (2, side, side + 1, 3), dtype=np.uint8)
    job = toy_job(images=images, classes=np.array([0, 1], np.int32), train=np.arange(2), test=np.arange(2))
    weights = drawn_weights(job, rng)
    probabilities, _ = native.Trainer(job, weights).predict(job.test)
    np.testing.assert_allclose(probabilities, reference(weights, images)[0], atol=1e-6)


def test_batch_gives_the_mean_gradient_of_its_images() -> None:
    job, weights = random_job(2)
    _, together = differentiated(job, weights)
    alone = [differentiated(replace(job, train=np.array([n]), classes=job.classes[[n]]), weights)[1] for n in job.train]
    for total, parts in zip(together, zip(*alone, strict=True), strict=True):
        np.testing.assert_allclose(total, np.mean(parts, 0), atol=1e-6)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
def test_zero_gradients_leave_the_weights_unchanged(optimizer: str) -> None:
    update, memory = native.OPTIMIZERS[optimizer]
    weights = np.array([1.0, -2.0], np.float32)
    update(weights, np.zeros(2, np.float32), np.zeros((memory, 2), np.float32), np.float32(0.1), 1)
    np.testing.assert_array_equal(weights, [1, -2])


def test_native_engine_supports_only_plain_stacks_with_its_optimizers() -> None:
    family = architectures.load("sequential")
    assert native.serves(family, "rmsprop")
    assert native.serves(family, "adam")
    assert not native.serves(family, "sgd")
    assert not native.serves(replace(family, stack=None), "adam")


@pytest.mark.slow
def test_training_imports_no_tensorflow() -> None:
    code = "import sys; from tests.models.engines.engine_makers import toy_job; "
    code += "from cytocurve.models.engines import train; "
    code += "train('native', toy_job('flip_rotate')); assert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_of_any_network_match_keras(seed: int) -> None:
    assert_same_gradient(*random_job(seed))


@pytest.mark.slow
def test_gradients_of_the_published_network_match_keras() -> None:
    assert_same_gradient(*published_job())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_tied_maxima_of_flat_regions_route_the_gradient_like_keras(seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (4, 8, 7, 3), dtype=np.uint8).repeat(6, 1).repeat(5, 2)
    job = toy_job(images=images, classes=np.array([0, 1, 1, 0], np.int32), train=np.arange(4))
    assert_same_gradient(job, drawn_weights(job, rng))


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
def test_three_steps_along_the_same_gradients_match_keras(optimizer: str) -> None:
    import keras

    rng = np.random.default_rng(0)
    ours = rng.normal(size=50).astype(np.float32)
    variable = keras.Variable(ours)
    reference_optimizer = {"rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam}[optimizer](0.01)
    update, memory = native.OPTIMIZERS[optimizer]
    state = np.zeros((memory, 50), np.float32)
    for step in (1, 2, 3):
        gradient = (rng.normal(size=50) * 10.0 ** rng.integers(-8, 2, 50)).astype(np.float32)
        update(ours, gradient, state, np.float32(0.01), step)
        reference_optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        np.testing.assert_allclose(ours, variable.numpy(), rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_weights_after_a_step_match_keras(seed: int, optimizer: str) -> None:
    job, weights = random_job(seed, optimizer)
    trainer = native.Trainer(job, weights)
    trainer.step(job.images, job.train, job.classes)
    for ours, theirs in zip(native.unflattened(trainer.weights, weights), keras_stepped(job, weights), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_keras_model_with_native_weights_gives_the_native_predictions(seed: int) -> None:
    job, _ = random_job(seed)
    trained = train(
        "native", replace(job, protocol_settings=job.protocol.settings(max_epochs=3, batch_size=job.batch_size))
    )
    assert job.architecture.build is not None
    model = job.architecture.build(job.architecture_settings, job.images.shape[1:], job.outputs)
    model.set_weights(trained.weights)
    np.testing.assert_allclose(trained.predictions["test"], model(job.images), atol=1e-5)
