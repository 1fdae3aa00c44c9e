"""An arm's score does not come from images that helped to choose the arm."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytocurve.core.statistics.choice import chosen_elsewhere, scores_of_choosing

SHAPES = st.tuples(st.integers(1, 4), st.integers(2, 6), st.integers(1, 2))
SCORES = st.one_of(st.just(float("nan")), st.integers(0, 20).map(lambda score: score / 20))


def rotated(folds: int) -> np.ndarray:
    """The validation images of fold j are the test images of fold j + 1."""
    return np.roll(np.eye(folds, dtype=np.bool_), -1, axis=1)


@st.composite
def studies(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(SHAPES)
    return tuple(draw(arrays(np.float64, shape, elements=SCORES)) for _ in range(2))  # type: ignore[return-value]


@given(studies(), st.data())
def test_validation_images_tested_by_a_fold_cannot_change_its_choice(
    study: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    validation, _ = study
    folds = validation.shape[1]
    shared = rotated(folds)
    fold = data.draw(st.integers(0, folds - 1))
    changed = validation.copy()
    changed[:, shared[fold]] = data.draw(arrays(np.float64, changed[:, shared[fold]].shape, elements=SCORES))
    assert chosen_elsewhere(changed, shared)[fold] == chosen_elsewhere(validation, shared)[fold]


@given(studies())
def test_choice_for_a_fold_is_the_best_arm_of_the_remaining_folds(study: tuple[np.ndarray, np.ndarray]) -> None:
    validation, tests = study
    shared = rotated(validation.shape[1])
    for fold, arm in enumerate(chosen_elsewhere(validation, shared)):
        rest = validation[:, ~shared[fold]].reshape(len(validation), -1)
        means = [np.nanmean(row) if np.isfinite(row).any() else -1.0 for row in rest]
        assert np.isclose(means[arm], max(means))
    np.testing.assert_array_equal(
        scores_of_choosing(validation, tests, shared),
        [tests[arm, fold] for fold, arm in enumerate(chosen_elsewhere(validation, shared))],
    )


@given(studies())
def test_score_of_the_only_arm_is_its_own(study: tuple[np.ndarray, np.ndarray]) -> None:
    validation, tests = study
    scores = scores_of_choosing(validation[:1], tests[:1], rotated(tests.shape[1]))
    np.testing.assert_array_equal(scores, tests[0])


def test_score_is_undefined_where_every_validation_image_is_tested() -> None:
    ones = np.ones((2, 3, 1))
    shared = np.array([[True, True, True], [False, True, False], [False, False, True]])
    assert chosen_elsewhere(ones, shared).tolist() == [-1, 0, 0]
    assert np.isnan(scores_of_choosing(ones, ones, shared)[:, 0]).tolist() == [True, False, False]
