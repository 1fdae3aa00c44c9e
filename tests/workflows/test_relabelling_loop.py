"""The relabelling loop by the real commands: review, correct, import, train the new version only, compare."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.projects import cytocurve, make_project, run, write_params

FIRST, SECOND = (f"sequential-none-{labels}" for labels in ("folder", "second"))


def finished_runs(root: Path) -> int:
    return len(list((root / "ledger").glob("runs/*/*/run.json")))


@pytest.mark.slow
def test_reviewed_version_trains_only_its_own_arm_and_is_compared(tmp_path: Path) -> None:
    root = make_project(tmp_path / "study", sizes=[4, 12])
    assert run(root, "dvc", "repro", "-q", f"sweep@{FIRST}").returncode == 0
    said = cytocurve(root, "labels", "review", FIRST, "--top", "5")
    assert said.returncode == 0, said.stderr
    assert "labels import" in said.stdout
    page = (root / "reports" / "review" / f"{FIRST}.html").read_text()
    assert page.count('<li class="suspect">') == 5
    table = root / "reports" / "review" / f"{FIRST}.csv"
    ranking = pd.read_csv(table, dtype="str", keep_default_na=False)
    assert ranking["score"].astype(float).is_monotonic_increasing
    assert len(ranking) == 40

    other = {"dark": "light", "light": "dark"}
    ranking.loc[:2, "new_label"] = ranking.loc[:2, "label"].map(other)
    ranking.to_csv(table, index=False)
    arguments = ["--as", "second", "--annotator", "Dr A", "--base", "folder"]
    imported = cytocurve(root, "labels", "import", str(table.relative_to(root)), *arguments)
    assert imported.returncode == 0, imported.stderr
    changed = json.loads(cytocurve(root, "labels", "diff", "folder", "second", "--json").stdout)
    assert {row["image"] for row in changed["changed"]} == set(ranking["image"][:3])

    write_params(root, sizes=[4, 12], labels=["folder", "second"])
    before, first = finished_runs(root), (root / "results" / f"{FIRST}.parquet").read_bytes()
    done = run(root, "dvc", "repro", "evaluate")
    assert done.returncode == 0, done.stderr
    trained = re.search(rf"{SECOND}: runs 8, found \d, trained (\d)", done.stdout)
    assert trained
    assert int(trained[1]) > 0
    assert finished_runs(root) - before == int(trained[1])
    assert (root / "results" / f"{FIRST}.parquet").read_bytes() == first
    (comparison,) = json.loads((root / "reports" / "metrics.json").read_text())["comparisons"]
    assert (comparison["arm"], comparison["other"], comparison["judge"]) == (SECOND, FIRST, "second")
    assert set(comparison["differences"]) == {"4", "12"}
    assert "What relabeling gained" in (root / "reports" / "report.html").read_text()
