"""Parts of messages."""

import pytest

from cytocurve.text import by_reason, check_known, counted, did_you_mean, first_few, some, some_lines


@pytest.mark.parametrize(("given", "end"), [("basophill", "; did you mean 'basophil'?"), ("xyz", "")])
def test_did_you_mean_suggests_only_a_close_name(given: str, end: str) -> None:
    assert did_you_mean(given, ["basophil", "monocyte"]) == end


def test_check_known_has_a_line_for_each_unknown_name_in_order() -> None:
    assert check_known("arm", ["c", "a", "zz"], ["a", "b"]) == ["arm 'c' is unknown", "arm 'zz' is unknown"]


@pytest.mark.parametrize(
    ("number", "noun", "expected"),
    [(0, ("image",), "0 images"), (1, ("class", "classes"), "1 class"), (1241, ("class", "classes"), "1,241 classes")],
)
def test_counted_agrees_in_number(number: int, noun: tuple[str, ...], expected: str) -> None:
    assert counted(number, *noun) == expected


@pytest.mark.parametrize(("items", "text"), [([], ""), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b, …")])
def test_first_few_cuts_a_long_list(items: list[str], text: str) -> None:
    assert first_few(items, 2) == text


def test_truncated_list_ends_with_the_number_of_omitted_names() -> None:
    assert some(["a", "b"], 2) == "a, b"
    assert some(list("abcd"), 2) == "a, b and 2 more"
    assert some_lines(list("abcd"), 2) == ["a", "b", "and 2 more"]
    assert some_lines([], 2) == []


def test_reasons_are_grouped_and_a_single_file_comes_first() -> None:
    """What follows a colon in a reason varies with the file, so the group shows it only if it is the same for all."""
    reasons = {"a": "hidden file", "b": "damaged: x", "c": "damaged: y", "d": "not data: z", "e": "not data: z"}
    assert by_reason(reasons) == ["a: hidden file", "2 files: damaged: b, c", "2 files: not data: z: d, e"]


def test_reasons_of_many_files_take_at_most_ten_lines() -> None:
    assert len(by_reason({str(n): f"reason {n}" for n in range(30)})) == 11
    (line,) = by_reason({str(n): "hidden file" for n in range(30)})
    assert line.endswith("9 and 20 more")
