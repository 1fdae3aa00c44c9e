"""A disk that fills up while runs are stored loses at most the runs in training."""

from pathlib import Path

import pytest

from tests.faults.harness import limited_here
from tests.projects import cytocurve, make_project

pytestmark = pytest.mark.slow


def test_sweep_stops_at_the_first_run_that_cannot_be_stored_and_resumes(tmp_path: Path) -> None:
    root = make_project(tmp_path, sizes=[4, 8])
    for stage in ("catalog", "split"):
        assert cytocurve(root, stage).returncode == 0
    cytocurve(root, "sweep", "--executor", "serial")  # prepares pixels and kernels, which take larger files
    elsewhere = {"CYTOCURVE_LEDGER": str(tmp_path / "elsewhere")}
    with limited_here(2000):
        done = cytocurve(root, "sweep", "--executor", "serial", **elsewhere)
    assert done.returncode == 1
    assert f"The ledger {tmp_path / 'elsewhere'} cannot be written: File too large" in done.stderr
    assert "which resumes" in done.stderr
    assert " failed; finished runs" not in done.stderr, "that would come after all runs"
    assert list((tmp_path / "elsewhere" / "scratch").iterdir()) == []

    again = cytocurve(root, "sweep", "--executor", "serial", **elsewhere)
    assert again.returncode == 0
    assert "trained 8" in again.stdout
