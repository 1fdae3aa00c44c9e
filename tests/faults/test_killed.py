"""A killed command is completed by rerunning it, with the same result as an undisturbed one."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from cytocurve.config import ProjectPaths
from cytocurve.errors import CytocurveError
from cytocurve.files import scratch_of
from cytocurve.stores.dvc import track_data
from cytocurve.workflows.stages.catalog import catalog
from tests.datasets.dataset_makers import silent
from tests.faults.harness import changes_of, killed_at, killed_when, moments
from tests.projects import cytocurve, make_project, run, write_toy

pytestmark = pytest.mark.slow

COMMANDS = {
    "add": ["cytocurve", "data", "add", "folder", "upstream/images", "--as", "mine"],
    "import": ["cytocurve", "labels", "import", "list.csv", "--as", "second", "--annotator", "Dr A"],
    "merge": ["cytocurve", "labels", "merge", "folder", "other", "--as", "both"],
    "withdraw": ["cytocurve", "data", "withdraw", "--patient", "P1", "--reason", "consent withdrawn"],
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on which each of the commands can be run, to be copied."""
    root = make_project(tmp_path_factory.mktemp("prepared") / "project")
    write_toy(root / "upstream", cells=4)
    table = pd.read_csv(root / "data/toy/labels/folder.csv")
    table[["image", "label"]].to_csv(root / "list.csv", index=False)
    table[["image", "label"]].to_csv(root / "data/toy/labels/other.csv", index=False)
    run(root, "dvc", "add", "-q", "data").check_returncode()
    catalog(ProjectPaths(root), silent)
    return root


@pytest.fixture
def project(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "project", symlinks=True))


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def assert_finished(root: Path, undisturbed: Path) -> None:
    assert tree(root / "data") == tree(undisturbed / "data")
    assert (root / "data.dvc").read_bytes() == (undisturbed / "data.dvc").read_bytes()


@pytest.mark.parametrize("name", COMMANDS)
def test_data_commands_killed_midway_are_completed_by_rerunning_them(name: str, project: Path, prepared: Path) -> None:
    command = COMMANDS[name]
    undisturbed = Path(shutil.copytree(prepared, project.with_name("undisturbed"), symlinks=True))
    changes = changes_of(killed_at(undisturbed, command, 0))
    assert changes > 2
    for number in (1 + round(moment) for moment in moments(seed=len(name), count=1, longest=changes - 1)):
        killed_at(project, command, number)
    done = cytocurve(project, *command[1:])
    assert done.returncode == 0, done.stderr
    assert_finished(project, undisturbed)


@pytest.mark.parametrize(
    ("name", "made"),
    [("add", "data/mine"), ("import", "data/toy/labels/second.csv"), ("merge", "data/toy/labels/both.csv")],
)
def test_command_killed_while_dvc_records_is_completed_and_reported(name: str, made: str, project: Path) -> None:
    assert killed_when(project, COMMANDS[name], made) != 0
    assert run(project, "dvc", "status", "--quiet", "data.dvc").returncode == 1
    done = cytocurve(project, *COMMANDS[name][1:])
    assert done.returncode == 0, done.stderr
    assert "already there" in done.stdout
    assert run(project, "dvc", "status", "--quiet", "data.dvc").returncode == 0


def test_label_table_cut_off_by_a_kill_is_ignored_by_dvc_and_removed_by_a_withdrawal(project: Path) -> None:
    labels = project / "data/toy/labels"
    scratch = scratch_of(labels / "second.csv")
    shutil.copy(labels / "folder.csv", scratch)
    assert run(project, "dvc", "status", "--quiet", "data.dvc").returncode == 0
    (project / ".dvcignore").unlink()  # as in a study of an earlier version
    done = cytocurve(project, *COMMANDS["withdraw"][1:])
    assert done.returncode == 0, done.stderr
    assert {path.name for path in labels.iterdir()} == {"folder.csv", "other.csv"}
    assert run(project, "dvc", "status", "--quiet", "data.dvc").returncode == 0


def test_withdrawal_outside_git_says_that_dvc_needs_a_repository(project: Path) -> None:
    shutil.rmtree(project / ".git")
    done = cytocurve(project, *COMMANDS["withdraw"][1:])
    assert done.returncode == 1
    assert "Next: run git init" in done.stderr
    run(project, "git", "init", "-q").check_returncode()
    assert cytocurve(project, *COMMANDS["withdraw"][1:]).returncode == 0


def test_dvc_lock_file_damaged_by_a_crash_is_explained(project: Path) -> None:
    (project / "data/toy/labels/other.csv").unlink()
    (project / ".dvc/tmp/rwlock").write_text('{"data": {"wri')
    with pytest.raises(CytocurveError, match=r"remove \.dvc/tmp/rwlock.* dvc add data"):
        track_data(ProjectPaths(project))
    (project / ".dvc/tmp/rwlock").unlink()
    track_data(ProjectPaths(project))
