"""Sensitivity at a fixed specificity, and the reverse, are metrics like all others."""

from pathlib import Path

import pytest

from cytocurve.api import Project
from cytocurve.report.titles import title_of
from tests.makers import project_with_results
from tests.projects import cytocurve

POINTS = [
    f"{one}_at_{other}_{level}"
    for one, other in (("sensitivity", "specificity"), ("specificity", "sensitivity"))
    for level in (90, 95)
]


@pytest.mark.parametrize("metric", POINTS)
def test_operating_points_can_be_planned_and_compared(tmp_path: Path, metric: str) -> None:
    project_with_results(tmp_path, sizes=(10, 20, 40, 80, 160))
    project = Project(tmp_path)
    planned = project.plan(0.9, metric)
    assert all(arm.plan.metric == metric for arm in planned.arms.values())
    compared = project.compare(metric=metric, at=["160"])
    assert [row.metric for row in compared.comparisons] == [metric]
    runs = project.runs()
    means = runs[runs["size"] == 160].groupby("arm")[metric].mean().to_dict()
    assert {arm.name: arm.means["160"] for arm in compared.arms} == pytest.approx(means, abs=1e-6)
    done = cytocurve(tmp_path, "plan", "--target", "0.9", "--metric", metric)
    assert title_of(metric) in done.stdout
