"""Tasks are sets of classes."""

import re

import pytest

from cytocurve.core.data.taxonomy import CELL_TYPES, MATEK, named_task, stated_task, stated_task_name
from cytocurve.errors import InputError

COUNTS = {"lymphoblast": 9, "lymphocyte_typical": 7, "erythroblast": 4, "monocyte": 5}


def test_every_blast_is_atypical() -> None:
    """Immature precursors do not occur in healthy peripheral blood."""
    assert all(cell.atypical for cell in CELL_TYPES.values() if cell.blast)


def test_cell_type_is_listed_under_its_name() -> None:
    """The keys of the table are the names of the types."""
    assert all(name == cell.name for name, cell in CELL_TYPES.items())


@pytest.mark.parametrize(
    ("name", "positive"), [("blast", {"lymphoblast"}), ("atypical", {"lymphoblast", "erythroblast"})]
)
def test_binary_tasks_put_every_label_on_one_side(name: str, positive: set[str]) -> None:
    """All labels are included; negative is class 0, positive is class 1."""
    task = named_task(name, COUNTS, 5)
    assert task.binary
    assert task.classes == ("negative", "positive")
    assert task.members == {label: int(label in positive) for label in COUNTS}


def test_diagnosis_defines_a_blast_task() -> None:
    """Labels of a diagnosis define the blast task as ALL against healthy."""
    assert named_task("blast", {"ALL": 1, "healthy": 1}, 5).members == {"ALL": 1, "healthy": 0}


def test_multiclass_excludes_rare_labels() -> None:
    """Labels with fewer images than the minimum are excluded; classes are sorted."""
    task = named_task("multiclass", COUNTS, 5)
    assert task.classes == ("lymphoblast", "lymphocyte_typical", "monocyte")
    assert [task.members[name] for name in task.classes] == [0, 1, 2]
    assert not task.binary


def test_unknown_task_is_rejected_with_the_known_ones() -> None:
    """The error names the requested task and the available ones."""
    with pytest.raises(InputError, match=r"'blasts'(.|\n)*blast, atypical, multiclass"):
        named_task("blasts", COUNTS, 5)


def test_labels_outside_the_taxonomy_are_all_listed() -> None:
    """A named binary task needs labels in the taxonomy; all others are listed."""
    with pytest.raises(InputError) as caught:
        named_task("blast", {**COUNTS, "smudge": 3, "artefact": 1}, 5)
    assert caught.value.offenders == ("artefact", "smudge")


def test_labels_outside_the_taxonomy_can_be_stated() -> None:
    """A custom task accepts any labels that occur, and its name contains them."""
    task = stated_task({"positive": ["smudge"], "negative": ["monocyte", "lymphoblast"]}, {*COUNTS, "smudge"})
    assert task.members == {"smudge": 1, "monocyte": 0, "lymphoblast": 0}
    assert task.name == "smudge-vs-lymphoblast+monocyte"


def test_unusable_stated_labels_are_all_listed() -> None:
    """Labels that do not occur and labels on both sides are reported in one error."""
    with pytest.raises(InputError) as caught:
        stated_task({"positive": ["monocyte", "ghost"], "negative": ["monocyte", "shade"]}, COUNTS)
    assert caught.value.offenders == (
        "'ghost' occurs in no image",
        "'shade' occurs in no image",
        "'monocyte' is listed twice",
    )


@pytest.mark.parametrize("name", ["../../evil", "a/b", "it's", "c:d", "x" * 300, "ä"])
def test_task_with_odd_class_names_has_a_name_valid_in_paths_and_filters(name: str) -> None:
    made = stated_task_name({"positive": [name], "negative": ["other"]})
    assert re.fullmatch(r"[A-Za-z0-9_.+-]{1,120}", made)
    assert made != stated_task_name({"positive": [name + "!"], "negative": ["other"]})


def test_task_with_plain_class_names_is_named_after_them() -> None:
    classes = {"positive": ["lymphocyte"], "negative": ["monocyte", "erythroblast"]}
    assert stated_task_name(classes) == "lymphocyte-vs-erythroblast+monocyte"


def test_any_sets_of_classes_define_a_task() -> None:
    """Classes are sorted; the name contains the classes and a digest of their labels."""
    classes = {"myeloid": ["monocyte", "erythroblast"], "lymphoid": ["lymphocyte_typical"], "blast": ["lymphoblast"]}
    task = stated_task(classes, COUNTS)
    assert task.classes == ("blast", "lymphoid", "myeloid")
    assert task.members == {"lymphoblast": 0, "lymphocyte_typical": 1, "monocyte": 2, "erythroblast": 2}
    assert not task.binary
    assert task.name.startswith("blast-vs-lymphoid-vs-myeloid-")
    assert task.name != stated_task_name({**classes, "blast": ["monocyte"]})


def test_rare_labels_can_be_merged_into_broader_ones() -> None:
    """The rarest label is repeatedly merged into its parent; labels that remain too rare are dropped."""
    counts = {"promyelocyte_bilobed": 2, "promyelocyte": 2, "myelocyte": 3, "metamyelocyte": 9, "smudge_cell": 1}
    task = named_task("multiclass", counts, 5, "merge")
    assert task.classes == ("immature_granulocyte", "metamyelocyte")
    assert set(task.members) == counts.keys() - {"smudge_cell"}
    assert {label for label, number in task.members.items() if number == 0} == set(task.members) - {"metamyelocyte"}


def test_every_parent_is_an_equally_broad_or_broader_cell_type() -> None:
    """A merge never changes whether a cell is a blast, and never leaves the taxonomy."""
    for cell in CELL_TYPES.values():
        if cell.parent:
            assert CELL_TYPES[cell.parent].blast == cell.blast


def test_mateks_codes_name_cell_types() -> None:
    assert set(MATEK.values()) <= set(CELL_TYPES)
    assert len(set(MATEK.values())) == len(MATEK) == 15
