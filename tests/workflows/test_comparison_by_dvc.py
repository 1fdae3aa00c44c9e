"""`dvc metrics diff`, `dvc plots diff` and `dvc exp show` on two commits of a study."""

import json
import re
import shlex
import shutil
from typing import Any

import pytest

from cytocurve.config import ProjectPaths
from cytocurve.workflows.stages.evaluate import evaluate
from tests.core.comparison.comparison_makers import tables_of, write_arm
from tests.projects import BIN, ROOT, commit, make_project, run

CHANGES: dict[str, Any] = {"folds": 5, "sizes": [8, 16, 24], "seeds": [0, 1]}


def toy_image(number: int) -> str:
    return f"{'dark' if number % 2 else 'light'}/cell{number:03d}.png"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectPaths:
    """Two commits; in the second the only arm is better."""
    root = make_project(tmp_path_factory.mktemp("project") / "study", **CHANGES)
    project = ProjectPaths(root)
    (arm,) = project.params().arms
    done = run(root, str(BIN / "dvc"), "repro", "--quiet", "audit")
    assert done.returncode == 0, done.stderr
    for message, skill in (("weak", 0.1), ("strong", 0.9)):
        write_arm(project, arm, tables_of(arm, skill, sizes=CHANGES["sizes"], image_of=toy_image))
        evaluate(project, lambda done, total: None)
        done = run(root, str(BIN / "dvc"), "commit", "--force", "evaluate")
        assert done.returncode == 0, done.stderr + done.stdout
        commit(root, message)
    return project


def dvc(project: ProjectPaths, *arguments: str) -> Any:
    done = run(project.root, str(BIN / "dvc"), *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.slow
def test_metrics_diff_shows_what_an_arm_gained(project: ProjectPaths) -> None:
    (changed,) = dvc(project, "metrics", "diff", "HEAD~1", "HEAD").values()
    (arm,) = project.params().arms
    gained = changed[f"{arm.name}.roc_auc"]
    assert gained["diff"] == pytest.approx(gained["new"] - gained["old"])
    assert gained["diff"] > 0.05
    assert all(isinstance(row["new"], (int, float, type(None))) for row in changed.values())


@pytest.mark.slow
def test_plots_diff_draws_the_curves_of_both_commits(project: ProjectPaths) -> None:
    drawn = dvc(project, "plots", "diff", "HEAD~1", "HEAD")
    (curves,) = (result for name, result in drawn["data"].items() if "roc_auc" in name)
    (plot,) = curves
    assert plot["revisions"] == ["HEAD~1", "HEAD"]
    drawn_rows = json.dumps(plot)
    assert all(f'"rev": "{revision}"' in drawn_rows for revision in plot["revisions"])


@pytest.mark.slow
def test_plots_page_loads_its_scripts_from_the_package(project: ProjectPaths) -> None:
    """Without a network, DVC's own page is blank."""
    shutil.copy(ROOT / ".dvc" / "config", project.root / ".dvc" / "config")
    done = run(project.root, str(BIN / "dvc"), "plots", "show")
    assert done.returncode == 0, done.stderr
    page = project.root / "dvc_plots" / "index.html"
    scripts = re.findall(r'<script[^>]*\bsrc="([^"]+)"', page.read_text())
    assert len(scripts) == 3
    assert all((page.parent / script).is_file() for script in scripts)


@pytest.mark.slow
def test_exp_show_command_of_the_readme_keeps_the_experiments_and_their_scores(project: ProjectPaths) -> None:
    (line,) = re.findall(r"^dvc exp show .+$", (ROOT / "README.md").read_text(), re.MULTILINE)
    done = run(project.root, *shlex.split(line), "--num", "2", "--no-pager", COLUMNS="250")
    assert done.returncode == 0, done.stderr
    (arm,) = project.params().arms
    assert all(name in done.stdout for name in ("Experiment", "workspace", "main", f"{arm.name}.roc_auc"))


@pytest.mark.slow
def test_exp_show_has_the_scores_of_every_commit(project: ProjectPaths) -> None:
    (arm,) = project.params().arms
    shown = dvc(project, "exp", "show", "--num", "2")
    scores = [row["data"]["metrics"]["reports/summary.json"]["data"][arm.name]["roc_auc"] for row in shown]
    assert scores[0] == scores[1] > scores[2]
    assert shown[1]["data"]["params"]["params.yaml"]["data"]["folds"] == 5
