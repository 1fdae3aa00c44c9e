"""The catalog accepts only valid data, reports all problems together, and finds duplicates."""

import csv
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cytocurve import datasets
from cytocurve.config import ProjectPaths
from cytocurve.datasets import pbc
from cytocurve.errors import InputError
from cytocurve.stores.documents import read_json
from cytocurve.study.dataset import COLUMNS
from cytocurve.workflows.data_add import copy_dataset
from cytocurve.workflows.data_info import info
from cytocurve.workflows.labels import versions_of
from cytocurve.workflows.stages.catalog import catalog
from tests.datasets.dataset_makers import silent
from tests.projects import ROOT, cytocurve, draw_cell, write_params, write_toy

TOY = Path("data/toy")
TABLE = TOY / "labels" / "folder.csv"
REAL = ROOT.parent / "shared" / "data" / "pbc-acevedo"


def make_toy(root: Path) -> ProjectPaths:
    """Eight cells, their classes closed by a dataset.yaml that says they are PBC's."""
    root.mkdir(exist_ok=True)
    write_params(root, dataset="toy", labels=["folder"])
    write_toy(root / TOY, cells=8)
    rewrite(root, lambda text: text.replace(",dark,", ",monocyte,").replace(",light,", ",basophil,"))
    (root / TOY / "dataset.yaml").write_text("loader: pbc\n")
    return ProjectPaths(root)


@pytest.fixture
def project(tmp_path: Path) -> ProjectPaths:
    return make_toy(tmp_path)


def rewrite(root: Path, change: Callable[[str], str]) -> None:
    """Change the text of the label table."""
    (root / TABLE).write_text(change((root / TABLE).read_text()))


def refusal(project: ProjectPaths) -> InputError:
    """The error of the catalog, after which nothing has been written."""
    before = sorted(project.root.rglob("*"))
    with pytest.raises(InputError) as caught:
        catalog(project, silent)
    assert sorted(project.root.rglob("*")) == before
    return caught.value


def truncate(root: Path) -> None:
    path = root / TOY / "images" / "dark" / "cell001.png"
    path.write_bytes(path.read_bytes()[:-200])


def text_as_image(root: Path) -> None:
    (root / TOY / "images" / "dark" / "cell003.png").write_text("text")


def bomb(root: Path, side: int = 8000) -> None:
    Image.new("1", (side, side)).save(root / TOY / "images" / "dark" / "cell005.png")


def deep(root: Path) -> None:
    Image.fromarray(np.zeros((9, 9), dtype=np.uint16)).save(root / TOY / "images" / "dark" / "cell007.png")


def label_without_image(root: Path) -> None:
    rewrite(root, lambda text: text + "light/ghost.png,basophil,P1\n")


def image_without_label(root: Path) -> None:
    rewrite(root, lambda text: text.replace("light/cell000.png,basophil,P0\n", ""))


def unknown_class(root: Path) -> None:
    rewrite(root, lambda text: text.replace("cell002.png,basophil", "cell002.png,basofil"))


def duplicate_row(root: Path) -> None:
    rewrite(root, lambda text: text + "light/cell004.png,basophil,P4\n")


def version_without_column(root: Path) -> None:
    (root / TOY / "labels" / "second.csv").write_text("images,label\na,b\n")


def reserved_version(root: Path) -> None:
    shutil.copy(root / TABLE, root / TOY / "labels" / "patient.csv")


def unusable_version(root: Path) -> None:
    shutil.copy(root / TABLE, root / TOY / "labels" / "my-labels.csv")


def other_encoding(root: Path) -> None:
    (root / TOY / "labels" / "latin.csv").write_bytes("image,label\nä,b\n".encode("latin-1"))


def semicolons(root: Path) -> None:
    (root / TOY / "labels" / "excel.csv").write_text("image;label\na;b\n")


def no_csv(root: Path) -> None:
    (root / TOY / "labels" / "third.csv").write_text('image,label\n"a,b\n')


def missing_version(root: Path) -> None:
    write_params(root, dataset="toy", labels=["folder", "experts"])


def unknown_loader(root: Path) -> None:
    (root / TOY / "dataset.yaml").write_text("loader: nowhere\n")


DAMAGES = [
    (truncate, "data/toy/images/dark/cell001.png: cannot be decoded: image file is truncated"),
    (text_as_image, "data/toy/images/dark/cell003.png: not an image: its format is none of"),
    (bomb, "data/toy/images/dark/cell005.png: 8000x8000 pixels are more than the limit"),
    (deep, "data/toy/images/dark/cell007.png: 16 bits per channel"),
    (label_without_image, "data/toy/labels/folder.csv: light/ghost.png: a row for an image that does not exist"),
    (image_without_label, "data/toy/labels/folder.csv: light/cell000.png: an image without a row"),
    (unknown_class, "data/toy/labels/folder.csv: light/cell002.png: unknown class 'basofil'; did you mean 'basophil'?"),
    (duplicate_row, "data/toy/labels/folder.csv: light/cell004.png: 2 rows for one image"),
    (version_without_column, "data/toy/labels/second.csv: column 'image' is missing; the columns are: images, label"),
    (reserved_version, "data/toy/labels/patient.csv: 'patient' is a column of the catalog"),
    (unusable_version, "data/toy/labels/my-labels.csv: the name of a label version may contain only letters"),
    (other_encoding, "data/toy/labels/latin.csv: not UTF-8, byte 12"),
    (semicolons, "data/toy/labels/excel.csv: its fields are separated by ';': save it with commas"),
    (no_csv, "data/toy/labels/third.csv: line 2: unexpected end of data"),
    (missing_version, "params.yaml: labels: label version 'experts' is unknown"),
]


@pytest.mark.parametrize(("damage", "offender"), DAMAGES, ids=[damage.__name__ for damage, _ in DAMAGES])
def test_each_problem_is_named_and_nothing_is_written(
    damage: Callable[[Path], None], offender: str, project: ProjectPaths
) -> None:
    """A problem of an image, a table or the settings is listed with its file."""
    damage(project.root)
    assert any(line.startswith(offender) for line in refusal(project).offenders)


def test_all_problems_are_in_one_error(project: ProjectPaths) -> None:
    """All problems are reported at once, one line each."""
    for damage, _ in DAMAGES:
        damage(project.root)
    lines = refusal(project).offenders
    assert [offender for _, offender in DAMAGES if not any(line.startswith(offender) for line in lines)] == []


def test_only_a_damaged_image_refers_back_to_its_source(project: ProjectPaths) -> None:
    duplicate_row(project.root)
    assert "rm -r" not in (refusal(project).hint or "")
    truncate(project.root)
    assert "repair or remove them in the source, then rm -r data/toy" in (refusal(project).hint or "")


def test_command_line_lists_all_problems_and_exits_with_2(project: ProjectPaths) -> None:
    """The user sees every offender and the next step, and no traceback."""
    truncate(project.root)
    duplicate_row(project.root)
    done = cytocurve(project.root, "catalog")
    assert done.returncode == 2
    assert "cell001.png: cannot be decoded" in done.stderr
    assert "cell004.png: 2 rows for one image" in done.stderr
    assert "Next: " in done.stderr
    assert "Traceback" not in done.stderr


def test_huge_image_is_rejected_before_decoding(project: ProjectPaths) -> None:
    """Neither a warning nor the memory for it: a picture of 100 megapixels is an offender."""
    bomb(project.root, side=10_000)
    assert refusal(project).offenders[0].startswith("data/toy/images/dark/cell005.png: too large")


def test_unknown_loader_is_named(project: ProjectPaths) -> None:
    """A dataset.yaml that names an unknown dataset is rejected with the known ones."""
    unknown_loader(project.root)
    assert f"loader: expected one of {', '.join(datasets.names())}" in refusal(project).offenders[0]


def test_catalog_rejects_an_unknown_entry_of_dataset_yaml(project: ProjectPaths) -> None:
    (project.root / TOY / "dataset.yaml").write_text("loader: pbc\nlicense: CC BY 4.0\n")
    assert "data/toy/dataset.yaml: 'license' is unknown" in refusal(project).offenders[0]


def test_hand_made_dataset_has_open_classes(project: ProjectPaths) -> None:
    """Without dataset.yaml any label may occur."""
    (project.root / TOY / "dataset.yaml").unlink()
    unknown_class(project.root)
    assert catalog(project, silent).classes["folder"]["basofil"] == 1


def test_missing_data_names_the_next_step(tmp_path: Path) -> None:
    """Without data/ the user learns how to get it."""
    write_params(tmp_path, dataset="pbc")
    assert "make repro, or cytocurve data add pbc" in refusal(ProjectPaths(tmp_path)).next_step


def test_missing_dataset_is_reported_with_the_available_ones(project: ProjectPaths) -> None:
    """A dataset that is not below data/ is an error with the nearest one, those there and the next step."""
    write_params(project.root, dataset="toys")
    error = refusal(project)
    assert error.offenders == ("params.yaml: dataset 'toys' is unknown; did you mean 'toy'?",)
    assert (error.hint, error.next_step) == ("Existing datasets: toy.", "cytocurve data add NAME PATH --as toys")


def test_dataset_without_images_or_labels_is_named(project: ProjectPaths) -> None:
    """Empty folders are offenders."""
    shutil.rmtree(project.root / TOY / "images")
    shutil.rmtree(project.root / TOY / "labels")
    assert refusal(project).offenders[:2] == (
        "data/toy/images: no images",
        "data/toy/labels: no label versions (<version>.csv)",
    )


def test_table_has_one_row_per_image(project: ProjectPaths) -> None:
    """Columns and order are fixed; an empty label and an unknown patient are null."""
    rewrite(project.root, lambda text: text.replace("cell000.png,basophil,P0", "cell000.png,,"))
    report = catalog(project, silent)
    frame = pd.read_parquet(project.catalog).set_index("image", drop=False)
    assert list(frame.columns) == [*COLUMNS, "folder"]
    assert list(frame["image"]) == sorted(frame["image"])
    assert frame[["folder", "patient", "duplicate_of"]].loc["light/cell000.png"].isna().all()
    row = frame.to_dict("index")["dark/cell001.png"]
    assert (row["folder"], row["patient"], row["width"], row["height"]) == ("monocyte", "P1", 24, 24)
    assert report.unlabelled == {"folder": 1}
    assert report.to_json() == read_json(project.catalog.with_suffix(".json"), "")


def test_hidden_files_are_not_images(project: ProjectPaths) -> None:
    """Hidden files created by desktops are ignored."""
    (project.root / TOY / "images" / ".DS_Store").write_text("junk")
    (project.root / TOY / "labels" / "._folder.csv").write_text("junk")
    assert catalog(project, silent).images == 8


@pytest.mark.parametrize("name", ["@eaDir/cell001.png/SYNOPHOTO_THUMB_M.jpg", "dark/@eaDir/x.png", "#recycle/x.png",
                                  "dark/.thumbs/x.png", "Thumbs.db", "dark/desktop.ini"])  # fmt: skip
def test_what_a_server_or_a_desktop_adds_to_the_images_counts_nowhere(project: ProjectPaths, name: str) -> None:
    """One rule for all readers of data/: the catalog, ``data info``, and the label commands."""
    before = info(project, "toy", silent)
    path = project.root / TOY / "images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(project.root / TOY / "images/dark/cell001.png", path)
    assert catalog(project, silent).images == 8
    assert info(project, "toy", silent) == before
    assert versions_of(project, "toy")["folder"].shape[0] == 8


def test_images_may_be_links_to_a_cache(project: ProjectPaths) -> None:
    """DVC may check files out as links."""
    path = project.root / TOY / "images" / "dark" / "cell001.png"
    path.rename(project.root / "cached")
    path.symlink_to(project.root / "cached")
    assert catalog(project, silent).images == 8


def test_table_saved_by_a_spreadsheet_program_is_read(project: ProjectPaths) -> None:
    """A byte order mark and Windows line ends change nothing."""
    catalog(project, silent)
    before = project.catalog.read_bytes()
    content = (project.root / TABLE).read_text().replace("\n", "\r\n").encode("utf-8-sig")
    (project.root / TABLE).write_bytes(content)
    catalog(project, silent)
    assert project.catalog.read_bytes() == before


def test_same_data_elsewhere_and_later_give_the_same_bytes(tmp_path: Path) -> None:
    """Neither place nor time gets into the files."""
    projects = [make_toy(tmp_path / name) for name in ("one", "another")]
    os.utime(projects[1].root / TOY / "images" / "dark" / "cell001.png", (0, 0))
    for one in projects:
        catalog(one, silent)
    for suffix in (".parquet", ".json"):
        first, second = (one.catalog.with_suffix(suffix).read_bytes() for one in projects)
        assert first == second


def add_cell(project: ProjectPaths, name: str, label: str) -> Path:
    """A row for a new image, and where it is to lie."""
    rewrite(project.root, lambda text: text + f"{name},{label},\n")
    return project.root / TOY / "images" / name


def test_duplicates_are_found_by_bytes_and_by_pixels(project: ProjectPaths) -> None:
    """A copy is byte-identical; the same pixels as PNG and TIFF are pixel-identical; the first by name is kept."""
    source = project.root / TOY / "images" / "dark" / "cell001.png"
    shutil.copy(source, add_cell(project, "dark/copy.png", "monocyte"))
    Image.open(source).save(add_cell(project, "dark/again.tif", "basophil"))
    report = catalog(project, silent)
    frame = pd.read_parquet(project.catalog).set_index("image")
    assert frame["duplicate_of"].dropna().to_dict() == {
        "dark/cell001.png": "dark/again.tif",
        "dark/copy.png": "dark/again.tif",
    }
    assert frame.loc[["dark/again.tif", "dark/cell001.png", "dark/copy.png"], "phash"].nunique() == 1
    assert (report.images, report.kept) == (10, 8)
    assert report.byte_identical_pairs == [["dark/cell001.png", "dark/copy.png"]]
    assert report.pixel_identical_pairs == [
        ["dark/again.tif", "dark/cell001.png"],
        ["dark/again.tif", "dark/copy.png"],
    ]


def test_rotated_and_re_encoded_image_is_near_identical(project: ProjectPaths) -> None:
    """It is kept, and refers to the first similar image."""
    image = Image.open(project.root / TOY / "images" / "dark" / "cell001.png")
    image.transpose(Image.Transpose.ROTATE_90).save(add_cell(project, "dark/turned.jpg", "monocyte"), quality=90)
    image.transpose(Image.Transpose.TRANSPOSE).save(add_cell(project, "dark/mirrored.png", "monocyte"))
    report = catalog(project, silent)
    frame = pd.read_parquet(project.catalog).set_index("image")
    assert frame["near_duplicate_of"].dropna().to_dict() == {
        "dark/mirrored.png": "dark/cell001.png",
        "dark/turned.jpg": "dark/cell001.png",
    }
    assert frame["duplicate_of"].isna().all()
    assert (report.near_identical, report.kept) == (2, 10)


def test_duplicates_with_different_labels_are_reported(project: ProjectPaths) -> None:
    """Equal pixels with two labels are a conflict of that version; an unlabeled duplicate is not."""
    images = project.root / TOY / "images" / "dark"
    shutil.copy(images / "cell001.png", add_cell(project, "dark/x.png", "basophil"))
    shutil.copy(images / "cell003.png", add_cell(project, "dark/y.png", ""))
    conflicts = catalog(project, silent).conflicts
    assert conflicts == {"folder": [{"dark/cell001.png": "monocyte", "dark/x.png": "basophil"}]}


def test_pixel_hash_includes_the_shape(project: ProjectPaths) -> None:
    """The same values in another width and height are another image."""
    pixels = np.asarray(draw_cell(99, dark=True)).copy()
    for name, shape in (("wide.png", (12, 48, 3)), ("tall.png", (48, 12, 3))):
        Image.fromarray(pixels.reshape(shape)).save(add_cell(project, name, "monocyte"))
    assert catalog(project, silent).pixel_identical == 0


@pytest.mark.slow
def test_all_known_pairs_of_real_pbc_are_found(tmp_path: Path) -> None:
    """Of 1,241 real images exactly the 17 published pairs are identical, and the one with two labels is reported."""
    if not REAL.is_dir():
        pytest.skip("the real images of PBC are not at ../shared/data/pbc-acevedo")
    project = ProjectPaths(tmp_path)
    figures = copy_dataset(project, "pbc", REAL, None, silent)
    assert figures.skipped == {"neutrophil/.DS_169665.jpg": "hidden file"}
    write_params(tmp_path, dataset="pbc", labels=["folder", "prefix"])
    report = catalog(project, silent)
    assert (report.images, report.kept, report.byte_identical, report.pixel_identical) == (1241, 1224, 17, 17)
    assert report.near_identical == 17, "no different cells are taken for one"
    assert report.classes == figures.labels
    assert report.classes["folder"] == dict.fromkeys(pbc.FOLDERS.values(), 150) | {
        "immature_granulocyte": 168,
        "neutrophil": 173,
    }
    assert report.conflicts == {
        "folder": [{"eosinophil/EO_225902.jpg": "eosinophil", "neutrophil/BNE_191112.jpg": "neutrophil"}],
        "prefix": [{"eosinophil/EO_225902.jpg": "eosinophil", "neutrophil/BNE_191112.jpg": "neutrophil_band"}],
    }
    assert {frozenset(pair) for pair in report.byte_identical_pairs} == published_pairs()


def published_pairs() -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    with (REAL / "byte_identical_groups.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            groups.setdefault(row["group"], set()).add(row["path"].removeprefix(f"{pbc.TOP}/"))
    return {frozenset(group) for group in groups.values()}


def test_images_of_one_name_in_two_cases_are_refused(project: ProjectPaths) -> None:
    folder = project.root / TOY / "images" / "dark"
    shutil.copy(folder / "cell001.png", folder / "Cell001.png")
    rewrite(project.root, lambda text: text + "dark/Cell001.png,monocyte,P1\n")
    (line,) = refusal(project).offenders
    assert line.startswith("data/toy/images: 'dark/Cell001.png' and 'dark/cell001.png' are one name in several spell")
