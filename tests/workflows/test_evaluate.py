"""The output of the stage `evaluate`."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from cytocurve.config import ProjectPaths
from cytocurve.core.answers import Answers
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.errors import InputError
from cytocurve.evaluation.answers import read_answers
from cytocurve.stores.documents import write_json
from cytocurve.stores.tables import write_parquet
from cytocurve.study.design import split_settings
from cytocurve.workflows.stages.evaluate import evaluate as run_evaluate
from tests.makers import project_with_params, project_with_results, write_results, write_runs
from tests.projects import cytocurve

ARM = "sequential-none-expert"

FILES = {
    "answers.json",
    "metrics.json",
    "plots/roc_auc.json",
    "plots/f1.json",
    "figures/boxplot.svg",
    "figures/curves.svg",
    "page.json",
    "report.html",
    "summary.json",
}
TABLES = {
    "areas", "backtest", "calibration", "chances", "class_wise", "comparisons", "confusion", "curves", "examples",
    "families", "forecast", "next_images", "over_seeds", "precision_recall", "predictive_values", "reliability", "roc",
    "targets",
}  # fmt: skip


def evaluate(project: ProjectPaths) -> Answers:
    return run_evaluate(project, lambda done, total: None)


def written(project: ProjectPaths) -> dict[str, bytes]:
    """Every file below reports/ and its bytes."""
    files = [path for path in project.reports.rglob("*") if path.is_file()]
    return {path.relative_to(project.reports).as_posix(): path.read_bytes() for path in files}


def text_of(page: str) -> str:
    """The text of a page, without its scripts and tags."""
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def strict(text: str | bytes) -> Any:
    """The value of a JSON text that has no NaN or Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def synthetic_study(root: Path) -> ProjectPaths:
    """Two arms' results on images that say that they are synthetic, whose bytes DVC records."""
    project = project_with_results(root)
    (project.data / "toy").mkdir(parents=True)
    (project.data / "toy" / "dataset.yaml").write_text("loader: starter\ntitle: A synthetic drawing\n")
    (root / "data.dvc").write_text("outs:\n- md5: 0123456789abcdef0123456789abcdef.dir\n  path: data\n")
    return project


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> ProjectPaths:
    """The study after ``evaluate``, to be read only."""
    project = synthetic_study(tmp_path_factory.mktemp("evaluated"))
    evaluate(project)
    return project


def test_equal_results_give_equal_bytes_in_any_location(evaluated: ProjectPaths, tmp_path: Path) -> None:
    """Recomputed in another folder, exactly these files exist, and all are byte-identical."""
    again = synthetic_study(tmp_path)
    assert evaluate(again) == read_answers(again)
    assert written(again) == written(evaluated)
    result = set(written(again))
    assert {name for name in result if not name.startswith("tables/")} == FILES
    assert {Path(name).stem for name in result if name.startswith("tables/")} <= TABLES


def test_metrics_have_the_documented_form(evaluated: ProjectPaths) -> None:
    """Arm, metric, size as text, and eight numbers."""
    metrics = strict((evaluated.reports / "metrics.json").read_text())
    assert list(metrics) == ["dataset", "task", "arms", "comparisons", "plan"]
    arm = metrics["arms"]["sequential-none-expert"]
    assert list(arm) == [*METRICS, "saturation_size", "area"]
    assert list(arm["f1"]) == ["10", "20", "40"]
    assert list(arm["f1"]["10"]) == ["mean", "sd", "median", "q1", "q3", "ci_low", "ci_high", "n"]
    assert arm["f1"]["10"]["n"] == 5


def test_undefined_score_becomes_null_and_a_dash(tmp_path: Path) -> None:
    """NaN is null in the JSON files, n counts the defined scores and ``undefined`` the others, and no page says nan."""
    project = project_with_results(tmp_path)
    for arm in project.params().arms:
        runs = pd.read_parquet(project.results(arm))
        runs.loc[runs["size"] == 40, "roc_auc"] = float("nan")
        write_runs(project, arm, runs)
    point = evaluate(project).arms["sequential-none-expert"].curves["roc_auc"][-1]
    assert (point.size, point.mean, point.n) == (40, None, 0)
    for name in ("metrics.json", "plots/roc_auc.json"):
        strict((project.reports / name).read_bytes())
    last = strict(project.answers.read_bytes())["arms"]["sequential-none-expert"]["curves"]["roc_auc"][-1]
    assert (last["mean"], last["n"], last["undefined"]) == (None, 0, 5)
    page = text_of((project.reports / "report.html").read_text())
    assert re.search(r"the ROC-AUC of a small convolutional network \S.* is not defined\.", page)
    assert not re.search(r"\b(nan|None|null)\b", page)


def test_plots_have_one_row_per_arm_and_size(evaluated: ProjectPaths) -> None:
    """The rows that DVC draws: numbers as numbers, ends of the band around the mean, null where all folds agree."""
    rows = strict((evaluated.reports / "plots" / "roc_auc.json").read_text())
    assert len(rows) == 2 * 3
    assert all(list(row) == ["arm", "size", "mean", "ci_low", "ci_high"] for row in rows)
    banded = [row for row in rows if row["ci_low"] is not None]
    assert banded
    assert all(row["ci_low"] <= row["mean"] <= row["ci_high"] for row in banded)


def test_page_leads_with_the_best_arm_by_validation_scores_whatever_the_test_scores(tmp_path: Path) -> None:
    """Here, validation favors the other arm although its test scores are lower."""
    project = project_with_results(tmp_path)
    arms = project.params().arms
    for arm, skill, errors in zip(arms, (0.8, 2.0), (0, 2), strict=True):
        write_results(project, arm, skill, errors)
    evaluate(project)
    assert strict(project.answers.read_bytes())["chosen"] == arms[0].name
    assert "no augmentation" in text_of((project.reports / "report.html").read_text()).split("Best of 2 arms")[0]


def test_scores_in_the_tables_equal_those_in_the_answers(evaluated: ProjectPaths) -> None:
    """Every mean in curves.csv equals the one in answers.json for its arm, metric and size."""
    result = strict(evaluated.answers.read_bytes())["arms"]
    table = pd.read_csv(evaluated.reports / "tables" / "curves.csv")
    assert len(table) == len(result) * len(METRICS) * 3
    for row in table.to_dict("records"):
        points = {point["size"]: point for point in result[row["arm"]]["curves"][row["metric"]]}
        assert points[row["size"]]["mean"] == row["mean"]


def test_page_states_the_training_time_of_its_runs(evaluated: ProjectPaths, tmp_path: Path) -> None:
    """Only the page contains times: the files that DVC records do not depend on them."""
    before, project = written(evaluated), synthetic_study(tmp_path)
    for key in pd.read_parquet(project.results(project.params().arms[0]))["run_key"]:
        folder = project.root / "ledger" / "runs" / key[:2] / key
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"provenance": {"cpu_seconds": 100.0}}))
    evaluate(project)
    after = written(project)
    assert {name for name in after if after[name] != before[name]} == {"report.html"}
    assert "1,500" in text_of(after["report.html"].decode())


def test_page_says_what_limits_its_scores(evaluated: ProjectPaths) -> None:
    """Synthetic images, validation images that every run uses besides, and patients across folds."""
    page = text_of((evaluated.reports / "report.html").read_text())
    assert "A synthetic drawing" in page
    assert "about 6 labeled validation images" in page
    assert "cells of the same patient may be in both the training and the test set" in page


def test_page_names_the_version_of_the_data(evaluated: ProjectPaths) -> None:
    """The hash that DVC holds for the data is on the page."""
    assert "0123456789abcdef0123456789abcdef.dir" in (evaluated.reports / "report.html").read_text()


def test_figures_are_well_formed_and_contain_their_text(evaluated: ProjectPaths) -> None:
    """An SVG file parses, and names its arms and sizes as text, not as outlines."""
    for name in ("boxplot", "curves"):
        root = ET.parse(evaluated.reports / "figures" / f"{name}.svg").getroot()  # noqa: S314
        texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
        assert {"no augmentation", "10", "40"} <= set(texts)


def test_every_arm_without_results_is_named(tmp_path: Path) -> None:
    """One error lists all missing files, with the next step."""
    project = project_with_params(tmp_path)
    with pytest.raises(InputError) as caught:
        evaluate(project)
    message = str(caught.value)
    assert "results/sequential-none-expert.parquet: no such file" in message
    assert "results/sequential-flip_rotate-expert.parquet: no such file" in message
    assert "dvc repro" in message
    assert not project.reports.exists()


def test_unusable_results_are_named(tmp_path: Path) -> None:
    """One error distinguishes a damaged file from one that lacks a metric."""
    project = project_with_results(tmp_path)
    first, second = map(project.results, project.params().arms)
    first.write_bytes(b"PAR1 no more")
    write_parquet(second, pd.read_parquet(second).drop(columns=["f1"]))
    with pytest.raises(InputError) as caught:
        evaluate(project)
    assert f"results/{first.name}: not a Parquet file" in str(caught.value)
    assert f"results/{second.name}: no column f1" in str(caught.value)


def damaged_runs(kind: str, runs: pd.DataFrame) -> pd.DataFrame:
    if kind == "twice":
        return pd.concat([runs, runs.tail(1)])
    changes: dict[str, tuple[str, Any]] = {
        "another arm": ("arm", "x-y-z"),
        "text": ("roc_auc", "high"),
        "above one": ("f1", 1.7),
        "half a fold": ("fold", 0.5),
    }
    return runs.assign(**dict([changes[kind]]))


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("twice", "duplicate runs of the same fold"),
        ("another arm", "runs of another arm: x-y-z"),
        ("text", "roc_auc: expected numbers"),
        ("above one", "f1: 15 scores outside 0 to 1"),
        ("half a fold", "fold: expected integers"),
    ],
)
def test_invalid_runs_are_reported_for_every_arm(tmp_path: Path, kind: str, problem: str) -> None:
    project = project_with_results(tmp_path)
    for arm in project.params().arms:
        write_runs(project, arm, damaged_runs(kind, pd.read_parquet(project.results(arm))))
    with pytest.raises(InputError) as caught:
        evaluate(project)
    assert str(caught.value).count(problem) == 2
    assert not project.reports.exists()


def damaged_predictions(kind: str, table: pd.DataFrame) -> pd.DataFrame:
    first: pd.Series[bool] = table["run_key"] == table["run_key"].iloc[0]
    if kind == "lost":
        return table[~first]
    if kind == "twice":
        return pd.concat([table, table[first]])
    if kind == "no run":
        return table.assign(run_key=table["run_key"].where(~first, "0" * 64))
    if kind == "label":
        return table.assign(label=table["label"].where(~first, "blast"))
    return table.drop(columns="p_positive")


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("lost", "1 of 15 runs without test predictions"),
        ("twice", "duplicate predictions for an image"),
        ("no run", "predictions of runs that do not belong to the arm"),
        ("label", "labels that are not classes: blast"),
        ("one class", "fewer than two columns"),
    ],
)
def test_predictions_that_do_not_match_their_runs_are_reported_for_every_arm(
    tmp_path: Path, kind: str, problem: str
) -> None:
    project = project_with_results(tmp_path)
    for arm in project.params().arms:
        write_parquet(project.predictions(arm), damaged_predictions(kind, pd.read_parquet(project.predictions(arm))))
    with pytest.raises(InputError) as caught:
        evaluate(project)
    assert str(caught.value).count(problem) == 2
    assert not project.reports.exists()


READERS = (["evaluate"], ["report"], ["plan"], ["compare"], ["register"], ["figures"], ["labels", "review", ARM])


def change(project: ProjectPaths, old: str, new: str) -> None:
    text = project.params_file.read_text()
    assert old in text
    project.params_file.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("image_size: 16", "image_size: 24", "image_size: 16 in the results, 24 in params.yaml"),
        ("training: {}", "training: {max_epochs: 2}", "training.max_epochs: the default in the results, 2 in params"),
        ("filters: [2, 3]", "filters: [2]", "settings.sequential.filters: [2, 3] in the results, [2] in params.yaml"),
        ("sizes: [10]", "sizes: [8]", "sizes: [10] in the results, [8] in params.yaml"),
        ("seeds: [0]", "seeds: [1]", "seeds: [0] in the results, [1] in params.yaml"),
        ("dataset: toy", "dataset: other", "dataset: toy in the results, other in params.yaml"),
    ],
)
def test_results_of_other_settings_are_refused_by_every_reader(tmp_path: Path, old: str, new: str, told: str) -> None:
    project = project_with_results(tmp_path, sizes=[10], folds=3)
    evaluate(project)
    change(project, old, new)
    for command in READERS:
        done = cytocurve(tmp_path, *command)
        assert done.returncode == 2, command
        assert f"results/{ARM}.parquet: {told}" in done.stderr
        assert "Next: dvc repro, or cytocurve sweep" in done.stderr
    change(project, new, old)
    assert cytocurve(tmp_path, "report").returncode == 0


def test_settings_that_change_no_run_leave_the_results_readable(tmp_path: Path) -> None:
    """A default that is written out, another order of seeds, and the policies of the audit."""
    project = project_with_results(tmp_path, sizes=[10], folds=3)
    evaluate(project)
    change(project, "training: {}", "training: {max_epochs: 500, engine: auto}\nleakage: warn\nduplicates: fail")
    for command in (["figures"], ["compare"], ["report"]):
        assert cytocurve(tmp_path, *command).returncode == 0, command


def test_results_of_another_split_are_refused(tmp_path: Path) -> None:
    """Also if it was drawn with the present settings, as by hand after a change."""
    project = project_with_results(tmp_path, sizes=[10], folds=3)
    rows = [
        {"fold": 0, "subset": subset, "rank": 0, "image": name, "pixel_sha256": name, "label": "positive", "class": 1}
        for subset, name in (("train", "a"), ("test", "b"))
    ]
    write_parquet(project.split("expert"), pd.DataFrame(rows))
    write_json(project.split_settings, split_settings(project.params()))
    with pytest.raises(InputError, match="its images, labels or folds are not those of build/split"):
        evaluate(project)


def test_results_that_do_not_say_what_they_are_of_are_refused(tmp_path: Path) -> None:
    project = project_with_results(tmp_path)
    (arm, _) = project.params().arms
    runs, predictions = pd.read_parquet(project.results(arm)), pd.read_parquet(project.predictions(arm))
    write_parquet(project.results(arm), runs)
    with pytest.raises(InputError, match=f"{arm.name}.parquet: does not say what it is of"):
        evaluate(project)
    write_runs(project, arm, runs)
    predictions.to_parquet(project.predictions(arm))
    with pytest.raises(InputError, match=r"predictions\.parquet: it has no checksum"):
        evaluate(project)


def test_answers_of_earlier_results_are_not_shown_with_later_ones(tmp_path: Path) -> None:
    project = project_with_results(tmp_path, sizes=[10], folds=3)
    evaluate(project)
    (arm, _) = project.params().arms
    runs = pd.read_parquet(project.results(arm))
    write_runs(project, arm, runs.assign(run_key=runs["run_key"].str.upper()))
    done = cytocurve(tmp_path, "report")
    assert (done.returncode, "its answers are not those of results/" in done.stderr) == (2, True)
    assert "Next: dvc repro evaluate" in done.stderr


@pytest.mark.parametrize("undefined", ["all runs of an arm", "all runs"])
def test_study_without_any_defined_score_is_evaluated_and_reports_it(tmp_path: Path, undefined: str) -> None:
    project = project_with_results(tmp_path)
    for arm in project.params().arms[: 1 if undefined == "all runs of an arm" else 2]:
        table = pd.read_parquet(project.predictions(arm))
        tests = table["subset"] == "test"
        write_parquet(project.predictions(arm), table.assign(p_positive=table["p_positive"].where(~tests)))
        runs = pd.read_parquet(project.results(arm))
        write_runs(project, arm, runs.assign(**dict.fromkeys(METRICS, float("nan"))))
    evaluate(project)
    result = strict(project.answers.read_bytes())["arms"]["sequential-none-expert"]["roc"]["positive"]
    assert [(row["n"], row["undefined"]) for row in result] == [(0, 5)] * 3
