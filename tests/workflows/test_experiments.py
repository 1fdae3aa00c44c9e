"""`dvc exp run`, in the workspace and in a temporary folder."""

import json
from pathlib import Path

import pytest

from cytocurve.config import ProjectPaths
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.registry import Version, registered_versions
from tests.projects import commit, cytocurve, make_project, run


def versions(root: Path) -> list[Version]:
    project = ProjectPaths(root)
    with connected(project.tracking_uri, project.tracking_lock) as client:
        return registered_versions(client)


@pytest.mark.slow
def test_experiment_keeps_its_runs_in_the_project_and_does_not_move_the_alias(tmp_path: Path) -> None:
    """The runs of a temporary folder outlast it; the alias follows when the experiment is applied and registered."""
    root = make_project(tmp_path / "study", folds=3, sizes=[4, 8])

    def dvc(*arguments: str) -> str:
        done = run(root, "dvc", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    dvc("repro", "-q")
    commit(root, "done")
    said = dvc("exp", "run", "--temp", "-S", "sizes=[4,6]", "-n", "smaller")
    assert "runs 6, found 3, trained 3" in said
    assert "challenger was not moved" in said
    assert [(version.number, version.aliases) for version in versions(root)] == [(1, ("challenger",)), (2, ())]

    dvc("exp", "apply", "smaller")
    (name,) = json.loads(cytocurve(root, "data", "trace", "cell003.png", "--json").stdout)["images"]
    assert name["image"] == "dark/cell003.png"
    published = json.loads(cytocurve(root, "publish", "--json").stdout)["sequential-none-folder"]
    assert (published["created"], published["present"], published["lost"]) == (0, 6, 0)
    assert json.loads(cytocurve(root, "register", "--json").stdout)["challenger"] is True
    assert [(version.number, version.aliases) for version in versions(root)] == [(1, ()), (2, ("challenger",))]
