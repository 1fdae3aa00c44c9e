"""The machine of ``features_svm`` against scikit-learn's, and its probabilities with very few images."""

from typing import Any

import numpy as np
import pytest
from sklearn.svm import SVC

from cytocurve.models.architectures.features_svm import FeaturesSvm, FeaturesSvmSettings, sigmoid


def drawn(images: int, classes: int = 2, seed: int = 0, apart: float = 2.0) -> tuple[Any, Any]:
    """Vectors of five features, whose classes lie in different directions, and the classes in turn."""
    rng = np.random.default_rng(seed)
    numbers = (np.arange(images) % classes).astype(np.int32)
    vectors = rng.normal(size=(images, 5)) + apart * np.eye(5)[numbers]
    return vectors.astype(np.float32), numbers


def fitted(images: int, classes: int = 2, weights: Any = None, **settings: Any) -> FeaturesSvm:
    machine = FeaturesSvm(FeaturesSvmSettings(**settings), 0)
    machine.fit(*drawn(images, classes), sample_weight=weights)
    return machine


def test_decision_values_are_those_of_scikit_learn() -> None:
    vectors, classes = drawn(40)
    machine = fitted(40, c=2.0, gamma=1.5)
    scaled = np.clip((vectors - vectors.mean(0, dtype=float)) / vectors.std(0, dtype=float), -5, 5)
    theirs = SVC(C=2.0, gamma=1.5 / 5).fit(scaled, classes)
    mean, scale, gamma, supports, dual, bias, *_ = machine.get_weights()
    new, _ = drawn(30, seed=1)
    given = np.clip((new - mean) / scale, -5, 5)
    kernel = np.exp(-gamma * ((given[:, None] - supports) ** 2).sum(2))
    np.testing.assert_allclose(kernel @ dual[0] + bias[0], theirs.decision_function(given), atol=1e-9)
    order = np.argsort(theirs.decision_function(given))
    assert (np.diff(machine.predict_proba(new)[order, 1]) >= 0).all()


@pytest.mark.parametrize("images", [2, 4, 5, 10])
def test_few_images_are_enough(images: int) -> None:
    vectors, classes = drawn(images, apart=6.0)
    machine = FeaturesSvm(FeaturesSvmSettings(), 0)
    machine.fit(vectors, classes)
    probabilities = machine.predict_proba(vectors)
    assert np.isfinite(probabilities).all()
    assert (probabilities.argmax(1) == classes).all()


def test_single_class_is_certain() -> None:
    vectors, _ = drawn(6)
    machine = FeaturesSvm(FeaturesSvmSettings(), 0)
    machine.fit(vectors, np.full(6, 2, np.int32))
    np.testing.assert_array_equal(machine.classes_, [2])
    np.testing.assert_array_equal(machine.predict_proba(vectors), np.ones((6, 1)))
    again = FeaturesSvm(FeaturesSvmSettings(), 0)
    again.set_weights(machine.get_weights())
    np.testing.assert_array_equal(again.predict_proba(vectors), np.ones((6, 1)))


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_restored_state_predicts_the_same_bytes(classes: int) -> None:
    machine, again = fitted(40, classes), FeaturesSvm(FeaturesSvmSettings(), 7)
    weights = machine.get_weights()
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in weights)
    again.set_weights(weights)
    new, _ = drawn(20, classes, seed=3)
    assert again.predict_proba(new).tobytes() == machine.predict_proba(new).tobytes()


@pytest.mark.parametrize("classes", [3, 5])
def test_many_classes_are_told_apart(classes: int) -> None:
    machine = fitted(100, classes)
    new, numbers = drawn(100, classes, seed=5, apart=5.0)
    probabilities = machine.predict_proba(new)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert (probabilities.argmax(1) == numbers).mean() > 0.9


def test_class_with_a_single_image_among_many_gets_probabilities() -> None:
    vectors, classes = drawn(21)
    classes[0] = 2
    machine = FeaturesSvm(FeaturesSvmSettings(), 0)
    machine.fit(vectors, classes)
    assert np.isfinite(machine.predict_proba(vectors)).all()
    assert machine.predict_proba(vectors).shape == (21, 3)


def test_feature_without_variation_does_no_harm() -> None:
    vectors, classes = drawn(20)
    vectors[:, 0] = 0.1
    machine = FeaturesSvm(FeaturesSvmSettings(), 0)
    machine.fit(vectors, classes)
    other = vectors.copy()
    other[:, 0] = 1e9
    assert np.isfinite(machine.predict_proba(other)).all()


def test_probabilities_of_images_do_not_depend_on_each_other() -> None:
    machine = fitted(40)
    new, _ = drawn(30, seed=1)
    alone = np.concatenate([machine.predict_proba(row[None]) for row in new])
    assert alone.tobytes() == machine.predict_proba(new).tobytes()
    assert machine.predict_proba(new[:0]).shape == (0, 2)


def test_class_with_a_larger_weight_gets_higher_probabilities() -> None:
    _, classes = drawn(60)
    new, _ = drawn(50, seed=1, apart=0.0)
    even = fitted(60).predict_proba(new)[:, 1].mean()
    heavy = fitted(60, weights=np.where(classes == 1, 6.0, 1.0)).predict_proba(new)[:, 1].mean()
    assert heavy > even + 0.05


def test_sigmoid_has_the_best_likelihood() -> None:
    rng = np.random.default_rng(0)
    decisions = rng.normal(size=400)
    target = rng.random(400) < 1 / (1 + np.exp(-(2 * decisions - 0.5)))
    slope, offset = sigmoid(decisions, target, np.ones(400))
    assert (slope, offset) == pytest.approx((2, -0.5), abs=0.4)
    wanted = np.where(target, (target.sum() + 1) / (target.sum() + 2), 1 / ((~target).sum() + 2))
    errors = 1 / (1 + np.exp(-(slope * decisions + offset))) - wanted
    assert abs(errors.sum()) < 0.01
    assert abs((errors * decisions).sum()) < 0.01


def test_sigmoid_never_falls() -> None:
    """With few images, decision values of left-out images can be the wrong way round; their order must be kept."""
    decisions = np.array([1.0, 0.8, -0.7, -0.9])
    slope, _ = sigmoid(decisions, np.array([False, False, True, True]), np.ones(4))
    assert slope > 0
