"""Arms are compared on the same images, folds and labels, paired by fold and seed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc
from statsmodels.stats.multitest import multipletests

from cytocurve.core.comparison import AREA, ScoredArm, ScoredOn, compare_paired, compare_seeds
from cytocurve.core.comparison.significance import corrected_t, fold_ratio, images_and_folds, rank_sum, sampling
from tests.core.comparison.comparison_makers import SIZES, imaged_arm, random_arm, scored

NAN = float("nan")


def images(**changes: Sequence[object]) -> pd.DataFrame:
    """Six test images in three folds."""
    columns: dict[str, Sequence[object]] = {
        "image": [f"{i}.png" for i in range(6)],
        "fold": [0, 0, 1, 1, 2, 2],
        "label": ["negative", "positive"] * 3,
    }
    return pd.DataFrame(columns | changes)


def on(table: pd.DataFrame, name: str = "other", labels: str = "expert") -> ScoredArm:
    return scored(name, {(fold, 0, size): 0.9 for fold in range(3) for size in SIZES}, table, labels)


def reason(second: ScoredArm) -> str:
    result, refused = compare_paired([on(images(), "one"), second])
    assert not result
    return refused[0].reason


@settings(max_examples=15)
@given(st.integers(0, 1000))
def test_swapping_the_arms_swaps_the_signs_and_nothing_else(seed: int) -> None:
    a, b = random_arm("a", seed), random_arm("b", seed + 5000)
    there, back = compare_paired([a, b])[0], compare_paired([b, a])[0]
    for one, other in zip(there, back, strict=True):
        assert one.difference == pytest.approx(-other.difference, abs=1e-12)
        assert (one.ci_low, one.ci_high) == pytest.approx((-other.ci_high, -other.ci_low), abs=1e-12)
        assert (one.p_t, one.p_wilcoxon) == pytest.approx((other.p_t, other.p_wilcoxon), abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_swapping_arms_with_images_flips_the_sign_and_keeps_p(one: float, other: float) -> None:
    a, b = imaged_arm("a", one), imaged_arm("b", other)
    there, back = compare_paired([a, b])[0], compare_paired([b, a])[0]
    for first, second in zip(there, back, strict=True):
        assert first.test == second.test == "images_and_folds"
        assert first.difference == pytest.approx(-second.difference, abs=1e-12)
        assert (first.ci_low, first.ci_high) == pytest.approx((-second.ci_high, -second.ci_low), abs=1e-12, nan_ok=True)
        assert first.p == pytest.approx(second.p, abs=1e-12, nan_ok=True)
        assert np.isnan(first.p) or 0 <= first.p <= first.p_holm <= 1
        assert first.settling == second.settling
        assert first.verdict == {"a_better": "b_better", "b_better": "a_better"}.get(second.verdict, second.verdict)


def test_arm_compared_with_itself_has_p_1_and_no_width() -> None:
    for row in compare_paired([imaged_arm("a", 0.3), replace(imaged_arm("a", 0.3), name="b")])[0]:
        assert (row.test, row.difference, row.ci_low, row.ci_high, row.p) == ("images_and_folds", 0, 0, 0, 1)
        assert row.settling is None


def test_verdict_is_that_of_images_and_folds_whatever_the_other_tests_say() -> None:
    rows = [
        row
        for skill in (0.2, 0.4, 0.6, 1.0)
        for row in compare_paired([imaged_arm("a", 0.1), imaged_arm("b", skill)])[0]
    ]
    assert any((row.p_holm <= 0.05) != (row.p_t_holm <= 0.05) for row in rows)
    for row in rows:
        better = "b_better" if row.difference > 0 else "a_better"
        assert row.verdict == (better if row.p_holm <= 0.05 else "not_shown")
        assert (row.settling is not None) == (row.verdict == "not_shown")


def test_comparison_over_images_and_folds_takes_the_contributions_of_images() -> None:
    a, b = imaged_arm("a", 0.2), imaged_arm("b", 0.5)
    (row,), _ = compare_paired([a, b], ["20"])
    assert a.images is not None
    assert b.images is not None
    parts = (b.images.contributions - a.images.contributions)[:, :, 1].mean(axis=1)
    variance = sampling(parts, a.images.folds, a.images.classes, a.images.units)
    by_fold = (b.scores([0, 1], [20]) - a.scores([0, 1], [20])).mean(axis=1)[:, 0]
    expected = images_and_folds(by_fold, variance, fold_ratio(5))
    assert (row.difference, row.ci_low, row.ci_high, row.p) == pytest.approx(tuple(vars(expected).values()), abs=1e-12)


def test_arms_without_predictions_are_judged_by_the_corrected_t() -> None:
    a, b = imaged_arm("a", 0.2), replace(imaged_arm("b", 0.5), images=None)
    for row in compare_paired([a, b])[0]:
        assert (row.test, row.p, row.ci_low, row.ci_high) == ("folds", row.p_t, row.ci_t_low, row.ci_t_high)
        assert row.settling is None


def test_fold_with_an_undefined_score_leaves_its_images_out() -> None:
    a, b = imaged_arm("a", 0.2), imaged_arm("b", 0.5)
    assert a.images is not None
    contributions = np.where((a.images.folds == 0)[:, None, None], NAN, a.images.contributions)
    runs = a.runs.assign(score=a.runs["score"].mask(a.runs["fold"] == 0))
    partly = replace(a, runs=runs, images=replace(a.images, contributions=contributions))
    for row in compare_paired([partly, b])[0]:
        assert (row.test, row.folds) == ("images_and_folds", 4)
    (row,), _ = compare_paired([replace(partly, runs=a.runs), b], ["20"])
    assert row.test == "folds"


@settings(max_examples=15)
@given(st.permutations(range(6)))
def test_comparison_does_not_depend_on_fold_numbers_or_run_order(new: list[int]) -> None:
    arms = [random_arm(name, seed) for seed, name in enumerate("ab")]
    moved = []
    for arm in arms:
        runs = arm.runs.assign(fold=[new[fold] for fold in arm.runs["fold"]]).sample(frac=1, random_state=3)
        moved.append(replace(arm, runs=runs.reset_index(drop=True)))
    for one, other in zip(compare_paired(arms)[0], compare_paired(moved)[0], strict=True):
        assert one.p_t == pytest.approx(other.p_t, abs=1e-12)
        assert one.p_wilcoxon == pytest.approx(other.p_wilcoxon, abs=1e-12)


def test_seeds_of_a_fold_are_averaged_and_counted_as_one() -> None:
    a, b = random_arm("a", 1), random_arm("b", 2)
    by_fold = (b.scores([0, 1], [20]) - a.scores([0, 1], [20])).mean(axis=1)[:, 0]
    (result,), _ = compare_paired([a, b], ["20"])
    expected = corrected_t(by_fold, fold_ratio(6))
    assert (result.difference, result.p_t) == pytest.approx((expected.mean, expected.p), abs=1e-12)
    assert (result.n, result.folds, result.seeds) == (12, 6, 2)


def test_area_is_compared_as_the_difference_of_the_areas_under_the_curves() -> None:
    arms = [random_arm(name, seed) for seed, name in enumerate("ab")]
    steps = np.log(SIZES)
    scores = [arm.scores([0, 1], SIZES) for arm in arms]
    by_hand = [[[auc(steps, curve) for curve in fold] for fold in row] for row in scores]
    expected = (np.mean(by_hand[1]) - np.mean(by_hand[0])) / (steps[-1] - steps[0])
    (result,), _ = compare_paired(arms, [AREA])
    assert result.difference == pytest.approx(expected, rel=1e-9)


def test_all_pairs_and_sizes_are_one_family_for_holm() -> None:
    arms = [random_arm(name, seed) for seed, name in enumerate("abc")]
    result, _ = compare_paired(arms)
    assert [(row.a, row.b) for row in result[::4]] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [row.at for row in result[:4]] == [*map(str, SIZES), AREA]
    for raw, adjusted in (("p_t", "p_t_holm"), ("p_wilcoxon", "p_wilcoxon_holm")):
        expected = multipletests([getattr(row, raw) for row in result], method="holm")[1]
        assert [getattr(row, adjusted) for row in result] == pytest.approx(expected.tolist(), abs=1e-9)
    (alone,), _ = compare_paired(arms[:2], ["20"])
    assert alone.p_t == alone.p_t_holm


def test_verdict_names_the_better_arm_only_where_the_adjusted_p_is_small() -> None:
    strong = {(fold, 0, size): 0.9 + fold / 1000 for fold in range(10) for size in SIZES}
    weak = {place: value - 0.1 - place[0] / 500 for place, value in strong.items()}
    assert {row.verdict for row in compare_paired([scored("s", strong), scored("w", weak)])[0]} == {"a_better"}
    assert {row.verdict for row in compare_paired([scored("w", weak), scored("s", strong)])[0]} == {"b_better"}
    noise = compare_paired([random_arm("a", 1), random_arm("b", 2)])[0]
    assert all((row.verdict == "not_shown") == (row.p_t_holm > 0.05) for row in noise)


def test_undefined_score_is_counted_and_its_pair_excluded() -> None:
    a, b = random_arm("a", 1), random_arm("b", 2)
    undefined = a.runs["score"].mask((a.runs["fold"] == 0) & (a.runs["size"] == 10) & (a.runs["seed"] == 0))
    undefined = undefined.mask((a.runs["fold"] == 1) & (a.runs["size"] == 10))
    result = {row.at: row for row in compare_paired([replace(a, runs=a.runs.assign(score=undefined)), b])[0]}
    assert (result["10"].n, result["10"].folds) == (9, 5)
    assert (result["20"].n, result["20"].folds) == (12, 6)
    assert (result[AREA].n, result[AREA].folds) == (9, 5)


def test_arms_with_equal_images_folds_and_labels_are_compared_in_any_row_order() -> None:
    assert compare_paired([on(images(), "one"), on(images().sample(frac=1, random_state=1))])[1] == []


def test_arms_with_different_test_images_are_not_comparable() -> None:
    sentence = reason(on(images(image=["0.png", "1.png", "2.png", "x.png", "y.png", "z.png"])))
    assert sentence == (
        "Their test images differ: 3 of the 6 in the first are not in the second, "
        "3 of the 6 in the second are not in the first."
    )


def test_arms_with_different_folds_are_not_comparable() -> None:
    assert "Their folds differ for 2 of 6 test images" in reason(on(images(fold=[0, 1, 0, 1, 2, 2])))


def test_arms_with_different_labels_are_not_comparable() -> None:
    sentence = reason(on(images(label=["positive"] * 2 + ["negative", "positive"] * 2), labels="expert2"))
    assert "labels differ on 1 of 6 test images (label versions expert and expert2)" in sentence


def test_arms_with_different_classes_are_not_comparable() -> None:
    sentence = reason(on(images(label=["blast", "rest"] * 3)))
    assert sentence == "Their classes differ: negative, positive against blast, rest."


def test_label_version_that_changes_no_tested_label_is_comparable() -> None:
    assert compare_paired([on(images(), "one"), on(images(), labels="expert2")])[1] == []


def test_digests_show_that_test_sets_differ_but_not_how() -> None:
    known = on(images(), "one")
    assert compare_paired([known, replace(known, name="x", tested=ScoredOn(known.tested.digest))])[1] == []
    assert "Only digests were compared" in reason(replace(known, name="x", tested=ScoredOn("0" * 64)))


def test_arms_without_a_common_size_or_seed_are_rejected_with_the_reason() -> None:
    def arm(name: str, seed: int, size: int) -> ScoredArm:
        return scored(name, {(fold, seed, size): 0.8 for fold in range(3)})

    def sentence(*arms: ScoredArm, at: list[str] | None = None) -> str:
        return compare_paired(arms, at)[1][0].reason

    assert "no training size in common" in sentence(arm("a", 0, 10), arm("b", 0, 20))
    assert "no seed in common" in sentence(arm("a", 0, 10), arm("b", 1, 10))
    assert "none of the requested sizes" in sentence(arm("a", 0, 10), arm("b", 0, 10), at=["20"])


def test_fewer_than_three_folds_are_rejected() -> None:
    arms = [scored(name, {(fold, 0, 10): 0.8 for fold in range(2)}) for name in "ab"]
    assert "at least 3 folds" in compare_paired(arms)[1][0].reason


def test_independent_seeds_are_compared_by_their_means_over_folds() -> None:
    a, b = random_arm("a", 1, seeds=5), random_arm("b", 2, seeds=4)
    (result,), refused = compare_seeds([a, b], ["20"])
    means = [arm.scores(arm.seeds, [20]).mean(axis=(0, 2)) for arm in (a, b)]
    assert refused == []
    assert result.p_mann_whitney == pytest.approx(rank_sum(*means), abs=1e-12)
    assert (result.mean_a, result.sd_b) == pytest.approx((means[0].mean(), means[1].std(ddof=1)), abs=1e-12)
    assert (result.seeds_a, result.seeds_b, result.folds) == (5, 4, 6)


def test_fold_that_is_undefined_in_one_seed_is_excluded_over_seeds() -> None:
    a, b = random_arm("a", 1, seeds=4), random_arm("b", 2, seeds=4)
    score = a.runs["score"].mask((a.runs["fold"] == 0) & (a.runs["seed"] == 3))
    (result,), _ = compare_seeds([replace(a, runs=a.runs.assign(score=score)), b], ["20"])
    assert result.folds == 5
    assert result.mean_b == pytest.approx(b.scores(b.seeds, [20])[1:].mean(), abs=1e-12)


def test_too_few_seeds_are_rejected() -> None:
    _, refused = compare_seeds([random_arm("a", 1), random_arm("b", 2)])
    assert refused[0].reason.startswith("With 2 and 2 seeds, no difference could reach the 5 % level")
