"""Laws of the holdout: what ``split`` locks away, and that nothing else of the study reads it."""

import hashlib
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from cytocurve.config import Params
from cytocurve.core.data.assignment import locked_away, split_versions, without_holdout
from cytocurve.core.data.splits import holdout
from cytocurve.errors import InputError
from cytocurve.study.design import split_settings
from tests.projects import SMALL

Study = tuple[list[int], list[str]]
shares = st.floats(0.05, 0.5)
seeds = st.integers(0, 9)


@st.composite
def studies(draw: st.DrawFn, of_one_class: bool = False) -> Study:
    """Classes and groups of images; a group may have several classes."""
    classes = draw(st.lists(st.integers(0, 2), min_size=1, max_size=60))
    groups = [f"{draw(st.integers(0, 9))}{f' of {number}' if of_one_class else ''}" for number in classes]
    return classes, groups


def params(**changes: Any) -> Params:
    return Params(**{**SMALL, "folds": 3, "sizes": [2], **changes})


@st.composite
def catalogs(draw: st.DrawFn) -> pd.DataFrame:
    """Images of several patients, some unknown; some have the pixels of another, and some resemble another."""
    count = draw(st.integers(30, 60))
    first = [draw(st.integers(0, number)) if draw(st.integers(0, 5)) == 0 else number for number in range(count)]
    first = [first[first[number]] if first[first[number]] == first[number] else number for number in range(count)]
    copies = [draw(st.booleans()) for _ in range(count)]
    frame = pd.DataFrame({"image": [f"cell{number:03d}" for number in range(count)]})
    pixels = [first[number] if copies[number] else number for number in range(count)]
    frame["pixel_sha256"] = [hashlib.sha256(f"{number}".encode()).hexdigest() for number in pixels]
    frame["near_duplicate_of"] = pd.Series(
        [f"cell{one:03d}" if one != number else None for number, one in enumerate(first)], dtype="str"
    )
    frame["duplicate_of"] = pd.Series(
        [f"cell{one:03d}" if one != number else None for number, one in enumerate(pixels)], dtype="str"
    )
    frame["patient"] = pd.Series(
        [f"P{number}" if (number := draw(st.integers(0, 20))) else None for _ in range(count)], dtype="str"
    )
    for column in ("fold", "unlabelled_in", "withdrawn"):
        frame[column] = pd.Series([None] * count, dtype="str")
    frame["folder"] = pd.Series([draw(st.sampled_from(["dark", "light", "other"])) for _ in range(count)], dtype="str")
    return frame


@given(studies(), shares, seeds)
def test_holdout_never_tears_a_group(study: Study, share: float, seed: int) -> None:
    classes, groups = study
    taken = set(holdout(classes, groups, share, seed).tolist())
    inside = {groups[index] for index in taken}
    assert inside.isdisjoint(groups[index] for index in range(len(groups)) if index not in taken)


@given(studies(), shares, seeds)
def test_holdout_of_single_images_has_the_share_of_every_class_to_half_an_image(
    study: Study, share: float, seed: int
) -> None:
    classes, _ = study
    taken = Counter(np.array(classes)[holdout(classes, [f"{n}" for n in range(len(classes))], share, seed)].tolist())
    for number, count in Counter(classes).items():
        assert abs(taken[number] - share * count) <= 0.5 + 1e-9


@given(studies(of_one_class=True), shares, seeds)
def test_holdout_of_groups_has_the_share_of_every_class_to_half_its_largest_group(
    study: Study, share: float, seed: int
) -> None:
    classes, groups = study
    taken = Counter(np.array(classes)[holdout(classes, groups, share, seed)].tolist())
    for number, count in Counter(classes).items():
        largest = max(Counter(g for g, c in zip(groups, classes, strict=True) if c == number).values())
        assert abs(taken[number] - share * count) <= largest / 2 + 1e-9


@given(studies(), shares, seeds, st.randoms(use_true_random=False))
def test_holdout_does_not_depend_on_the_order_of_the_images(study: Study, share: float, seed: int, random: Any) -> None:
    classes, groups = study
    order = list(range(len(classes)))
    random.shuffle(order)
    there = {groups[index] for index in holdout(classes, groups, share, seed)}
    shuffled = holdout([classes[i] for i in order], [groups[i] for i in order], share, seed)
    assert {groups[order[index]] for index in shuffled} == there


def test_holdout_depends_on_the_seed() -> None:
    drawn = {tuple(holdout([0, 1] * 20, [f"{n}" for n in range(40)], 0.2, seed)) for seed in range(10)}
    assert len(drawn) == 10


@settings(max_examples=40)
@given(catalogs(), shares, seeds, st.sampled_from(["drop", "group"]))
def test_holdout_is_disjoint_from_all_folds_by_image_pixels_likeness_and_patient(
    frame: pd.DataFrame, share: float, seed: int, duplicates: str
) -> None:
    rules = params(holdout=share, split_seed=seed, duplicates=duplicates)
    try:
        locked, tables = locked_away(frame, rules), split_versions(frame, rules)
    except InputError:  # a class with too few images
        reject()
    used = frame[frame["image"].isin(tables["folder"]["image"])].assign(like=frame["near_duplicate_of"])
    locked = locked.assign(like=locked["near_duplicate_of"])
    for rows in (used, locked):
        rows["like"] = rows["like"].fillna(rows["image"])
    for column in ("image", "pixel_sha256", "like", "patient"):
        assert set(used[column].dropna()).isdisjoint(locked[column].dropna()), column
    assert locked["image"].tolist() == locked_away(frame.sample(frac=1, random_state=0), rules)["image"].tolist()


@settings(max_examples=25)
@given(catalogs(), seeds)
def test_split_without_a_holdout_is_what_it_was_before_there_was_one(frame: pd.DataFrame, seed: int) -> None:
    none, zero = params(split_seed=seed), params(split_seed=seed, holdout=0)
    assert without_holdout(frame, none) is frame
    assert split_settings(none) == split_settings(zero)
    assert "holdout" not in split_settings(none)


@settings(max_examples=25)
@given(catalogs(), st.integers(0, 29))
def test_holdout_keeps_its_other_images_when_one_is_withdrawn(frame: pd.DataFrame, gone: int) -> None:
    rules = params(holdout=0.3)
    without = frame.assign(withdrawn=frame["withdrawn"].where(frame.index != gone, "wish"))
    try:
        before, after = locked_away(frame, rules), locked_away(without, rules)
    except InputError:  # a class without images
        reject()
    assert before["image"].tolist() == after["image"].tolist()


def test_holdout_without_an_image_of_a_class_is_refused_with_the_class() -> None:
    frame = pd.DataFrame({"image": [f"cell{number:02d}" for number in range(40)]})
    frame["pixel_sha256"], frame["patient"] = frame["image"], [f"P{number % 2}" for number in range(40)]
    for column in ("duplicate_of", "near_duplicate_of", "fold", "unlabelled_in", "withdrawn"):
        frame[column] = pd.Series([None] * 40, dtype="str")
    frame["folder"] = ["dark" if number % 2 else "light" for number in range(40)]
    with pytest.raises(InputError, match=r"with a share of 0\.1") as caught:
        locked_away(frame, params(holdout=0.1))
    assert caught.value.offenders == ("negative", "positive")


@pytest.mark.parametrize("value", [-0.1, 0.51, float("nan"), "0.2", True])
def test_holdout_is_a_share_up_to_a_half(value: object) -> None:
    with pytest.raises(ValueError, match="holdout"):
        params(holdout=value)
