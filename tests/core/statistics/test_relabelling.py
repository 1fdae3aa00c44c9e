"""The gain from relabeling is a paired difference on the same labels."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from cytocurve.core.comparison.significance import corrected_t, fold_ratio
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.relabelling import judged, relabellings

ARMS = [Arm("sequential", "none", labels) for labels in ("first", "second")]
TRUTH = ["negative", "positive"] * 5


def tables(labels: list[str], strength: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Results and predictions of three folds and two sizes; a larger strength is closer to the truth."""
    rng = np.random.default_rng(seed)
    runs, rows = [], []
    for fold, size in product(range(3), (10, 20)):
        key = f"{seed}-{fold}-{size}"
        runs.append({"fold": fold, "size": size, "seed": 0, "run_key": key})
        for number, label in enumerate(labels):
            positive = 0.5 + strength * (0.4 if TRUTH[number] == "positive" else -0.4) + rng.normal(0, 0.05)
            row = {"run_key": key, "image": f"{fold}/{number}", "subset": "test", "label": label}
            rows.append(row | {"p_negative": 1 - positive, "p_positive": positive})
    return pd.DataFrame(runs), pd.DataFrame(rows)


@pytest.fixture
def study() -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    wrong = ["positive", "negative", *TRUTH[2:]]
    first, second = tables(wrong, 0.0, 1), tables(TRUTH, 1.0, 2)
    names = [arm.name for arm in ARMS]
    return dict(zip(names, (first[0], second[0]), strict=True)), dict(zip(names, (first[1], second[1]), strict=True))


def test_both_arms_are_scored_on_the_labels_of_the_last_version(
    study: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]],
) -> None:
    """An arm that knows the truth gains on one that guesses, at every size, in every fold."""
    (result,) = relabellings(ARMS, *study, "roc_auc")
    assert (result.arm, result.other, result.judge) == (ARMS[1].name, ARMS[0].name, "second")
    assert set(result.differences) == {10, 20}
    assert all(point.n == 3 and point.mean > 0.1 for point in result.differences.values())


def test_arms_with_equal_predictions_have_zero_difference(
    study: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]],
) -> None:
    results, predictions = study
    one, other = (arm.name for arm in ARMS)
    same = predictions[one].assign(label=predictions[other]["label"])
    (result,) = relabellings(ARMS, {one: results[one], other: results[one]}, {one: predictions[one], other: same}, "f1")
    assert {point.mean for point in result.differences.values()} == {0.0}


def test_interval_of_a_gain_is_that_of_the_corrected_t_test(
    study: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]],
) -> None:
    (result,) = relabellings(ARMS, *study, "f1")
    truth = study[1][ARMS[1].name].drop_duplicates("image").set_index("image")["label"]
    results, predictions = study
    one, other = (judged(results[arm.name], predictions[arm.name], truth, "f1") for arm in ARMS)
    assert one is not None
    assert other is not None
    for size, point in result.differences.items():
        gains = (other["score"] - one["score"])[one["size"] == size].to_numpy()
        expected = corrected_t(gains, fold_ratio(3))
        assert (point.mean, point.ci_low, point.ci_high) == pytest.approx(
            (expected.mean, expected.ci_low, expected.ci_high), abs=1e-12
        )


def test_arms_whose_test_images_differ_are_not_compared(
    study: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]],
) -> None:
    results, predictions = study
    elsewhere = predictions[ARMS[0].name].assign(image=lambda table: "other/" + table["image"])
    assert relabellings(ARMS, results, {**predictions, ARMS[0].name: elsewhere}, "roc_auc") == []


def test_single_label_version_has_no_comparison(
    study: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]],
) -> None:
    assert relabellings(ARMS[:1], *study, "roc_auc") == []
