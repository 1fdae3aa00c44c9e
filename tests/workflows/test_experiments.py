"""`dvc exp run`, in the workspace, in a temporary folder and from the queue."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cytocurve.config import ProjectPaths
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.registry import Version, registered_versions
from tests.projects import commit, cytocurve, make_project, run

pytestmark = pytest.mark.slow

Dvc = Callable[..., str]


def versions(root: Path) -> list[Version]:
    project = ProjectPaths(root)
    with connected(project.tracking_uri, project.tracking_lock) as client:
        return registered_versions(client)


def challenger(root: Path) -> int:
    """The number of the version with the alias."""
    (number,) = (version.number for version in versions(root) if "challenger" in version.aliases)
    return number


def stages_run(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study, committed."""
    root = make_project(tmp_path_factory.mktemp("finished"), folds=3, sizes=[4, 8])
    assert run(root, "dvc", "repro", "-q").returncode == 0
    commit(root, "done")
    return root


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished study."""
    return shutil.copytree(finished, tmp_path / "study", symlinks=True)


@pytest.fixture
def dvc(root: Path) -> Dvc:
    def call(*arguments: str) -> str:
        done = run(root, "dvc", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def test_challenger_follows_the_results_of_the_project_and_not_those_of_an_experiment(root: Path, dvc: Dvc) -> None:
    assert challenger(root) == 1
    assert "the alias challenger stays" in dvc("exp", "run", "-S", "sizes=[4,6]", "-n", "smaller")
    assert [(version.number, version.aliases) for version in versions(root)] == [(1, ("challenger",)), (2, ())]

    run(root, "git", "checkout", "-q", ".").check_returncode()
    dvc("checkout", "-q")
    assert stages_run(dvc("repro")) == ["evaluate", "register"]
    assert challenger(root) == 1
    assert run(root, "git", "status", "--porcelain").stdout == "", "the committed state is restored"

    dvc("exp", "apply", "smaller")
    assert stages_run(dvc("repro")) == ["evaluate", "register", "challenger"]
    assert challenger(root) == 2
    assert "up to date" in dvc("status")
    assert "up to date" in dvc("repro")

    run(root, "git", "checkout", "-q", ".").check_returncode()
    dvc("checkout", "-q")
    assert stages_run(dvc("repro")) == ["evaluate", "register"]
    assert challenger(root) == 1
    assert "up to date" in dvc("status")

    dvc("exp", "run", "-S", "sizes=[4,6]", "-n", "again")
    assert challenger(root) == 1
    assert stages_run(dvc("repro")) == ["register", "challenger"], "an experiment that stays in the workspace"
    assert challenger(root) == 2
    assert "up to date" in dvc("status")
    assert len(versions(root)) == 2


@pytest.mark.parametrize("place", ["--temp", "--queue"])
def test_experiment_outside_the_workspace_keeps_its_runs_in_the_project_and_leaves_the_alias(
    root: Path, dvc: Dvc, place: str
) -> None:
    """The runs outlast the temporary folder of ``--temp`` and that of a worker of the queue."""
    said = dvc("exp", "run", place, "-S", "sizes=[4,6]", "-n", "smaller")
    if place == "--queue":
        said = log_of_queue(dvc, "smaller")
    assert "runs 6, found 3, trained 3" in said
    assert "the alias challenger stays" in said
    assert [(version.number, version.aliases) for version in versions(root)] == [(1, ("challenger",)), (2, ())]

    dvc("exp", "apply", "smaller")
    (name,) = json.loads(cytocurve(root, "data", "trace", "cell003.png", "--json").stdout)["images"]
    assert name["image"] == "dark/cell003.png"
    published = json.loads(cytocurve(root, "publish", "--json").stdout)["sequential-none-folder"]
    assert (published["created"], published["present"], published["lost"]) == (0, 6, 0)


def log_of_queue(dvc: Dvc, name: str) -> str:
    """Run the queue's only experiment; returns what it printed."""
    dvc("queue", "start")
    deadline = time.monotonic() + 600
    while "Success" not in (state := dvc("queue", "status")):
        assert "Failed" not in state, dvc("queue", "logs", name)
        assert time.monotonic() < deadline, state
        time.sleep(2)
    return dvc("queue", "logs", name)
