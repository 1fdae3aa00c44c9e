"""What became of a record, and taking it out."""

import json
import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from dataset_makers import silent
from projects import BIN, cytocurve, make_project, run, write_params, write_toy

from cytocurve.config import Project
from cytocurve.errors import InputError
from cytocurve.pipeline.catalog import catalog
from cytocurve.pipeline.split import split_versions
from cytocurve.pipeline.withdraw import withdraw

TODAY = date(2026, 1, 2)


def one_patient_an_image(root: Path, dataset: str = "toy") -> None:
    path = root / "data" / dataset / "labels" / "folder.csv"
    table = pd.read_csv(path)
    table["patient"] = [f"P{number:02d}" for number in range(len(table))]
    table.to_csv(path, index=False)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_params(tmp_path)
    write_toy(tmp_path / "data" / "toy")
    one_patient_an_image(tmp_path)
    made = Project(tmp_path)
    catalog(made, silent)
    return made


def split_of(project: Project) -> pd.DataFrame:
    catalog(project, silent)
    return split_versions(pd.read_parquet(project.catalog), project.params())["folder"]


def test_a_withdrawn_patient_leaves_images_and_tables_and_stays_in_the_record(project: Project) -> None:
    figures = withdraw(project, "toy", "P03", "consent withdrawn", TODAY)
    (name,) = figures["images"]
    assert not (project.data / "toy" / "images" / name).exists()
    assert name not in pd.read_csv(project.data / "toy" / "labels" / "folder.csv")["image"].tolist()
    (record,) = pd.read_csv(project.data / "toy" / "withdrawn.csv").to_dict("records")
    assert (record["image"], record["reason"], record["date"]) == (name, "consent withdrawn", "2026-01-02")


def test_the_others_keep_their_folds_and_their_order(project: Project) -> None:
    """A withdrawn image leaves its place empty; every subset is what it was without it."""
    before = split_of(project)
    (name,) = withdraw(project, "toy", "P03", "consent withdrawn", TODAY)["images"]
    after = split_of(project)
    kept = before[before["image"] != name].drop(columns="rank").reset_index(drop=True)
    assert after.drop(columns="rank").equals(kept)
    assert name not in set(after["image"])


def test_the_same_picture_under_another_name_goes_too(project: Project) -> None:
    """Withdrawal is of pixels, not of names."""
    folder, table = project.data / "toy" / "images", project.data / "toy" / "labels" / "folder.csv"
    twin = "dark/twin.png"
    (folder / twin).write_bytes((folder / "dark/cell003.png").read_bytes())
    patient = pd.read_csv(table).set_index("image").loc["dark/cell003.png", "patient"]
    table.write_text(table.read_text() + f"{twin},dark,P99\n")
    catalog(project, silent)
    figures = withdraw(project, "toy", str(patient), "consent withdrawn", TODAY)
    assert (figures["images"], figures["identical"]) == (["dark/cell003.png"], [twin])
    assert not (folder / twin).exists()


def test_a_killed_withdrawal_is_finished_by_repeating_it(project: Project) -> None:
    """Its record comes first; the catalog refuses what is half withdrawn and says what to do."""
    (name,) = withdraw(project, "toy", "P03", "consent withdrawn", TODAY)["images"]
    left_over = project.data / "toy" / "images" / name
    left_over.write_bytes(next((project.data / "toy" / "images").rglob("*.png")).read_bytes())
    with pytest.raises(InputError, match="repeat cytocurve data withdraw"):
        catalog(project, silent)
    project.catalog.unlink()
    withdraw(project, "toy", "P03", "another reason", TODAY)
    assert not left_over.exists()
    assert catalog(project, silent)["withdrawn"] == 1


def test_wrong_wishes_are_refused_and_change_nothing(project: Project) -> None:
    before = sorted(project.root.rglob("*"))
    with pytest.raises(InputError, match="'PO3' is unknown; did you mean"):
        withdraw(project, "toy", "PO3", "consent withdrawn", TODAY)
    with pytest.raises(InputError, match="needs a reason"):
        withdraw(project, "toy", "P03", " ", TODAY)
    with pytest.raises(InputError, match="is not there"):
        withdraw(project, "other", "P03", "consent withdrawn", TODAY)
    assert sorted(project.root.rglob("*")) == before


@pytest.mark.slow
def test_a_record_is_traced_and_withdrawn_and_only_its_runs_are_trained_again(tmp_path: Path) -> None:
    """The whole loop by the real commands: what the trace lists is what the next study trains."""
    root = make_project(tmp_path / "study", sizes=[4, 8, 12])
    one_patient_an_image(root)
    for command in (["dvc", "add", "-q", "data"], ["dvc", "repro", "-q"]):
        assert run(root, str(BIN / command[0]), *command[1:]).returncode == 0
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
    said = run(root, str(BIN / "dvc"), "repro")
    assert said.returncode == 0, said.stderr
    found = re.search(r"runs (\d+), found (\d+), trained (\d+)", said.stdout)
    assert found
    assert [int(number) for number in found.groups()] == [len(runs), len(runs) - len(saw), len(saw)]
    after = pd.read_parquet(root / "results" / "sequential-none-folder.parquet")
    assert set(runs["run_key"]) - saw == set(runs["run_key"]) & set(after["run_key"])
    again = json.loads(cytocurve(root, "data", "trace", "--patient", "P03", "--json").stdout)
    assert {seen["run_key"] for seen in again["runs"]} == saw
    assert again["images"][0]["withdrawn"] == "consent withdrawn"
