"""A flipped bit in a file written by a stage is reported, and never changes a result."""

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.stores.tables import parquet_bytes, parquet_from, write_parquet
from cytocurve.study.dataset import read_catalog
from cytocurve.study.results import read_runs, read_tests
from tests.faults.harness import flipped
from tests.makers import project_with_results
from tests.projects import cytocurve, make_project, run

TABLE = pd.DataFrame({"image": ["a", "b", None], "p": [0.25, 0.5, 0.75], "fold": [0, 1, 2]})


def test_equal_tables_have_equal_bytes_and_are_read_back_unchanged() -> None:
    content = parquet_bytes(TABLE)
    assert content == parquet_bytes(TABLE.copy())
    assert parquet_from(content, "t").equals(TABLE)


def test_every_flipped_bit_of_a_table_is_reported_or_changes_nothing() -> None:
    """Nothing changes only where the flip hits the name of the checksum's own entry."""
    content, silent = parquet_bytes(TABLE), 0
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        try:
            assert parquet_from(bytes(damaged), "t").equals(TABLE)
            silent += 1
        except InputError as error:
            assert error.problem.startswith("t: ")  # noqa: PT017  either outcome is right
    assert silent <= len("cytocurve.sha256")


def test_tables_without_a_checksum_are_still_read(tmp_path: Path) -> None:
    assert parquet_from(TABLE.to_parquet(index=False), "t").equals(TABLE)


@pytest.mark.parametrize("seed", range(4))
def test_results_with_a_flipped_bit_are_rejected_with_their_file_and_the_next_step(seed: int, tmp_path: Path) -> None:
    project = project_with_results(tmp_path)
    arms = project.params().arms
    runs = read_runs(project, arms)
    flipped(project.predictions(arms[0]), seed)
    flipped(project.results(arms[1]), seed)
    with pytest.raises(InputError, match=f"{arms[0].name}.predictions.parquet: damaged") as caught:
        read_tests(project, arms, runs)
    assert caught.value.next_step == "dvc repro"
    with pytest.raises(InputError, match=f"{arms[1].name}.parquet: damaged"):
        read_runs(project, arms)
    done = cytocurve(tmp_path, "evaluate")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert not project.reports.exists()


def recorded(project: ProjectPaths, file: Path, content: bytes) -> Path:
    """A file as a stage wrote it, recorded in ``dvc.lock``, and its copy in DVC's cache."""
    name = hashlib.md5(content, usedforsecurity=False).hexdigest()
    copy = project.root / ".dvc/cache/files/md5" / name[:2] / name[2:]
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(content)
    path = file.relative_to(project.root).as_posix()
    (project.root / "dvc.lock").write_text(json.dumps({"stages": {"s": {"outs": [{"path": path, "md5": name}]}}}))
    return copy


def test_damaged_copy_in_the_dvc_cache_is_named(tmp_path: Path) -> None:
    """``dvc repro`` alone would restore the damaged copy for ever."""
    project = project_with_results(tmp_path)
    (arm, *_) = project.params().arms
    file = project.results(arm)
    copy = recorded(project, file, file.read_bytes())
    flipped(copy, seed=1)
    shutil.copyfile(copy, file)
    with pytest.raises(InputError) as caught:
        read_runs(project, [arm])
    assert str(copy) in caught.value.next_step
    assert caught.value.next_step.endswith("then dvc repro")


def test_damaged_catalog_is_rejected(tmp_path: Path) -> None:
    project = project_with_results(tmp_path)
    write_parquet(project.catalog, TABLE)
    flipped(project.catalog, seed=0)
    with pytest.raises(InputError, match=r"catalog\.parquet: damaged"):
        read_catalog(project, "toy")
    project.catalog.unlink()
    write_parquet(project.catalog, TABLE)
    project.catalog.with_suffix(".json").write_text('{"dataset": "to')
    with pytest.raises(InputError, match=r"catalog\.json: damaged"):
        read_catalog(project, "toy")


@pytest.mark.slow
def test_results_are_restored_by_following_the_message_about_a_damaged_cache(tmp_path: Path) -> None:
    project = ProjectPaths(make_project(tmp_path / "project", sizes=[4], folds=3))
    (arm,) = project.params().arms
    run(project.root, "dvc", "repro", f"sweep@{arm.name}").check_returncode()
    file = project.predictions(arm)
    before = file.read_bytes()
    name = hashlib.md5(before, usedforsecurity=False).hexdigest()
    flipped(project.root / ".dvc/cache/files/md5" / name[:2] / name[2:], seed=2)
    file.unlink()
    run(project.root, "dvc", "checkout", str(file.relative_to(project.root)))
    with pytest.raises(InputError) as caught:
        read_tests(project, [arm], read_runs(project, [arm]))
    for path in caught.value.next_step.removeprefix("remove ").partition(", since")[0].split(", "):
        Path(path).unlink()
    run(project.root, "dvc", "repro", f"sweep@{arm.name}").check_returncode()
    assert file.read_bytes() == before
