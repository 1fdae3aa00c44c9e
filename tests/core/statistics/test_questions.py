"""Binary questions answered by a multiclass arm."""

import math

import numpy as np
import pytest

from cytocurve.core.data.taxonomy import MATEK, Task, named_task, stated_task
from cytocurve.core.statistics.metrics import METRICS, score
from cytocurve.core.statistics.predictions import Predictions
from cytocurve.core.statistics.questions import asked, questions, scores
from tests.core.statistics.prediction_makers import random_predictions, rows


def multiclass(labels: list[str]) -> Task:
    """The multiclass task of these labels, with enough images of each."""
    return named_task("multiclass", dict.fromkeys(labels, 100), 5)


def positive_classes(task: Task) -> dict[str, set[str]]:
    """The names of the positive classes of each question."""
    return {name: {task.classes[number] for number in np.flatnonzero(sides)} for name, sides in questions(task).items()}


def test_mateks_classes_answer_both_questions() -> None:
    """Blasts are two of them, atypical eight (promyelocytes are two), as in the paper's Results."""
    result = positive_classes(multiclass(sorted(MATEK.values())))
    assert result["blast"] == {"myeloblast", "monoblast"}
    assert result["atypical"] == {
        "myeloblast", "monoblast", "myelocyte", "metamyelocyte", "promyelocyte", "promyelocyte_bilobed", "erythroblast",
        "lymphocyte_atypical",
    }  # fmt: skip


def test_question_with_an_empty_side_is_not_asked() -> None:
    """Without a blast class, the question about blasts cannot be answered."""
    assert positive_classes(multiclass(["monocyte", "erythroblast"])) == {"atypical": {"erythroblast"}}
    assert questions(multiclass(["monocyte", "eosinophil"])) == {}


def test_class_with_labels_of_both_sides_rules_out_the_question() -> None:
    """Merged lymphocytes are typical and atypical; the blast question can still be answered."""
    counts = {"lymphocyte_atypical": 3, "lymphocyte_typical": 4, "myeloblast": 50}
    task = named_task("multiclass", counts, 5, rare="merge")
    assert task.classes == ("lymphocyte", "myeloblast")
    assert positive_classes(task) == {"blast": {"myeloblast"}}


def test_question_is_decided_by_the_labels_of_a_class_not_its_name() -> None:
    """A custom class answers the questions that its labels answer."""
    task = stated_task({"young": ["myeloblast"], "old": ["monocyte"]}, ["myeloblast", "monocyte"])
    assert positive_classes(task)["blast"] == {"young"}


def test_labels_outside_the_taxonomy_answer_no_question() -> None:
    assert questions(multiclass(["myeloblast", "monocyte", "artefact"])) == {}


def test_binary_task_answers_no_other_question() -> None:
    assert questions(named_task("blast", {"myeloblast": 9, "monocyte": 9}, 5)) == {}


def test_probability_of_a_side_is_the_sum_of_its_classes() -> None:
    """P(blast) = P(myeloblast) + P(monoblast); runs and subjects do not change."""
    predictions = Predictions.of(
        np.array([0, 2]),
        np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]),
        np.array([0, 1]),
        [0, 1],
        [0, 0],
        np.array([4, 5]),
    )
    result = asked(predictions, np.array([True, False, True]))
    assert result.probabilities == pytest.approx(np.array([[0.3, 0.7], [0.2, 0.8]]), abs=1e-12)
    assert result.labels.tolist() == [1, 1]
    assert result.subject is predictions.subject
    assert result.fold is predictions.fold


def test_answer_is_scored_like_a_task() -> None:
    """Every metric of a run is computed from its rows; a diverged run has none."""
    predictions = random_predictions(4)
    predictions.probabilities[rows(predictions, 2)] = math.nan
    result = asked(predictions, np.array([True, False, True, False]))
    by_metric = scores(result)
    assert list(by_metric) == list(METRICS)
    for run in range(result.runs):
        expected = score(result.labels[rows(result, run)], result.probabilities[rows(result, run)])
        assert {name: values[run] for name, values in by_metric.items()} == pytest.approx(expected, nan_ok=True)
    assert math.isnan(by_metric["accuracy"][2])
