"""``cytocurve labels``: versions are counted, compared, imported and merged, completely or not at all."""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, Literal
from unicodedata import normalize

import pandas as pd
import pytest
from openpyxl import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.workflows.data_trace import trace
from cytocurve.workflows.data_withdraw import remove_patient
from cytocurve.workflows.labels import diff, overview, versions_of
from cytocurve.workflows.labels_write import write_consensus, write_list
from cytocurve.workflows.stages.catalog import catalog
from cytocurve.workflows.stages.split import split
from tests.datasets.dataset_makers import silent
from tests.projects import ROOT, cytocurve, draw_cell, run, write_params, write_toy

REAL = ROOT.parent / "shared" / "data" / "aml-cytomorphology-lmu"
IMAGES = [f"{'dark' if number % 2 else 'light'}/cell{number:03d}.png" for number in range(8)]
DARK, LIGHT = "monocyte", "basophil"


@pytest.fixture
def project(tmp_path: Path) -> ProjectPaths:
    """Eight cells labeled monocyte or basophil, of PBC's classes, with patients and folds."""
    root = tmp_path / "project"
    root.mkdir()
    write_params(root, dataset="toy", labels=["folder"])
    write_toy(root / "data/toy", cells=8)
    rows = [
        (image, DARK if "dark" in image else LIGHT, f"P{n // 2}", "A", f"f{n % 3}") for n, image in enumerate(IMAGES)
    ]
    table = pd.DataFrame(rows, columns=["image", "label", "patient", "annotator", "fold"])
    table.to_csv(root / "data/toy/labels/folder.csv", index=False)
    (root / "data/toy/dataset.yaml").write_text("loader: pbc\n")
    return ProjectPaths(root)


def list_of(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """A list as users write it, CSV or XLSX depending on the suffix, with a drop-down list."""
    table = pd.DataFrame(rows)
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
        return path
    book = Workbook()
    for row in (list(table.columns), *table.itertuples(index=False, name=None)):
        book.active.append([None if pd.isna(cell) else cell for cell in row])
    book.active.add_data_validation(DataValidation(type="list", formula1='"monocyte,basophil"'))
    book.save(path)
    return path


def written(project: ProjectPaths, name: str) -> pd.DataFrame:
    table = pd.read_csv(project.data / f"toy/labels/{name}.csv", dtype=str, keep_default_na=False)
    return table.set_index("image").sort_index()


def labels_below(project: ProjectPaths) -> list[str]:
    return sorted(path.name for path in (project.data / "toy/labels").iterdir())


def refused(project: ProjectPaths, call: Callable[[], object]) -> InputError:
    """The error of a call, after which nothing has been written."""
    before = labels_below(project)
    with pytest.raises(InputError) as caught:
        call()
    assert labels_below(project) == before
    return caught.value


def test_complete_list_becomes_a_version_of_its_annotator(project: ProjectPaths, tmp_path: Path) -> None:
    """Images are sorted, patients and folds kept, other columns ignored, and whitespace around labels stripped."""
    rows = [{"score": 0.5, "label": f" {LIGHT}", "image": image, "suggested": "x"} for image in reversed(IMAGES)]
    figures = write_list(project, "toy", list_of(tmp_path / "all.csv", rows), "second", "Dr B")
    table = written(project, "second")
    text = (project.data / "toy/labels/second.csv").read_text()
    assert [line.split(",")[0] for line in text.splitlines()] == ["image", *sorted(IMAGES)]
    assert list(table.columns) == ["label", "patient", "annotator", "fold"]
    assert set(table["label"]) == {LIGHT}
    assert set(table["annotator"]) == {"Dr B"}
    assert table[["patient", "fold"]].equals(written(project, "folder")[["patient", "fold"]])
    assert (figures.rows, figures.changed, figures.counts.classes) == (8, None, {LIGHT: 8})


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("column", ["corrected", "new_label"])
def test_reviewed_list_changes_only_what_was_corrected(
    project: ProjectPaths, tmp_path: Path, suffix: str, column: str
) -> None:
    """With --base, images without a correction keep their label and annotator, since they were not reviewed."""
    rows: list[dict[str, Any]] = [
        {"image": IMAGES[0], "label": LIGHT, column: "eosinophil"},
        {"image": IMAGES[1], "label": DARK, column: None},
        {"image": IMAGES[2], "label": LIGHT, column: ""},
    ]
    file = list_of(tmp_path / f"reviewed.{suffix}", rows)
    figures = write_list(project, "toy", file, "second", "Dr B", base="folder")
    before, after = written(project, "folder"), written(project, "second")
    assert after["label"].to_dict() == before["label"].to_dict() | {IMAGES[0]: "eosinophil"}
    assert after["annotator"].to_dict() == dict.fromkeys(IMAGES, "A") | {IMAGES[0]: "Dr B"}
    assert (figures.rows, figures.changed) == (1, 1)
    assert diff(project, "folder", "second").to_json()["changed"] == [
        {"image": IMAGES[0], "from": LIGHT, "to": "eosinophil"}
    ]


def test_spreadsheet_numbers_are_read_as_displayed(project: ProjectPaths, tmp_path: Path) -> None:
    """A class named 7 is read as 7, not as 7.0."""
    (project.data / "toy/dataset.yaml").unlink()
    rows = [{"image": image, "label": 7.0} for image in IMAGES]
    figures = write_list(project, "toy", list_of(tmp_path / "all.xlsx", rows), "second", "B", new_classes=["7"])
    assert figures.counts.classes == {"7": 8}
    assert figures.new_classes == ["7"]


def test_import_without_a_base_needs_a_row_for_every_image(project: ProjectPaths, tmp_path: Path) -> None:
    """All images without a row are named, with the next step."""
    file = list_of(tmp_path / "some.csv", [{"image": image, "label": DARK} for image in IMAGES[:5]])
    error = refused(project, lambda: write_list(project, "toy", file, "second", "B"))
    assert error.offenders == tuple(f"{file}: {image}: an image without a row" for image in sorted(IMAGES[5:]))
    assert "--base VERSION" in error.next_step


def test_all_problems_of_a_list_are_in_one_error(project: ProjectPaths, tmp_path: Path) -> None:
    """Unknown classes with the nearest one, unknown images and repeated images."""
    labels = [(IMAGES[0], "monocite"), (IMAGES[1], "Q"), (IMAGES[2], DARK), (IMAGES[2], LIGHT), ("ghost.png", DARK)]
    file = list_of(tmp_path / "some.csv", [{"image": image, "label": label} for image, label in labels])
    error = refused(project, lambda: write_list(project, "toy", file, "second", "B", base="folder"))
    assert error.offenders == (
        f"{file}: {IMAGES[2]}: 2 rows for one image",
        f"{file}: ghost.png: a row for an image that does not exist",
        f"{file}: {IMAGES[0]}: unknown class 'monocite'; did you mean 'monocyte'?",
        f"{file}: {IMAGES[1]}: unknown class 'Q'",
    )
    assert "Classes of toy: basophil, " in error.next_step


def test_open_classes_accept_a_new_class_only_if_stated(project: ProjectPaths, tmp_path: Path) -> None:
    """If classes are open, a label that no version has is rejected with the closest one."""
    (project.data / "toy/dataset.yaml").unlink()
    file = list_of(tmp_path / "some.csv", [{"image": IMAGES[0], "label": "monocite"}])
    with pytest.raises(InputError, match="--new-class") as caught:
        write_list(project, "toy", file, "second", "B", base="folder")
    assert caught.value.offenders == ("'monocite': 1 row; did you mean 'monocyte'?",)
    figures = write_list(project, "toy", file, "second", "B", base="folder", new_classes=["monocite"])
    assert figures.new_classes == ["monocite"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"picture": "a", "class": "b"}], "column 'image' is missing"),
        ([{"image": "a", "label": "b", "corrected": "c", "new_label": "d"}], "a: corrected 'c', new_label 'd'"),
    ],
)
def test_list_with_other_columns_is_rejected(
    rows: list[dict[str, str]], message: str, project: ProjectPaths, tmp_path: Path
) -> None:
    """Missing columns and contradicting corrections are named."""
    file = list_of(tmp_path / "list.csv", rows)
    assert message in str(refused(project, lambda: write_list(project, "toy", file, "second", "B", base="folder")))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("list.xlsx", b"PK no workbook", "cannot be used"),
        ("list.xlsx", b"", "cannot be used"),
        ("list.csv", "image,label\nä,b\n".encode("latin-1"), "not UTF-8, byte 12"),
        ("list.csv", b"image,label\na\n", "there are 1 in line 2"),
        ("list.csv", b"image;label\na;b\n", "its fields are separated by ';': save it with commas"),
        ("list.csv", b"", "column 'image' is missing"),
        ("list.csv", b"image,label\n", "no rows after the header"),
        ("list.csv", None, "no such file"),
    ],
)
def test_file_that_is_not_a_table_is_rejected(
    name: str, content: bytes | None, message: str, project: ProjectPaths, tmp_path: Path
) -> None:
    """For any file, one message says what is wrong with it."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    error = refused(project, lambda: write_list(project, "toy", tmp_path / name, "second", "B", base="folder"))
    assert message in str(error)


@pytest.mark.parametrize(
    ("name", "base", "annotator", "message"),
    [
        ("folder", "folder", "B", "already exists"),
        ("my-labels", "folder", "B", "may contain only letters"),
        ("patient", "folder", "B", "is a column of the catalog"),
        ("class", "folder", "B", "is a column of cytocurve's own tables"),
        ("reason", "folder", "B", "is a column of cytocurve's own tables"),
        ("../x", "folder", "B", "may contain only letters"),
        ("second", "foldr", "B", "label version 'foldr' is unknown; did you mean 'folder'?"),
        ("second", "folder", " ", "--annotator"),
    ],
)
def test_invalid_arguments_write_nothing(
    name: str, base: str, annotator: str, message: str, project: ProjectPaths, tmp_path: Path
) -> None:
    """Names that are taken or unusable, unknown bases and a blank annotator are refused."""
    file = list_of(tmp_path / "list.csv", [{"image": IMAGES[0], "label": DARK}])
    assert message in str(refused(project, lambda: write_list(project, "toy", file, name, annotator, base)))


def test_repeated_import_reports_the_existing_version(project: ProjectPaths, tmp_path: Path) -> None:
    """As after a kill while DVC was recording; another list for that name is refused."""
    file = list_of(tmp_path / "all.csv", [{"image": image, "label": DARK} for image in IMAGES])
    first, again = (write_list(project, "toy", file, "second", "B") for _ in range(2))
    assert (first.already, again) == (False, dataclasses.replace(first, already=True))
    assert "already exists" in str(refused(project, lambda: write_list(project, "toy", file, "second", "C")))


def test_repeated_merge_reports_the_existing_version(project: ProjectPaths, tmp_path: Path) -> None:
    write_list(project, "toy", list_of(tmp_path / "all.csv", [{"image": i, "label": DARK} for i in IMAGES]), "b", "B")
    first, again = (write_consensus(project, "toy", ["folder", "b"], "both") for _ in range(2))
    assert (first.already, again) == (False, dataclasses.replace(first, already=True))
    assert "already exists" in str(refused(project, lambda: write_consensus(project, "toy", ["b", "folder"], "both")))


def test_only_one_of_several_concurrent_imports_writes_the_version(project: ProjectPaths, tmp_path: Path) -> None:
    file = list_of(tmp_path / "all.csv", [{"image": image, "label": DARK} for image in IMAGES])

    def call(annotator: str) -> bool:
        try:
            write_list(project, "toy", file, "second", annotator)
        except InputError:
            return False
        return True

    who = [f"A{number}" for number in range(8)]
    with ThreadPoolExecutor(len(who)) as pool:
        wrote = [name for name, done in zip(who, pool.map(call, who), strict=True) if done]
    assert set(written(project, "second")["annotator"]) == set(wrote)
    assert len(wrote) == 1


def test_consensus_is_written_with_its_voters(project: ProjectPaths) -> None:
    """Majority, tie, single vote and no vote are counted separately; an image that nobody labeled stays unlabeled."""
    votes = {
        "b": [LIGHT, DARK, DARK, "", "", DARK, DARK, DARK],
        "c": [LIGHT, DARK, DARK, "", "", "eosinophil", "eosinophil", DARK],
    }
    folder = written(project, "folder").reindex(IMAGES).reset_index()
    folder.loc[[2, 3, 4], "label"] = [LIGHT, "", DARK]
    folder.to_csv(project.data / "toy/labels/folder.csv", index=False)
    for version, labels in votes.items():
        table = pd.DataFrame({"image": IMAGES, "label": labels})
        table.to_csv(project.data / f"toy/labels/{version}.csv", index=False)
    figures = write_consensus(project, "toy", ["c", "b", "folder"], "merged")
    table = written(project, "merged")
    assert table["label"].reindex(IMAGES).tolist() == [LIGHT, DARK, DARK, "", DARK, DARK, "eosinophil", DARK]
    assert figures.votes == {"unanimous": 3, "majority": 2, "tie": 1, "single": 1, "unlabelled": 1}
    assert table["annotator"].value_counts().to_dict() == {"consensus of c b folder": 7, "": 1}
    assert table["patient"].equals(written(project, "folder")["patient"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["folder"], "at least two label versions"),
        (["folder", "folder"], "label version 'folder' is listed twice"),
        (["folder", "x", "y"], "label version 'y' is unknown"),
    ],
)
def test_merge_needs_two_existing_versions(names: list[str], message: str, project: ProjectPaths) -> None:
    """A version does not vote twice, and all unknown ones are named."""
    assert message in str(refused(project, lambda: write_consensus(project, "toy", names, "merged")))


def test_invalid_versions_are_rejected_with_all_their_problems(project: ProjectPaths) -> None:
    """Damaged tables are not compared."""
    (project.data / "toy/labels/second.csv").write_text(f"image,label\n{IMAGES[0]},monocite\n")
    (project.data / "toy/labels/third.csv").write_text("images,label\n")
    error = refused(project, lambda: versions_of(project, "toy"))
    assert any("second.csv" in line and "did you mean 'monocyte'" in line for line in error.offenders)
    assert any("third.csv: column 'image' is missing" in line for line in error.offenders)


def test_annotator_without_a_label_means_that_the_image_could_not_be_assigned(project: ProjectPaths) -> None:
    """Both are unlabeled; only reviewed images count as not assignable."""
    rows = [(image, "" if number < 3 else DARK, "B" if number else "") for number, image in enumerate(IMAGES)]
    table = pd.DataFrame(rows, columns=["image", "label", "annotator"])
    table.to_csv(project.data / "toy/labels/second.csv", index=False)
    figures = overview(versions_of(project, "toy"))["second"]
    assert (figures.labelled, figures.unlabelled, figures.not_assignable) == (5, 3, 2)
    assert figures.annotators == {"B": 7}


@pytest.mark.parametrize("command", ["labels list", "labels diff", "labels agreement", "labels import", "labels merge"])
def test_help_has_an_example(command: str) -> None:
    """Every command shows how it is called."""
    assert f"cytocurve {command} " in cytocurve(ROOT, *command.split(), "--help").stdout.partition("Options:")[0]


def test_unknown_dataset_is_named(project: ProjectPaths) -> None:
    """Both for datasets below data/ and for those whose label files can be read alone."""
    done = cytocurve(project.root, "labels", "list", "--dataset", "toi")
    assert (done.returncode, "did you mean 'toy'" in done.stderr) == (2, True)
    done = cytocurve(project.root, "labels", "list", "--dataset", "starter", "--root", ".")
    assert (done.returncode, "aml_cytomorphology" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_imported_review_is_recorded_by_dvc(project: ProjectPaths, tmp_path: Path) -> None:
    """Import, list, diff, agreement and merge by the real command line; data.dvc then holds the new bytes."""
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "add", "-q", "data"]):
        assert run(project.root, *command).returncode == 0
    tracked = (project.root / "data.dvc").read_text()
    file = list_of(tmp_path / "r.xlsx", [{"image": IMAGES[0], "label": LIGHT, "corrected": DARK, "score": 0.1}])
    arguments = ["--as", "second", "--annotator", "Dr B", "--base", "folder", "--json"]
    done = cytocurve(project.root, "labels", "import", str(file), *arguments)
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["changed"], json.loads(done.stdout)["already"]) == (1, False)
    assert (project.root / "data.dvc").read_text() != tracked
    assert "up to date" in run(project.root, "dvc", "status", "data.dvc").stdout
    again = cytocurve(project.root, "labels", "import", str(file), *arguments)
    assert json.loads(again.stdout)["already"] is True
    figures = json.loads(cytocurve(project.root, "labels", "agreement", "folder", "second", "--json").stdout)
    assert figures["versions"]["second"]["kappa"]["value"] == pytest.approx(0.75)
    done = cytocurve(project.root, "labels", "merge", "folder", "second", "--as", "both")
    assert "7 images unanimous, 0 by majority, 1 by tie" in done.stdout
    listed = json.loads(cytocurve(project.root, "labels", "list", "--json").stdout)
    assert list(listed["versions"]) == ["both", "folder", "second"]
    changes = cytocurve(project.root, "labels", "diff", "folder", "second").stdout
    assert f"1 image with different labels:\n  {IMAGES[0]}: basophil -> monocyte" in changes


@pytest.mark.skipif(not REAL.is_dir(), reason="the real labels are not at ../shared/data/aml-cytomorphology-lmu")
def test_command_line_reproduces_the_published_agreement(tmp_path: Path) -> None:
    """Kappa, sensitivity and specificity of both re-annotations of Matek et al. 2019, before any image is there."""
    command = ["labels", "agreement", "gold", "first", "second", "--dataset", "aml_cytomorphology", "--root", str(REAL)]
    done = cytocurve(tmp_path, *command, "--json")
    assert done.returncode == 0, done.stderr
    printed = {
        version: [
            f"{figures['kappa']['value']:.2f}",
            *(
                f"{100 * figures['tasks'][task][score]['value']:.1f}"
                for task in ("blast", "atypical")
                for score in ("sensitivity", "specificity")
            ),
        ]
        for version, figures in json.loads(done.stdout)["versions"].items()
    }
    assert printed == {
        "first": ["0.84", "95.7", "91.1", "95.9", "91.0"],
        "second": ["0.87", "90.7", "95.2", "91.7", "95.3"],
    }


@pytest.fixture
def decomposed(tmp_path: Path) -> ProjectPaths:
    """Eight cells whose file names are decomposed, listed by one version in that form and by another composed."""
    write_params(tmp_path, dataset="toy", labels=["folder"], task={"positive": ["gro\u0308ße"], "negative": ["klein"]})
    rows = []
    for number in range(8):
        name = f"ze\u0301lle{number}.png"
        (tmp_path / "data/toy/images").mkdir(parents=True, exist_ok=True)
        draw_cell(number, True).save(tmp_path / "data/toy/images" / name)
        rows.append(
            {"image": name, "label": ("gro\u0308ße", "klein")[number % 2], "patient": f"Zoe\u0308 {number // 2}"}
        )
    (tmp_path / "data/toy/labels").mkdir()
    table = pd.DataFrame(rows)
    table.to_csv(tmp_path / "data/toy/labels/folder.csv", index=False)
    table.map(lambda cell: normalize("NFC", cell)).to_csv(tmp_path / "data/toy/labels/composed.csv", index=False)
    return ProjectPaths(tmp_path)


def test_versions_in_two_unicode_forms_are_of_the_same_images_and_classes(decomposed: ProjectPaths) -> None:
    for name, counts in overview(versions_of(decomposed, "toy")).items():
        assert (counts.images, counts.classes) == (8, {"größe": 4, "klein": 4}), name
    found = diff(decomposed, "folder", "composed")
    assert (found.agreeing, found.changed, found.only_in) == (8, [], {"folder": [], "composed": []})
    done = cytocurve(decomposed.root, "labels", "agreement", "folder", "composed", "--json")
    assert json.loads(done.stdout)["versions"]["composed"]["images"] == 8, done.stderr


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_lists_and_merges_in_either_unicode_form_are_written_for_the_files(
    decomposed: ProjectPaths, tmp_path: Path, form: Literal["NFC", "NFD"]
) -> None:
    rows = [{"image": normalize(form, "ze\u0301lle0.png"), "label": "", "new_label": normalize(form, "rie\u0301s")}]
    added = [normalize("NFD" if form == "NFC" else "NFC", "rie\u0301s")]
    file = list_of(tmp_path / "list.csv", rows)
    write_list(decomposed, "toy", file, "second", "Dr B", base="composed", new_classes=added)
    assert (decomposed.data / "toy/images" / "ze\u0301lle0.png").is_file()
    assert written(decomposed, "second").loc["ze\u0301lle0.png", "label"] == "riés"
    write_consensus(decomposed, "toy", ["folder", "composed"], "both")
    assert written(decomposed, "both").index.tolist() == [f"ze\u0301lle{number}.png" for number in range(8)]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_typed_in_either_unicode_form_are_traced_and_withdrawn(
    decomposed: ProjectPaths, form: Literal["NFC", "NFD"]
) -> None:
    catalog(decomposed, silent)
    patient, image = normalize(form, "Zoe\u0308 1"), normalize(form, "ze\u0301lle2.png")
    assert [each.image for each in trace(decomposed, image, None, silent).images] == ["ze\u0301lle2.png"]
    assert len(trace(decomposed, None, patient, silent).images) == 2
    outcome = remove_patient(decomposed, "toy", patient, "consent", date(2026, 1, 2))
    assert outcome.images == ["ze\u0301lle2.png", "ze\u0301lle3.png"]
    assert not any((decomposed.data / "toy/images" / name).exists() for name in outcome.images)
    assert all(len(written(decomposed, version)) == 6 for version in ("folder", "composed"))
    assert catalog(decomposed, silent).withdrawn == 2
    assert remove_patient(decomposed, "toy", patient, "consent", date(2026, 1, 2)).already


def test_classes_of_a_task_are_found_in_either_unicode_form(decomposed: ProjectPaths) -> None:
    catalog(decomposed, silent)
    write_params(
        decomposed.root, dataset="toy", labels=["folder", "composed"], folds=3, sizes=[2], min_class_size=1,
        task={"positive": ["gro\u0308ße"], "negative": ["klein"]},
    )  # fmt: skip
    counts = [found.classes for found in split(decomposed).values()]
    assert counts == [{"negative": 4, "positive": 4}] * 2


def test_tables_of_very_many_classes_are_counted_and_not_printed(project: ProjectPaths) -> None:
    """A column of other content, such as comments, has a class for each image."""
    rows = [(f"cell{n:03}.png", f"comment {n:03}") for n in range(60)]
    for path in (project.data / "toy/images").rglob("*.png"):
        path.unlink()
    for image, _ in rows:
        draw_cell(1, True).save(project.data / "toy/images" / image)
    (project.data / "toy/dataset.yaml").unlink()
    for name in ("folder", "second"):
        pd.DataFrame(rows, columns=["image", "label"]).to_csv(project.data / f"toy/labels/{name}.csv", index=False)
    listed = cytocurve(project.root, "labels", "list").stdout
    assert "comment 049" in listed
    assert "comment 050" not in listed
    assert "and 10 more; --json lists them" in listed
    compared = cytocurve(project.root, "labels", "diff", "folder", "second").stdout
    assert "There are 60 classes; --json has how often each pair occurs" in compared
    assert len(compared.splitlines()) < 10
