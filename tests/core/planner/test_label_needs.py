"""The labels that a training size takes, from a split."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.planner.labels import LabelNeeds


def split_of(validation: int = 4, train: int = 12, folds: int = 2) -> pd.DataFrame:
    """Folds of two classes in turn; every image belongs to one of them."""
    rows = [
        {"fold": fold, "subset": subset, "rank": rank, "image": f"{subset}{rank}", "label": "ab"[rank % 2]}
        for fold in range(folds)
        for subset, number in (("validation", validation), ("train", train), ("test", 4))
        for rank in range(number)
    ]
    return pd.DataFrame(rows)


def patients_of(split: pd.DataFrame) -> dict[str, str]:
    """Two images of a subset in a row are from the same patient."""
    return {name: f"{name.rstrip('0123456789')}{int(name.lstrip('abdeilnorstv')) // 2}" for name in split["image"]}


def test_training_size_takes_its_images_and_those_to_validate() -> None:
    found = LabelNeeds.of(split_of(), patients_of(split_of())).at(6)
    assert (found.training, found.validation, found.total) == (6, 4, 10)
    assert found.classes == {"a": 5, "b": 5}
    assert found.patients == 5


def test_beyond_the_study_classes_and_patients_grow_in_proportion() -> None:
    found = LabelNeeds.of(split_of(), patients_of(split_of())).at(60)
    assert found.classes == {"a": 32, "b": 32}
    assert found.patients == 32


def test_patients_are_known_only_if_every_image_has_one() -> None:
    split = split_of()
    known = patients_of(split)
    known.pop("train3")
    assert LabelNeeds.of(split, known).at(6).patients is None


def test_without_a_split_only_the_numbers_are_known() -> None:
    found = LabelNeeds(24.6).at(100)
    assert (found.total, found.classes, found.patients) == (125, {}, None)


@given(st.integers(1, 500), st.integers(1, 9), st.integers(1, 30))
def test_classes_of_all_labels_sum_to_their_number(size: int, validation: int, train: int) -> None:
    found = LabelNeeds.of(split_of(validation, train), {}).at(size)
    assert sum(found.classes.values()) == found.total == size + validation
