"""Images that a model must not be judged by."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.data.overlap import ALIKE, PATIENT, SAME, overlap

Row = tuple[int, int, int]


def table(rows: list[Row], prefix: str) -> pd.DataFrame:
    """Rows of pixels, group of near-identical pictures, and patient; patient 0 is unknown."""
    return pd.DataFrame(
        {
            "image": [f"{prefix}{number}" for number in range(len(rows))],
            "pixel_sha256": [f"{pixels}" for pixels, _, _ in rows],
            "like": [like for _, like, _ in rows],
            "patient": pd.Series([f"P{patient}" if patient else None for _, _, patient in rows], dtype="object"),
        }
    )


some = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


@given(some, some, st.booleans())
def test_images_that_are_left_share_nothing_with_those_seen(new: list[Row], old: list[Row], own: bool) -> None:
    images, seen = table(new, "new"), table(old, "old")
    found = overlap(images, seen, own)
    left = images[~images["image"].isin(found)]
    for column in ("pixel_sha256", "like", *(["patient"] if own else [])):
        assert set(left[column].dropna()).isdisjoint(seen[column].dropna())


@given(some, some, st.booleans())
def test_images_that_are_excluded_share_what_is_said(new: list[Row], old: list[Row], own: bool) -> None:
    images, seen = table(new, "new").set_index("image"), table(old, "old").set_index("image")
    columns = {SAME: "pixel_sha256", ALIKE: "like", PATIENT: "patient"}
    for image, (reason, other) in overlap(images.reset_index(), seen.reset_index(), own).items():
        theirs = other if reason == PATIENT else str(seen.loc[other, columns[reason]])
        assert str(images.loc[image, columns[reason]]) == theirs
        assert own or reason != PATIENT


def test_patients_of_another_dataset_may_have_the_same_number() -> None:
    images, seen = table([(1, 1, 7)], "new"), table([(2, 2, 7)], "old")
    assert overlap(images, seen, same_dataset=False) == {}
    assert overlap(images, seen, same_dataset=True) == {"new0": (PATIENT, "P7")}


@pytest.mark.parametrize("empty", ["images", "seen"])
def test_overlap_with_nothing_is_nothing(empty: str) -> None:
    row = table([(1, 1, 1)], "x")
    images, seen = (row.iloc[:0], row) if empty == "images" else (row, row.iloc[:0])
    assert overlap(images, seen, same_dataset=True) == {}
