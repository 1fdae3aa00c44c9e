"""BloodMNIST's arrays become images; other files are rejected before anything is written."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cytocurve.core.data.taxonomy import CELL_TYPES
from cytocurve.datasets import bloodmnist
from cytocurve.errors import InputError, ServiceError
from tests.datasets.dataset_makers import bloodmnist_arrays, silent


def write(path: Path, arrays: dict[str, Any], allow_pickle: bool = False) -> Path:
    np.savez_compressed(path, allow_pickle=allow_pickle, **arrays)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "bloodmnist.npz", bloodmnist_arrays())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "unpacked").mkdir()
    return tmp_path / "unpacked"


def refused(file: Path, folder: Path) -> InputError:
    """The error for a file, after which nothing has been written."""
    with pytest.raises(InputError, match=file.name) as caught:
        bloodmnist.unpack(file, folder, silent)
    assert list(folder.iterdir()) == []
    return caught.value


def test_pixels_labels_and_folds_match_the_arrays(file: Path, folder: Path) -> None:
    """Every image is a lossless PNG below its split, in the order of the arrays."""
    bloodmnist.unpack(file, folder, silent)
    listing, arrays = bloodmnist.read(folder), bloodmnist_arrays()
    table = listing.labels["medmnist"].set_index("image")
    assert len(listing.images) == 16
    for split in bloodmnist.SPLITS:
        for index, pixels in enumerate(arrays[f"{split}_images"]):
            name = f"{split}/{index:05d}.png"
            assert np.array_equal(np.asarray(Image.open(listing.images[name])), pixels)
            assert tuple(table.loc[name]) == (bloodmnist.LABELS[index], split)


def test_labels_are_cell_types() -> None:
    assert set(bloodmnist.LABELS) <= set(CELL_TYPES)


def test_progress_is_reported_for_each_image(file: Path, folder: Path) -> None:
    calls: list[tuple[int, int]] = []
    bloodmnist.unpack(file, folder, lambda done, total: calls.append((done, total)))
    assert calls == [(done, 16) for done in range(1, 17)]


def test_all_problems_of_the_arrays_are_listed(tmp_path: Path, folder: Path) -> None:
    """Missing arrays and wrong types, shapes, sizes and labels are reported in one error."""
    arrays: dict[str, Any] = dict(bloodmnist_arrays())
    del arrays["test_images"]
    arrays["train_labels"][3] = 9
    arrays["train_images"] = arrays["train_images"][:7]
    arrays["val_images"] = arrays["val_images"][..., 0]
    arrays["val_labels"] = arrays["val_labels"].astype(float)
    assert refused(write(tmp_path / "other.npz", arrays), folder).offenders == (
        "val_images: its shape is (4, 12, 12), not (n, pixels, pixels, 3)",
        "val_labels: float64 in row-major order, not uint8 in row-major order",
        "test_images: no such array",
        "train_labels: 9 is not a label from 0 to 7",
        "train: 7 images, but 8 labels",
    )


def test_images_of_several_sizes_are_rejected(tmp_path: Path, folder: Path) -> None:
    arrays = bloodmnist_arrays() | {"val_images": bloodmnist_arrays(14)["val_images"]}
    assert refused(write(tmp_path / "mixed.npz", arrays), folder).offenders == (
        "images of different sizes: 12, 14 pixels",
    )


def test_pickles_are_never_loaded(tmp_path: Path, folder: Path) -> None:
    """An array of objects is rejected by its header."""
    arrays: dict[str, Any] = bloodmnist_arrays() | {"val_labels": np.array([[print], [1], [2], [3]], dtype=object)}
    wrong = refused(write(tmp_path / "pickle.npz", arrays, allow_pickle=True), folder)
    assert wrong.offenders == ("val_labels: object in row-major order, not uint8 in row-major order",)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut off"])
def test_file_that_is_not_npz_is_rejected(content: bytes, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "no.npz").write_bytes(content)
    assert "not a complete NPZ file" in str(refused(tmp_path / "no.npz", folder))


def test_damaged_file_is_rejected(tmp_path: Path, folder: Path) -> None:
    """Bytes that do not match their checksum are found, if not before the first images are written."""
    np.savez(tmp_path / "plain.npz", allow_pickle=False, **bloodmnist_arrays())
    content = bytearray((tmp_path / "plain.npz").read_bytes())
    content[1000] ^= 255
    (tmp_path / "plain.npz").write_bytes(content)
    with pytest.raises(InputError, match="not a complete NPZ file: Bad CRC-32"):
        bloodmnist.unpack(tmp_path / "plain.npz", folder, silent)


def test_missing_file_is_named(tmp_path: Path, folder: Path) -> None:
    assert "No such file" in str(refused(tmp_path / "gone.npz", folder))


def test_unpacked_folder_that_was_changed_is_rejected(file: Path, folder: Path) -> None:
    """Missing images and invalid folds are listed."""
    bloodmnist.unpack(file, folder, silent)
    (folder / "val" / "00001.png").unlink()
    table = folder / "labels.csv"
    table.write_text(table.read_text().replace(",test", ",tset"))
    with pytest.raises(InputError) as caught:
        bloodmnist.read(folder)
    assert caught.value.offenders == ("'val/00001.png': no such file", "fold 'tset' is not one of train, val, test")


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that writes no log."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it)
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The URL of a real server of that folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in the place of Zenodo's record, with a small file under the right checksum."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "record").mkdir()
    file = write(tmp_path / "record" / bloodmnist.DRAWN, bloodmnist_arrays())
    digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(bloodmnist, "MD5", {bloodmnist.DRAWN: digest})
    with serving(tmp_path / "record") as url:
        monkeypatch.setattr(bloodmnist, "BASE", url)
        yield file


def test_dataset_is_downloaded_and_unpacked(upstream: Path, folder: Path) -> None:
    """Progress rises to its total over both, and the file itself does not stay."""
    calls: list[tuple[int, int]] = []
    bloodmnist.draw(folder, lambda done, total: calls.append((done, total)))
    assert len(bloodmnist.read(folder).images) == 16
    assert sorted(path.name for path in folder.iterdir()) == ["labels.csv", "test", "train", "val"]
    assert calls == sorted(calls)
    assert calls[-1] == (2 * 17092, 2 * 17092)
    assert {total for _, total in calls} == {2 * 17092}


def test_unexpected_file_is_rejected(upstream: Path, folder: Path) -> None:
    """A download is checked by its MD5 before it is unpacked."""
    write(upstream, bloodmnist_arrays(14))
    with pytest.raises(ServiceError, match="its MD5 is"):
        bloodmnist.draw(folder, silent)


def test_file_missing_on_the_server_is_reported(upstream: Path, folder: Path) -> None:
    """The error has the URL and what to do without the internet."""
    upstream.unlink()
    with pytest.raises(ServiceError, match=r"bloodmnist_224\.npz\?download=1 .*404") as caught:
        bloodmnist.draw(folder, silent)
    assert "cytocurve data add bloodmnist FILE.npz" in caught.value.next_step


def test_failed_download_names_the_alternative(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens on port 1."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(bloodmnist, "BASE", "http://127.0.0.1:1/")
    with pytest.raises(ServiceError, match=r"http://127\.0\.0\.1:1/bloodmnist_224\.npz") as caught:
        bloodmnist.draw(folder, silent)
    assert caught.value.exit_code == 3
    assert "cytocurve data add bloodmnist FILE.npz" in caught.value.next_step
