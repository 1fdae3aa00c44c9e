"""Headers state bit depths and additional images that Pillow does not report."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from PIL import Image
from PIL.ImageFile import ImageFile

from cytocurve.ingest.headers import PICTURES, relation, unusual_samples
from tests.datasets.dataset_makers import draw


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_of(depth: int, color: int, channels: int, side: int = 4) -> bytes:
    """A PNG with this bit depth and color type; its pixels are black."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, depth, color, 0, 0, 0)
    rows = zlib.compress(bytes(1 + side * channels * depth // 8) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def tiff_of(*pages: Mapping[int, Sequence[int]], below: Sequence[Mapping[int, Sequence[int]]] = ()) -> bytes:
    """A TIFF of these tags, page by page, without pixels; ``below`` are subdirectories of the first page."""
    content = bytearray(b"II*\0\0\0\0\0")
    offsets = []
    for tags in below:
        offsets.append(len(content))
        content += directory(tags, len(content))
    link = 4
    for number, tags in enumerate(pages):
        struct.pack_into("<I", content, link, len(content))
        tags = {**tags, 330: offsets} if number == 0 and offsets else tags
        link = len(content) + 2 + 12 * len(tags)
        content += directory(tags, len(content))
    return bytes(content)


def directory(tags: Mapping[int, Sequence[int]], at: int) -> bytes:
    after = at + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        field = packed if len(numbers) == 1 else struct.pack("<I", after + len(values))
        values += packed if len(numbers) > 1 else b""
        entries += struct.pack("<HHI", tag, 4, len(numbers)) + field
    return struct.pack("<H", len(tags)) + entries + bytes(4) + values


def page(width: int, height: int, **more: int) -> dict[int, Sequence[int]]:
    """An 8-bit RGB page; ``kind`` is its NewSubfileType."""
    tags: dict[int, Sequence[int]] = {256: [width], 257: [height], 258: [8, 8, 8], 262: [2], 277: [3]}
    tags |= {273: [8], 278: [height], 279: [3 * width * height]}
    return tags | {254: [more["kind"]]} if more else tags


def deep_jpeg() -> bytes:
    content = bytearray(encoded(draw(1), "JPEG"))
    content[content.index(b"\xff\xc0") + 4] = 12
    return bytes(content)


def related(content: bytes) -> str:
    file = io.BytesIO(content)
    with Image.open(file) as image:
        assert isinstance(image, ImageFile)
        return relation(file, image)


def pages_of(*sizes: tuple[int, int], kind: str = "TIFF") -> bytes:
    first, *others = [draw(seed, *size) for seed, size in enumerate(sizes)]
    return encoded(first, kind, save_all=True, append_images=others)


DEEP: Mapping[str, Callable[[], bytes]] = {
    "gray.png": lambda: png_of(16, 0, 1),
    "gray_alpha.png": lambda: png_of(16, 4, 2),
    "rgb.png": lambda: png_of(16, 2, 3),
    "rgba.png": lambda: png_of(16, 6, 4),
    "gray.tif": lambda: encoded(Image.fromarray(np.zeros((9, 9), np.uint16)), "TIFF"),
    "rgb.tif": lambda: tiff_of({**page(8, 8), 258: [16, 16, 16]}),
    "mixed.tif": lambda: tiff_of({**page(8, 8), 258: [8, 8, 16]}),
    "rgb32.tif": lambda: tiff_of({**page(8, 8), 258: [32, 32, 32]}),
    "rgb12.jpg": deep_jpeg,
}


@pytest.mark.parametrize("name", DEEP)
def test_more_than_8_bits_per_channel_are_detected(name: str) -> None:
    assert "bits per channel; only images with 8 bits" in unusual_samples(io.BytesIO(DEEP[name]()))


@pytest.mark.parametrize("kind", ["BMP", "JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_ordinary_8_bit_images_are_not_unusual(kind: str, mode: str) -> None:
    image = draw(1).convert(mode)
    if kind in ("JPEG", "WEBP") and mode in ("P", "1"):
        image = image.convert("L")
    assert unusual_samples(io.BytesIO(encoded(image, kind))) == ""


def test_signed_samples_are_detected() -> None:
    assert "signed" in unusual_samples(io.BytesIO(tiff_of({**page(8, 8), 339: [2, 2, 2]})))


def test_palette_of_8_bit_values_is_detected() -> None:
    """Pillow divides its values by 256, so that every pixel would be black."""
    palette = {**page(8, 8), 258: [8], 262: [3], 277: [1], 320: list(range(256)) * 3}
    assert "palette" in unusual_samples(io.BytesIO(tiff_of(palette)))


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"II*\0\xff\xff\xff\x7f", b"text"]
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_header_is_left_to_the_decoder(content: bytes) -> None:
    assert unusual_samples(io.BytesIO(content)) == ""


@pytest.mark.parametrize("kind", ["BMP", "JPEG", "PNG", "TIFF", "WEBP"])
def test_ordinary_file_has_no_second_image(kind: str) -> None:
    assert related(encoded(draw(1), kind)) == "none"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (tiff_of(page(72, 72), page(18, 18, kind=1)), "smaller"),
        (tiff_of(page(72, 72), page(60, 70, kind=1)), "smaller"),
        (tiff_of(page(201, 133), page(100, 66), page(50, 33)), "smaller"),
        (tiff_of(page(72, 72), below=[page(36, 36), page(18, 18)]), "smaller"),
        (tiff_of(page(72, 72), page(72, 72)), "equal"),
        (tiff_of(page(72, 72), page(72, 72, kind=1)), "equal"),
        (tiff_of(page(72, 72), page(60, 60)), "equal"),
        (tiff_of(page(72, 72), page(10, 30)), "equal"),
        (tiff_of(page(72, 72), page(18, 18, kind=1), page(72, 72)), "equal"),
        (tiff_of(page(72, 72), *[page(18, 18, kind=1)] * PICTURES), "equal"),
        (tiff_of(page(18, 18), page(72, 72)), "larger"),
        (tiff_of(page(18, 18, kind=1), page(72, 72)), "larger"),
        (tiff_of(page(18, 18), below=[page(72, 72)]), "larger"),
    ],
)
def test_tiff_page_is_a_reduced_version_if_marked_or_half_the_size_with_the_same_aspect_ratio(
    content: bytes, expected: str
) -> None:
    assert related(content) == expected


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [(((72, 60), (18, 15)), "smaller"), (((72, 60), (72, 60)), "equal"), (((18, 15), (72, 60)), "larger")],
)
def test_images_in_a_phone_file_are_compared_by_size(sizes: Sequence[tuple[int, int]], expected: str) -> None:
    assert related(pages_of(*sizes, kind="MPO")) == expected


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animation_frames_are_equal(kind: str) -> None:
    assert related(pages_of((24, 20), (24, 20), kind=kind)) == "equal"
