"""The record of the looks at a holdout."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.study.looks import Look, looks_at, read_looks, recorded_look, shortened


def look(number: int = 0, seen: tuple[str, ...] = ("a", "b")) -> Look:
    return Look(
        date="2026-01-02",
        reason=f"reason {number}\u2028of two",
        model="toy-blast",
        version=1,
        commit=None,
        labels="expert",
        data="ab" * 32,
        metric="roc_auc",
        score=0.5,
        seen=seen,
    )


def record_look(project: ProjectPaths, its: Look) -> list[Look]:
    """A look whose scores were shown."""
    with recorded_look(project, its) as earlier:
        return earlier


def test_look_that_showed_nothing_is_completed_by_the_same_one_only(tmp_path: Path) -> None:
    project, later = ProjectPaths(tmp_path), {"date": "2026-01-03", "commit": "abc+dirty"}
    with pytest.raises(OSError, match="no space"), recorded_look(project, look(1)):
        raise OSError("no space")
    assert read_looks(project) == [look(1)], "recorded before anything could be shown"
    assert record_look(project, look(1).model_copy(update=later)) == []
    assert read_looks(project) == [look(1)]
    assert record_look(project, look(1)) == [look(1)], "now it was shown"
    with pytest.raises(OSError, match="no space"), recorded_look(project, look(2)):
        raise OSError("no space")
    assert len(record_look(project, look(3))) == 3
    assert len(record_look(project, look(2))) == 4


def test_look_that_was_not_even_recorded_is_recorded_by_the_same_one(tmp_path: Path) -> None:
    project = ProjectPaths(tmp_path)
    record_look(project, look())
    project.unfinished_look.write_text(f"2\n{look().model_dump_json()}\n")
    assert record_look(project, look()) == [look()]
    assert len(read_looks(project)) == 2


def test_record_of_looks_loses_none_of_many_at_the_same_time(tmp_path: Path) -> None:
    project = ProjectPaths(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        earlier = list(pool.map(lambda number: len(record_look(project, look(number))), range(16)))
    assert sorted(earlier) == list(range(16))
    assert {its.reason for its in read_looks(project)} == {look(number).reason for number in range(16)}


def test_record_of_looks_keeps_what_is_there_byte_for_byte(tmp_path: Path) -> None:
    project = ProjectPaths(tmp_path)
    record_look(project, look(1))
    line = project.looks.read_text().rstrip().removesuffix("}") + ', "of_a_later_version": 1}'
    project.looks.write_text(line)
    record_look(project, look(2))
    assert project.looks.read_text().startswith(f"{line}\n")
    assert len(read_looks(project)) == 2


@pytest.mark.parametrize("text", ["not json\n", "{}\n", '{"date": 1}\n', "\n"])
def test_record_of_looks_that_is_damaged_is_refused_with_the_line_and_left_alone(tmp_path: Path, text: str) -> None:
    project = ProjectPaths(tmp_path)
    record_look(project, look())
    project.looks.write_text(project.looks.read_text() + text)
    before = project.looks.read_bytes()
    with pytest.raises(InputError, match=r"(?s)line 2 is not a recorded look.*git checkout holdout\.jsonl"):
        record_look(project, look())
    assert project.looks.read_bytes() == before


def test_looks_at_other_draws_are_told_from_looks_at_these_images() -> None:
    looks = [look(seen=("a", "b", "c")), look(seen=("a", "b")), look(seen=("b", "x")), look(seen=("y",))]
    assert looks_at(looks, ("a", "b")) == (2, 1, 1)
    assert looks_at([], ("a", "b")) == (0, 0, 0)


def test_images_are_recorded_by_the_first_digits_of_their_identity_sorted() -> None:
    assert shortened(["b" * 64, "a" * 64]) == ("a" * 16, "b" * 16)
