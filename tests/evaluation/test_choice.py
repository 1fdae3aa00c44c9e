"""The chosen arm's score, from tables of runs and predictions."""

from collections.abc import Sequence

import pandas as pd

from cytocurve.evaluation.choice import choice
from cytocurve.study.selection import Validated

FOLDS = 4


def arm(name: str, scores: Sequence[float]) -> pd.DataFrame:
    keys = [f"{name}{fold}" for fold in range(len(scores))]
    return pd.DataFrame({"run_key": keys, "fold": range(len(scores)), "size": 8, "seed": 0, "roc_auc": scores})


def predictions_of(name: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"run_key": [f"{name}{fold}" for fold in range(FOLDS)], "image": [f"part{fold}" for fold in range(FOLDS)]}
    )


def validated(scores: Sequence[float], images: Sequence[str]) -> Validated:
    runs = pd.DataFrame({"fold": range(FOLDS), "seed": 0, "score": scores})
    return Validated(runs, {fold: frozenset([image]) for fold, image in enumerate(images)})


NEXT = [f"part{(fold + 1) % FOLDS}" for fold in range(FOLDS)]
RUNS = {"a": arm("a", [0.5, 1.0, 0.5, 0.5]), "b": arm("b", [0.75, 0.25, 0.75, 0.75])}
TESTS = {name: predictions_of(name) for name in RUNS}
VALIDATION = {"a": [1.0, 0.5, 0.5, 0.5], "b": [0.25, 0.75, 0.75, 0.7]}
"""Arm a is the best on all validation images, but only by those of fold 0, which fold 1 tests."""


def test_arm_that_leads_only_on_a_folds_test_images_is_not_chosen_for_that_fold() -> None:
    validations = {name: validated(scores, NEXT) for name, scores in VALIDATION.items()}
    result = choice("a", ["a", "b"], 8, RUNS, TESTS, validations)
    assert result is not None
    assert result.folds == {"a": 3, "b": 1}
    assert result.score.mean == (0.5 + 0.25 + 0.5 + 0.5) / 4
    assert result.optimism == 0.625 - 0.4375


def test_validation_images_outside_all_test_sets_need_no_correction() -> None:
    validations = {name: validated(scores, ["x"] * FOLDS) for name, scores in VALIDATION.items()}
    result = choice("a", ["a", "b"], 8, RUNS, TESTS, validations)
    assert result is not None
    assert (result.score.mean, result.optimism, result.folds) == (0.625, 0, {"a": 4, "b": 0})


def test_arms_with_different_folds_have_no_common_choice() -> None:
    validations = {name: validated(scores, NEXT) for name, scores in VALIDATION.items()}
    assert choice("a", ["a", "b"], 8, RUNS | {"b": arm("b", [0.75] * 3)}, TESTS, validations) is None
