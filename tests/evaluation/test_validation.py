"""From predictions to the record of a validation, and its page."""

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytocurve.core.answers import Freshness, LeftOut, Validation
from cytocurve.core.statistics.metrics import METRICS, score
from cytocurve.core.statistics.proportions import wilson
from cytocurve.evaluation.validation import Judged, validation
from cytocurve.report.context import LookedAt
from cytocurve.report.validation import looks, ordinal, remarks, render, study_score
from cytocurve.stores.tracking.experiments import ARM
from cytocurve.stores.tracking.registry import CORRECTED, OUT_OF_FOLD, Version

STUDY = {metric: {"mean": 0.9, "ci_low": 0.8, "ci_high": 0.95} for metric in METRICS}
TAGS = {ARM: "sequential-none-folder", OUT_OF_FOLD: json.dumps(STUDY), CORRECTED: "null"}
BINARY = ("negative", "positive")
FEW = 40
"""Resamples: intervals are tested with their statistics."""


def judged(
    classes: tuple[str, ...] = BINARY, patients: bool = True, tags: dict[str, str] = TAGS, of: int = 3
) -> Judged:
    names = [classes[number % of] if number % of < len(classes) else classes[0] for number in range(60)]
    table = pd.DataFrame({"image": [f"cell{number:02d}" for number in range(60)], "label": names, "class": names})
    table["patient"] = pd.Series([f"P{number % 7}" if patients else None for number in range(60)], dtype="object")
    table["pixel_sha256"] = [f"{number:064x}" for number in range(60)]
    return Judged(Version("toy", 3, ("challenger",), (), tags), "other", "expert", False, classes, table)


def predicted(classes: int = 2) -> Any:
    return np.random.default_rng(0).dirichlet(np.ones(classes), 60)


def found(**changes: Any) -> Validation:
    its = judged(**changes)
    return validation(its, predicted(len(its.classes)), [], [], None, FEW)


@pytest.mark.parametrize("classes", [BINARY, ("a", "b", "c")])
def test_scores_are_those_of_the_metrics_and_counts_add_up(classes: tuple[str, ...]) -> None:
    its, result = judged(classes), found(classes=classes)
    labels = np.array([classes.index(name) for name in its.images["class"]])
    scores = score(labels, predicted(len(classes)))
    assert {name: its.value for name, its in result.scores.items()} == pytest.approx(scores, abs=1e-6)
    assert sum(map(sum, result.confusion)) == result.images == sum(row.images for row in result.by_class) == 60
    assert result.errors == 60 - sum(result.confusion[n][n] for n in range(len(classes)))
    for number, row in enumerate(result.by_class):
        assert row.sensitivity.value == pytest.approx(result.confusion[number][number] / row.images, abs=1e-6)
    assert sum(its.images for its in result.bins) == 60


def test_worst_errors_are_wrong_and_come_most_confident_first() -> None:
    result = found()
    assert all(wrong.predicted != wrong.class_name for wrong in result.worst)
    probabilities = [wrong.probability or 0 for wrong in result.worst]
    assert probabilities == sorted(probabilities, reverse=True)


def test_difference_is_here_minus_the_study() -> None:
    result = found()
    here, apart = result.scores["accuracy"].value, result.differences["accuracy"].value
    assert apart == pytest.approx((here or 0) - 0.9, abs=1e-6)
    assert not result.corrected


def test_study_score_is_the_one_corrected_for_the_choice_if_there_is_one() -> None:
    corrected = {"mean": 0.7, "ci_low": 0.6, "ci_high": 0.8}
    result = found(tags={**TAGS, CORRECTED: json.dumps(corrected)})
    assert result.corrected
    assert (result.study["roc_auc"].value, result.study["f1"].value) == (0.7, 0.9)


def test_version_without_the_studys_scores_has_no_difference() -> None:
    result = found(tags={ARM: "a"})
    assert (result.study, result.differences) == ({}, {})


def test_missing_class_leaves_no_difference_and_is_said() -> None:
    result = found(classes=("a", "b", "c"), of=2)
    assert result.differences == {}
    assert "no image of c" in result.notes[0]
    assert result.by_class[2].sensitivity.value is None


def test_unknown_patients_are_said_and_images_count_instead() -> None:
    result = found(patients=False)
    assert (result.patients, result.without_patient) == (None, 60)
    assert "over images" in remarks(result)[0]
    assert result.scores["accuracy"].ci_low is not None


def with_patients(negative: int, positive: int, **changes: Any) -> Validation:
    """A validation on 60 images, 40 negative, of so many patients, none of whom has images of both classes."""
    its = judged(**changes)
    of_class = {"negative": negative, "positive": positive}
    patients = [f"{name} {number % of_class[name]}" for number, name in enumerate(its.images["class"])]
    return validation(replace(its, images=its.images.assign(patient=patients)), predicted(), [], [], None, FEW)


def test_few_patients_of_a_class_give_no_interval_and_are_said() -> None:
    result = with_patients(9, 4)
    assert all((its.ci_low, its.ci_high) == (None, None) for its in result.scores.values())
    assert all((its.ci_low, its.ci_high) == (None, None) for its in result.differences.values())
    assert result.brier.ci_low is None
    negative, positive = result.by_class
    assert negative.sensitivity.ci_low is not None
    assert positive.sensitivity.ci_low is None
    sentence = "4 patients of positive: too few for an interval. An interval takes at least 5 patients of each class."
    assert result.notes == (sentence,)
    assert sentence in remarks(result)
    assert sentence in render(result, {wrong.image: "data:," for wrong in result.worst}, [])


def test_five_patients_of_each_class_give_intervals() -> None:
    result = with_patients(5, 5)
    assert all(its.ci_low is not None for its in result.scores.values())
    assert result.notes == ()


def test_rare_class_of_several_leaves_intervals_of_scores_over_images() -> None:
    its = judged(("a", "b", "c"))
    patients = [f"{name} {number % (4 if name == 'c' else 10)}" for number, name in enumerate(its.images["class"])]
    rare = replace(its, images=its.images.assign(patient=patients))
    result = validation(rare, predicted(3), [], [], None, FEW)
    known = {metric for metric, its in result.scores.items() if its.ci_low is not None}
    assert known == {"accuracy", "f1_weighted"}
    assert [row.sensitivity.ci_low is not None for row in result.by_class] == [True, True, False]
    assert (
        "Intervals of a class and of averages over classes take at least 5 patients of each class." in result.notes[0]
    )


def test_intervals_of_reliability_bins_are_over_patients() -> None:
    """They are those of as many patients of equal size, which is wider than if images were independent."""
    by_patient, by_image = with_patients(5, 5), found(patients=False)
    for one, other in zip(by_patient.bins, by_image.bins, strict=True):
        assert one.images == other.images
        if one.images and one.observed is not None:
            images = wilson(one.observed, one.images)
            assert (other.observed_low, other.observed_high) == pytest.approx(images, abs=1e-5)
            assert (one.observed_high or 0) - (one.observed_low or 0) >= images[1] - images[0] - 1e-5
    assert any(
        (one.observed_low or 0) < (other.observed_low or 0)
        for one, other in zip(by_patient.bins, by_image.bins, strict=True)
    )


def test_data_hash_depends_on_pixels_and_classes_alone() -> None:
    its = judged()
    shuffled = replace(its, images=its.images.sample(frac=1, random_state=0).assign(image=its.images["image"]))
    other = replace(its, images=its.images.assign(**{"class": np.roll(its.images["class"], 1)}))
    one, two, three = (validation(each, predicted(), [], [], None, FEW).data for each in (its, shuffled, other))
    assert one == two != three


def test_scores_of_the_study_that_are_not_corrected_for_the_choice_are_marked() -> None:
    result = found(tags={**TAGS, CORRECTED: json.dumps({"mean": 0.7, "ci_low": 0.6, "ci_high": 0.8})})
    marks = {metric: study_score(result, metric).endswith("*") for metric in result.study}
    assert marks == {metric: metric != result.metric for metric in result.study}
    assert len(marks) > 1
    assert "those marked * are not" in " ".join(remarks(result))
    pictures = dict.fromkeys((wrong.image for wrong in result.worst), "data:image/jpeg;base64,AAAA")
    assert f"<td>{study_score(result, 'f1')}</td>" in render(result, pictures, [])
    assert not study_score(found(), "f1").endswith("*")
    assert "*" not in " ".join(remarks(found()))


def fresh(look: int, other: int = 0, seen: int = 0, runs: int = 0, used: int = 0) -> Validation:
    its = Freshness(look=look, other_looks=other, images_seen_then=seen, runs_using=runs, images_used=used)
    return validation(replace(judged(), holdout=True), predicted(), [], [], its, FEW)


def test_looks_are_counted_and_a_new_draw_is_not_called_fresh() -> None:
    assert looks(fresh(3)) == ["3rd look at this holdout"]
    _, again = looks(fresh(1, other=2, seen=12))
    assert "12 of its 60 images were part of 2 looks at another draw" in again
    _, used = looks(fresh(1, runs=8, used=30))
    assert "30 of its 60 images were used by 8 finished runs" in used


def test_ordinals_are_english() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th",
    ]  # fmt: skip


def test_page_shows_errors_reasons_and_looks_and_escapes_them() -> None:
    its = judged()
    images = its.images.assign(image="<b>" + its.images["image"])
    left = [LeftOut("labeled '<i>', which is no class of the task", {"<u>x": ""})]
    result = validation(
        replace(its, images=images, holdout=True), predicted(), left, ["A note."], fresh(2).freshness, FEW
    )
    pictures = {wrong.image: "data:image/jpeg;base64,AAAA" for wrong in result.worst}
    page = render(result, pictures, [LookedAt("2026-01-02", 3, 0.5, "<script>")])
    assert not re.search(r"<(b|i|u|script)>", page)
    assert "default-src 'none'" in page
    assert page.count("data:image/jpeg") == len(result.worst) == 24
    for text in ("2nd look at this holdout", "A note.", "2026-01-02", "1 image labeled", result.data):
        assert text in page
