"""A registered model on images it has not seen, through the command line: another dataset, and the holdout."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cytocurve.api import Project
from cytocurve.config import ProjectPaths
from cytocurve.progress import Silent
from cytocurve.stores.documents import read_json
from cytocurve.stores.tracking.connection import connected
from cytocurve.study.looks import read_looks
from tests.projects import cytocurve, draw_cell, make_project, write_params, write_toy

MODEL = "toy-dark-vs-light"
TRAINING = {"batch_size": 5, "optimizer": "rmsprop", "learning_rate": 0.01, "max_epochs": 4, "patience": 2}
STUDY = {"augmentations": ["none", "flip_rotate"], "folds": 3, "sizes": [4], "training": TRAINING}


def write_other(root: Path) -> None:
    """Another clinic: new cells of ten patients with the study's numbers, and all that cannot judge the model."""
    folder, rows = root / "data" / "other", []
    for number in range(40):
        label = "odd" if number % 10 == 0 else "dark" if number % 2 else "light"
        name = f"{label}/new{number:02d}.png"
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_cell(1000 + number, number % 2 == 1).save(path)
        rows.append({"image": name, "label": "" if number == 33 else label, "patient": f"P{number % 10:02d}"})
    study, copies = root / "data" / "toy" / "images", folder / "images" / "dark"
    shutil.copy(study / "dark" / "cell001.png", copies / "copy.png")
    shutil.copy(copies / "new01.png", copies / "twin.png")
    draw_cell(1, True).rotate(90).save(copies / "turned.png")
    shutil.copy(study / "dark" / "cell003.png", copies / "locked.png")
    names = ("copy", "twin", "turned", "locked")
    rows += [{"image": f"dark/{name}.png", "label": "dark", "patient": "X"} for name in names]
    (folder / "labels").mkdir()
    pd.DataFrame(rows).to_csv(folder / "labels" / "folder.csv", index=False)


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of forty patients, a quarter of them locked away, with a registered model; to be copied."""
    root = make_project(tmp_path_factory.mktemp("registered"), holdout=0.25, **STUDY)
    table = root / "data" / "toy" / "labels" / "folder.csv"
    frame = pd.read_csv(table)
    frame["patient"] = [f"P{number:02d}" for number in range(len(frame))]
    frame.to_csv(table, index=False)
    study = Project(root, Silent())
    study.catalog()
    study.split()
    study.audit()
    study.sweep(executor="serial")
    study.register()
    write_other(root)
    return root


@pytest.fixture
def root(registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MLFLOW_TRACKING_URI", "CYTOCURVE_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(registered, tmp_path / "study", symlinks=True)
    return tmp_path / "study"


def refused(root: Path, *arguments: str) -> str:
    done = cytocurve(root, "validate", *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (root / "reports" / "validation").exists()
    assert not (root / "holdout.jsonl").exists()
    return done.stderr


@pytest.mark.slow
def test_registered_version_says_whose_score_is_known_and_how_it_was_chosen(root: Path) -> None:
    paths = ProjectPaths(root)
    with connected(paths.tracking_uri, paths.tracking_lock) as client:
        version = client.get_model_version_by_alias(MODEL, "challenger")
        client.update_model_version(MODEL, version.version, "what an earlier cytocurve wrote")
    assert version.tags["cytocurve.candidates"] == "2"
    assert version.tags["cytocurve.score_of"].endswith("not the ensemble")
    out_of_fold = json.loads(version.tags["cytocurve.out_of_fold"])
    runs = Project(root).runs([version.tags["cytocurve.arm"]])
    assert out_of_fold["roc_auc"]["mean"] == pytest.approx(runs["roc_auc"].mean(), abs=1e-6)
    for words in (
        "chosen among 2", "Corrected for the choice of the arm", "have seen every image of the study", " to validate:",
        "(95 % interval over folds ",
    ):  # fmt: skip
        assert words in (version.description or "")
    assert cytocurve(root, "register").returncode == 0
    with connected(paths.tracking_uri, paths.tracking_lock) as client:
        again = client.get_model_version_by_alias(MODEL, "challenger")
    assert (again.version, again.description) == (version.version, version.description)


@pytest.mark.slow
def test_validation_on_another_dataset_leaves_out_what_cannot_judge_the_model(root: Path) -> None:
    done = cytocurve(root, "validate", "--dataset", "other", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    left_out = {name: its["reason"] for its in result["left_out"] for name in its["images"]}
    assert left_out["dark/new33.png"] == "without a label"
    assert left_out["dark/copy.png"] == "with the same pixels as an image that the model has seen"
    assert left_out["dark/turned.png"] == "with nearly the same picture as one that the model has seen"
    assert left_out["dark/locked.png"].startswith("locked away as holdout")
    assert left_out["dark/twin.png"] == "with the same pixels as another image of the dataset"
    assert sum("'odd', which is no class of the task" in reason for reason in left_out.values()) == 4
    assert (result["images"], result["patients"]) == (35, 9), "P01 elsewhere is another person than the study's P01"
    written = root / "reports" / "validation" / "other-folder-v1.json"
    assert read_json(written, "") == result
    assert "default-src 'none'" in written.with_suffix(".html").read_text()
    paths = ProjectPaths(root)
    with connected(paths.tracking_uri, paths.tracking_lock) as client:
        tags = client.get_model_version(MODEL, "1").tags
    assert json.loads(tags["cytocurve.validation.other-folder-v1"])["data"] == result["data"]
    text = cytocurve(root, "validate", "challenger", "--dataset", "other").stdout
    assert f"{MODEL} version 1 (challenger) on dataset other, labels folder: 35 images of 9 patients" in text
    assert read_json(written, "") == result, "the same images and model give the same numbers"


@pytest.mark.slow
def test_every_look_at_the_holdout_is_recorded_and_a_new_draw_is_not_fresh(root: Path) -> None:
    held = set(pd.read_parquet(ProjectPaths(root).holdout)["image"])
    first = cytocurve(root, "validate", "--holdout", "--reason", "before the\npaper")
    assert first.returncode == 0, first.stderr
    assert "1st look at this holdout" in first.stdout
    assert "10 images of 10 patients" in first.stdout
    second = json.loads(cytocurve(root, "validate", "--holdout", "--reason", "again", "--json").stdout)
    assert second["freshness"]["look"] == 2
    assert [look.reason for look in read_looks(ProjectPaths(root))] == ["before the paper", "again"]
    assert all(name in held for its in second["worst"] for name in [its["image"]])
    page = (root / "reports" / "validation" / "holdout-folder-v1.html").read_text()
    assert "2nd look at this holdout" in page
    assert "before the paper" in page
    write_params(root, holdout=0.25, split_seed=1, **STUDY)
    stale = cytocurve(root, "validate", "--holdout", "--reason", "new")
    assert stale.returncode == 2
    assert "split_seed: 0 in build/split, 1 in params.yaml" in stale.stderr
    assert cytocurve(root, "split").returncode == 0
    third = json.loads(cytocurve(root, "validate", "--holdout", "--reason", "other seed", "--json").stdout)
    old = len(held & set(pd.read_parquet(ProjectPaths(root).holdout)["image"]))
    assert third["images"] == old, "the model has seen the others"
    assert third["freshness"]["look"] == 3


@pytest.mark.slow
def test_requests_that_cannot_be_met_are_refused_before_any_prediction(root: Path) -> None:
    assert "--dataset NAME, or --holdout" in refused(root)
    assert "--dataset NAME, or --holdout" in refused(root, "--holdout", "--dataset", "other")
    assert "--reason" in refused(root, "--holdout")
    assert "--reason" in refused(root, "--holdout", "--reason", " ")
    assert "data/nowhere does not exist" in refused(root, "--dataset", "nowhere")
    assert "Versions: 1 (challenger)" in refused(root, "7", "--dataset", "other")
    assert "neither" not in refused(root, "champion", "--dataset", "other")
    assert "label version 'expert' is unknown" in refused(root, "--dataset", "other", "--labels", "expert")
    own = refused(root, "--dataset", "toy")
    assert "left out: 30 images with the same pixels as an image that the model has seen" in own
    assert "left out: 10 images locked away as holdout" in own
    table = root / "data" / "other" / "labels" / "folder.csv"
    frame = pd.read_csv(table)
    frame.assign(label=frame["label"].replace("light", "pale")).to_csv(table, index=False)
    lacking = refused(root, "--dataset", "other")
    assert "class negative: 0 images" in lacking
    assert "labeled 'pale', which is no class of the task" in lacking
    frame.assign(label="").to_csv(table, index=False)
    assert "no image has a label" in refused(root, "--dataset", "other")
    shutil.move(root / "ledger", root / "elsewhere")
    assert "CYTOCURVE_LEDGER" in refused(root, "--holdout", "--reason", "final")


@pytest.mark.slow
def test_locked_images_stay_locked_for_the_version_whatever_the_settings_say_later(root: Path) -> None:
    """Nothing but a look scores them: not without the setting, and not after a split without a holdout."""
    write_params(root, **STUDY)
    stale = refused(root, "--dataset", "toy")
    assert "holdout: 0.25 in build/split, None in params.yaml" in stale
    settings = ProjectPaths(root).split_settings
    settings.rename(settings.with_suffix(".kept"))
    assert "settings.json: no such file" in refused(root, "--dataset", "toy")
    assert cytocurve(root, "split").returncode == 0
    own = refused(root, "--dataset", "toy")
    assert "left out: 10 images locked away as holdout" in own
    other = json.loads(cytocurve(root, "validate", "--dataset", "other", "--json").stdout)
    left_out = {name: its["reason"] for its in other["left_out"] for name in its["images"]}
    assert left_out["dark/locked.png"].startswith("locked away as holdout")


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new"), [('"value": ', '"value": 0.999, "was": '), ("}", "")])
def test_record_of_a_validation_that_was_edited_or_cut_is_named_by_the_report(root: Path, old: str, new: str) -> None:
    assert cytocurve(root, "validate", "--dataset", "other").returncode == 0
    assert cytocurve(root, "evaluate").returncode == 0
    record = root / "reports" / "validation" / "other-folder-v1.json"
    record.write_text(record.read_text().replace(old, new))
    done = cytocurve(root, "report")
    assert (done.returncode, "other-folder-v1.json: damaged" in done.stderr) == (2, True), done.stderr
    assert "cytocurve validate" in done.stderr


@pytest.mark.slow
def test_study_without_a_model_or_a_holdout_is_told_the_next_step(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    assert "holdout: 0.2 in params.yaml, then dvc repro" in refused(root, "--holdout", "--reason", "final")
    write_toy(root / "data" / "other")
    assert f"No version of the model {MODEL} is registered\nNext: dvc repro" in refused(root, "--dataset", "other")
