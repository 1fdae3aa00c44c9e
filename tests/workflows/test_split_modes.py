"""Splits by patient and by official folds, through the catalog and the command line."""

import json
from pathlib import Path

import pandas as pd
import pytest

from cytocurve.config import ProjectPaths
from cytocurve.core.data.assignment import split_versions
from cytocurve.errors import InputError
from cytocurve.stores.tables import write_parquet
from cytocurve.study.design import split_settings
from cytocurve.workflows.stages.catalog import catalog
from cytocurve.workflows.stages.split import split
from tests.datasets.dataset_makers import silent
from tests.projects import cytocurve, write_params, write_toy


def project(root: Path, patients: int = 8, **changes: object) -> ProjectPaths:
    """Forty cells, half of them dark, in four official folds; every patient has both kinds."""
    write_params(root, **changes)
    write_toy(root / "data" / "toy")
    path = root / "data" / "toy" / "labels" / "folder.csv"
    table = pd.read_csv(path)
    table["patient"] = [f"P{number % patients}" for number in range(len(table))]
    table["fold"] = [f"part{number % 4}" for number in range(len(table))]
    table.to_csv(path, index=False)
    made = ProjectPaths(root)
    catalog(made, silent)
    return made


def refused(root: Path, command: str) -> str:
    """The message of a command that exits with 2 before it has written anything."""
    done = cytocurve(root, command)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert not any((root / name).exists() for name in ("ledger", "results", "reports", "mlruns"))
    return done.stderr


def patients_by_subset(made: ProjectPaths) -> pd.DataFrame:
    frame = pd.read_parquet(made.catalog)
    table = split_versions(frame, made.params())["folder"]
    return table.assign(patient=table["image"].map(frame.set_index("image")["patient"]))


def test_patient_split_never_puts_a_patient_in_two_subsets(tmp_path: Path) -> None:
    table = patients_by_subset(project(tmp_path, split="patient", sizes=[4, 8]))
    for _, fold in table.groupby("fold"):
        assert (fold.groupby("patient")["subset"].nunique() == 1).all()


def test_training_set_can_grow_by_whole_patients(tmp_path: Path) -> None:
    table = patients_by_subset(project(tmp_path, split="patient", sizes=[4, 8], grow_by="patients"))
    for _, fold in table[table["subset"] == "train"].groupby("fold"):
        order = fold.sort_values("rank")["patient"].tolist()
        assert order == sorted(order, key=order.index)


def test_more_folds_than_patients_of_a_class_are_rejected_with_the_counts(tmp_path: Path) -> None:
    made = project(tmp_path, patients=3, split="patient")
    with pytest.raises(InputError, match="4 patients per class") as caught:
        split(made)
    assert caught.value.offenders == ("negative: 3", "positive: 3")


def test_missing_official_folds_are_rejected_by_name(tmp_path: Path) -> None:
    made = project(tmp_path, split="predefined", sizes=[4, 8])
    frame = pd.read_parquet(made.catalog).assign(fold=None)
    write_parquet(made.catalog, frame)
    with pytest.raises(InputError, match="official folds; dataset 'toy' has none"):
        split(made)


def test_official_folds_are_the_test_folds(tmp_path: Path) -> None:
    made = project(tmp_path, split="predefined", sizes=[4, 8])
    official = pd.read_parquet(made.catalog).set_index("image")["fold"]
    table = split_versions(pd.read_parquet(made.catalog), made.params())["folder"]
    for number, fold in table[table["subset"] == "test"].groupby("fold"):
        assert set(fold["image"].map(official)) == {f"part{number}"}


def test_number_of_folds_other_than_the_official_one_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="split: predefined defines 4") as caught:
        split(project(tmp_path, split="predefined", folds=5))
    assert caught.value.offenders[0] == "part0: 10 images"


def test_predefined_split_without_official_folds_is_rejected(tmp_path: Path) -> None:
    write_params(tmp_path, split="predefined")
    write_toy(tmp_path / "data" / "toy")
    catalog(ProjectPaths(tmp_path), silent)
    with pytest.raises(InputError, match="needs official folds"):
        split(ProjectPaths(tmp_path))


def test_unknown_patients_are_all_listed(tmp_path: Path) -> None:
    made = project(tmp_path, split="patient")
    path = tmp_path / "data" / "toy" / "labels" / "folder.csv"
    table = pd.read_csv(path)
    table.loc[[0, 5], "patient"] = None
    table.to_csv(path, index=False)
    catalog(made, silent)
    with pytest.raises(InputError) as caught:
        split(made)
    assert caught.value.offenders == tuple(sorted(table["image"][[0, 5]]))


def test_dataset_without_patients_is_reported_in_one_line(tmp_path: Path) -> None:
    made = project(tmp_path, split="patient")
    write_parquet(made.catalog, pd.read_parquet(made.catalog).assign(patient=None))
    with pytest.raises(
        InputError, match="cytocurve data add table, column patient; or use split: stratified"
    ) as caught:
        split(made)
    assert caught.value.offenders == ("all 40 images",)


def test_near_identical_images_are_never_split_if_duplicates_are_grouped(tmp_path: Path) -> None:
    """A copy under another name and a rotated copy are kept, in the same fold as the original."""
    from PIL import Image

    write_params(tmp_path, duplicates="group", sizes=[4, 8], image_size=64)
    write_toy(tmp_path / "data" / "toy")
    folder = tmp_path / "data" / "toy" / "images" / "dark"
    rows = []
    for number in (1, 3, 5, 7):
        with Image.open(folder / f"cell{number:03d}.png") as picture:
            picture.save(folder / f"copy{number}.png")
            picture.transpose(Image.Transpose.ROTATE_90).save(folder / f"turned{number}.png")
        rows += [f"dark/copy{number}.png,dark,P1", f"dark/turned{number}.png,dark,P1"]
    path = tmp_path / "data" / "toy" / "labels" / "folder.csv"
    path.write_text(path.read_text() + "\n".join(rows) + "\n")
    made = ProjectPaths(tmp_path)
    catalog(made, silent)
    table = split_versions(pd.read_parquet(made.catalog), made.params())["folder"]
    tests = table[table["subset"] == "test"].set_index("image")["fold"]
    assert len(tests) == 48
    for number in (1, 3, 5, 7):
        folds = {int(tests[f"dark/{name}.png"]) for name in (f"cell{number:03d}", f"copy{number}", f"turned{number}")}
        assert len(folds) == 1


def test_command_reports_the_class_balance(tmp_path: Path) -> None:
    project(tmp_path, split="patient", sizes=[4, 8])
    summary = json.loads(cytocurve(tmp_path, "split", "--json").stdout)["folder"]
    assert len(summary["test_folds"]) == 4
    assert sum(sum(fold.values()) for fold in summary["test_folds"]) == 40
    assert "per test fold: negative" in cytocurve(tmp_path, "split").stdout


@pytest.mark.parametrize("command", ["audit", "sweep", "evaluate", "register"])
def test_folds_of_another_study_are_rejected_when_a_stage_is_run_by_hand(tmp_path: Path, command: str) -> None:
    """After a change of params.yaml, the numbers of the old study would be reported for the new one."""
    split(project(tmp_path, sizes=[4, 8]))
    write_params(tmp_path, sizes=[4, 8], folds=3, task="multiclass")
    done = cytocurve(tmp_path, command)
    assert done.returncode == 2
    for line in (
        "drawn with other settings",
        "folds: 4 in build/split, 3 in params.yaml",
        "'multiclass' in params.yaml",
    ):
        assert line in done.stderr


@pytest.mark.parametrize("command", ["sweep", "publish", "audit"])
def test_split_without_its_settings_or_from_another_program_is_refused(tmp_path: Path, command: str) -> None:
    made = project(tmp_path, sizes=[4, 8])
    split(made)
    made.split_settings.rename(tmp_path / "kept.json")
    assert "settings.json: no such file" in refused(tmp_path, command)
    (tmp_path / "kept.json").rename(made.split_settings)
    made.split_settings.write_text(json.dumps(split_settings(made.params())))
    assert "settings.json: damaged: it has no checksum" in refused(tmp_path, command)
    split(made)
    pd.read_parquet(made.split("folder")).to_parquet(made.split("folder"))
    assert "folder.parquet: it has no checksum" in refused(tmp_path, command)


@pytest.mark.parametrize("command", ["sweep", "publish", "audit"])
@pytest.mark.parametrize("duplicates", ["drop", "group"])
def test_image_in_two_subsets_of_a_fold_is_refused(tmp_path: Path, command: str, duplicates: str) -> None:
    made = project(tmp_path, sizes=[4, 8], duplicates=duplicates)
    split(made)
    table = pd.read_parquet(made.split("folder"))
    fold = table[table["fold"] == 1]
    tested = fold[fold["subset"] == "test"].iloc[0]
    row = fold.index[fold["subset"] == "train"][0]
    for column in ("image", "pixel_sha256", "label", "class"):
        table.loc[row, column] = tested[column]
    write_parquet(made.split("folder"), table)
    told = refused(tmp_path, command)
    assert f"fold 1: {tested['image']} is in test and train" in told
    assert "dvc repro split" in told


@pytest.mark.parametrize("command", ["sweep", "publish", "register"])
def test_patient_in_two_subsets_of_a_fold_is_refused_by_a_split_by_patients(tmp_path: Path, command: str) -> None:
    made = project(tmp_path, sizes=[4, 8], split="patient")
    split(made)
    table = pd.read_parquet(made.split("folder"))
    image = table["image"][(table["fold"] == 1) & (table["subset"] == "test")].iloc[0]
    catalog = pd.read_parquet(made.catalog)
    other = table["image"][(table["fold"] == 1) & (table["subset"] == "train")].iloc[0]
    patients = catalog.set_index("image")["patient"]
    catalog.loc[catalog["image"] == other, "patient"] = patients[image]
    write_parquet(made.catalog, catalog)
    told = refused(tmp_path, command)
    assert f"fold 1: {patients[image]} is in " in told
    assert "split: patient" in told


@pytest.mark.parametrize("command", ["sweep", "publish", "register"])
def test_policy_of_the_audit_stops_publishing_as_it_stops_training(tmp_path: Path, command: str) -> None:
    split(project(tmp_path, sizes=[4, 8], patients=3, leakage="fail"))
    done = cytocurve(tmp_path, command)
    assert (done.returncode, "leakage: fail" in done.stderr) == (1, True), done.stderr


def test_sizes_that_cannot_be_balanced_are_printed_with_their_classes(tmp_path: Path) -> None:
    made = project(tmp_path, sizes=[4, 8, 12])
    table = made.data / "toy" / "labels" / "folder.csv"
    rows = pd.read_csv(table)
    dark = rows.index[rows["label"] == "dark"]
    rows.drop(index=dark[6:]).to_csv(table, index=False)
    for name in rows.loc[dark[6:], "image"]:
        (made.data / "toy" / "images" / name).unlink()
    catalog(made, silent)
    done = cytocurve(tmp_path, "split")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(
        "These training sizes cannot be balanced, because a class has too few images: "
        "8 (6 negative + 2 positive), 12 (10 negative + 2 positive)\n"
    )


def test_holdout_is_written_told_and_read_by_no_other_stage(tmp_path: Path) -> None:
    made = project(tmp_path, patients=40, holdout=0.2, sizes=[4, 8])
    told = cytocurve(tmp_path, "split").stdout
    assert "Locked away as holdout: 8 images (negative 4, positive 4)" in told
    held = set(pd.read_parquet(made.holdout)["image"])
    assert len(held) == 8
    assert held.isdisjoint(pd.read_parquet(made.split("folder"))["image"])
    assert json.loads(made.split_settings.read_text())["holdout"] == 0.2
    audited = json.loads(cytocurve(tmp_path, "audit", "--json").stdout)
    assert audited["images"] == 32
    write_params(tmp_path, sizes=[4, 8])
    refused = cytocurve(tmp_path, "audit")
    assert refused.returncode == 2
    assert "holdout: 0.2 in build/split, None in params.yaml" in refused.stderr
    assert "holdout" not in cytocurve(tmp_path, "split").stdout
    assert not made.holdout.exists()
