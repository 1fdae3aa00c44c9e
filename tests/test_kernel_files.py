"""Compiled kernels that were damaged on disk are compiled again; nothing of them is run."""

import os
from pathlib import Path

import pytest
from projects import cytocurve, make_project

from cytocurve.study.kernel_files import drop_damaged, record


def damage(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_only_files_that_differ_from_their_checksums_are_dropped(tmp_path: Path) -> None:
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


def test_a_file_that_was_written_anew_gets_a_new_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.nbi"
    path.write_bytes(b"one kernel")
    record(tmp_path)
    checksum = (tmp_path / "a.nbi.sha256").stat().st_mtime_ns
    path.write_bytes(b"two kernels")
    os.utime(path, ns=(checksum + 10**9, checksum + 10**9))
    record(tmp_path)
    assert drop_damaged(tmp_path) == []


@pytest.mark.slow
def test_a_first_sweep_tells_of_compiling_and_one_with_damaged_kernel_files_gives_the_same_bytes(
    tmp_path: Path,
) -> None:
    root = make_project(tmp_path / "project", sizes=[4], folds=3)
    cache = tmp_path / "cache"
    table = root / "results" / "sequential-none-folder.parquet"
    first = [cytocurve(root, command, CYTOCURVE_CACHE=str(cache)) for command in ("catalog", "split", "sweep")]
    assert [done.returncode for done in first] == [0, 0, 0]
    assert "Compiling kernels, once a machine" in first[-1].stderr
    before = table.read_bytes()
    for path in cache.rglob("optimizers.*.nb[ci]"):  # those that are compiled again soonest
        damage(path)
    (root / "ledger").rename(tmp_path / "ledger")
    done = cytocurve(root, "sweep", CYTOCURVE_CACHE=str(cache))
    assert done.returncode == 0, done.stderr
    assert "Compiling kernels" not in done.stderr
    assert table.read_bytes() == before
