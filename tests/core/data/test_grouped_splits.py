"""Properties of splits that keep groups together, and of official folds."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.data.splits import by_whole_groups, cross_validation, grouped_cross_validation, joined, predefined
from cytocurve.errors import InputError

Cells = tuple[list[str], list[int], list[str]]


@st.composite
def cells(draw: st.DrawFn) -> Cells:
    """Identities, classes, and patients of one class or of several."""
    count = draw(st.integers(15, 60))
    classes = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    patients = [f"patient {draw(st.integers(0, 12))}" for _ in range(count - 6)] + [f"only {i}" for i in range(6)]
    return [f"image {i}" for i in range(count)], classes, patients


@given(cells(), st.integers(3, 6), st.integers(0, 5))
def test_group_is_never_split_across_folds(study: Cells, folds: int, seed: int) -> None:
    """All images of a patient are tested, validated or trained on together; every image is tested once."""
    groups = np.array(study[2])
    made = grouped_cross_validation(*study, folds, seed)
    assert sorted(np.concatenate([fold.test for fold in made]).tolist()) == list(range(len(groups)))
    for fold in made:
        subsets = [set(groups[fold.test]), set(groups[fold.validation]), set(groups[fold.train])]
        assert sum(map(len, subsets)) == len(set.union(*subsets))


@given(cells(), st.integers(0, 5))
def test_groups_of_one_image_are_stratified_like_images(study: Cells, seed: int) -> None:
    """Without groups, the greedy assignment is even to within one image of each class."""
    identities, classes, _ = study
    made = grouped_cross_validation(identities, classes, identities, 3, seed)
    for number in set(classes):
        counts = [int((np.array(classes)[fold.test] == number).sum()) for fold in made]
        assert max(counts) - min(counts) <= 1


def test_many_patients_of_unequal_size_are_distributed_evenly() -> None:
    """With 60 single-class patients, each of five folds has a fifth of each class, within ten percent."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 12, 60)
    patients = [f"p{i}" for i, size in enumerate(sizes) for _ in range(size)]
    classes = [i % 2 for i, size in enumerate(sizes) for _ in range(size)]
    made = grouped_cross_validation([f"{i}" for i in range(len(classes))], classes, patients, 5, 0)
    shares = np.array([[np.mean(np.array(classes)[fold.test] == c) * len(fold.test) for c in (0, 1)] for fold in made])
    assert (np.abs(shares / shares.sum(axis=0) - 0.2) < 0.02).all()


@given(cells(), st.integers(0, 5))
def test_grouped_split_does_not_depend_on_image_order(study: Cells, seed: int) -> None:
    identities = study[0]
    order = np.random.default_rng(seed).permutation(len(identities))
    mixed = [[values[i] for i in order] for values in study]
    others = grouped_cross_validation(mixed[0], mixed[1], mixed[2], 3, seed)
    for fold, other in zip(grouped_cross_validation(*study, 3, seed), others, strict=True):
        assert [identities[i] for i in fold.train] == [identities[order[i]] for i in other.train]


@pytest.mark.parametrize("folds", [2, 5])
def test_too_few_groups_or_folds_are_rejected_with_the_counts(folds: int) -> None:
    with pytest.raises(InputError, match=f"4 groups.*{folds}"):
        grouped_cross_validation(list("abcdef"), [0, 1] * 3, list("ppqqrs"), folds, 0)


@given(cells(), st.integers(0, 5))
def test_official_folds_are_tested_in_name_order(study: Cells, seed: int) -> None:
    identities, classes, _ = study
    given_folds = [f"fold_{i % 3}" for i in range(len(identities))]
    for number, fold in enumerate(predefined(identities, classes, given_folds, seed)):
        assert {given_folds[i] for i in fold.test} == {f"fold_{number}"}
        assert {given_folds[i] for i in fold.validation} == {f"fold_{(number + 1) % 3}"}
        assert {given_folds[i] for i in fold.train} == {f"fold_{(number + 2) % 3}"}


def test_two_official_folds_are_rejected() -> None:
    with pytest.raises(InputError, match="test, train"):
        predefined(["a", "b"], [0, 1], ["train", "test"], 0)


@given(cells(), st.integers(0, 5))
def test_prefix_by_patients_contains_whole_patients_and_at_most_one_partial(study: Cells, seed: int) -> None:
    identities, classes, patients = study
    for fold in cross_validation(identities, classes, 3, seed):
        order = by_whole_groups(fold.train, classes, patients)
        assert sorted(order.tolist()) == sorted(fold.train.tolist())
        runs = [patients[i] for i in order]
        assert sum(a != b for a, b in pairwise(runs)) == len(set(runs)) - 1


def test_next_patient_is_of_the_class_with_the_fewest_images() -> None:
    """Three large healthy patients do not come before the small patients with the disease."""
    patients = ["H1"] * 5 + ["H2"] * 5 + ["A1"] * 2 + ["A2"] * 2 + ["A3"] * 2
    classes = [0] * 10 + [1] * 6
    order = by_whole_groups(np.arange(16), classes, patients)
    assert [patients[i] for i in order] == ["H1"] * 5 + ["A1"] * 2 + ["A2"] * 2 + ["A3"] * 2 + ["H2"] * 5


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=1, max_size=20), st.data())
def test_joined_groups_are_connected_components(first: list[str], data: st.DataObject) -> None:
    """Two images share a group if and only if a chain of common names connects them."""
    second = data.draw(st.lists(st.sampled_from(["", "x", "y"]), min_size=len(first), max_size=len(first)))
    groups = joined([f"{i:02}" for i in range(len(first))], first, second)
    reach = {i: {i} for i in range(len(first))}
    for _ in first:
        for i in reach:
            for j in reach:
                if any((a and a == b) for a, b in ((first[i], first[j]), (second[i], second[j]))):
                    reach[i] |= reach[j]
    for i in reach:
        for j in reach:
            assert (groups[i] == groups[j]) == (j in reach[i])
        assert groups[i] == f"{min(reach[i]):02}"
