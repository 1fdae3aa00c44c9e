"""Parts of messages."""

import pytest

from cytocurve.text import check_known, counted, did_you_mean, first_few


@pytest.mark.parametrize(("given", "end"), [("basophill", "; did you mean 'basophil'?"), ("xyz", "")])
def test_did_you_mean_suggests_only_a_close_name(given: str, end: str) -> None:
    assert did_you_mean(given, ["basophil", "monocyte"]) == end


def test_check_known_has_a_line_for_each_unknown_name_in_order() -> None:
    assert check_known("arm", ["c", "a", "zz"], ["a", "b"]) == ["arm 'c' is unknown", "arm 'zz' is unknown"]


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [(0, ("image",), "0 images"), (1, ("class", "classes"), "1 class"), (1241, ("class", "classes"), "1,241 classes")],
)
def test_counted_agrees_in_number(number: int, noun: tuple[str, ...], words: str) -> None:
    assert counted(number, *noun) == words


@pytest.mark.parametrize(("items", "text"), [([], ""), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b, …")])
def test_first_few_cuts_a_long_list(items: list[str], text: str) -> None:
    assert first_few(items, 2) == text
