"""What the stage `evaluate` leaves behind."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from makers import predictions_of, project_with_params, project_with_results

from cytocurve.config import Project
from cytocurve.core.metrics import METRICS
from cytocurve.errors import InputError
from cytocurve.pipeline.evaluate import evaluate
from cytocurve.stores.tables import write_parquet

FILES = {
    "metrics.json",
    "plots/roc_auc.json",
    "plots/f1.json",
    "figures/boxplot.svg",
    "figures/curves.svg",
    "report.html",
    "summary.json",
}


def written(project: Project) -> dict[str, bytes]:
    """Every file below reports/ and its bytes."""
    files = [path for path in project.reports.rglob("*") if path.is_file()]
    return {path.relative_to(project.reports).as_posix(): path.read_bytes() for path in files}


def strict(text: str | bytes) -> Any:
    """The value of a JSON text that has no NaN or Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_equal_results_give_equal_bytes_wherever_they_lie(tmp_path: Path) -> None:
    """Computed again in another folder, every file is the same to the byte, and there are these and no others."""
    first, second = tmp_path / "first", tmp_path / "second"
    for root in (first, second):
        root.mkdir()
        evaluate(project_with_results(root))
    assert written(Project(first)) == written(Project(second))
    assert set(written(Project(first))) == FILES


def test_metrics_have_the_promised_form(tmp_path: Path) -> None:
    """metrics.json is what evaluate returns: arm, metric, size as text, and eight numbers."""
    project = project_with_results(tmp_path)
    metrics = evaluate(project)
    assert strict((project.reports / "metrics.json").read_text()) == metrics
    assert list(metrics) == ["dataset", "task", "arms", "comparisons", "plan"]
    arm = metrics["arms"]["sequential-none-expert"]
    assert list(arm) == [*METRICS, "saturation_size"]
    assert list(arm["f1"]) == ["10", "20", "40"]
    assert list(arm["f1"]["10"]) == ["mean", "sd", "median", "q1", "q3", "ci_low", "ci_high", "n"]
    assert arm["f1"]["10"]["n"] == 5


def test_an_undefined_score_becomes_null_and_a_dash(tmp_path: Path) -> None:
    """NaN is null in the JSON files and a dash on the page, and n says how many scores are defined."""
    project = project_with_results(tmp_path)
    for arm in project.params().arms:
        runs = pd.read_parquet(project.results(arm))
        runs.loc[runs["size"] == 40, "roc_auc"] = float("nan")
        write_parquet(project.results(arm), runs)
    point = evaluate(project)["arms"]["sequential-none-expert"]["roc_auc"]["40"]
    assert (point["mean"], point["n"]) == (None, 0)
    for name in ("metrics.json", "plots/roc_auc.json"):
        strict((project.reports / name).read_bytes())
    page = (project.reports / "report.html").read_text()
    assert "has no defined ROC-AUC" in page
    assert page.count("<td>–</td>") == 2
    assert not re.search(r"\bnan\b", page)


def test_plots_have_a_row_an_arm_and_size(tmp_path: Path) -> None:
    """The rows that DVC draws: numbers as numbers, ends of the band around the mean."""
    project = project_with_results(tmp_path)
    evaluate(project)
    rows = strict((project.reports / "plots" / "roc_auc.json").read_text())
    assert len(rows) == 2 * 3
    assert all(list(row) == ["arm", "size", "mean", "ci_low", "ci_high"] for row in rows)
    assert all(row["ci_low"] <= row["mean"] <= row["ci_high"] for row in rows)


def test_the_page_asks_the_network_for_nothing(tmp_path: Path) -> None:
    """Apart from the names of XML namespaces there is no address in the page, and no script."""
    project = project_with_results(tmp_path)
    evaluate(project)
    page = re.sub(r'xmlns(:\w+)?="[^"]*"', "", (project.reports / "report.html").read_text())
    assert not re.findall(r"https?://|@import|<script|<link(?! rel=\"icon\" href=\"data:)", page)


def test_the_page_says_what_was_found(tmp_path: Path) -> None:
    """The best arm, its score, both figures with a text for those who cannot see them, and every metric."""
    project = project_with_results(tmp_path)
    metrics = evaluate(project)
    page = (project.reports / "report.html").read_text()
    best = metrics["arms"]["sequential-flip_rotate-expert"]["roc_auc"]["40"]
    assert f"<dd>{best['mean']:.3f}</dd>" in page
    assert "<strong>sequential-flip_rotate-expert</strong>" in page
    assert len(re.findall(r'<svg role="img" aria-label="[^"]+"', page)) == 2
    assert page.count("<table") == len(METRICS)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_leads_with_the_arm_of_the_best_validation_scores_whatever_the_test_scores(tmp_path: Path) -> None:
    """Validation says the other arm here, though its test scores are lower."""
    project = project_with_results(tmp_path)
    arms = project.params().arms
    for arm, errors in zip(arms, (0, 2), strict=True):
        write_parquet(project.predictions(arm), predictions_of(pd.read_parquet(project.results(arm)), errors))
    evaluate(project)
    assert f"<strong>{arms[0].name}</strong>" in (project.reports / "report.html").read_text()


def test_the_page_says_what_limits_its_figures(tmp_path: Path) -> None:
    """Synthetic images, validation images that every run uses besides, and patients across folds."""
    project = project_with_results(tmp_path)
    (project.data / "toy").mkdir(parents=True)
    (project.data / "toy" / "dataset.yaml").write_text("loader: starter\ntitle: A synthetic drawing\n")
    evaluate(project)
    page = (project.reports / "report.html").read_text()
    assert "A synthetic drawing" in page
    assert "about 6 labelled validation images" in page
    assert "cells of one patient may stand in training and test" in page


def test_the_page_names_the_version_of_the_data(tmp_path: Path) -> None:
    """The hash that DVC holds for the data is on the page."""
    project = project_with_results(tmp_path)
    (tmp_path / "data.dvc").write_text("outs:\n- md5: 0123456789abcdef0123456789abcdef.dir\n  path: data\n")
    evaluate(project)
    assert "0123456789abcdef0123456789abcdef.dir" in (project.reports / "report.html").read_text()


def test_figures_are_well_formed_and_hold_their_text(tmp_path: Path) -> None:
    """An SVG file parses, and names its arms and sizes as text, not as outlines."""
    project = project_with_results(tmp_path)
    evaluate(project)
    for name in ("boxplot", "curves"):
        root = ET.parse(project.reports / "figures" / f"{name}.svg").getroot()  # noqa: S314
        texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
        assert {"sequential-none-expert", "10", "40"} <= set(texts)


def test_every_arm_without_results_is_named(tmp_path: Path) -> None:
    """All missing files stand in one error, with the next step."""
    project = project_with_params(tmp_path)
    with pytest.raises(InputError) as caught:
        evaluate(project)
    message = str(caught.value)
    assert "results/sequential-none-expert.parquet: no such file" in message
    assert "results/sequential-flip_rotate-expert.parquet: no such file" in message
    assert "dvc repro" in message
    assert not project.reports.exists()


def test_results_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """A damaged file, and one that lacks a metric, are told apart in one error."""
    project = project_with_results(tmp_path)
    first, second = map(project.results, project.params().arms)
    first.write_bytes(b"PAR1 no more")
    write_parquet(second, pd.read_parquet(second).drop(columns=["f1"]))
    with pytest.raises(InputError) as caught:
        evaluate(project)
    assert f"results/{first.name}: not a Parquet file" in str(caught.value)
    assert f"results/{second.name}: no column f1" in str(caught.value)
