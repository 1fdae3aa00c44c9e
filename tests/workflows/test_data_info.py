"""Datasets and their copies in data/ are described without decoding images."""

import json
from pathlib import Path

import pandas as pd
import pytest

from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.workflows.data_add import copy_dataset
from cytocurve.workflows.data_info import info
from tests.datasets.dataset_makers import draw, make_folder, silent
from tests.projects import cytocurve


@pytest.fixture
def project(tmp_path: Path) -> ProjectPaths:
    """Eight cells in two classes, four patients, two folds, one unlabeled cell."""
    make_folder(tmp_path / "upstream")
    project = ProjectPaths(tmp_path)
    copy_dataset(project, "folder", tmp_path / "upstream", "mine", silent)
    path = project.data / "mine" / "labels" / "folder.csv"
    table = pd.read_csv(path)
    table["patient"] = ["A", "A", "A", "B", "C", "C", "D", None]
    table["fold"] = [0, 0, 0, 0, 1, 1, 1, 1]
    table.loc[7, "label"] = None
    table.to_csv(path, index=False)
    return project


def test_counts_of_a_local_dataset_match_its_files(project: ProjectPaths) -> None:
    draw(1, 30, 40).save(project.data / "mine/images/round/cell1.png", format="JPEG")
    images = [path for path in (project.data / "mine/images").rglob("*") if path.is_file()]
    described = info(project, "mine", silent)
    assert described.loader == "folder"
    assert described.to_json()["here"] == {
        "images": 8,
        "bytes": sum(path.stat().st_size for path in images),
        "sizes": {"24x20": 7, "30x40": 1},
        "formats": {"PNG": 7, "JPEG": 1},
        "patients": {"count": 4, "min": 1, "median": 1.5, "max": 3},
        "folds": {"0": 4, "1": 4},
        "labels": {"folder": {"classes": {"lobed": 4, "round": 3}, "unlabelled": 1}},
    }


def test_pixels_are_not_decoded(project: ProjectPaths) -> None:
    """An image whose pixels are cut off counts by its header."""
    path = project.data / "mine/images/round/cell1.png"
    path.write_bytes(path.read_bytes()[:60])
    assert info(project, "mine", silent).to_json()["here"]["images"] == 8


def test_progress_is_reported_for_each_image(project: ProjectPaths) -> None:
    calls: list[tuple[int, int]] = []
    info(project, "mine", lambda done, total: calls.append((done, total)))
    assert calls == [(done, 8) for done in range(1, 9)]


def test_known_dataset_that_is_not_local_says_how_to_get_it(tmp_path: Path) -> None:
    done = cytocurve(tmp_path, "data", "info", "pbc")
    assert done.returncode == 0
    assert "license: CC BY 4.0" in done.stdout
    assert "cytocurve data add pbc PATH" in done.stdout
    assert json.loads(cytocurve(tmp_path, "data", "info", "pbc", "--json").stdout)["here"] is None


@pytest.mark.parametrize(("name", "near"), [("mien", "mine"), ("pcb", "pbc"), ("../data/mine", None), (".", None)])
def test_unknown_name_exits_with_2_and_suggests_the_closest_one(
    name: str, near: str | None, project: ProjectPaths
) -> None:
    done = cytocurve(project.root, "data", "info", name)
    assert done.returncode == 2
    assert f"dataset {name!r} is unknown" in done.stderr
    assert near is None or f"did you mean {near!r}?" in done.stderr
    assert "In data/: mine" in done.stderr


def test_unusable_files_are_listed_in_one_error(project: ProjectPaths) -> None:
    mine = project.data / "mine"
    (mine / "images/round/text.png").write_text("text")
    (mine / "labels/other.csv").write_text("picture,label\na,b\n")
    (mine / "labels/ragged.csv").write_text("image,label\na\n")
    (mine / "dataset.yaml").write_text("- a list")
    with pytest.raises(InputError) as caught:
        info(project, "mine", silent)
    for part in (
        "round/text.png: not an image",
        "other.csv: column 'image'",
        "ragged.csv: every line",
        "dataset.yaml: expected a mapping",
    ):
        assert any(part in line for line in caught.value.offenders)
    assert len(caught.value.offenders) == 4


def test_text_output_has_the_same_numbers(project: ProjectPaths) -> None:
    (project.data / ".adding-killed").mkdir()
    text = cytocurve(project.root, "data", "info", "mine").stdout
    for part in (
        "8 images",
        "24x20 8",
        "PNG 8",
        "patients: 4, 1 to 3 images per patient, median 1.5",
        "lobed 4, round 3, unl",
    ):
        assert part in text
    assert cytocurve(project.root, "data", "list").stdout.endswith("In data/: mine\n")


def test_every_listing_shows_ten_and_counts_the_others(project: ProjectPaths) -> None:
    mine = project.data / "mine"
    names = [path.relative_to(mine / "images").as_posix() for path in (mine / "images").rglob("*.png")]
    for number in range(20):
        name = f"round/more{number}.png"
        draw(number, 24 + number, 24).save(mine / "images" / name)
        names.append(name)
    rows = [{"image": name, "label": f"class {n:02}", "fold": f"fold {n:02}"} for n, name in enumerate(names)]
    (mine / "labels" / "folder.csv").unlink()
    for number in range(12):
        pd.DataFrame(rows).to_csv(mine / "labels" / f"version{number:02}.csv", index=False)
    lines = cytocurve(project.root, "data", "info", "mine").stdout.splitlines()
    (folds,) = (line for line in lines if "official folds" in line)
    assert folds.endswith("fold 09 1 and 18 more")
    (sizes,) = (line for line in lines if "sizes: " in line)
    assert sizes.endswith("and 11 more")
    versions = [line for line in lines if "label version" in line]
    assert len(versions) == 10
    assert versions[0].endswith("class 09 1 and 18 more")
    assert lines[-1] == "  and 2 more"
    data = json.loads(cytocurve(project.root, "data", "info", "mine", "--json").stdout)["here"]
    assert (len(data["labels"]), len(data["folds"])) == (12, 28)


def test_folders_of_systems_are_no_datasets(project: ProjectPaths) -> None:
    for name in ("@eaDir", "lost+found"):
        (project.data / name).mkdir()
    assert cytocurve(project.root, "data", "list").stdout.endswith("In data/: mine\n")
