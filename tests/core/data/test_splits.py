"""Properties of cross-validation splits."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cytocurve.core.data.splits import Fold, balanced_sample, cross_validation, round_robin
from cytocurve.errors import InputError


@st.composite
def studies(draw: st.DrawFn) -> tuple[list[str], list[int], int, int]:
    classes = draw(st.lists(st.integers(0, 3), min_size=12, max_size=60))
    folds = draw(st.integers(3, 6))
    assume(len(set(classes)) >= 2)
    return [f"image {i}" for i in range(len(classes))], classes, folds, draw(st.integers(0, 9))


def split(study: tuple[list[str], list[int], int, int]) -> list[Fold]:
    return cross_validation(*study)


@given(studies())
def test_every_image_is_in_exactly_one_test_fold(study: tuple[list[str], list[int], int, int]) -> None:
    tested = np.concatenate([fold.test for fold in split(study)])
    assert sorted(tested.tolist()) == list(range(len(study[0])))


@given(studies())
def test_next_fold_is_the_validation_set(study: tuple[list[str], list[int], int, int]) -> None:
    folds = split(study)
    for fold, following in zip(folds, folds[1:] + folds[:1], strict=True):
        assert set(fold.validation) == set(following.test)


@given(studies())
def test_subsets_of_a_fold_are_disjoint_and_use_every_image(study: tuple[list[str], list[int], int, int]) -> None:
    for fold in split(study):
        seen = np.concatenate([fold.test, fold.validation, fold.train])
        assert sorted(seen.tolist()) == list(range(len(study[0])))


@given(studies())
def test_folds_are_stratified_to_within_one_image(study: tuple[list[str], list[int], int, int]) -> None:
    classes = np.array(study[1])
    folds = split(study)
    for number in (None, *set(study[1])):
        counts = [len(f.test) if number is None else int((classes[f.test] == number).sum()) for f in folds]
        assert max(counts) - min(counts) <= 1


@given(studies())
def test_every_prefix_of_a_training_set_is_balanced_until_a_class_is_exhausted(
    study: tuple[list[str], list[int], int, int],
) -> None:
    classes = np.array(study[1])
    for fold in split(study):
        available = {number: int((classes[fold.train] == number).sum()) for number in set(study[1])}
        for size in range(1, len(fold.train) + 1):
            prefix = classes[fold.train[:size]]
            counts = {number: int((prefix == number).sum()) for number in available}
            most = max(counts.values())
            assert all(count >= most - 1 or count == available[number] for number, count in counts.items())


@given(studies(), st.randoms(use_true_random=False))
def test_split_does_not_depend_on_image_order(study: tuple[list[str], list[int], int, int], random: object) -> None:
    identities, classes, folds, seed = study
    order = np.random.default_rng(seed).permutation(len(identities))
    shuffled = cross_validation([identities[i] for i in order], [classes[i] for i in order], folds, seed)
    for fold, other in zip(split(study), shuffled, strict=True):
        assert [identities[i] for i in fold.train] == [identities[order[i]] for i in other.train]
        assert {identities[i] for i in fold.test} == {identities[order[i]] for i in other.test}


@given(studies())
def test_different_seed_gives_a_different_order(study: tuple[list[str], list[int], int, int]) -> None:
    identities, classes, folds, seed = study
    other = cross_validation(identities, classes, folds, seed + 1)
    assert any(a.train.tolist() != b.train.tolist() for a, b in zip(split(study), other, strict=True))


def test_fewer_than_three_folds_are_rejected() -> None:
    with pytest.raises(InputError, match="at least 3"):
        cross_validation(["a", "b"], [0, 1], 2, 0)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_round_robin_takes_one_of_each_group_in_turn(sizes: list[int]) -> None:
    assume(any(sizes))
    groups = [np.arange(size) + 100 * i for i, size in enumerate(sizes)]
    turns = [value % 100 for value in round_robin(groups)]
    assert turns == sorted(turns)
    assert len(turns) == sum(sizes)


@given(st.integers(1, 6), st.integers(0, 5))
def test_balanced_sample_draws_equally_from_classes_and_from_labels_in_turn(size: int, seed: int) -> None:
    strata = ["lymphocyte"] * 8 + ["monocyte"] * 6 + ["erythroblast"] * 6
    classes = [1] * 8 + [0] * 12
    chosen = balanced_sample([str(i) for i in range(20)], classes, strata, size, seed)
    picked = [strata[i] for i in chosen]
    assert picked.count("lymphocyte") == size
    assert abs(picked.count("monocyte") - picked.count("erythroblast")) <= 1
    assert len(picked) == 2 * size


def test_sample_larger_than_a_class_names_every_class_that_is_too_small() -> None:
    with pytest.raises(InputError) as caught:
        balanced_sample(["a", "b", "c"], [0, 0, 1], ["x", "y", "z"], 3, 0)
    assert caught.value.offenders == ("x + y: 2 images", "z: 1 image")
