"""The contract of a dataset, met by every member of ``cytocurve.datasets``."""

from pathlib import Path

import pytest

from cytocurve import datasets
from cytocurve.config import ProjectPaths
from cytocurve.core.data import labels
from cytocurve.datasets import Dataset, Listing
from cytocurve.errors import InputError
from cytocurve.workflows.data_add import copy_dataset
from cytocurve.workflows.stages.catalog import catalog
from tests.datasets.dataset_makers import MAKERS, silent
from tests.projects import write_params


@pytest.fixture(scope="module", params=datasets.names())
def dataset(request: pytest.FixtureRequest) -> Dataset:
    return datasets.load(request.param)


@pytest.fixture
def source(dataset: Dataset, tmp_path: Path) -> Path:
    folder = tmp_path / "upstream"
    assert dataset.name in MAKERS, (
        "every dataset has a maker of its upstream layout in tests/datasets/dataset_makers.py"
    )
    MAKERS[dataset.name](folder)
    return folder


@pytest.fixture
def listing(dataset: Dataset, source: Path) -> Listing:
    return dataset.read(source)


def test_dataset_states_its_source(dataset: Dataset) -> None:
    """Its name is that of its module; title, license, citation and URL are stated on one line each."""
    assert datasets.load(dataset.name) is dataset
    for text in (dataset.title, dataset.licence, dataset.citation, dataset.url):
        assert text
        assert "\n" not in text


def test_images_are_files_of_the_folder_with_relative_names(listing: Listing, source: Path) -> None:
    """Every image is a file below the folder; its name is a plain relative path."""
    assert listing.images
    assert list(listing.images) == sorted(listing.images)
    for name, path in listing.images.items():
        assert path.is_file()
        assert path.is_relative_to(source)
        assert not {"", ".", ".."} & set(name.split("/"))


def test_label_tables_are_valid(dataset: Dataset, listing: Listing) -> None:
    """Every label version has one row per image, and only labels that the dataset declares."""
    assert listing.labels
    assert labels.problems(listing.images, listing.labels, dataset.classes) == []


def test_reading_twice_gives_the_same_listing(dataset: Dataset, source: Path, listing: Listing) -> None:
    """A listing depends only on the folder."""
    again = dataset.read(source)
    assert (again.images, again.skipped) == (listing.images, listing.skipped)
    assert all(again.labels[version].equals(table) for version, table in listing.labels.items())


def test_tables_read_alone_equal_those_of_the_listing(dataset: Dataset, source: Path, listing: Listing) -> None:
    """Where label versions can be read without images, they are the same ones."""
    alone = dataset.tables(source) if dataset.tables else listing.labels
    assert {v: set(t.itertuples(index=False, name=None)) for v, t in alone.items()} == {
        v: set(t.itertuples(index=False, name=None)) for v, t in listing.labels.items()
    }


def test_junk_never_becomes_an_image(dataset: Dataset, source: Path, listing: Listing) -> None:
    """Hidden files, other files and text named as an image are left out."""
    folder_of_images = next(iter(listing.images.values())).parent
    for name in (".DS_1.jpg", "notes.txt", "text.jpg", "empty.png"):
        (folder_of_images / name).write_text("no image" if "empty" not in name else "")
    assert dataset.read(source).images == listing.images


@pytest.mark.parametrize("there", [True, False])
def test_folder_of_another_dataset_is_rejected(dataset: Dataset, there: bool, tmp_path: Path) -> None:
    """The error names an empty or a missing folder, and the next step."""
    folder = tmp_path / "elsewhere"
    if there:
        folder.mkdir()
    with pytest.raises(InputError, match="elsewhere") as caught:
        dataset.read(folder)
    assert caught.value.hint or caught.value.next_step


def test_dataset_can_be_added_and_cataloged(dataset: Dataset, source: Path, listing: Listing, tmp_path: Path) -> None:
    """An added dataset passes the catalog with all its label versions."""
    project = ProjectPaths(tmp_path)
    figures = copy_dataset(project, dataset.name, source, "mine", silent)
    write_params(tmp_path, dataset="mine", labels=sorted(listing.labels))
    report = catalog(project, silent)
    assert figures.images == report.images == len(listing.images)
    assert figures.labels == report.classes


def test_private_modules_are_not_datasets() -> None:
    """Helpers of the package do not appear in the list."""
    assert {"all_idb2", "bloodmnist", "c_nmc", "folder", "pbc", "starter", "table"} <= set(datasets.names())
    assert not any(name.startswith("_") for name in datasets.names())
