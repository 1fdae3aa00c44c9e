"""The contract of every engine that trains the published network; engines that load TensorFlow are slow."""

import numpy as np
import pytest

from cytocurve.models import augmentation, engines
from cytocurve.models.architectures.sequential import SequentialSettings
from cytocurve.models.engines import train
from cytocurve.models.jobs import Trained
from cytocurve.models.protocols.early_stopping import EarlyStopping
from tests.models.engines.engine_makers import cross_entropy, is_slow, reference, toy_job

SERVING = [name for name in engines.names() if engines.serves(name, "sequential", "rmsprop")]


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow if is_slow(name) else ()) for name in SERVING])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def as_bytes(trained: Trained) -> bytes:
    arrays = [*trained.weights, *trained.predictions.values()]
    return b"".join(array.tobytes() for array in arrays) + repr((trained.losses, trained.validation_losses)).encode()


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
@pytest.mark.parametrize("policy", augmentation.names())
def test_engine_learns_classes_separated_by_a_bright_square(engine: str, policy: str, optimizer: str) -> None:
    job = toy_job(policy, optimizer=optimizer, max_epochs=30, patience=30)
    trained = train(engine, job)
    assert trained.losses[-1] < trained.losses[0] / 2
    assert (trained.predictions["test"].argmax(1) == job.classes[job.test]).all()


def test_same_seed_gives_the_same_bytes_whatever_was_trained_in_between(engine: str) -> None:
    first = train(engine, toy_job("flip_rotate"))
    again = train(engine, toy_job("flip_rotate"))
    train(
        engine, toy_job(optimizer="adam", architecture_settings=SequentialSettings(filters=[2], dense=[3]), entropy=4)
    )
    later = train(engine, toy_job("flip_rotate"))
    assert as_bytes(first) == as_bytes(again) == as_bytes(later)


def test_different_seed_gives_different_weights(engine: str) -> None:
    assert as_bytes(train(engine, toy_job(entropy=3))) != as_bytes(train(engine, toy_job(entropy=4)))


def test_training_stops_after_patience_epochs_if_the_loss_never_falls(engine: str) -> None:
    trained = train(engine, toy_job(learning_rate=0.0, max_epochs=20, patience=3))
    assert len(trained.losses) == len(trained.validation_losses) == 4


def test_training_stops_where_early_stopping_of_its_validation_losses_says(engine: str) -> None:
    trained = train(engine, toy_job("flip_rotate", learning_rate=0.02, max_epochs=60, patience=2))
    rule = EarlyStopping(patience=2)
    stops = [rule.stop for loss in trained.validation_losses if rule.improved(loss) is not None]
    assert not any(stops[:-1])
    assert stops[-1] or len(stops) == 60


def test_returned_weights_are_those_of_the_lowest_validation_loss(engine: str) -> None:
    job = toy_job(max_epochs=12, patience=12)
    job.classes[job.validation] = 1 - job.classes[job.validation]  # the better it learns, the higher this loss
    trained = train(engine, job)
    assert trained.validation_losses[-1] > 2 * min(trained.validation_losses)
    loss = cross_entropy(trained.predictions["validation"], job.classes[job.validation])
    assert loss == pytest.approx(min(trained.validation_losses), abs=1e-5)


def test_images_and_classes_are_not_modified_and_can_be_read_only(engine: str) -> None:
    job = toy_job("flip_rotate", max_epochs=1)
    images, classes = job.images.copy(), job.classes.copy()
    job.images.flags.writeable = job.classes.flags.writeable = False
    train(engine, job)
    np.testing.assert_array_equal(job.images, images)
    np.testing.assert_array_equal(job.classes, classes)


@pytest.mark.parametrize("batch_size", [3, 20, 64])
def test_loss_of_an_epoch_is_the_mean_over_images_whatever_the_batches(engine: str, batch_size: int) -> None:
    job = toy_job(learning_rate=0.0, max_epochs=1, batch_size=batch_size, validation=np.arange(20))
    trained = train(engine, job)
    assert trained.losses[0] == pytest.approx(trained.validation_losses[0], abs=1e-6)


def test_unit_class_weights_change_no_byte(engine: str) -> None:
    ones = np.ones(2, np.float32)
    assert as_bytes(train(engine, toy_job(class_weights=ones))) == as_bytes(train(engine, toy_job()))


def test_class_weights_scale_the_training_loss_but_not_the_validation_loss(engine: str) -> None:
    job = toy_job(learning_rate=0.0, max_epochs=1, class_weights=np.array([0.5, 3], np.float32))
    trained = train(engine, job)
    probabilities, _ = reference(trained.weights, job.images)
    weighted = cross_entropy(probabilities[job.train], job.classes[job.train], job.class_weights)
    assert trained.losses[0] == pytest.approx(weighted, rel=1e-5)
    plain = cross_entropy(probabilities[job.validation], job.classes[job.validation])
    assert trained.validation_losses[0] == pytest.approx(plain, rel=1e-5)


def test_class_with_a_larger_weight_is_predicted_more_often(engine: str) -> None:
    blank = np.zeros((40, 24, 22, 3), np.uint8)
    for weights, expected in (([1, 4], 0.8), ([4, 1], 0.2)):
        job = toy_job(images=blank, max_epochs=60, patience=60, class_weights=np.array(weights, np.float32))
        job.classes[job.validation] = np.argmax(weights)  # falls as long as the weighted class is learned
        assert train(engine, job).predictions["test"][:, 1] == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("dense", [[], [5], [7, 4, 3]])
@pytest.mark.parametrize("shape", [(24, 22, 3), (31, 27, 1), (12, 45, 4), (23, 23, 2)], ids=str)
def test_engine_trains_any_size_channels_and_dense_layers(
    engine: str, shape: tuple[int, int, int], dense: list[int]
) -> None:
    rng = np.random.default_rng(0)
    job = toy_job("flip_rotate", images=rng.integers(0, 256, (40, *shape), dtype=np.uint8), max_epochs=2, batch_size=3,
                  architecture_settings=SequentialSettings(filters=[5, 9], dense=dense))  # fmt: skip
    trained = train(engine, job)
    assert [array.shape[-1] for array in trained.weights[::2]] == [5, 9, *dense, 2]
    expected, _ = reference(trained.weights, job.images[job.test])
    np.testing.assert_allclose(trained.predictions["test"], expected, atol=1e-5)


def test_single_training_image_is_enough(engine: str) -> None:
    trained = train(engine, toy_job("flip_rotate_translate", train=np.array([3]), max_epochs=3))
    assert trained.losses[-1] < trained.losses[0]


def test_fill_affects_only_augmented_images(engine: str) -> None:
    black, edge = (
        train(engine, toy_job("flip_rotate", {"fill": fill}, max_epochs=2)) for fill in ("constant", "nearest")
    )
    assert as_bytes(black) != as_bytes(edge)


def test_predictions_are_those_of_the_returned_weights(engine: str) -> None:
    job = toy_job("flip_rotate")
    trained = train(engine, job)
    for part, indices in (("validation", job.validation), ("test", job.test)):
        expected, _ = reference(trained.weights, job.images[indices])
        assert trained.predictions[part].dtype == np.float32
        np.testing.assert_allclose(trained.predictions[part], expected, atol=1e-5)


def test_indices_select_images_in_any_order(engine: str) -> None:
    job = toy_job(max_epochs=1)
    turned = toy_job(max_epochs=1, test=job.test[::-1])
    np.testing.assert_allclose(
        train(engine, turned).predictions["test"], train(engine, job).predictions["test"][::-1], atol=1e-6
    )
