"""Only names that differ in nothing but spelling are grouped."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve import datasets
from cytocurve.core.data.spelling import canonical, same_files, spellings, without_zeros
from cytocurve.core.data.taxonomy import CELL_TYPES, MATEK

NAMES = st.text(st.characters(codec="utf-8"), max_size=8) | st.text("aAß0019. éÉ\u0301ſ", max_size=8)


@given(NAMES)
def test_canonical_is_its_own_key(name: str) -> None:
    assert canonical(canonical(name)) == canonical(name)


@given(NAMES, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_canonical_ignores_the_unicode_form(name: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> None:
    assert canonical(unicodedata.normalize(form, name)) == canonical(name)


@given(NAMES)
def test_canonical_ignores_case_and_surrounding_whitespace(name: str) -> None:
    assert canonical(f" {name}\t") == canonical(name) == canonical(name.casefold())


@given(st.integers(0, 10**6), st.integers(1, 9), st.sampled_from(["", "P", "patient "]))
def test_canonical_ignores_leading_zeros(number: int, width: int, prefix: str) -> None:
    assert canonical(f"{prefix}{number:0{width}}") == canonical(f"{prefix}{number}")


@given(st.lists(NAMES, max_size=8))
def test_spellings_are_disjoint_groups_of_given_names(names: list[str]) -> None:
    result = spellings(names)
    assert result == spellings(reversed(names))
    members = [name for group in result for name in group]
    assert len(members) == len(set(members))
    assert set(members) == {
        name for name in names if any(name != other and canonical(name) == canonical(other) for other in names)
    }


@pytest.mark.parametrize("names", [("P1", "P11"), ("1.05", "1.5"), ("0", ""), ("a b", "ab"), ("a_1", "a-1")])
def test_spellings_keep_different_names_apart(names: tuple[str, str]) -> None:
    assert spellings(names) == []


@pytest.mark.parametrize(
    "names", [("001", "1"), ("Blast", "blast"), ("P 7", "P  07"), ("größe", "gro\u0308ße"), ("１", "1"), ("00", "0")]
)
def test_spellings_group_variants_of_one_name(names: tuple[str, str]) -> None:
    assert spellings(names) == [tuple(sorted(names))]


def test_spellings_keep_all_classes_of_the_known_datasets_apart() -> None:
    for name in datasets.names():
        assert spellings(datasets.load(name).classes or ()) == []
    assert spellings(CELL_TYPES) == spellings(MATEK) == []


@pytest.mark.parametrize(
    "names",
    [
        ("a/Cell1.png", "a/cell1.PNG"),
        ("A/cell1.png", "a/cell1.png"),
        ("a/gro\u0308ße.png", "a/größe.png"),
        ("a/cell  1.png", "a/cell 1.png"),
        ("a/cell1 .png", "a/cell1.png"),
        ("a / cell1.png", "a/cell1.png"),
    ],
)
def test_paths_that_case_blanks_or_unicode_forms_tell_apart_are_one(names: tuple[str, str]) -> None:
    (line,) = same_files([*names, "a/other.png"])
    assert line.endswith("are one name in several spellings; rename or remove all but one")


@pytest.mark.parametrize(
    "names", [("a/cell1.png", "a/cell01.png"), ("a/cell1.png", "a/cell1.jpg"), ("cell 1.png", "cell1.png")]
)
def test_paths_that_zeros_suffixes_or_inner_blanks_tell_apart_are_two(names: tuple[str, str]) -> None:
    assert same_files(names) == []


def test_names_that_look_alike_are_written_out() -> None:
    assert same_files(["\xf6.png", "o\u0308.png"])[0].startswith(r"'o\u0308.png' and '\xf6.png' are")
    assert same_files(["Ö.png", "ö.png"])[0].startswith("'Ö.png' and 'ö.png' are")


def test_zeros_alone_do_not_count_for_without_zeros() -> None:
    assert spellings(["a/cell01.png", "a/Cell1.png", "a/1.05.png", "a/1.5.png"], without_zeros) == [
        ("a/Cell1.png", "a/cell01.png")
    ]
