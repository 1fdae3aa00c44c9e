"""The checks of the audit: each reports its offenders and nothing else."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cytocurve.core.audit import leakage
from cytocurve.core.audit.checks import Audit, audit
from cytocurve.core.audit.finding import AT_MOST, SEVERITIES, Finding
from cytocurve.core.audit.shortcuts import FEATURES, shortcuts, standard_error
from cytocurve.core.audit.sizes import sizes
from cytocurve.core.data.splits import Fold, cross_validation, grouped_cross_validation, joined
from cytocurve.study.dataset import COLUMNS

FOLDS = 3


def catalog(**changes: Sequence[Any]) -> pd.DataFrame:
    """Thirty clean images of two classes and six patients, both classes per patient, with these columns replaced."""
    count = 30
    plain: Mapping[str, Sequence[Any]] = {
        "image": [f"cell{i:02d}.png" for i in range(count)],
        "sha256": [f"bytes {i}" for i in range(count)],
        "pixel_sha256": [f"pixels {i}" for i in range(count)],
        "patient": [f"P{i // 5}" for i in range(count)],
        "width": [24] * count,
        "height": [24] * count,
        "format": ["PNG"] * count,
        "labels": [("dark", "light")[i % 2] for i in range(count)],
    }
    colors = {column: [100.0] * count for column in COLUMNS if "red" in column or "green" in column or "blue" in column}
    frame = pd.DataFrame({**plain, **colors, **changes}).reindex(columns=[*COLUMNS, "labels"])
    nothing = ("duplicate_of", "near_duplicate_of", "fold", "withdrawn")
    return frame.assign(**{c: frame[c].astype("object").where(frame[c].notna(), None) for c in nothing})


def changed(column: str, frame: pd.DataFrame, values: Mapping[int, Any]) -> pd.DataFrame:
    """The catalog with some values of a column replaced, by row."""
    copy = frame.copy()
    copy[column] = copy[column].astype("object")
    for row, value in values.items():
        copy.loc[row, column] = value
    return copy


def by_patient(frame: pd.DataFrame) -> pd.DataFrame:
    """A split that keeps patients and near-identical images together and excludes withdrawn images."""
    here = frame[frame["withdrawn"].isna() & frame["labels"].notna()].reset_index(drop=True)
    classes = (here["labels"] == "light").astype(int).tolist()
    near = here["near_duplicate_of"].fillna(here["image"]).tolist()
    groups = joined(here["image"].tolist(), here["patient"].fillna("").tolist(), here["pixel_sha256"].tolist(), near)
    return table(here, grouped_cross_validation(here["image"].tolist(), classes, groups, FOLDS, 0))


def by_image(frame: pd.DataFrame) -> pd.DataFrame:
    """A split that ignores patients and duplicates."""
    classes = (frame["labels"] == "light").astype(int).tolist()
    return table(frame, cross_validation(frame["image"].tolist(), classes, FOLDS, 0))


def table(frame: pd.DataFrame, folds: Sequence[Fold]) -> pd.DataFrame:
    rows = [
        {"fold": number, "subset": subset, "image": frame["image"][row], "label": frame["labels"][row]}
        for number, fold in enumerate(folds)
        for subset in ("train", "validation", "test")
        for row in getattr(fold, subset)
    ]
    return pd.DataFrame(rows)


def audited(frame: pd.DataFrame, split: pd.DataFrame | None = None, official: bool = False) -> Audit:
    return audit(frame, {"labels": by_patient(frame) if split is None else split}, FOLDS, official)


def only(result: Audit) -> Finding:
    """The only finding."""
    assert len(result.findings) == 1, [finding.id for finding in result.findings]
    return result.findings[0]


def test_clean_images_split_by_patient_have_no_findings() -> None:
    result = audited(catalog())
    assert result.findings == []
    assert result.as_json["counts"] == dict.fromkeys(SEVERITIES, 0)
    assert ("patient-leak", "labels") in result.passed


def test_each_group_of_duplicates_is_reported_once_as_the_strictest_kind() -> None:
    frame = changed("sha256", catalog(), {10: "bytes 0"})
    frame = changed("pixel_sha256", frame, {10: "pixels 0", 12: "pixels 2"})
    frame = changed("near_duplicate_of", frame, {10: "cell00.png", 12: "cell02.png", 14: "cell04.png"})
    frame = changed("patient", frame, dict.fromkeys(range(30), "P")).assign(patient=None)
    result = {finding.id: finding for finding in audited(frame).findings}
    for name, images in (
        ("byte-identical", ["cell00.png", "cell10.png"]),
        ("pixel-identical", ["cell02.png", "cell12.png"]),
        ("near-identical", ["cell04.png", "cell14.png"]),
    ):
        assert result[name].severity == "duplicate"
        assert result[name].offenders == [{"images": images}]
        assert dict(result[name].numbers) == {"groups": 1, "images": 2, "surplus": 1}


def test_duplicates_with_different_labels_are_reported_with_their_labels() -> None:
    frame = changed("near_duplicate_of", catalog(), {1: "cell00.png", 3: "cell02.png"})
    frame = changed("pixel_sha256", frame, {3: "pixels 2"})
    (conflict,) = audited(frame).of("conflicting-labels")
    assert (conflict.severity, conflict.labels) == ("warning", "labels")
    assert conflict.offenders == [
        {"images": ["cell00.png", "cell01.png"], "labels": ["dark", "light"], "alike": "near-identical"},
        {"images": ["cell02.png", "cell03.png"], "labels": ["dark", "light"], "alike": "same pixels"},
    ]
    assert not audited(changed("labels", frame, {1: "dark", 3: None})).of("conflicting-labels")


def test_split_by_image_leaks_every_patient_and_lists_images_of_both_sides() -> None:
    frame = catalog()
    leak = only(audited(frame, by_image(frame)))
    assert (leak.id, leak.severity) == ("patient-leak", "leakage")
    assert leak.numbers["groups"] == 6
    patients = dict(zip(frame["image"], frame["patient"], strict=True))
    for offender in leak.offenders:
        sides = [offender[side] for side in ("train", "validation", "test") if side in offender]
        assert len(sides) > 1
        for images in sides:
            assert isinstance(images, list)
            assert {patients[str(image)] for image in images} == {offender["patient"]}


@settings(max_examples=25)
@given(st.lists(st.integers(0, 9), min_size=30, max_size=30), st.integers(0, 5))
def test_leak_of_a_split_matches_a_manual_count(owners: list[int], seed: int) -> None:
    """Count patients in several subsets of a fold, and test images whose patient is in the training set, using sets."""
    frame = catalog(patient=[f"P{owner}" for owner in owners])
    classes = (frame["labels"] == "light").astype(int).tolist()
    folds = cross_validation(frame["image"].tolist(), classes, FOLDS, seed)
    torn, exposed = set(), 0
    for fold in folds:
        train, validation, test = ({owners[i] for i in rows} for rows in (fold.train, fold.validation, fold.test))
        torn |= (train & validation) | (train & test) | (validation & test)
        exposed += sum(owners[i] in train for i in fold.test)
    grouping = next(leakage.groupings(frame))
    leak = leakage.across_subsets(table(frame, folds), grouping, "labels")
    assert {offender["patient"] for offender in leak.offenders} == {f"P{owner}" for owner in torn}
    assert leak.numbers["test_images"] == exposed


@pytest.mark.slow
@settings(max_examples=25)
@given(st.lists(st.integers(0, 8), min_size=30, max_size=30))
def test_split_that_keeps_patients_and_duplicates_together_never_leaks(near: list[int]) -> None:
    assume(len(set(near)) >= FOLDS)
    first = {number: near.index(number) for number in near}
    others = [None if first[n] == i else f"cell{first[n]:02d}.png" for i, n in enumerate(near)]
    frame = catalog(near_duplicate_of=others, patient=[None] * 30)
    assert audited(frame).leaks == []


def test_identical_and_near_identical_images_in_training_and_test_are_leakage() -> None:
    frame = changed("pixel_sha256", catalog(patient=[None] * 30), {3: "pixels 1"})
    frame = changed("near_duplicate_of", frame, {3: "cell01.png", 7: "cell05.png"})
    split = by_image(catalog())
    far = split.assign(
        fold=0, subset=["test" if i in ("cell01.png", "cell05.png") else "train" for i in split["image"]]
    )
    result = {finding.id: finding for finding in audited(frame, far.drop_duplicates("image")).leaks}
    assert result.keys() == {"picture-leak", "near-identical-leak"}
    for name, test, train in (
        ("picture-leak", "cell01.png", "cell03.png"),
        ("near-identical-leak", "cell05.png", "cell07.png"),
    ):
        assert result[name].offenders == [{"folds": [0], "example_fold": 0, "train": [train], "test": [test]}]
        assert result[name].numbers["test_images"] == 1


@pytest.mark.parametrize(("used", "severity"), [(True, "leakage"), (False, "warning")])
def test_official_folds_that_share_a_patient_or_image_leak_if_used(used: bool, severity: str) -> None:
    frame = catalog(fold=[f"fold_{i // 10}" for i in range(30)])
    assert audited(frame, official=used).findings == []
    frame = changed("patient", frame, {29: "P0"})
    frame = changed("pixel_sha256", frame, {12: "pixels 2"})
    frame = changed("near_duplicate_of", frame, {12: "cell02.png"})
    result = audited(frame, official=used)
    (patient,) = result.of("official-folds-patient-leak")
    (picture,) = result.of("official-folds-picture-leak")
    assert patient.severity == picture.severity == severity
    assert patient.offenders[0]["patient"] == "P0"
    assert picture.offenders == [{"folds": ["fold_0", "fold_1"], "images": ["cell02.png", "cell12.png"]}]


def test_image_of_two_patients_is_reported_with_both() -> None:
    frame = changed("near_duplicate_of", catalog(), {28: "cell00.png"})
    (shared,) = audited(frame).of("picture-of-two-patients")
    assert shared.offenders == [{"patients": ["P0", "P5"], "images": ["cell00.png", "cell28.png"]}]


def test_class_with_fewer_images_or_patients_than_folds_is_reported() -> None:
    frame = catalog(labels=["rare"] * 2 + [("dark", "light")[i % 2] for i in range(28)], patient=[None] * 30)
    (small,) = audited(frame, by_image(frame)).of("small-classes")
    assert small.offenders == [{"class": "rare", "images": 2, "patients": 0}]
    frame = catalog(labels=["dark"] * 10 + ["light"] * 20)
    (small,) = audited(frame, by_image(frame)).of("small-classes")
    assert small.offenders == [{"class": "dark", "images": 10, "patients": 2}]


def test_patients_with_one_class_are_counted() -> None:
    frame = catalog(labels=["dark"] * 7 + ["light"] * 23, patient=[f"P{i // 5}" for i in range(29)] + ["alone"])
    (alike,) = audited(frame, by_image(frame)).of("one-class-patients")
    assert [offender["patient"] for offender in alike.offenders] == ["P0", "P2", "P3", "P4", "P5"]
    assert alike.numbers == {
        "patients": 5, "of": 6, "share": 0.8333, "images": 24, "share_of_images": 0.8, "patients_with_one_image": 1,
    }  # fmt: skip


def test_unknown_patients_are_reported_and_checks_that_need_patients_do_not_pass() -> None:
    result = audited(catalog(patient=[None] * 30))
    unknown = only(result)
    assert (unknown.id, unknown.numbers["images"]) == ("without-patient", 30)
    assert not {"patient-leak", "picture-of-two-patients", "one-class-patients"} & {name for name, _ in result.passed}


def test_withdrawn_records_are_noted_and_remaining_copies_are_listed() -> None:
    frame = changed("withdrawn", catalog(), {0: "consent withdrawn", 1: "smudge"})
    gone = only(audited(frame))
    assert (gone.id, gone.severity, gone.numbers["still_there"]) == ("withdrawn", "note", 0)
    gone = only(audited(changed("pixel_sha256", frame, {2: "pixels 0"})))
    assert gone.severity == "warning"
    assert gone.offenders[0] == {
        "image": "cell00.png", "reason": "consent withdrawn", "still there as": ["cell02.png"],
    }  # fmt: skip


def test_json_limits_the_offenders_and_gives_their_total() -> None:
    offenders = [{"image": str(number)} for number in range(AT_MOST + 1)]
    value = Finding("x", "note", "Some.", {}, offenders).as_json
    assert (len(value["offenders"]), value["offenders_in_all"]) == (AT_MOST, AT_MOST + 1)


def some(count: int, classes: int = 2, **changes: Sequence[Any]) -> pd.DataFrame:
    """Images for the shortcut check: classes alternate, and all other columns are constant."""
    plain: dict[str, Sequence[Any]] = {column: [1.0] * count for columns in FEATURES.values() for column in columns}
    return pd.DataFrame({**plain, "class": [f"class {i % classes}" for i in range(count)], **changes})


def test_constant_features_are_not_shortcuts() -> None:
    for result in shortcuts(some(97, 3)):
        assert result.macro.roc_auc == result.worst.roc_auc == 0.5
        assert not result.above_chance


def test_feature_that_reveals_one_class_is_listed_first_with_that_class() -> None:
    width = [30.0 if i % 3 == 1 else 24.0 for i in range(90)]
    first, *others = shortcuts(some(90, 3, width=width))
    assert (first.feature, first.worst_class, first.worst.roc_auc) == ("image size", "class 1", 1.0)
    assert first.worst.above_chance
    assert not any(other.above_chance for other in others)


def test_file_formats_are_a_feature() -> None:
    first = shortcuts(some(60, format=[("JPEG", "BMP")[i % 2] for i in range(60)]))[0]
    assert (first.feature, first.macro.roc_auc) == ("file format", 1.0)


def test_too_few_images_are_never_above_chance_and_small_classes_are_excluded() -> None:
    assert shortcuts(some(8)) == []
    few = shortcuts(some(10, width=[1.0, 2.0] * 5))
    assert not any(result.above_chance and result.macro.roc_auc < 1 for result in few)


@pytest.mark.slow
def test_noise_is_rarely_above_chance() -> None:
    """Over sixty datasets of noise, false positives stay near the five percent that the interval allows."""
    rng = np.random.default_rng(0)
    above = 0
    for _ in range(60):
        noise = {column: rng.normal(size=60).tolist() for column in FEATURES["background"]}
        result = next(s for s in shortcuts(some(60, 2, **noise)) if s.feature == "background")
        above += result.above_chance
    assert above <= 6


@given(st.floats(0.5, 1), st.integers(1, 500), st.integers(1, 500))
def test_standard_error_is_finite_and_equals_mann_whitney_at_one_half(auc: float, one: int, other: int) -> None:
    """At 0.5, the formula of Hanley & McNeil is the variance of the U statistic without ties."""
    assert standard_error(auc, one, other) >= 0
    null = math.sqrt((one + other + 1) / (12 * one * other))
    assert standard_error(0.5, one, other) == pytest.approx(null)


def test_standard_error_is_exact_for_exponential_scores() -> None:
    """It agrees with the spread of many simulated ROC-AUCs computed pair by pair."""
    rng = np.random.default_rng(0)
    positive, negative = rng.exponential(3, (4000, 20, 1)), rng.exponential(1, (4000, 1, 30))
    simulated = (positive > negative).mean(axis=(1, 2))
    assert simulated.mean() == pytest.approx(0.75, abs=0.01)
    assert standard_error(0.75, 20, 30) == pytest.approx(simulated.std(), rel=0.03)


def test_image_size_with_other_class_shares_is_reported_and_a_rare_size_is_not() -> None:
    width = [24] * 100 + [30] * 20 + [31] * 2
    classes = ["a", "b"] * 50 + ["a"] * 20 + ["b"] * 2
    result = sizes(pd.DataFrame({"width": width, "height": 24, "class": classes}))
    assert [(size.size, size.images, size.different) for size in result] == [
        ("24x24", 100, False), ("30x24", 20, True), ("31x24", 2, False),
    ]  # fmt: skip
    assert result[1].classes == {"a": 20, "b": 0}


def test_patients_in_several_spellings_are_reported_and_count_as_leakage() -> None:
    frame = catalog(patient=[str(i // 5) if i % 2 else f"0{i // 5}" for i in range(30)])
    result = audit(frame, {"labels": by_image(frame)}, FOLDS, False)
    (names,) = result.of("spelling")
    assert names.severity == "warning"
    assert names.offenders[0] == {"what": "patient", "spellings": ["0", "00"], "images": 5}
    (leak,) = result.of("patient-spelling-leak")
    assert leak.severity == "leakage"


def test_consistently_spelled_patients_pass() -> None:
    frame = catalog()
    assert ("spelling", None) in audit(frame, {"labels": by_image(frame)}, FOLDS, False).passed


def test_image_names_that_differ_in_leading_zeros_are_a_warning() -> None:
    frame = catalog()
    assert ("image-names", None) in audit(frame, {"labels": by_image(frame)}, FOLDS, False).passed
    frame = changed("image", frame, {3: "cell7.png", 9: "cell007.png"})
    (found,) = audit(frame, {"labels": by_image(frame)}, FOLDS, False).of("image-names")
    assert (found.severity, found.labels) == ("warning", None)
    assert found.offenders == [{"images": ["cell007.png", "cell07.png", "cell7.png"]}]
    assert found.sentence.startswith("3 images in 1 group have names that differ only in leading zeros.")
