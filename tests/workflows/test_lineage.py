"""Tracing and withdrawing a record."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytocurve.api import Project
from cytocurve.config import ProjectPaths
from cytocurve.core.data.assignment import split_versions
from cytocurve.errors import InputError
from cytocurve.progress import Silent
from cytocurve.stores.ledger import Finished, open_ledger
from cytocurve.stores.tables import write_parquet
from cytocurve.stores.tracking.connection import connected
from cytocurve.study.design import design_arm
from cytocurve.training.executors.serial import Serial
from cytocurve.training.worker import Assignment, train_run
from cytocurve.workflows.data_trace import Trace, trace
from cytocurve.workflows.data_withdraw import remove_patient
from cytocurve.workflows.stages.audit import audit
from cytocurve.workflows.stages.catalog import catalog
from cytocurve.workflows.stages.split import split
from cytocurve.workflows.stages.sweep import sweep
from tests.datasets.dataset_makers import silent
from tests.projects import cytocurve, make_project, run, write_params, write_toy

TODAY = date(2026, 1, 2)


def one_patient_an_image(root: Path, dataset: str = "toy") -> None:
    path = root / "data" / dataset / "labels" / "folder.csv"
    table = pd.read_csv(path)
    table["patient"] = [f"P{number:02d}" for number in range(len(table))]
    table.to_csv(path, index=False)


@pytest.fixture(scope="module")
def catalogued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after ``catalog``, to be copied."""
    root = tmp_path_factory.mktemp("catalogued")
    write_params(root)
    write_toy(root / "data" / "toy")
    one_patient_an_image(root)
    catalog(ProjectPaths(root), silent)
    return root


@pytest.fixture
def project(catalogued: Path, tmp_path: Path) -> ProjectPaths:
    shutil.copytree(catalogued, tmp_path, dirs_exist_ok=True)
    return ProjectPaths(tmp_path)


def split_of(project: ProjectPaths) -> pd.DataFrame:
    catalog(project, silent)
    return split_versions(pd.read_parquet(project.catalog), project.params())["folder"]


def trace_of(project: ProjectPaths) -> Trace:
    name = str(pd.read_parquet(project.catalog)["image"][0])
    return trace(project, name, None, silent)


def test_withdrawn_patient_is_removed_from_images_and_tables_but_recorded(project: ProjectPaths) -> None:
    figures = remove_patient(project, "toy", "P03", "consent withdrawn", TODAY)
    (name,) = figures.images
    assert not (project.data / "toy" / "images" / name).exists()
    assert name not in pd.read_csv(project.data / "toy" / "labels" / "folder.csv")["image"].tolist()
    (record,) = pd.read_csv(project.data / "toy" / "withdrawn.csv").to_dict("records")
    assert (record["image"], record["reason"], record["date"]) == (name, "consent withdrawn", "2026-01-02")


def test_withdrawal_keeps_folds_and_order_of_other_images(project: ProjectPaths) -> None:
    """A withdrawn image leaves its place empty; every subset is otherwise unchanged."""
    before = split_of(project)
    (name,) = remove_patient(project, "toy", "P03", "consent withdrawn", TODAY).images
    after = split_of(project)
    kept = before[before["image"] != name].drop(columns="rank").reset_index(drop=True)
    assert after.drop(columns="rank").equals(kept)
    assert name not in set(after["image"])


def test_withdrawal_removes_identical_images_with_other_names(project: ProjectPaths) -> None:
    """Withdrawal applies to pixels, not names."""
    folder, table = project.data / "toy" / "images", project.data / "toy" / "labels" / "folder.csv"
    twin = "dark/twin.png"
    (folder / twin).write_bytes((folder / "dark/cell003.png").read_bytes())
    patient = pd.read_csv(table).set_index("image").loc["dark/cell003.png", "patient"]
    table.write_text(table.read_text() + f"{twin},dark,P99\n")
    catalog(project, silent)
    figures = remove_patient(project, "toy", str(patient), "consent withdrawn", TODAY)
    assert (figures.images, figures.identical) == (["dark/cell003.png"], [twin])
    assert not (folder / twin).exists()


def test_withdrawal_deletes_the_prepared_pixels(project: ProjectPaths) -> None:
    project.pixels.mkdir(parents=True)
    for name in ("ab.npy", "ab.sha256"):
        (project.pixels / name).write_bytes(b"pixels")
    remove_patient(project, "toy", "P03", "consent withdrawn", TODAY)
    assert {path.name for path in project.pixels.iterdir()} <= {"lock"}


def test_withdrawn_image_is_trained_from_no_entrance_before_the_next_split(project: ProjectPaths) -> None:
    split(project)
    (design,) = (design_arm(project, project.params(), arm) for arm in project.params().arms)
    (name,) = remove_patient(project, "toy", "P03", "consent withdrawn", TODAY).images
    for command in (["sweep"], ["sweep", design.arm.name], ["publish"], ["audit"], ["report", "--partial"]):
        done = cytocurve(project.root, *command)
        assert (done.returncode, "withdrawn" in done.stderr, name in done.stderr) == (2, True, True), done.stderr
        assert "Next: dvc repro" in done.stderr
    with pytest.raises(InputError, match=f"withdrawn(?s:.*){name}"):
        Project(project.root).sweep(executor="serial")
    with pytest.raises(InputError, match=f"withdrawn(?s:.*){name}"):
        sweep(project, [design], Serial, Silent())
    planned = design.runs[0]
    gone = Assignment(
        project.ledger_url, project.locks, project.pixels / "gone.npy", "arm", design.classes, planned, None
    )
    with pytest.raises(InputError, match=r"gone\.npy: removed while arm was being trained"):
        train_run(gone)
    assert not open_ledger(project.ledger_url).keys()


def test_record_of_withdrawals_that_cannot_be_read_stops_a_sweep(project: ProjectPaths) -> None:
    split(project)
    (project.data / "toy" / "withdrawn.csv").write_text("name\nx\n")
    done = cytocurve(project.root, "sweep")
    assert (done.returncode, "withdrawn.csv: this record of withdrawals cannot be used" in done.stderr) == (2, True)


def test_killed_withdrawal_is_completed_by_rerunning_it(project: ProjectPaths) -> None:
    """The record is written first; the catalog rejects a half-finished withdrawal and says what to do."""
    (name,) = remove_patient(project, "toy", "P03", "consent withdrawn", TODAY).images
    left_over = project.data / "toy" / "images" / name
    left_over.write_bytes(next((project.data / "toy" / "images").rglob("*.png")).read_bytes())
    with pytest.raises(InputError, match="rerun cytocurve data withdraw"):
        catalog(project, silent)
    project.catalog.unlink()
    remove_patient(project, "toy", "P03", "another reason", TODAY)
    assert not left_over.exists()
    assert catalog(project, silent).withdrawn == 1


def test_repeated_withdrawal_reports_the_date_of_the_first(project: ProjectPaths) -> None:
    first = remove_patient(project, "toy", "P03", "consent withdrawn", TODAY)
    again = remove_patient(project, "toy", "P03", "another reason", date(2026, 3, 4))
    assert (first.already, again.already) == (False, True)
    assert (again.date, again.reason) == ("2026-01-02", "consent withdrawn")
    assert (first.not_recorded, again.not_recorded) == (None, "another reason")
    assert remove_patient(project, "toy", "P03", "consent  withdrawn", TODAY).not_recorded is None


@pytest.mark.slow
def test_trace_separates_runs_of_the_present_results_from_older_ones(project: ProjectPaths) -> None:
    identity = pd.read_parquet(project.catalog)["pixel_sha256"][0]
    for number, key in enumerate(("ab" * 32, "cd" * 32)):
        images = {"train": np.frombuffer(bytes.fromhex(identity), np.uint8)[None]}
        about = {"arm": "sequential-none-folder", "fold": 0, "size": 4 + number, "seed": 0}
        open_ledger(project.ledger_url).add(Finished(key, about, (0.5,), (0.5,), {}, images, {}), [])
    (arm,) = project.params().arms
    assert {run.present for run in trace_of(project).runs} == {False}
    write_parquet(project.results(arm), pd.DataFrame({"run_key": ["cd" * 32]}))
    figures = trace_of(project)
    assert {run.run_key[:2]: run.present for run in figures.runs} == {"ab": False, "cd": True}
    assert [(curve.present, curve.sizes["train"]) for curve in figures.curves] == [(True, [5]), (False, [4])]


@pytest.mark.slow
def test_trace_names_runs_missing_from_the_ledger_and_gives_no_all_clear(project: ProjectPaths) -> None:
    """With an empty ledger, runs in results, MLflow and registered models are reported, and the exit code is 1."""
    assert trace_of(project).complete
    name = str(pd.read_parquet(project.catalog)["image"][0])
    assert cytocurve(project.root, "data", "trace", name).returncode == 0
    (arm,) = project.params().arms
    write_parquet(project.results(arm), pd.DataFrame({"run_key": ["ab" * 32]}))
    with connected(project.tracking_uri, project.tracking_lock) as client:
        for experiment in ("toy/dark-vs-light", "other/blast"):
            number = client.create_experiment(experiment)
            for key in ("ab" * 32, "cd" * 32):
                run_key = f"{key[:-1]}{len(experiment) % 2}"
                entry = client.create_run(number, tags={"cytocurve.run_key": run_key})
        client.create_registered_model("toy-dark-vs-light")
        tags = {"cytocurve.members": json.dumps(["ef" * 32])}
        client.create_model_version("toy-dark-vs-light", f"{entry.info.artifact_uri}/model", entry.info.run_id, tags)
    traced = trace_of(project)
    assert [(run.run_key[:2], run.found_in) for run in traced.unsearched_runs] == [
        ("ab", ["MLflow"]),
        ("ab", [f"results/{arm.name}.parquet"]),
        ("cd", ["MLflow"]),
        ("ef", ["model toy-dark-vs-light version 1"]),
    ]
    done = cytocurve(project.root, "data", "trace", name)
    assert done.returncode == 1
    assert "4 runs missing from the ledger" in done.stdout
    assert json.loads(cytocurve(project.root, "data", "trace", name, "--json").stdout)["complete"] is False


def test_damaged_run_makes_a_trace_incomplete(project: ProjectPaths) -> None:
    images = {"train": np.zeros((1, 32), np.uint8)}
    about = {"arm": "sequential-none-folder", "fold": 0, "size": 4, "seed": 0}
    ledger = open_ledger(project.ledger_url)
    ledger.add(Finished("ab" * 32, about, (0.5,), (0.5,), {}, images, {}), [])
    assert trace_of(project).complete
    next(Path(ledger.url).rglob("predictions.npz")).write_bytes(b"damaged")
    assert not trace_of(project).complete


def test_invalid_requests_are_rejected_and_change_nothing(project: ProjectPaths) -> None:
    before = sorted(project.data.rglob("*"))
    with pytest.raises(InputError, match="'PO3' is unknown; did you mean"):
        remove_patient(project, "toy", "PO3", "consent withdrawn", TODAY)
    with pytest.raises(InputError, match="must not be blank"):
        remove_patient(project, "toy", "P03", " ", TODAY)
    with pytest.raises(InputError, match="does not exist"):
        remove_patient(project, "other", "P03", "consent withdrawn", TODAY)
    assert sorted(project.data.rglob("*")) == before


def test_patients_and_reasons_are_kept_verbatim_except_for_line_breaks(project: ProjectPaths) -> None:
    """A patient called NA is one; a carriage return in the record would make it unreadable."""
    table = project.data / "toy" / "labels" / "folder.csv"
    table.write_text(table.read_text().replace("P03", "NA"))
    catalog(project, silent)
    for _ in range(2):
        figures = remove_patient(project, "toy", "NA", 'so he "said",\r\nby letter', TODAY)
        assert (len(figures.images), figures.reason) == (1, 'so he "said", by letter')
    assert catalog(project, silent).withdrawn == 1


@pytest.mark.parametrize("content", [b"", b"image\na.png\n", b'\xff"', b'image,"a'])
def test_damaged_record_is_reported_and_left_alone(project: ProjectPaths, content: bytes) -> None:
    record = project.data / "toy" / "withdrawn.csv"
    record.write_bytes(content)
    with pytest.raises(InputError, match="record of withdrawals cannot be used"):
        remove_patient(project, "toy", "P03", "consent withdrawn", TODAY)
    assert record.read_bytes() == content


def test_catalog_of_other_images_is_rejected(project: ProjectPaths) -> None:
    """Of the same names, as of another dataset: the record would name pictures that were never there."""
    images = project.data / "toy" / "images"
    (images / "light" / "new.png").write_bytes((images / "dark" / "cell001.png").read_bytes())
    (images / "dark" / "cell003.png").write_bytes((images / "dark" / "cell001.png").read_bytes())
    with pytest.raises(InputError) as caught:
        remove_patient(project, "toy", "P03", "consent withdrawn", TODAY)
    assert caught.value.offenders == ("light/new.png", "dark/cell003.png, in its current version")
    assert not (project.data / "toy" / "withdrawn.csv").exists()


@pytest.mark.slow
@pytest.mark.parametrize("other", ["", "other"])
def test_withdrawing_an_image_excluded_by_another_version_leaves_all_sets_unchanged(
    project: ProjectPaths, other: str
) -> None:
    """It had no place in the draw, and withdrawing it adds none; a later version removes none."""
    folder = project.data / "toy" / "labels"
    table = pd.read_csv(folder / "folder.csv", dtype="str")
    write_params(project.root, labels=["folder", "second"])
    second = table.assign(label=table["label"].where(table["patient"] != "P03", other))
    second.to_csv(folder / "second.csv", index=False)
    before = split_of(project)
    remove_patient(project, "toy", "P03", "consent withdrawn", TODAY)
    assert split_of(project).equals(before)
    pd.read_csv(folder / "folder.csv").to_csv(folder / "third.csv", index=False)
    write_params(project.root, labels=["folder", "third"])
    with_third = split_of(project)
    write_params(project.root, labels=["folder"])
    assert with_third.equals(split_of(project))


@pytest.mark.parametrize("image", ["light/cell003.png", "", "ell003.png"])
def test_missing_image_is_not_mistaken_for_another(project: ProjectPaths, image: str) -> None:
    with pytest.raises(InputError, match="is unknown"):
        trace(project, image, None, silent)


def test_catalog_of_an_earlier_version_is_rejected_by_every_reader(project: ProjectPaths) -> None:
    write_parquet(project.catalog, pd.read_parquet(project.catalog).drop(columns=["withdrawn", "format"]))
    for call in (
        lambda: split(project),
        lambda: audit(project),
        lambda: trace(project, "cell003.png", None, silent),
        lambda: remove_patient(project, "toy", "P03", "consent withdrawn", TODAY),
    ):
        with pytest.raises(InputError, match="lacks the columns") as caught:
            call()
        assert caught.value.offenders == ("withdrawn", "format")


@pytest.mark.slow
def test_record_is_traced_and_withdrawn_and_only_its_runs_are_retrained(tmp_path: Path) -> None:
    """The whole loop by the real commands: what the trace lists is what the next study trains."""
    root = make_project(tmp_path / "study", sizes=[4, 8, 12])
    one_patient_an_image(root)
    for command in (["add", "-q", "data"], ["repro", "-q"]):
        assert run(root, "dvc", *command).returncode == 0
    runs = pd.read_parquet(root / "results" / "sequential-none-folder.parquet")
    traced = json.loads(cytocurve(root, "data", "trace", "--patient", "P03", "--json").stdout)
    saw = {seen["run_key"] for seen in traced["runs"]}
    assert saw < set(runs["run_key"])
    assert {seen["subset"] for seen in traced["runs"]} == {"train", "validation", "test"}
    assert [(model["model"], model["version"], model["aliases"]) for model in traced["models"]] == [
        ("toy-dark-vs-light", 1, ["challenger"])
    ]
    assert traced["curves"][0]["test"] == [4, 8, 12]

    assert cytocurve(root, "data", "withdraw", "--patient", "P03", "--reason", "consent withdrawn").returncode == 0
    repeated = cytocurve(root, "data", "withdraw", "--patient", "P03", "--reason", "moved away")
    assert repeated.returncode == 0
    assert "(consent withdrawn)" in repeated.stdout
    assert "the reason 'moved away' was not recorded; the one above remains" in repeated.stdout
    said = run(root, "dvc", "repro", "sweep@sequential-none-folder")
    assert said.returncode == 0, said.stderr
    result = re.search(r"runs (\d+), found (\d+), trained (\d+)", said.stdout)
    assert result
    assert [int(number) for number in result.groups()] == [len(runs), len(runs) - len(saw), len(saw)]
    after = pd.read_parquet(root / "results" / "sequential-none-folder.parquet")
    assert set(runs["run_key"]) - saw == set(runs["run_key"]) & set(after["run_key"])
    again = json.loads(cytocurve(root, "data", "trace", "--patient", "P03", "--json").stdout)
    assert {seen["run_key"] for seen in again["runs"]} == saw
    assert ({seen["present"] for seen in traced["runs"]}, {seen["present"] for seen in again["runs"]}) == (
        {True},
        {False},
    )
    assert again["images"][0]["withdrawn"] == "consent withdrawn"
