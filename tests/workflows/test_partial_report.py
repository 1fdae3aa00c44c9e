"""A page can be built from the runs that have finished so far, and follows a sweep until its end."""

import json
from pathlib import Path

import pytest

from cytocurve.config import ProjectPaths
from cytocurve.study.design import ArmDesign, design_arm
from cytocurve.workflows.report import partial_report, watch
from tests.projects import cytocurve, make_project, write_params

ARMS = ("sequential-none-folder", "sequential-flip_rotate-folder")

pytestmark = pytest.mark.slow


def study(root: Path, finished: dict[str, list[int]], sizes: list[int]) -> ProjectPaths:
    """A study of two arms of which runs of these sizes are in the ledger."""
    make_project(root, augmentations=["none", "flip_rotate"])
    for arm, done in finished.items():
        write_params(root, augmentations=["none", "flip_rotate"], sizes=done)
        for stage in (["catalog"], ["split"], ["audit"], ["sweep", arm, "--executor", "serial"]):
            result = cytocurve(root, *stage)
            assert result.returncode == 0, result.stderr
    write_params(root, augmentations=["none", "flip_rotate"], sizes=sizes)
    for command in ("catalog", "split"):
        assert cytocurve(root, command).returncode == 0
    return ProjectPaths(root)


def designs(project: ProjectPaths) -> list[ArmDesign]:
    params = project.params()
    return [design_arm(project, params, arm) for arm in params.arms]


def test_partial_page_shows_finished_runs_and_counts_the_others(tmp_path: Path) -> None:
    project = study(tmp_path, {ARMS[0]: [4, 8, 16], ARMS[1]: [16]}, sizes=[4, 8, 16])
    (tmp_path / "results").rename(tmp_path / "gone")
    done = cytocurve(tmp_path, "report", "--partial", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"page": "reports/report.html"}
    html = (tmp_path / "reports" / "report.html").read_text()
    assert "Partial: 16 of 24 runs have finished." in html
    assert "sequential-flip_rotate-folder (4 runs so far)" in html
    assert 'http-equiv="refresh"' not in html
    assert not (tmp_path / "results").exists()
    assert not list((tmp_path / "build").glob(".partial-*"))
    assert partial_report(project, designs(project)).finished == 16


def test_partial_page_needs_a_finished_run(tmp_path: Path) -> None:
    study(tmp_path, {}, sizes=[4, 8])
    done = cytocurve(tmp_path, "report", "--partial")
    assert done.returncode == 2
    assert "No run of this study has finished yet." in done.stderr
    assert "cytocurve report --partial" in cytocurve(tmp_path, "report").stderr


def test_watched_page_is_rebuilt_when_runs_have_finished_until_all_have(tmp_path: Path) -> None:
    project = study(tmp_path, {ARMS[0]: [16], ARMS[1]: [16]}, sizes=[8, 16])
    pages: list[str] = []

    def train_the_rest(_seconds: float) -> None:
        pages.append((tmp_path / "reports" / "report.html").read_text())
        assert cytocurve(tmp_path, "sweep", "--executor", "serial").returncode == 0

    said: list[str] = []
    made = watch(project, designs(project), said.append, 5, train_the_rest)
    assert (made.finished, made.planned) == (16, 16)
    assert said == ["8 of 16 runs: reports/report.html", "16 of 16 runs: reports/report.html"]
    assert len(pages) == 1
    assert '<meta http-equiv="refresh" content="5">' in pages[0]
    last = (tmp_path / "reports" / "report.html").read_text()
    assert 'http-equiv="refresh"' not in last
    assert "Partial:" not in last


def test_sweep_tells_the_score_of_every_finished_size_and_of_no_size_that_was_found(tmp_path: Path) -> None:
    study(tmp_path, {ARMS[0]: [16]}, sizes=[8, 16])
    done = cytocurve(tmp_path, "sweep", ARMS[0], "--executor", "serial")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stderr.splitlines() if "8 training images" in line)
    assert line.startswith(f"{ARMS[0]}, 8 training images: ROC-AUC 0.")
    assert line.endswith("), 4 runs")
    assert "16 training images" not in done.stderr
    assert "left" in done.stderr
