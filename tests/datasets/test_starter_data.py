"""The starter dataset on disk: the bytes that ``data.dvc`` records, drawn here or pulled from a remote."""

import shutil
from pathlib import Path

import pytest

from tests.projects import ROOT, cytocurve, run

pytestmark = pytest.mark.slow


def clone(root: Path) -> Path:
    """What git has of this project where data is concerned."""
    root.mkdir()
    assert run(root, "git", "init", "-q").returncode == 0
    assert run(root, "dvc", "init", "-q").returncode == 0
    for name in ("params.yaml", "data.dvc", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, root / name)
    return root


def test_drawing_and_pulling_give_the_recorded_bytes(tmp_path: Path) -> None:
    first, second = clone(tmp_path / "first"), clone(tmp_path / "second")
    drawn = cytocurve(first, "data", "add", "starter")
    assert drawn.returncode == 0, drawn.stderr
    assert (first / "data.dvc").read_text() == (ROOT / "data.dvc").read_text()
    assert "up to date" in run(first, "dvc", "status", "data.dvc").stdout
    for root in (first, second):
        assert run(root, "dvc", "remote", "add", "-d", "team", str(tmp_path / "remote")).returncode == 0
    assert run(first, "dvc", "push", "data.dvc").returncode == 0
    pulled = run(second, "dvc", "pull", "data.dvc")
    assert pulled.returncode == 0, pulled.stderr
    assert "up to date" in run(second, "dvc", "status", "data.dvc").stdout
    for path in sorted((first / "data").rglob("*.*")):
        assert path.is_dir() or path.read_bytes() == (second / path.relative_to(first)).read_bytes()
