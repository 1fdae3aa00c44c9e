"""All label versions of a study share images, folds and order, so that relabeling is a paired comparison."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from cytocurve.config import Params
from cytocurve.core.data.assignment import split_versions
from cytocurve.errors import InputError
from cytocurve.workflows.stages.split import Excluded, left_out
from tests.projects import SMALL, cytocurve, write_params, write_toy

TASK = {"positive": ["dark"], "negative": ["light"]}
SHARED = ["fold", "subset", "rank", "image", "pixel_sha256"]


def params(versions: list[str], **changes: Any) -> Params:
    return Params(**{**SMALL, "labels": versions, "task": TASK, "folds": 3, "sizes": [2], **changes})


def catalog(withdrawn: frozenset[int] = frozenset(), **versions: list[str]) -> pd.DataFrame:
    """A catalog of as many images as a version has labels, an empty one being none."""
    number = range(len(next(iter(versions.values()))))
    frame = pd.DataFrame({"image": [f"cell{n:03d}" for n in number]})
    frame["pixel_sha256"] = [hashlib.sha256(name.encode()).hexdigest() for name in frame["image"]]
    for column in ("duplicate_of", "near_duplicate_of", "fold", "unlabelled_in"):
        frame[column] = pd.Series([None] * len(frame), dtype="str")
    frame["patient"] = [f"P{n % 7}" for n in number]
    frame["withdrawn"] = pd.Series(["wish" if n in withdrawn else None for n in number], dtype="str")
    for version, its in versions.items():
        frame[version] = pd.Series([label or None for label in its], dtype="str")
    return frame


def half(size: int = 30) -> list[str]:
    return ["dark" if n % 2 else "light" for n in range(size)]


def flipped(version: list[str], places: set[int]) -> list[str]:
    other = {"dark": "light", "light": "dark", "": ""}
    return [other[label] if n in places else label for n, label in enumerate(version)]


def without(version: list[str], places: set[int]) -> list[str]:
    return ["" if n in places else label for n, label in enumerate(version)]


few = st.sets(st.integers(0, 29), max_size=5)


@pytest.mark.slow
@settings(max_examples=40)
@given(few, few, few, st.sampled_from(["stratified", "patient"]), st.sampled_from(["images", "patients"]))
def test_versions_differ_only_in_labels_and_classes(
    changed: set[int], unlabelled: set[int], missing: set[int], split: str, grow_by: str
) -> None:
    """Images, folds, subsets and ranks are the same, and each image has its label of each version."""
    first = without(half(), missing)
    frame = catalog(a=first, b=without(flipped(half(), changed), unlabelled))
    try:
        tables = split_versions(frame, params(["a", "b"], split=split, grow_by=grow_by))
    except InputError:  # a fold without one of the classes
        reject()
    assert tables["a"][SHARED].equals(tables["b"][SHARED])
    assert set(tables["a"]["image"]) == set(frame["image"][frame[["a", "b"]].notna().all(axis=1)])
    names = {"light": ("negative", 0), "dark": ("positive", 1)}
    for version, table in tables.items():
        its = dict(zip(frame["image"], frame[version], strict=True))
        for image, label, number in zip(table["image"], table["label"], table["class"], strict=True):
            assert (label, number) == names[its[image]]


@pytest.mark.slow
@settings(max_examples=20)
@given(few, few)
def test_first_version_is_drawn_as_if_alone_with_these_images(changed: set[int], unlabelled: set[int]) -> None:
    """A second version of the same images changes nothing, so that no finished run is trained again."""
    second = without(flipped(half(), changed), unlabelled)
    try:
        both = split_versions(catalog(a=half(), b=second), params(["a", "b"]))
    except InputError:  # a fold without one of the classes
        reject()
    alone = split_versions(catalog(a=without(half(), unlabelled)), params(["a"]))
    assert both["a"].to_parquet(index=False) == alone["a"].to_parquet(index=False)


@pytest.mark.slow
@settings(max_examples=20)
@given(st.lists(st.sampled_from(["dark", "light", ""]), min_size=30, max_size=40), few)
def test_every_labeled_image_is_used_or_excluded_with_a_reason(first: list[str], unlabelled: set[int]) -> None:
    """The images of the split and those left out are all that the version labels."""
    frame = catalog(a=first, b=without(["dark" if n % 2 else "light" for n in range(len(first))], unlabelled))
    study = params(["a", "b"])
    try:
        tables = split_versions(frame, study)
    except InputError:  # a fold without one of the classes
        reject()
    for version, counts in left_out(frame, study).items():
        assert tables[version]["image"].nunique() + counts.images == frame[version].notna().sum()
        assert sum(counts.unlabelled_in.values()) == counts.images
        assert counts.outside_task_in == {}


def test_single_version_is_split_as_before() -> None:
    """Runs are addressed by their images in order: this digest may never change."""
    frame = catalog(withdrawn=frozenset({4, 9}), a=without(half(60), {3, 30, 31}))
    study = params(["a"], folds=5)
    content = split_versions(frame, study)["a"].to_csv(index=False, lineterminator="\n").encode()
    assert hashlib.sha256(content).hexdigest() == "01503b3bf801b2815d337f1b54c0e3923173c5a619e5b17bf4ceca71ad6fee72"
    assert left_out(frame, study) == {"a": Excluded(0, {}, {})}


def test_withdrawn_image_needs_no_label_of_a_later_version() -> None:
    """It keeps its place in the draw by the first version, and the others keep theirs."""
    second = without(flipped(half(), {1, 8}), {5, 12})
    gone = split_versions(catalog(withdrawn=frozenset({5, 12}), a=half(), b=second), params(["a", "b"]))
    alone = split_versions(catalog(withdrawn=frozenset({5, 12}), a=half()), params(["a"]))
    assert gone["a"].equals(alone["a"])
    assert gone["b"][SHARED].equals(gone["a"][SHARED])
    assert gone["b"]["class"].dtype == gone["a"]["class"].dtype


def test_class_of_only_one_version_can_be_stated() -> None:
    """A custom task accepts any label of one of the study's versions; other labels are unknown."""
    second = half()
    second[3] = "very dark"
    frame = catalog(a=half(), b=second)
    task = {"positive": ["dark", "very dark"], "negative": ["light"]}
    tables = split_versions(frame, params(["a", "b"], task=task))
    assert tables["a"]["class"].equals(tables["b"]["class"])
    with pytest.raises(InputError, match="'darkest' occurs in no image"):
        split_versions(frame, params(["a", "b"], task={**task, "positive": ["darkest"]}))


def test_class_that_is_rare_on_the_shared_images_is_dropped_from_all_versions() -> None:
    """Multiclass counts the included images; excluded labels are reported with version and reason."""
    first = ["dark"] * 12 + ["light"] * 12 + ["gray"] * 6
    second = without(first, {24, 25})
    frame = catalog(a=first, b=second)
    study = params(["a", "b"], task="multiclass", min_class_size=5)
    tables = split_versions(frame, study)
    for table in tables.values():
        assert set(table["label"]) == {"dark", "light"}
        assert table["image"].nunique() == 24
    assert left_out(frame, study) == {
        "a": Excluded(6, {"b": 2}, {"a": 6, "b": 4}),
        "b": Excluded(4, {}, {"a": 4, "b": 4}),
    }


def test_sample_is_balanced_by_the_first_version() -> None:
    """Nine images of each of its classes, the same ones in the other."""
    frame = catalog(a=half(), b=flipped(half(), {2, 5, 6}))
    tables = split_versions(frame, params(["a", "b"], sample_per_class=9))
    tested = tables["a"][tables["a"]["subset"] == "test"]
    assert tested["label"].value_counts().to_dict() == {"negative": 9, "positive": 9}
    assert tables["b"][SHARED].equals(tables["a"][SHARED])


def test_test_fold_without_a_class_of_another_version_is_named() -> None:
    """Folds are stratified by the first version; if they do not fit another one, all such folds are reported."""
    frame = catalog(a=half(12), b=flipped(half(12), set(range(12))))
    tested = split_versions(frame, params(["a"]))["a"].query("subset == 'test' and fold == 1")["image"]
    second = ["light" if name in set(tested) else label for name, label in zip(frame["image"], frame["a"], strict=True)]
    frame = catalog(a=half(12), b=second)
    with pytest.raises(InputError) as caught:
        split_versions(frame, params(["a", "b"]))
    assert caught.value.offenders == ("b: fold 1: no positive",)


def test_versions_missing_from_the_catalog_are_all_named() -> None:
    """One message for all of them."""
    with pytest.raises(InputError) as caught:
        split_versions(catalog(a=half()), params(["a", "b", "c"]))
    assert caught.value.offenders == ("'b'", "'c'")


@pytest.mark.slow
def test_command_line_writes_the_shared_split_and_reports_exclusions(tmp_path: Path) -> None:
    """Both files hold the same images in the same order; --json has the reasons."""
    write_params(tmp_path, labels=["folder", "second"])
    write_toy(tmp_path / "data/toy")
    table = pd.read_csv(tmp_path / "data/toy/labels/folder.csv")
    table.loc[[0, 30], "label"] = ["light", ""]
    table.to_csv(tmp_path / "data/toy/labels/second.csv", index=False)
    assert cytocurve(tmp_path, "catalog").returncode == 0
    done = cytocurve(tmp_path, "split", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["folder"]["left_out"] == {"images": 1, "unlabelled_in": {"second": 1}, "outside_task_in": {}}
    assert figures["second"]["left_out"]["images"] == 0
    assert (figures["folder"]["images"], figures["second"]["images"]) == (39, 39)
    tables = [pd.read_parquet(tmp_path / f"build/split/{name}.parquet") for name in ("folder", "second")]
    assert tables[0][SHARED].equals(tables[1][SHARED])
    assert (tables[0]["label"] != tables[1]["label"]).groupby(tables[0]["image"]).any().sum() == 1
