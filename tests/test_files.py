"""Atomic writes, and the temporary files of writers that were killed."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cytocurve.files import SCRATCH, scratch_of, write_text

WRITER = """
import sys, time
from pathlib import Path
from cytocurve.files import _claimed, scratch_of
with _claimed(scratch_of(Path(sys.argv[1]))) as file:
    print(file.name, flush=True)
    time.sleep(600)
"""


def test_name_of_a_temporary_file_tells_which_file_it_is_for(tmp_path: Path) -> None:
    match = SCRATCH.fullmatch(scratch_of(tmp_path / "a.b.csv").name)
    assert match
    assert match["name"] == "a.b.csv"


def test_write_removes_the_temporary_files_that_killed_writers_of_the_same_file_left(tmp_path: Path) -> None:
    abandoned, other = scratch_of(tmp_path / "table.csv"), scratch_of(tmp_path / "other.csv")
    for path in (abandoned, other):
        path.write_text("half")
    write_text(tmp_path / "table.csv", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, "table.csv"]


def test_write_keeps_the_temporary_file_of_a_living_writer_until_it_is_killed(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    with subprocess.Popen([sys.executable, "-c", WRITER, target], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        scratch = Path(writer.stdout.readline().strip())
        write_text(target, "whole")
        assert scratch.is_file()
        os.kill(writer.pid, signal.SIGKILL)
    write_text(target, "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_many_writers_of_one_file_at_once_all_succeed_and_leave_nothing_else(tmp_path: Path) -> None:
    texts = [f"{number}" * 1000 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write_text, [tmp_path / "table.csv"] * len(texts), texts))
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() in texts


@pytest.mark.parametrize("name", ["[a]*?.csv", "line\nbreak.csv", "%23#.csv"])
def test_any_file_name_can_be_written(tmp_path: Path, name: str) -> None:
    scratch_of(tmp_path / name).write_text("half")
    write_text(tmp_path / name, "whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]
