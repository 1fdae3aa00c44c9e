"""The part of an unfinished study that is shown has runs of every size in every arm."""

from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.coverage import shown_part


def test_shown_part_is_that_of_the_arm_with_most_sizes() -> None:
    finished = {"a": [200, 100, 50], "b": [200, 100], "c": [200, 100, 50, 50], "d": []}
    assert shown_part(finished) == (["a", "c"], [50, 100, 200])


def test_shown_part_is_empty_without_runs() -> None:
    assert shown_part({"a": [], "b": []}) == ([], [])
    assert shown_part({}) == ([], [])


@given(st.dictionaries(st.sampled_from("abcd"), st.lists(st.sampled_from([10, 20, 50]))))
def test_shown_part_has_every_size_in_every_arm(finished: dict[str, list[int]]) -> None:
    arms, sizes = shown_part(finished)
    assert all(set(sizes) <= set(finished[arm]) for arm in arms)
    assert bool(arms) == any(finished.values())
