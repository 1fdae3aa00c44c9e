"""Compiled kernels that were damaged on disk are recompiled, and never run."""

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from cytocurve.training.kernel_files import drop_damaged, record
from tests.projects import make_project, run


def damage(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_only_files_that_fail_their_checksum_are_dropped(tmp_path: Path) -> None:
    whole, damaged, unknown = (tmp_path / "place" / name for name in ("a.nbi", "a.1.nbc", "b.nbi"))
    whole.parent.mkdir()
    for path in (whole, damaged):
        path.write_bytes(b"compiled")
    record(tmp_path)
    unknown.write_bytes(b"just written")
    damage(damaged)
    assert drop_damaged(tmp_path) == [damaged]
    assert (whole.exists(), damaged.exists(), unknown.exists()) == (True, False, True)
    assert drop_damaged(tmp_path) == []


def test_rewritten_file_gets_a_new_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.nbi"
    path.write_bytes(b"one kernel")
    record(tmp_path)
    checksum = (tmp_path / "a.nbi.sha256").stat().st_mtime_ns
    path.write_bytes(b"two kernels")
    os.utime(path, ns=(checksum + 10**9, checksum + 10**9))
    record(tmp_path)
    assert drop_damaged(tmp_path) == []


@pytest.mark.slow
def test_kernels_are_compiled_by_one_of_two_workers_and_damaged_files_recompiled_to_the_same_bytes(
    tmp_path: Path,
) -> None:
    """A first sweep reports compiling; its workers start together, and each kernel is compiled and saved once."""
    root = make_project(tmp_path / "project", sizes=[4])
    variables = {"CYTOCURVE_CACHE": str(tmp_path / "cache"), "NUMBA_DEBUG_CACHE": "1"}
    table = root / "results" / "sequential-none-folder.parquet"
    first = [run(root, "cytocurve", command, **variables) for command in ("catalog", "split", "sweep")]
    assert [done.returncode for done in first] == [0, 0, 0]
    assert "Compiling kernels (once per machine" in first[-1].stderr
    saved, loaded = (kernel_files(first[-1].stdout, what) for what in ("saved to", "loaded from"))
    assert set(saved.values()) == {1}
    assert loaded == saved
    before = table.read_bytes()
    damaged = list((tmp_path / "cache").rglob("optimizers.*.nb[ci]"))  # those that are compiled again soonest
    assert damaged
    for path in damaged:
        damage(path)
    (root / "ledger").rename(tmp_path / "ledger")
    done = run(root, "cytocurve", "sweep", **variables)
    assert done.returncode == 0, done.stderr
    assert "Compiling kernels" not in done.stderr
    assert table.read_bytes() == before
    assert {Path(name) for name in kernel_files(done.stdout, "saved to")} == {x for x in damaged if x.suffix == ".nbc"}


def kernel_files(said: str, what: str) -> Counter[str]:
    """The files of machine code that numba says it saved or loaded, each as often as it did."""
    return Counter(re.findall(rf"data {what} '([^']+)'", said))
