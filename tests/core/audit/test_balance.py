"""Only training sizes for which a class has too few images are reported."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.audit.balance import finding, unbalanced_sizes
from cytocurve.core.data.splits import cross_validation


def split_of(light: int, dark: int, folds: int = 3) -> pd.DataFrame:
    """The training part of a split of this many images of two classes."""
    classes = [0] * light + [1] * dark
    drawn = cross_validation([f"pixels {i}" for i in range(light + dark)], classes, folds, 0)
    rows = [
        {"fold": number, "subset": "train", "rank": rank, "label": ("light", "dark")[classes[image]]}
        for number, fold in enumerate(drawn)
        for rank, image in enumerate(fold.train.tolist())
    ]
    return pd.DataFrame(rows)


def test_sizes_beyond_the_rare_class_are_unbalanced() -> None:
    result = unbalanced_sizes(split_of(154, 6), [4, 8, 16, 48])
    assert [(size.size, size.folds, dict(size.classes)) for size in result] == [
        (8, 3, {"dark": 2, "light": 6}),
        (16, 3, {"dark": 2, "light": 14}),
        (48, 3, {"dark": 2, "light": 46}),
    ]
    reported = finding(result, "expert")
    assert reported.severity == "warning"
    assert "8 (2 dark + 6 light), 16 (2 dark + 14 light)" in reported.sentence
    assert len(reported.offenders) == 3


@given(st.integers(6, 30), st.integers(6, 30), st.integers(2, 20))
def test_unbalanced_sizes_differ_by_more_than_one_image_and_a_tenth_and_balanced_ones_do_not(
    light: int, dark: int, size: int
) -> None:
    split = split_of(light, dark)
    counts = split[split["rank"] < size].groupby(["fold", "label"]).size().unstack(fill_value=0)
    apart = ((counts["light"] - counts["dark"]).abs() > 1) & (counts.min(axis=1) < 0.9 * counts.max(axis=1))
    result = unbalanced_sizes(split, [size])
    assert bool(result) == bool(apart.any())
    assert not result or result[0].folds == apart.sum()
