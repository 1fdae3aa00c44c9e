"""The contract of every engine for every architecture that it serves; both come from their registries."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytocurve.core.runs import Component
from cytocurve.models import architectures, augmentation, engines
from cytocurve.models.architectures import Weights
from cytocurve.models.engines import train
from cytocurve.models.ensemble import mean_ensemble
from cytocurve.models.fit import Network
from cytocurve.models.jobs import Job, Trained
from cytocurve.models.packed import EstimatorEnsemble
from cytocurve.models.predictor import saved_model
from cytocurve.stores.ledger import Finished, open_ledger
from tests.models.engines.engine_makers import is_slow, toy_job


def pairs() -> list[Any]:
    served = [
        (engine, name)
        for engine in engines.names()
        for name in architectures.names()
        if engines.serves(engine, name, "adam")
    ]
    return [pytest.param(pair, marks=pytest.mark.slow if is_slow(pair[0]) else ()) for pair in served]


@pytest.fixture(params=pairs(), ids=lambda pair: "-".join(pair))
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    engine, architecture = request.param
    return engine, architecture


def job_of(architecture: str, policy: str = "none", **changes: Any) -> Job:
    family = architectures.load(architecture)
    settings = family.settings()
    if family.stack is not None:
        settings = family.settings(filters=[4, 3], dense=[8])
    given: dict[str, Any] = {"optimizer": "adam", "learning_rate": 0.02, "max_epochs": 3, "patience": 50} | changes
    return toy_job(policy, architecture=family, architecture_settings=settings, **given)


def as_bytes(trained: Trained) -> bytes:
    arrays = [*trained.weights, *trained.predictions.values()]
    return b"".join(array.tobytes() for array in arrays) + repr((trained.losses, trained.validation_losses)).encode()


def restored(engine: str, job: Job, weights: Weights) -> Network:
    """A network from another seed, set to these weights."""
    network = engines.load(engine).start(job, np.random.default_rng(99))
    network.epoch(np.random.default_rng(98))
    network.set_weights(weights)
    return network


def test_pairs_include_architectures_of_every_kind() -> None:
    names = {pair.values[0][1] for pair in pairs()}
    assert {"batch_normalized", "single_sigmoid", "color_regression", "sequential", "features_svm"} <= names
    assert {pair.values[0][0] for pair in pairs()} == set(engines.names())


@pytest.mark.parametrize("policy", augmentation.names())
def test_architecture_learns_classes_separated_by_a_bright_square(pair: tuple[str, str], policy: str) -> None:
    engine, architecture = pair
    job = job_of(architecture, policy, max_epochs=40)
    trained = train(engine, job)
    assert (trained.predictions["test"].argmax(1) == job.classes[job.test]).mean() > 0.9


def test_same_seed_gives_the_same_bytes_whatever_was_trained_in_between(pair: tuple[str, str]) -> None:
    engine, architecture = pair
    first = train(engine, job_of(architecture, "flip_rotate"))
    train(engine, job_of(architecture, entropy=4))
    assert as_bytes(train(engine, job_of(architecture, "flip_rotate"))) == as_bytes(first)


def test_probabilities_have_a_column_per_class_and_rows_that_sum_to_one(pair: tuple[str, str]) -> None:
    engine, architecture = pair
    job = job_of(architecture)
    for subset, indices in (("validation", job.validation), ("test", job.test)):
        probabilities = train(engine, job).predictions[subset]
        assert probabilities.shape == (len(indices), 2)
        assert probabilities.dtype == np.float32
        np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


def test_three_classes_are_learned_like_two(pair: tuple[str, str]) -> None:
    engine, architecture = pair
    job = job_of(architecture, classes=(np.arange(40) % 3).astype(np.int32), outputs=3, max_epochs=2)
    assert train(engine, job).predictions["test"].shape == (12, 3)


def test_class_without_training_images_keeps_its_column(pair: tuple[str, str]) -> None:
    engine, architecture = pair
    job = job_of(architecture, outputs=3, max_epochs=2)
    assert train(engine, job).predictions["test"].shape == (12, 3)


def test_returned_weights_are_all_that_the_predictions_need(pair: tuple[str, str]) -> None:
    """Including non-trainable ones, such as the moving averages of batch normalization."""
    engine, architecture = pair
    job = job_of(architecture, max_epochs=4)
    trained = train(engine, job)
    network = restored(engine, job, trained.weights)
    np.testing.assert_allclose(network.probabilities(job.test), trained.predictions["test"], atol=1e-6)


def test_kept_weights_are_those_of_the_lowest_validation_loss(pair: tuple[str, str]) -> None:
    engine, architecture = pair
    job = job_of(architecture, max_epochs=8)
    job.classes[job.validation] = 1 - job.classes[job.validation]  # the better it learns, the higher this loss
    trained = train(engine, job)
    network = restored(engine, job, trained.weights)
    assert network.loss(job.validation) == pytest.approx(min(trained.validation_losses), rel=1e-4)


def test_unit_class_weights_change_no_prediction(pair: tuple[str, str]) -> None:
    engine, architecture = pair
    job = job_of(architecture)
    ones = replace(job, class_weights=np.ones(2, np.float32))
    np.testing.assert_allclose(train(engine, ones).predictions["test"], train(engine, job).predictions["test"])


def test_weights_survive_the_ledger(pair: tuple[str, str], tmp_path: Path) -> None:
    engine, architecture = pair
    trained, ledger = train(engine, job_of(architecture, max_epochs=1)), open_ledger(str(tmp_path))
    ledger.add(Finished("a" * 64, {}, (), (), trained.predictions, {}, {}), trained.weights)
    stored = ledger.weights("a" * 64)
    assert stored is not None
    for kept, given in zip(stored, trained.weights, strict=True):
        np.testing.assert_array_equal(kept, given)


@pytest.mark.slow
def test_registered_model_reproduces_the_predictions_of_its_network(pair: tuple[str, str], tmp_path: Path) -> None:
    engine, architecture = pair
    job = job_of(architecture)
    trained = train(engine, job)
    members = [trained.weights, trained.weights]
    if job.architecture.build is None:
        component = Component(architecture, architectures.version(architecture), {})
        EstimatorEnsemble(component, 2, members).save(tmp_path)
        model: Any = saved_model(tmp_path)
    else:
        model = mean_ensemble(job.architecture, job.architecture_settings, job.images.shape[1:], 2, members)
    np.testing.assert_allclose(model(job.images[job.test]), trained.predictions["test"], atol=1e-5)


def test_weights_alone_predict_the_same_in_a_network_that_was_never_trained(pair: tuple[str, str]) -> None:
    engine, architecture = pair
    job = job_of(architecture)
    trained = train(engine, job)
    again = engines.predict(engine, replace(job, entropy=job.entropy + 1), trained.weights, job.test)
    assert again.tobytes() == trained.predictions["test"].tobytes()
