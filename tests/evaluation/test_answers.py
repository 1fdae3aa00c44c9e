"""Commands that read stored predictions (plan, report, figures), and the contents of the answers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytocurve.config import ProjectPaths
from cytocurve.core.planner.labels import LabelNeeds
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.metrics import score
from cytocurve.errors import InputError
from cytocurve.evaluation.answers import read_answers
from cytocurve.evaluation.arm_answers import arm_answers, arm_predictions
from cytocurve.report import formatting
from cytocurve.stores.documents import write_json
from cytocurve.stores.tables import write_parquet
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.links import links
from cytocurve.study.dataset import COLUMNS
from cytocurve.study.design import split_settings
from cytocurve.study.results import read_predictions
from cytocurve.workflows.plan import plan
from cytocurve.workflows.stages.evaluate import evaluate
from tests.core.audit.test_balance import split_of
from tests.makers import project_with_results, write_results, write_runs
from tests.projects import cytocurve

SIZES = (10, 20, 40, 80, 160, 320)


@pytest.fixture
def project(tmp_path: Path) -> ProjectPaths:
    return project_with_results(tmp_path, SIZES)


def silent(done: int, total: int) -> None:
    pass


def test_plan_command_reports_every_arms_answer_to_the_target(project: ProjectPaths) -> None:
    done = cytocurve(project.root, "plan", "--target", "0.9", "--json")
    figures = json.loads(done.stdout)
    assert done.returncode == 0
    assert list(figures["arms"]) == [arm.name for arm in project.params().arms]
    for result in figures["arms"].values():
        assert result["required"]["target"] == 0.9
        assert result["required"]["verdict"] in {"reached", "forecast", "open", "beyond"}
        assert len(result["required"]["chances"]) == len(result["forecast"])
        assert [row["images"] for row in result["next"]] == [50, 100, 500]


def test_plan_command_and_report_give_the_same_plan(project: ProjectPaths) -> None:
    evaluate(project, silent)
    arm = project.params().arms[1]
    requested = plan(project, [arm], "roc_auc", 0.9).arms[arm.name].plan
    assert requested == read_answers(project).arms[arm.name].plan


def test_plan_without_a_target_answers_the_most_informative_one_of_each_arm(project: ProjectPaths) -> None:
    told = cytocurve(project.root, "plan").stdout
    answers = plan(project, project.params().arms, "roc_auc", None)
    assert answers.target is None
    for arm in answers.arms.values():
        assert arm.plan.start is not None
        assert arm.required is not None
        assert arm.required.target == arm.plan.start.target
        assert f"Target chosen: {formatting.target(arm.required.target)} is {arm.plan.start.reason}" in told


def test_labels_of_an_answer_are_those_to_train_and_to_validate(project: ProjectPaths) -> None:
    """By class and in patients, from the split; the runs of this project have six validation images."""
    names = [f"{number}.tif" for number in range(40)]
    rows = [
        {"fold": fold, "subset": subset, "rank": rank, "image": name, "pixel_sha256": name, "label": label, "class": 0}
        for fold in range(5)
        for subset, part in (("validation", names[:6]), ("train", names[6:]))
        for rank, name in enumerate(part)
        for label in ["negative" if rank % 2 else "positive"]
    ]
    arm = project.params().arms[0]
    bare = plan(project, [arm], "roc_auc", 0.6).arms[arm.name].required
    project.split(arm.labels).parent.mkdir(parents=True)
    write_parquet(project.split(arm.labels), pd.DataFrame(rows))
    catalog = pd.DataFrame({"image": names, "patient": [f"P{number // 4}" for number in range(40)]})
    write_parquet(project.catalog, catalog.reindex(columns=COLUMNS))
    write_json(project.split_settings, split_settings(project.params()))
    write_runs(project, arm, pd.read_parquet(project.results(arm)))
    found = plan(project, [arm], "roc_auc", 0.6).arms[arm.name].required
    assert bare is not None
    assert found is not None
    assert bare.labels is not None
    assert found.labels is not None
    assert (bare.labels.total, bare.labels.classes, bare.labels.patients) == (bare.labels.training + 6, {}, None)
    assert found.labels.total == sum(found.labels.classes.values()) == found.labels.training + 6
    assert abs(found.labels.classes["negative"] - found.labels.classes["positive"]) <= 1
    assert found.labels.patients == -(-found.labels.total // 4)


def test_plan_refused_for_every_arm_exits_with_1_and_gives_the_reasons(tmp_path: Path) -> None:
    few = project_with_results(tmp_path, (10, 20, 40))
    done = cytocurve(few.root, "plan")
    assert done.returncode == 1
    assert done.stdout.count("No forecast: ") == 2


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (("--metric", "roc_aux"), "did you mean 'roc_auc'"),
        (("--target", "1.5"), "--target"),
        (("--arm", "sequential-none-exprt"), "sequential-none-expert"),
    ],
)
def test_plan_for_an_unknown_arm_or_metric_is_rejected(
    project: ProjectPaths, wrong: tuple[str, str], expected: str
) -> None:
    done = cytocurve(project.root, "plan", *wrong)
    assert done.returncode == 2
    assert expected in done.stderr


@pytest.mark.slow
def test_figures_have_the_requested_width_and_come_as_svg_and_pdf(project: ProjectPaths) -> None:
    evaluate(project, silent)
    done = cytocurve(project.root, "figures", "--width", "8.5cm", "--json")
    files = [project.root / name for name in json.loads(done.stdout)["files"]]
    assert {path.suffix for path in files} == {".svg", ".pdf"}
    assert {path.stem for path in files} >= {"curves", "boxplot", "roc", "confusion", "reliability", "forecast"}
    assert all(path.stat().st_size for path in files)


@pytest.mark.parametrize("width", ["85", "-5mm", "0mm", "9000mm", "wide"])
def test_nonsensical_width_is_rejected_with_an_example(project: ProjectPaths, width: str) -> None:
    done = cytocurve(project.root, "figures", f"--width={width}")
    assert done.returncode == 2
    assert "for example 85mm" in done.stderr


@pytest.mark.slow
def test_report_command_reproduces_the_page_of_evaluate(project: ProjectPaths) -> None:
    evaluate(project, silent)
    page = project.reports / "report.html"
    before = page.read_bytes()
    page.unlink()
    assert cytocurve(project.root, "report").returncode == 0
    assert page.read_bytes() == before


@pytest.mark.parametrize("command", ["report", "figures"])
def test_missing_answers_name_the_next_step(project: ProjectPaths, command: str) -> None:
    done = cytocurve(project.root, command)
    assert done.returncode == 2
    assert "dvc repro evaluate" in done.stderr


@pytest.mark.parametrize("content", ["", "[]", '{"dataset": "other", "task": "blast", "arms": {}}'])
def test_answers_of_another_study_are_rejected(project: ProjectPaths, content: str) -> None:
    project.reports.mkdir()
    project.answers.write_text(content)
    with pytest.raises(InputError, match="dvc repro evaluate"):
        read_answers(project)


def test_multiclass_arm_answers_the_questions_of_its_labels(tmp_path: Path) -> None:
    """Sums of class probabilities are scored like the binary task (Matek et al. 2019)."""
    names = ["lymphocyte", "monoblast", "myeloblast"]
    random = np.random.default_rng(0)
    truth = np.arange(30) % 3
    rows, tables = [], []
    for fold in range(4):
        odds = random.normal(0, 1, (30, 3)) + 1.5 * np.eye(3)[truth]
        p = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
        key = f"{fold:064d}"
        rows.append({"fold": fold, "size": 10, "seed": 0, "run_key": key} | score(truth, p))
        table = pd.DataFrame(p, columns=[f"p_{name}" for name in names])
        tables.append(table.assign(run_key=key, image=[f"{fold}-{i}.tif" for i in range(30)]))
    predictions = pd.concat(tables, ignore_index=True)
    predictions["label"] = [names[number] for number in np.tile(truth, 4)]
    runs = pd.DataFrame(rows)
    tested = arm_predictions(runs, predictions.astype(dict.fromkeys(("run_key", "image", "label"), "category")), {})
    given = dict(zip(predictions["image"], predictions["label"], strict=True))
    result = arm_answers(Arm("sequential", "none", "expert"), runs, tested, given, "roc_auc", LabelNeeds(6)).questions
    assert set(result) == {"blast", "atypical"}
    blast = predictions["p_monoblast"] + predictions["p_myeloblast"]
    pairs = np.stack([1 - blast, blast], axis=1).reshape(4, 30, 2)
    expected = np.mean([score((truth > 0).astype(np.int64), fold)["roc_auc"] for fold in pairs])
    assert result["blast"]["roc_auc"][0].mean == pytest.approx(expected, abs=1e-9)


def test_known_patients_are_scored_and_images_without_a_patient_counted(project: ProjectPaths) -> None:
    arm = project.params().arms[0]
    runs = pd.read_parquet(project.results(arm))
    patients = {f"{fold}-{i}.tif": f"P{fold}{i % 2}" for fold in range(5) for i in range(6)}
    tested = arm_predictions(runs, read_predictions(project, arm, "test"), patients)
    result = arm_answers(arm, runs, tested, {}, "roc_auc", LabelNeeds(6)).subjects
    assert result is not None
    assert [row.size for row in result] == list(SIZES)
    assert all((row.subjects, row.unknown) == (10, 10) for row in result)


def test_arms_with_different_labels_are_reported_as_not_comparable(project: ProjectPaths) -> None:
    first, second = project.params().arms
    write_results(project, second, 2.0, labels=["positive", "negative"] * 4)
    evaluate(project, silent)
    result = read_answers(project)
    assert result.comparisons == ()
    (pair,) = result.not_comparable
    assert (pair.a, pair.b) == (first.name, second.name)
    assert "labels differ" in pair.reason


@pytest.mark.slow
def test_link_leads_to_the_parent_run_of_an_arm(tmp_path: Path) -> None:
    store, lock = f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "lock"
    with connected(store, lock) as client:
        experiment = client.create_experiment("toy/blast")
        parent = client.create_run(experiment).info.run_id
        tags = {"mlflow.parentRunId": parent, "cytocurve.run_key": "k1"}
        client.create_run(experiment, tags=tags)
    result = links(store, lock, "toy/blast", {"a": "k1", "b": "k2"})
    assert result is not None
    assert result["arms"] == {"a": f"/#/experiments/{experiment}/runs/{parent}"}
    assert links(store, lock, "other/blast", {"a": "k1"}) is None


def test_missing_store_gives_no_link_and_is_not_created(tmp_path: Path) -> None:
    assert links(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "lock", "toy/blast", {}) is None
    assert links("http://127.0.0.1:9", tmp_path / "lock", "toy/blast", {}) is None
    assert not (tmp_path / "mlflow.db").exists()


def test_the_plan_warns_of_the_sizes_that_cannot_be_balanced(project: ProjectPaths) -> None:
    """Of both arms, since they share the label version; without a split on disk, nothing is known."""
    before = cytocurve(project.root, "plan", "--target", "0.9")
    assert "Warning" not in before.stdout
    rare = split_of(300, 30).assign(**{"class": 0})
    rare["image"] = rare["pixel_sha256"] = [f"{number}.png" for number in range(len(rare))]
    write_parquet(project.split("expert"), rare)
    write_json(project.split_settings, split_settings(project.params()))
    for arm in project.params().arms:
        write_runs(project, arm, pd.read_parquet(project.results(arm)))
    told = cytocurve(project.root, "plan", "--target", "0.9")
    assert told.returncode == 0, told.stderr
    warning = (
        "  Warning: a class has too few images for balanced sizes 40, 80, 160, 320;\n"
        "  such a set is larger mostly by images of the other classes, and the curve shows that gain\n"
    )
    assert told.stdout.count(warning) == 2
    arms = json.loads(cytocurve(project.root, "plan", "--target", "0.9", "--json").stdout)["arms"]
    assert [arm["unbalanced"] for arm in arms.values()] == [[40, 80, 160, 320]] * 2
