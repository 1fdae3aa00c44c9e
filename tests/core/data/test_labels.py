"""All problems of label tables are reported together."""

from collections.abc import Sequence

import pandas as pd
import pytest

from cytocurve.core.data import labels

IMAGES = ("a.png", "b.png", "c.png")
KNOWN = frozenset({"lymphocyte", "monocyte"})


def table(rows: Sequence[Sequence[str]], columns: str = "image label") -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split(), dtype="str")


def good() -> pd.DataFrame:
    return table([("a.png", "monocyte"), ("b.png", "lymphocyte"), ("c.png", "")])


def test_valid_tables_have_no_problems() -> None:
    """One row per image and known or empty labels: no problems."""
    assert labels.problems(IMAGES, {"expert": good(), "second": good()}, KNOWN) == []


def test_open_classes_accept_any_label() -> None:
    """If a dataset has open classes, no label is unknown."""
    assert labels.problems(("a.png",), {"expert": table([("a.png", "anything")])}, None) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([*good().to_numpy()[:2]], ["expert: c.png: an image without a row"]),
        ([*good().to_numpy(), ("d.png", "monocyte")], ["expert: d.png: a row for an image that does not exist"]),
        ([*good().to_numpy(), ("", "monocyte")], ["expert: (empty): a row for an image that does not exist"]),
        ([*good().to_numpy(), ("a.png", "monocyte")], ["expert: a.png: 2 rows for one image"]),
        (
            [("a.png", "monocite"), ("b.png", "lymphocyte"), ("c.png", "Q")],
            [
                "expert: a.png: unknown class 'monocite'; did you mean 'monocyte'?",
                "expert: c.png: unknown class 'Q'",
            ],
        ),
        ([("a.png", ""), ("b.png", ""), ("c.png", "")], ["expert: no image has a label"]),
    ],
)
def test_invalid_row_is_named(rows: list[tuple[str, str]], expected: list[str]) -> None:
    """Each problem of a row is one line with the table, the image and the problem."""
    assert labels.problems(IMAGES, {"expert": table(rows)}, KNOWN) == expected


def test_missing_and_repeated_columns_are_named_with_the_present_ones() -> None:
    """A table with missing columns is reported with its columns, and the other tables are still checked."""
    lines = labels.problems(
        IMAGES, {"one": table([], "image;label"), "two": table([], "image label label"), "three": table([])}, KNOWN
    )
    assert lines[:3] == [
        "one: column 'image' is missing; the columns are: image;label",
        "one: column 'label' is missing; the columns are: image;label",
        "two: column 'label' occurs twice; the columns are: image, label, label",
    ]
    assert [line for line in lines if line.startswith("three: ")] == lines[3:]


def test_invisible_whitespace_is_named() -> None:
    """Trailing whitespace in a label would create a separate class."""
    lines = labels.problems(("a.png",), {"expert": table([("a.png", "dark ")])}, None)
    assert lines == ["expert: a.png: label 'dark ' begins or ends with whitespace"]


def test_control_characters_are_named() -> None:
    """A carriage return in a label would corrupt the table it is written to."""
    lines = labels.problems(("a.png",), {"expert": table([("a.png", "da\rrk")])}, None)
    assert lines == ["expert: a.png: label 'da\\rrk' has control characters"]


def test_patients_that_differ_between_versions_are_named() -> None:
    """Each image has one patient; a version without a patient does not contradict another version."""
    columns = "image label patient"
    tables = {
        "first": table([("a.png", "monocyte", "P1"), ("b.png", "monocyte", "P2")], columns),
        "second": table([("a.png", "monocyte", "P3"), ("b.png", "monocyte", "")], columns),
    }
    assert labels.problems(("a.png", "b.png"), tables, KNOWN) == [
        "a.png: one image with several patients: 'P1' in first, 'P3' in second"
    ]
    assert labels.known("patient", [tables["second"]]) == {"a.png": "P3"}


def test_all_problems_of_all_tables_are_reported_together() -> None:
    """Five problems in two tables are reported on five lines."""
    tables = {
        "one": table([("a.png", "Q"), ("a.png", "Q"), ("b.png", "monocyte")]),
        "two": table([("a.png", ""), ("b.png", ""), ("c.png", ""), ("d.png", "")]),
    }
    lines = labels.problems(IMAGES, tables, KNOWN)
    assert len(lines) == 6
    assert sum("Q" in line for line in lines) == 2


def test_csv_fields_stay_strings() -> None:
    """``NA``, numbers and empty fields are read literally."""
    frame = labels.parse('image,label,patient\r\n"a,1.png",NA,007\r\n\r\nb.png,,\r\n')
    assert frame.to_dict("list") == {"image": ["a,1.png", "b.png"], "label": ["NA", ""], "patient": ["007", ""]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\na.png,x\nb.png\nc.png,x,y\n", "2 fields of the first one; there are 1 in line 3, 3 in line 4"),
        ('image,label\na.png,"x\n', "line 2: unexpected end of data"),
        ("image;label\na.png;0,5\n", "separated by ';': save it with commas"),
        ('"image"\t"label"\r\na.png\tx\r\n', "separated by tabs: save it with commas"),
        ("\n\nimage|label\na.png|x\n", r"separated by '\|': save it with commas"),
        ("sep=;\nimage;label\na.png;x\n", "separated by ';': save it with commas"),
        ('"image";"label, by an expert"\na.png;x\n', "separated by ';': save it with commas"),
        ("i\0m\0a\0g\0e\0,\0", "NUL characters: the file is damaged, or in UTF-16"),
    ],
)
def test_table_that_is_not_valid_csv_is_reported_with_its_lines(text: str, message: str) -> None:
    """Every line with too many or too few fields is named."""
    with pytest.raises(ValueError, match=message):
        labels.parse(text)


@pytest.mark.parametrize("first", ["sep=,\r\n", "sep=,\n", "\nsep=, \n"])
def test_a_first_line_that_states_commas_is_no_row(first: str) -> None:
    assert labels.parse(f"{first}image,label\na.png,x\n").to_dict("list") == {"image": ["a.png"], "label": ["x"]}


def test_counts_exclude_the_empty_label() -> None:
    """Unlabeled images are not counted in any class."""
    assert labels.class_counts(["b", "", "a", "b"]) == {"a": 1, "b": 2}


def test_problems_name_classes_that_differ_only_in_spelling() -> None:
    table = pd.DataFrame({"image": ["a", "b", "c"], "label": ["Blast", "blast", "normal"]})
    assert labels.problems(["a", "b", "c"], {"t": table}, None) == [
        "t: classes 'Blast' = 'blast': differ only in spelling; use one of them"
    ]


def test_problems_of_a_table_without_rows_are_its_missing_images() -> None:
    table = pd.DataFrame({"image": [], "label": []})
    assert labels.problems(["a"], {"t": table}, None)[0] == "t: a: an image without a row"


def test_aligned_names_have_the_unicode_form_of_the_images() -> None:
    table = pd.DataFrame({"image": ["o\u0308", "x"], "label": ["1", "2"]})
    assert labels.aligned(table, ["\xf6"])["image"].tolist() == ["\xf6", "x"]


def test_aligned_texts_are_composed_in_every_column_and_missing_ones_stay_missing() -> None:
    table = pd.DataFrame([["\xf6", "o\u0308", "u\u0308", None]], columns=["image", "label", "note", "note"])
    (row,) = labels.aligned(table, ["o\u0308"]).itertuples(index=False, name=None)
    assert row == ("o\u0308", "\xf6", "\xfc", None)
    assert labels.aligned(table.head(0), ["x"]).empty


def test_problems_name_the_images_that_an_unknown_name_is_spelled_like() -> None:
    table = pd.DataFrame({"image": ["a/Cell001.png", "a/cell01.png", "a/cell1.png"], "label": ["x", "y", "y"]})
    assert labels.problems(["a/cell01.png", "a/cell1.png"], {"t": table}, None) == [
        "t: a/Cell001.png: a row for an image that does not exist; spelled otherwise: 'a/cell01.png', 'a/cell1.png'"
    ]
