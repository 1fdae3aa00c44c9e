"""Labels of another dataset as classes of a study's task."""

from cytocurve.core.data.mapping import classes_of
from cytocurve.core.data.taxonomy import BINARY


def test_labels_of_a_stated_task_are_those_that_it_lists() -> None:
    task = {"positive": ["dark", "black"], "negative": ["light"]}
    found = classes_of(["black", "light", "odd"], BINARY, task, "drop")
    assert found == {"black": "positive", "light": "negative"}


def test_labels_of_a_named_task_are_those_of_the_taxonomy() -> None:
    found = classes_of(["myeloblast", "smudge_cell", "odd"], BINARY, "blast", "drop")
    assert found == {"myeloblast": "positive", "smudge_cell": "negative"}


def test_rare_labels_belong_to_the_closest_wider_class_if_the_study_merges_them() -> None:
    classes = ("immature_granulocyte", "neutrophil")
    labels = ["promyelocyte_bilobed", "neutrophil", "neutrophil_band", "monocyte"]
    assert classes_of(labels, classes, "multiclass", "drop") == {"neutrophil": "neutrophil"}
    assert classes_of(labels, classes, "multiclass", "merge") == {
        "promyelocyte_bilobed": "immature_granulocyte",
        "neutrophil": "neutrophil",
        "neutrophil_band": "neutrophil",
    }
