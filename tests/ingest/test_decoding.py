"""The pixels shared by workers are those of the images; otherwise the sweep does not start."""

from pathlib import Path

import numpy as np
import pytest

from cytocurve.errors import InputError
from cytocurve.ingest.decoding import pixel_sha256, read_rgb
from cytocurve.models.preparation import preparation
from cytocurve.training.preparation import checked_pixels, shared_pixels
from tests.projects import draw_cell

SMALL = preparation({"size": 24})


def images(folder: Path, sizes: tuple[int, ...] = (24, 24, 30)) -> tuple[list[Path], list[str]]:
    files = []
    for number, size in enumerate(sizes):
        files.append(folder / f"{number}.png")
        draw_cell(number, dark=bool(number % 2), size=size).save(files[-1])
    return files, [pixel_sha256(read_rgb(path)) for path in files]


def silent(done: int, total: int) -> None:
    pass


def test_shared_file_contains_every_image_at_one_size(tmp_path: Path) -> None:
    files, identities = images(tmp_path)
    pixels = np.load(shared_pixels(tmp_path / "pixels", files, identities, SMALL, silent), mmap_mode="r")
    assert pixels.shape == (3, 24, 24, 3)
    assert pixels.dtype == np.uint8
    for row, path, identity in zip(pixels, files, identities, strict=True):
        np.testing.assert_array_equal(row, checked_pixels(path, identity, SMALL))
    np.testing.assert_array_equal(pixels[0], np.asarray(read_rgb(files[0])))


@pytest.mark.parametrize("damage", ["zero", "cut", "empty", "checksum"])
def test_damaged_file_is_recreated(tmp_path: Path, damage: str) -> None:
    files, identities = images(tmp_path)
    path = shared_pixels(tmp_path / "pixels", files, identities, SMALL, silent)
    good = path.read_bytes()
    if damage == "checksum":
        path.with_suffix(".sha256").unlink()
    else:
        path.write_bytes({"zero": bytes(len(good)), "cut": good[:200], "empty": b""}[damage])
    assert shared_pixels(tmp_path / "pixels", files, identities, SMALL, silent) == path
    assert path.read_bytes() == good


def test_changed_images_are_all_listed_and_nothing_is_left_behind(tmp_path: Path) -> None:
    files, identities = images(tmp_path)
    files[1].write_bytes(files[0].read_bytes())
    files[2].write_bytes(b"no image")
    with pytest.raises(InputError) as caught:
        shared_pixels(tmp_path / "pixels", files, identities, SMALL, silent)
    assert len(caught.value.offenders) == 2
    assert not list((tmp_path / "pixels").glob("*.npy"))
