"""Whatever a folder of images contains, adding and cataloging it succeeds or fails with one list, never a traceback."""

import io
import json
import random
import string
import struct
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.ingest.decoding import read_rgb
from cytocurve.ingest.scanning import PREVIEWS, TRANSPARENT, notes
from cytocurve.workflows.data_add import copy_dataset
from cytocurve.workflows.stages.catalog import catalog
from tests.datasets.dataset_makers import draw, save, silent
from tests.ingest.test_headers import deep_jpeg, pages_of, png_of
from tests.projects import cytocurve, run, write_params

HUGE = 30_000


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def frames(kind: str) -> bytes:
    return encoded(draw(1), kind, save_all=True, append_images=[draw(2), draw(3)])


def rotated() -> bytes:
    """A JPEG whose EXIF data ask for a quarter turn."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(draw(1), "JPEG", exif=exif)


def bad_exif() -> bytes:
    content = encoded(draw(1), "JPEG")
    junk = b"Exif\0\0II*\0\xff\xff\xff\x7f" + b"\xff" * 40
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(junk) + 2) + junk + content[2:]


def png(width: int, height: int) -> bytes:
    """A PNG's header with next to no pixels behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")


def huge_bmp() -> bytes:
    content = bytearray(encoded(draw(1), "BMP"))
    content[18:26] = struct.pack("<ii", HUGE, HUGE)
    return bytes(content)


def huge_tiff() -> bytes:
    """Width and height are the first two entries of Pillow's TIFF files."""
    content = bytearray(encoded(draw(1), "TIFF"))
    first = struct.unpack_from("<I", content, 4)[0] + 2
    for entry in (first, first + 12):
        struct.pack_into("<HII", content, entry + 2, 4, 1, HUGE)
    return bytes(content)


def huge_jpeg() -> bytes:
    content = bytearray(encoded(draw(1), "JPEG"))
    struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, HUGE, HUGE)
    return bytes(content)


def palette(**options: object) -> bytes:
    return encoded(draw(1).quantize(16), "PNG", **options)


def endless_tiff() -> bytes:
    """A TIFF whose only directory names itself as the next one."""
    content = bytearray(encoded(draw(1), "TIFF"))
    first = struct.unpack_from("<I", content, 4)[0]
    struct.pack_into("<I", content, first + 2 + 12 * struct.unpack_from("<H", content, first)[0], first)
    return bytes(content)


SOUND: Mapping[str, Callable[[], bytes]] = {
    "cmyk.jpg": lambda: encoded(draw(1).convert("CMYK"), "JPEG"),
    "rotated.jpg": rotated,
    "bad_exif.jpg": bad_exif,
    "with a space and größe 細胞.png": lambda: encoded(draw(1), "PNG"),
    "palette.png": palette,
    "palette_transparent.png": lambda: palette(transparency=3),
    "palette_of_alphas.png": lambda: palette(transparency=bytes(range(0, 256, 16))),
    "one_bit.png": lambda: encoded(draw(1).convert("1"), "PNG"),
    "rgba.png": lambda: encoded(draw(1).convert("RGBA"), "PNG"),
    "la.png": lambda: encoded(draw(1).convert("LA"), "PNG"),
    "grey.bmp": lambda: encoded(draw(1).convert("L"), "BMP"),
    "UPPER.JPG": lambda: encoded(draw(1), "JPEG"),
    "png_named.jpg": lambda: encoded(draw(1), "PNG"),
    "one_pixel.png": lambda: encoded(draw(1, 1, 1), "PNG"),
    "line.png": lambda: encoded(draw(1, 300, 1), "PNG"),
    "black.png": lambda: encoded(Image.new("RGB", (9, 9)), "PNG"),
    "progressive.jpg": lambda: encoded(draw(1), "JPEG", progressive=True),
    "lzw.tif": lambda: encoded(draw(1), "TIFF", compression="tiff_lzw"),
    "pyramid.tif": lambda: pages_of((24, 20), (12, 10), (6, 5)),
    "phone.jpg": lambda: pages_of((24, 20), (6, 5), kind="MPO"),
    "still.webp": lambda: encoded(draw(1), "WEBP", lossless=True),
}
"""Images that can be used, however unusual."""

REFUSED: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "zero.png": (bytes, "not an image"),
    "text.jpg": (lambda: b"text", "not an image"),
    "gif_named.png": (lambda: encoded(draw(1), "GIF"), "not an image"),
    "moving_gif_named.png": (lambda: frames("GIF"), "not an image"),
    "moving.png": (lambda: frames("PNG"), "several images"),
    "pages.tif": (lambda: frames("TIFF"), "several images"),
    "moving.webp": (lambda: frames("WEBP"), "several images"),
    "stereo.jpg": (lambda: frames("MPO"), "several images"),
    "deep.png": (lambda: encoded(Image.fromarray(np.zeros((9, 9), np.uint16)), "PNG"), "8 bits"),
    "deep.tif": (lambda: encoded(Image.fromarray(np.zeros((9, 9), np.uint16)), "TIFF"), "8 bits"),
    "deep_rgb.png": (lambda: png_of(16, 2, 3), "8 bits"),
    "deep_rgba.png": (lambda: png_of(16, 6, 4), "8 bits"),
    "deep.jpg": (deep_jpeg, "8 bits"),
    "preview_first.tif": (lambda: pages_of((12, 10), (24, 20)), "smaller version"),
    "float.tif": (lambda: encoded(Image.fromarray(np.zeros((9, 9), np.float32)), "TIFF"), "8 bits"),
    "huge.png": (lambda: png(HUGE, HUGE), "too large"),
    "huge.bmp": (huge_bmp, "too large"),
    "huge.tif": (huge_tiff, "too large"),
    "huge.jpg": (huge_jpeg, "too large"),
    "large.png": (lambda: png(8000, 8000), "more than the limit"),
}
"""Files rejected by their header: skipped by add, named by the catalog."""

BROKEN: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "cut.png": (lambda: encoded(draw(1), "PNG")[:-300], "cannot be decoded"),
    "cut.jpg": (lambda: encoded(draw(1), "JPEG")[:-200], "cannot be decoded"),
    "cut.bmp": (lambda: encoded(draw(1), "BMP")[:-300], "cannot be decoded"),
    "cut.tif": (lambda: encoded(draw(1), "TIFF", compression="tiff_lzw")[:-900], ""),
    "cut.webp": (lambda: encoded(draw(1), "WEBP")[:-100], ""),
    "empty_pixels.png": (lambda: png(20, 20), "cannot be decoded"),
}
"""Files whose damage becomes apparent only in decoding."""


def make(root: Path) -> Path:
    for seed in range(4):
        save(root / ("round" if seed % 2 else "lobed") / f"cell{seed}.png", seed + 10)
    return root


def catalogued(root: Path, files: Mapping[str, bytes], table: bytes | None = None) -> ProjectPaths:
    """A project with these files as labeled images."""
    make(root / "data/mine/images")
    names = [f"round/{name}" for name in files]
    for name, content in zip(names, files.values(), strict=True):
        (root / "data/mine/images" / name).write_bytes(content)
    every = sorted([*names, *(f"{'round' if seed % 2 else 'lobed'}/cell{seed}.png" for seed in range(4))])
    (root / "data/mine/labels").mkdir()
    path = root / "data/mine/labels/folder.csv"
    pd.DataFrame({"image": every, "label": [name.split("/")[0] for name in every]}).to_csv(path, index=False)
    if table is not None:
        path.write_bytes(table)
    write_params(root, dataset="mine", labels=["folder"])
    return ProjectPaths(root)


@pytest.mark.parametrize("name", SOUND)
def test_unusual_image_is_added_and_cataloged(name: str, tmp_path: Path) -> None:
    make(tmp_path / "upstream")
    (tmp_path / "upstream" / "round" / name).write_bytes(SOUND[name]())
    project = ProjectPaths(tmp_path)
    assert copy_dataset(project, "folder", tmp_path / "upstream", "mine", silent).skipped == {}
    write_params(tmp_path, dataset="mine", labels=["folder"])
    assert catalog(project, silent).images == 5
    row = pd.read_parquet(project.catalog).set_index("image").loc[f"round/{name}"]
    assert row["width"] * row["height"] > 0


@pytest.mark.parametrize("name", REFUSED)
def test_image_rejected_by_its_header_is_skipped_by_add_and_named_by_the_catalog(name: str, tmp_path: Path) -> None:
    content, reason = REFUSED[name][0](), REFUSED[name][1]
    make(tmp_path / "upstream")
    (tmp_path / "upstream" / "round" / name).write_bytes(content)
    figures = copy_dataset(ProjectPaths(tmp_path / "one"), "folder", tmp_path / "upstream", "mine", silent)
    assert figures.images == 4
    assert reason in figures.skipped[f"round/{name}"]
    with pytest.raises(InputError) as caught:
        catalog(catalogued(tmp_path / "two", {name: content}), silent)
    (line,) = caught.value.offenders
    assert line.startswith(f"data/mine/images/round/{name}: ")
    assert reason in line


def transparent(alpha: int) -> Image.Image:
    image = draw(1).convert("RGBA")
    image.putalpha(alpha)
    return image


def test_unused_parts_of_an_image_are_noted(tmp_path: Path) -> None:
    """Transparency and previews are named; images without them, and opaque ones, are not."""
    files = {
        "opaque.png": encoded(transparent(255), "PNG"),
        "half.png": encoded(transparent(128), "PNG"),
        "palette.png": palette(transparency=3),
        "webp.webp": encoded(transparent(0), "WEBP", lossless=True),
        "pyramid.tif": SOUND["pyramid.tif"](),
        "phone.jpg": SOUND["phone.jpg"](),
        "cut.png": encoded(transparent(0), "PNG")[:-300],
        "plain.jpg": encoded(draw(1), "JPEG"),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert notes({name: tmp_path / name for name in files}) == {
        PREVIEWS: ["pyramid.tif", "phone.jpg"],
        TRANSPARENT: ["half.png", "palette.png", "webp.webp"],
    }


@pytest.mark.parametrize("name", ["pyramid.tif", "phone.jpg"])
def test_main_image_is_the_one_decoded(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(SOUND[name]())
    assert read_rgb(tmp_path / name).size == (24, 20)


@pytest.mark.parametrize("name", BROKEN)
def test_image_with_broken_pixels_is_named_by_the_catalog(name: str, tmp_path: Path) -> None:
    content, reason = BROKEN[name][0](), BROKEN[name][1]
    with pytest.raises(InputError) as caught:
        catalog(catalogued(tmp_path, {name: content}), silent)
    (line,) = caught.value.offenders
    assert line.startswith(f"data/mine/images/round/{name}: ")
    assert reason in line


@pytest.mark.slow
def test_command_line_lists_ten_broken_images_and_their_number_and_exits_with_2(tmp_path: Path) -> None:
    bad = {name: make_it() for name, (make_it, _) in {**REFUSED, **BROKEN}.items()}
    project = catalogued(tmp_path, {**bad, **{name: make_it() for name, make_it in SOUND.items()}})
    done = run(project.root, "cytocurve", "catalog")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    *listed, more = [line for line in done.stderr.splitlines() if line.startswith("  - ")]
    assert len(listed) == 10
    assert {line.split(": ")[0].rpartition("/")[2] for line in listed} <= set(bad)
    assert more == f"  - and {len(bad) - 10} more"
    assert cytocurve(project.root, "data", "info", "mine").returncode == 2


@pytest.mark.slow
def test_command_line_accepts_the_intact_images_without_a_warning(tmp_path: Path) -> None:
    project = catalogued(tmp_path, {name: make_it() for name, make_it in SOUND.items()})
    done = run(project.root, "cytocurve", "catalog", "--json")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert json.loads(done.stdout)["images"] == 4 + len(SOUND)


def test_tiff_with_circular_page_links_terminates(tmp_path: Path) -> None:
    with suppress(InputError):
        catalog(catalogued(tmp_path, {"circle.tif": endless_tiff()}), silent)


def test_exif_rotation_is_not_applied(tmp_path: Path) -> None:
    """Pixels are used as stored, and a rotated copy is near-identical."""
    project = catalogued(tmp_path, {"plain.jpg": encoded(draw(1), "JPEG"), "turned.jpg": rotated()})
    catalog(project, silent)
    frame = pd.read_parquet(project.catalog).set_index("image")
    assert frame.loc["round/turned.jpg", "duplicate_of"] == "round/plain.jpg"


# What is random here is made from a seed: bytes that hypothesis draws one by one are slow, and shrink to nothing known.
def scrambled(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, or the end cut off."""
    changed = bytearray(content)
    for _ in range(chance.randrange(12)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.2 else changed)


@pytest.mark.slow
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_images_with_random_damage_and_names_are_added_or_give_one_error(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    letters = string.ascii_letters + " .,;'\"-_äß細\t\n"
    files = {}
    for kind in ("JPEG", "PNG", "BMP", "TIFF", "WEBP"):
        name = "".join(chance.choices(letters, k=chance.randrange(1, 9))).strip(". ") or "x"
        files[f"{name}{chance.choice(['.png', '.JPG', '.tif', '.bmp'])}"] = scrambled(encoded(draw(1), kind), chance)
    root = tmp_path_factory.mktemp("fuzz")
    make(root / "upstream")
    for name, content in files.items():
        (root / "upstream" / "round" / name).write_bytes(content)
    copy_dataset(ProjectPaths(root), "folder", root / "upstream", "mine", silent)
    write_params(root, dataset="mine", labels=["folder"])
    with suppress(InputError):
        catalog(ProjectPaths(root), silent)


tables = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(
        st.lists(
            st.sampled_from(
                ["image", "label", "patient", "fold", "", " ", '"', "lobed/cell0.png", "round/cell1.png", "round", "\0"]
            ),
            max_size=5,
        ),
        max_size=8,
    ).map(lambda rows: "\n".join(",".join(row) for row in rows).encode()),
    st.permutations(["lobed/cell0.png", "lobed/cell2.png", "round/cell1.png", "round/cell3.png"]).flatmap(
        lambda names: st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters='",\r\n'), max_size=6),
            min_size=4,
            max_size=4,
        ).map(lambda labels: "\n".join(["image,label", *map(",".join, zip(names, labels, strict=True))]).encode())
    ),
)


@pytest.mark.slow
@settings(max_examples=80)
@given(table=tables)
def test_any_label_table_is_cataloged_or_rejected(tmp_path_factory: pytest.TempPathFactory, table: bytes) -> None:
    with suppress(InputError):
        catalog(catalogued(tmp_path_factory.mktemp("fuzz"), {}, table), silent)
