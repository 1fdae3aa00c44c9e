"""A dataset is added completely or not at all."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cytocurve.config import ProjectPaths
from cytocurve.datasets import Progress, starter
from cytocurve.errors import CytocurveError, InputError
from cytocurve.workflows.data_add import copy_dataset
from tests.datasets.dataset_makers import MAKERS, make_folder, save, silent
from tests.faults.harness import limited_here
from tests.ingest.test_archives import pack, tarred
from tests.projects import cytocurve, make_project, run, write_params, write_toy

KILLED_HALFWAY = """
import os, signal, sys
from pathlib import Path
from cytocurve.config import ProjectPaths
from cytocurve.workflows.data_add import copy_dataset
copy_dataset(ProjectPaths(Path(sys.argv[1])), "folder", Path(sys.argv[2]), "mine",
    lambda done, total: os.kill(os.getpid(), signal.SIGKILL) if done == 3 else None)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "upstream"
    make_folder(folder)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> ProjectPaths:
    (tmp_path / "project").mkdir()
    return ProjectPaths(tmp_path / "project")


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_images_labels_and_origin_are_written(project: ProjectPaths, source: Path) -> None:
    """The upstream tree is below images/, its labels in sorted CSV files, its origin in dataset.yaml."""
    outcome = copy_dataset(project, "folder", source, "mine", silent)
    written = contents(project.data / "mine")
    assert {n.removeprefix("images/") for n in written if n.startswith("images/")} == contents(source).keys()
    assert written["images/round/cell1.png"] == (source / "round" / "cell1.png").read_bytes()
    rows = written["labels/folder.csv"].decode().split("\n")
    assert rows[:2] == ["image,label", "lobed/old/cell0.png,lobed"]
    assert rows[1:-1] == sorted(rows[1:-1])
    assert written["dataset.yaml"].decode().startswith("loader: folder\ntitle: ")
    assert outcome.to_json() == {
        "images": 8,
        "labels": {"folder": {"lobed": 4, "round": 4}},
        "patients": 0,
        "skipped": {},
        "linked": 0,
        "already": False,
        "in_use": False,
        "notes": {},
        "settings": {},
    }


def test_data_folder_holds_only_the_dataset(project: ProjectPaths, source: Path) -> None:
    """No temporary folder stays."""
    copy_dataset(project, "folder", source, "mine", silent)
    assert [path.name for path in project.data.iterdir()] == ["mine"]


def test_adding_twice_gives_the_same_bytes(project: ProjectPaths, source: Path) -> None:
    """Neither time nor place gets into the files."""
    for name in ("first", "second"):
        copy_dataset(project, "folder", source, name, silent)
    assert contents(project.data / "first") == contents(project.data / "second")


def test_progress_is_reported_for_each_image(project: ProjectPaths, source: Path) -> None:
    """The number done rises by one up to the total."""
    calls: list[tuple[int, int]] = []
    copy_dataset(project, "folder", source, "mine", lambda done, total: calls.append((done, total)))
    assert calls == [(done, 8) for done in range(1, 9)]


def test_patients_are_counted_and_written(project: ProjectPaths, tmp_path: Path) -> None:
    """Known patients are in the label tables."""
    MAKERS["starter"](tmp_path / "drawn")
    assert copy_dataset(project, "starter", tmp_path / "drawn", None, silent).patients == 4
    table = (project.data / "starter" / "labels" / "expert.csv").read_text()
    assert table.startswith("image,label,patient\nIm001_1.tif,lymphoblast,P3\n")


def test_dataset_that_draws_itself_needs_no_folder(project: ProjectPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is drawn below data/ and moved into place; progress runs once."""

    def draw(folder: Path, progress: Progress) -> None:
        assert folder.is_relative_to(project.data)
        MAKERS["starter"](folder)
        progress(1, 1)

    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(starter, "DATASET", dataclasses.replace(starter.DATASET, draw=draw))
    assert copy_dataset(project, "starter", None, None, lambda done, total: calls.append((done, total))).images == 8
    assert calls == [(1, 1)]
    assert [path.name for path in project.data.iterdir()] == ["starter"]


@pytest.mark.parametrize(
    ("name", "as_name", "message"),
    [
        ("pcb", None, "dataset 'pcb' is unknown; did you mean 'pbc'"),
        ("folder", "my-cells", "'my-cells' is not a valid dataset name"),
        ("folder", "../cells", "'../cells' is not a valid dataset name"),
        ("folder", ".adding-cells", "'.adding-cells' is not a valid dataset name"),
        ("pbc", None, "is not the complete PBC dataset"),
    ],
)
def test_invalid_arguments_are_rejected(
    name: str, as_name: str | None, message: str, project: ProjectPaths, source: Path
) -> None:
    """Unknown datasets, unusable names and folders of another layout leave nothing behind, not even data/."""
    with pytest.raises(InputError) as caught:
        copy_dataset(project, name, source, as_name, silent)
    assert message in str(caught.value)
    assert not project.data.exists()


def test_dataset_that_cannot_be_drawn_needs_a_folder(project: ProjectPaths) -> None:
    """Without PATH the error says the command and where the dataset comes from."""
    with pytest.raises(InputError, match=r"cytocurve data add pbc PATH.* https://doi.org/"):
        copy_dataset(project, "pbc", None, None, silent)


def test_existing_dataset_is_kept(project: ProjectPaths, source: Path) -> None:
    """Adding does not overwrite."""
    write_toy(project.data / "mine", cells=2)
    before = contents(project.data)
    with pytest.raises(InputError, match=r"already exists(.|\n)*--as DATASET"):
        copy_dataset(project, "folder", source, "mine", silent)
    assert contents(project.data) == before


def test_existing_dataset_with_the_same_content_is_kept_and_reported(project: ProjectPaths, source: Path) -> None:
    """A repeated call has nothing left to copy; a single changed byte makes it another dataset."""
    first = copy_dataset(project, "folder", source, "mine", silent)
    again = copy_dataset(project, "folder", source, "mine", silent)
    assert (first.already, again) == (False, dataclasses.replace(first, already=True))
    image = next((project.data / "mine" / "images").rglob("*.png"))
    image.write_bytes(image.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="already exists"):
        copy_dataset(project, "folder", source, "mine", silent)


def test_labels_that_the_catalog_would_reject_are_rejected(project: ProjectPaths, tmp_path: Path) -> None:
    """A class that the dataset does not have is found before anything is copied."""
    MAKERS["starter"](tmp_path / "drawn")
    table = tmp_path / "drawn" / "expert.csv"
    table.write_text(table.read_text().replace("monocyte", "monozyt"))
    with pytest.raises(InputError) as caught:
        copy_dataset(project, "starter", tmp_path / "drawn", None, silent)
    assert len(caught.value.offenders) == 4
    assert "Im005_0.tif: unknown class 'monozyt'; did you mean 'monocyte'?" in caught.value.offenders[0]
    assert not project.data.exists()


def test_links_that_leave_the_folder_are_not_copied(project: ProjectPaths, source: Path, tmp_path: Path) -> None:
    """A link to a file elsewhere is reported and left out."""
    save(tmp_path / "secret.png", 1)
    (source / "round" / "link.png").symlink_to(tmp_path / "secret.png")
    outcome = copy_dataset(project, "folder", source, "mine", silent)
    assert outcome.skipped == {"round/link.png": "link that leads outside the folder; not followed"}
    assert not (project.data / "mine" / "images" / "round" / "link.png").exists()


def test_unreadable_file_undoes_everything(project: ProjectPaths, source: Path) -> None:
    """If an image vanishes midway, the error names it, and nothing is left below data/."""
    last = source / "round/cell7.png"
    with pytest.raises(InputError, match=r"cell7\.png"):
        copy_dataset(project, "folder", source, "mine", lambda done, total: last.unlink(missing_ok=True))
    assert not project.data.exists()


def test_full_disk_undoes_everything(project: ProjectPaths, source: Path) -> None:
    """If an image cannot be written, the error has the reason and the next step."""
    with limited_here(1000), pytest.raises(CytocurveError, match="free space"):
        copy_dataset(project, "folder", source, "mine", silent)
    assert not project.data.exists()


def test_interrupt_undoes_everything(project: ProjectPaths, source: Path) -> None:
    """Ctrl+C leaves nothing below data/."""

    def interrupt(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_dataset(project, "folder", source, "mine", interrupt)
    assert not project.data.exists()


@pytest.mark.slow
def test_killed_add_leaves_no_dataset_and_the_next_add_cleans_up(project: ProjectPaths, source: Path) -> None:
    """After SIGKILL half-way there is no data/mine; the same call then completes it and removes what was left."""
    command = [sys.executable, "-c", KILLED_HALFWAY, str(project.root), str(source)]
    done = subprocess.run(command, env=os.environ | {"PYTHONWARNINGS": "default"}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name[:8] for path in project.data.iterdir()] == [".adding-"]
    assert copy_dataset(project, "folder", source, "mine", silent).images == 8
    assert [path.name for path in project.data.iterdir()] == ["mine"]


def test_scratch_of_a_running_add_is_left_alone(project: ProjectPaths, source: Path) -> None:
    """Two concurrent calls do not remove each other's scratch folders."""

    def other(done: int, total: int) -> None:
        if done == 4:
            copy_dataset(project, "folder", source, "other", silent)

    assert copy_dataset(project, "folder", source, "mine", other).images == 8
    assert sorted(path.name for path in project.data.iterdir()) == ["mine", "other"]


def test_first_of_two_concurrent_adds_to_finish_wins(project: ProjectPaths, source: Path) -> None:
    """The later one finds the same content and leaves nothing."""

    def same(done: int, total: int) -> None:
        if done == 4:
            copy_dataset(project, "folder", source, "mine", silent)

    assert copy_dataset(project, "folder", source, "mine", same).already
    assert [path.name for path in project.data.iterdir()] == ["mine"]
    assert len(contents(project.data / "mine")) == 10


def test_macos_files_in_an_archive_are_skipped_with_a_reason(project: ProjectPaths, source: Path) -> None:
    """Beside the only folder, or in it."""
    (source / "cells").mkdir()
    for name in ("lobed", "round"):
        (source / name).rename(source / "cells" / name)
    save(source / "__MACOSX" / "cells" / "a.png", 1)
    outcome = copy_dataset(project, "folder", pack(source, source.parent / "cells.zip"), "packed", silent)
    assert (outcome.images, outcome.skipped) == (8, {"__MACOSX": "not data: metadata of macOS"})


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
@pytest.mark.parametrize("top", ["", "our cells/"])
def test_archive_gives_the_same_dataset_as_its_folder(
    suffix: str, top: str, project: ProjectPaths, source: Path
) -> None:
    """Packed with or without a folder around it, byte for byte; nothing else stays below data/."""
    archive = pack(source, source.parent / f"cells{suffix}", top)
    outcome = copy_dataset(project, "folder", archive, "packed", silent)
    assert outcome == copy_dataset(project, "folder", source, "mine", silent)
    assert contents(project.data / "packed") == contents(project.data / "mine")
    assert sorted(path.name for path in project.data.iterdir()) == ["mine", "packed"]


def test_archive_with_another_layout_is_named_and_leaves_nothing(project: ProjectPaths, source: Path) -> None:
    archive = pack(source, source.parent / "cells.zip")
    with pytest.raises(InputError, match=r"is not the complete PBC dataset") as caught:
        copy_dataset(project, "pbc", archive, None, silent)
    assert str(archive) in caught.value.problem
    assert ".adding-" not in str(caught.value)
    assert not project.data.exists()


def test_hostile_archive_leaves_nothing(project: ProjectPaths, tmp_path: Path) -> None:
    archive = tarred(tmp_path / "bad.tar", ("../outside.png", b"x", None), ("a/b.png", b"x", None))
    with pytest.raises(InputError, match=r"outside\.png: a path that leads outside the folder"):
        copy_dataset(project, "folder", archive, "mine", silent)
    assert not project.data.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.tar", "project"]


def test_file_that_is_not_an_archive_is_rejected(project: ProjectPaths, tmp_path: Path) -> None:
    (tmp_path / "cells.7z").write_text("packed")
    with pytest.raises(InputError, match=r"read from a folder or an archive(.|\n)*\.zip, \.tar") as caught:
        copy_dataset(project, "folder", tmp_path / "cells.7z", "mine", silent)
    assert "cells.7z" in caught.value.problem
    assert not project.data.exists()


def test_dataset_can_unpack_a_single_file(
    project: ProjectPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it writes is read as its folder would be."""

    def write(file: Path, folder: Path, progress: Progress) -> None:
        assert file.read_text() == "cells"
        MAKERS["starter"](folder)

    monkeypatch.setattr(starter, "DATASET", dataclasses.replace(starter.DATASET, unpack=write))
    (tmp_path / "cells.bin").write_text("cells")
    assert copy_dataset(project, "starter", tmp_path / "cells.bin", None, silent).images == 8
    assert [path.name for path in project.data.iterdir()] == ["starter"]


def states(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and mode of every file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.name: (path.read_bytes(), path.stat().st_mode) for path in files}


def test_linked_images_are_the_source_files(project: ProjectPaths, source: Path) -> None:
    """With --link, no image is copied, and the result is byte-identical."""
    linked = copy_dataset(project, "folder", source, "linked", silent, link=True)
    copied = copy_dataset(project, "folder", source, "copied", silent)
    assert (linked.linked, copied.linked) == (8, 0)
    assert (project.data / "linked/images/round/cell1.png").samefile(source / "round" / "cell1.png")
    assert contents(project.data / "linked") == contents(project.data / "copied")


def test_images_are_copied_where_links_are_impossible(project: ProjectPaths, source: Path) -> None:
    """Another file system gives copies."""
    elsewhere = Path("/dev/shm")  # noqa: S108 - the other file system that Linux has
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == source.stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    with tempfile.TemporaryDirectory(dir=elsewhere) as folder:
        make_folder(Path(folder) / "cells")
        outcome = copy_dataset(project, "folder", Path(folder) / "cells", "mine", silent, link=True)
    assert (outcome.images, outcome.linked) == (8, 0)
    assert (project.data / "mine/images/round/cell1.png").read_bytes() == (source / "round" / "cell1.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["", "symlink", "hardlink", "hardlink,symlink"])
def test_dvc_tracks_linked_images_without_changing_the_source(cache: str, tmp_path: Path, source: Path) -> None:
    """Whatever links DVC makes to its cache, bytes and modes of the source do not change."""
    root = make_project(tmp_path / "project")
    if cache:
        assert run(root, "dvc", "config", "cache.type", cache).returncode == 0
    for number, path in enumerate(sorted(source.rglob("*.png"))):
        path.chmod((0o644, 0o664, 0o600)[number % 3])
    before = states(source)
    done = cytocurve(root, "data", "add", "folder", str(source), "--as", "mine", "--link")
    assert done.returncode == 0, done.stderr
    assert states(source) == before
    assert ("of them copied" in done.stdout) == ("hardlink" in cache)
    assert "up to date" in run(root, "dvc", "status", "data.dvc").stdout
    assert run(root, "dvc", "checkout", "--relink", "data.dvc").returncode == 0
    assert states(source) == before
    assert {name: data for name, (data, _) in states(root / "data/mine/images").items()} == {
        name: data for name, (data, _) in before.items()
    }


@pytest.mark.slow
def test_command_line_accepts_an_archive(tmp_path: Path, source: Path) -> None:
    """A second call with the same content changes nothing, and one with other content is rejected."""
    write_params(tmp_path)
    assert run(tmp_path, "git", "init", "-q").returncode == 0
    assert run(tmp_path, "dvc", "init", "-q").returncode == 0
    archive = pack(source, tmp_path / "cells.zip")
    done = cytocurve(tmp_path, "data", "add", "folder", str(archive), "--as", "mine", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["labels"] == {"folder": {"lobed": 4, "round": 4}}
    again = cytocurve(tmp_path, "data", "add", "folder", str(archive), "--as", "mine", "--json")
    assert json.loads(again.stdout)["already"] is True
    (source / "round" / "cell1.png").unlink()
    other = cytocurve(tmp_path, "data", "add", "folder", str(source), "--as", "mine")
    assert other.returncode == 2
    assert "already exists" in other.stderr


def test_images_that_some_file_systems_cannot_tell_apart_are_refused(project: ProjectPaths, source: Path) -> None:
    save(source / "round" / "CELL1.png", 99)
    with pytest.raises(InputError, match="some file systems cannot tell these images apart") as caught:
        copy_dataset(project, "folder", source, "mine", silent)
    assert caught.value.offenders == (
        "'round/CELL1.png' and 'round/cell1.png' are one name in several spellings; rename or remove all but one",
    )
    assert not project.data.exists()


def test_names_that_differ_in_leading_zeros_are_added_and_noted(project: ProjectPaths, source: Path) -> None:
    save(source / "round" / "cell01.png", 99)
    notes = copy_dataset(project, "folder", source, "mine", silent).notes
    assert notes["these names differ only in leading zeros, and are read as different images"] == [
        "round/cell01.png = round/cell1.png"
    ]
    assert (project.data / "mine/images/round/cell01.png").is_file()


def test_labels_of_folders_are_composed_and_file_names_stay_as_they_are(project: ProjectPaths, source: Path) -> None:
    (source / "round").rename(source / "gro\u0308ße")
    assert set(copy_dataset(project, "folder", source, "mine", silent).labels["folder"]) == {"größe", "lobed"}
    assert (project.data / "mine/images/gro\u0308ße/cell1.png").is_file()


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_image_cut_off_after_its_header_is_skipped_and_the_others_are_added(
    project: ProjectPaths, source: Path
) -> None:
    cut_in_half(source / "round" / "cell1.png")
    whole = contents(source).keys() - {"round/cell1.png"}
    calls: list[tuple[int, int]] = []
    outcome = copy_dataset(
        project, "folder", source, "mine", silent, checking=lambda done, total: calls.append((done, total))
    )
    assert outcome.skipped["round/cell1.png"].startswith("damaged image: cannot be decoded: ")
    images = {name.removeprefix("images/") for name in contents(project.data / "mine") if name.startswith("images/")}
    assert images == whole
    assert "round/cell1.png" not in (project.data / "mine/labels/folder.csv").read_text()
    assert calls == [(done, len(whole) + 1) for done in range(1, len(whole) + 2)]
    assert copy_dataset(project, "folder", source, "mine", silent).already


def test_damaged_images_are_refused_if_a_class_has_no_others(project: ProjectPaths, source: Path) -> None:
    for path in (source / "round").rglob("*.png"):
        cut_in_half(path)
    with pytest.raises(InputError, match=r"'round/cell1.png': damaged image(.|\n)*Without them, a class has no images"):
        copy_dataset(project, "folder", source, "mine", silent)
    assert not project.data.exists()


def test_damaged_image_that_a_table_lists_is_refused(project: ProjectPaths, source: Path) -> None:
    names = sorted(contents(source))
    (source / "cells.csv").write_text("image,label\n" + "".join(f"{name},{name[:5]}\n" for name in names))
    cut_in_half(source / names[0])
    with pytest.raises(InputError, match=r"damaged image(.|\n)*Next: copy or download them again"):
        copy_dataset(project, "table", source / "cells.csv", "mine", silent)
    assert not project.data.exists()
