"""What the header of an image file states that Pillow does not say: bits per channel, and how its pictures relate."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any, Literal

from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import PREFIXES, ImageFileDirectory_v2

Relation = Literal["none", "smaller", "equal", "larger"]
"""How the further pictures in a file relate to the first: there are none, all of them are smaller versions of it, at
least one is of equal rank, or the first is itself a smaller version."""

PICTURES = 100
"""The maximum number of pictures in a file that are compared; more of them are of equal rank."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_NO_FRAME = (0xC4, 0xC8, 0xCC)  # markers in the range of JPEG's frame headers that are none
_NO_LENGTH = (0x01, *range(0xD0, 0xD9))  # JPEG markers without a segment

# Tags of TIFF 6.0.
_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COLORS = 254, 255, 256, 257, 258, 320
_SUB_DIRECTORIES, _FORMAT = 330, 339
_REDUCED, _OLD_REDUCED = 1, 2
_UNSIGNED = (1, 4)  # sample formats: unsigned integers, and undefined
_PREVIEW = "Large Thumbnail"  # picture types of MPO for previews begin so


def unusual_samples(file: IO[bytes]) -> str:
    """Why samples would lose information when they are decoded to 8 bits; empty if they would not, or if unknown.

    Judges by the header alone: the bit depth of PNG and JPEG, and depth, format and color palette of TIFF.
    """
    with suppress(OSError, SyntaxError, ValueError, TypeError, struct.error):  # damage, which decoding will report
        head = _from_start(file, 26)
        if head.startswith(_PNG):
            return _too_deep(head[24] if len(head) > 24 else 0)
        if head.startswith(_JPEG):
            return _too_deep(_jpeg_bits(file))
        if head.startswith(tuple(PREFIXES)):
            return _unusual_tiff(next(_directories(file)))
    return ""


def relation(file: IO[bytes], image: ImageFile) -> Relation:
    """How the further pictures of an opened image relate to its first; moves on to another picture of an MPO file.

    A smaller version is marked as such in the file, or has the same aspect ratio and at most half the side.
    """
    if image.format == "TIFF":
        return _relation([_picture(page) for page in _pages(file)])
    if image.format == "MPO":
        return _relation(list(_mpo_pictures(image)))
    return "equal" if getattr(image, "is_animated", False) else "none"


Picture = tuple[int, int, bool]
"""Width, height, and whether the file marks it as a smaller version of another."""


def _relation(pictures: list[Picture]) -> Relation:
    (width, height, reduced), *others = pictures
    if not others:
        return "none"
    if reduced or any(wide * high > width * height for wide, high, _ in others):
        return "larger"
    if len(pictures) <= PICTURES and all(_is_smaller(width, height, other) for other in others):
        return "smaller"
    return "equal"


def _is_smaller(width: int, height: int, other: Picture) -> bool:
    wide, high, reduced = other
    if wide * high >= width * height:
        return False
    # Both sides are rounded, so that the cross products may differ by as much as the sides.
    same_aspect = abs(wide * height - high * width) <= width + height
    return reduced or (same_aspect and 2 * max(wide, high) <= max(width, height) + 1)


def _from_start(file: IO[bytes], size: int) -> bytes:
    file.seek(0)
    return file.read(size)


def _too_deep(bits: int) -> str:
    return f"{bits} bits per channel; only images with 8 bits per channel can be used" if bits > 8 else ""


def _jpeg_bits(file: IO[bytes]) -> int:
    """The sample precision in the first frame header of a JPEG file; 0 if there is none."""
    file.seek(len(_JPEG))
    while file.read(1) == b"\xff":
        while (marker := file.read(1)) == b"\xff":  # fill bytes
            pass
        if not marker:
            break
        if marker[0] in _NO_LENGTH:
            continue
        size = int.from_bytes(file.read(2))
        if 0xC0 <= marker[0] <= 0xCF and marker[0] not in _NO_FRAME:
            return int.from_bytes(file.read(1))
        file.seek(max(size - 2, 0), 1)
    return 0


def _unusual_tiff(page: ImageFileDirectory_v2) -> str:
    if reason := _too_deep(max(_numbers(page, _BITS), default=1)):
        return reason
    if set(_numbers(page, _FORMAT)) - set(_UNSIGNED):
        return "signed or floating-point samples; only unsigned samples with 8 bits per channel can be used"
    colors = _numbers(page, _COLORS)
    if any(colors) and max(colors) < 256:
        return "a color palette of 8-bit values, which TIFF defines as 16-bit values; it would be decoded as black"
    return ""


def _pages(file: IO[bytes]) -> Iterator[ImageFileDirectory_v2]:
    """The directories of all pictures in a TIFF file up to one too many, those below the first included."""
    first, *others = _up_to_limit(_directories(file))
    yield first
    head = _tiff_head(file)
    for offset in _numbers(first, _SUB_DIRECTORIES)[:PICTURES]:
        yield _directory(file, head, offset)
    yield from others


def _tiff_head(file: IO[bytes]) -> bytes:
    """The header of a TIFF file, whose length depends on whether it is a BigTIFF."""
    head = _from_start(file, 16)
    return head if 43 in head[2:4] else head[:8]


def _up_to_limit(pages: Iterator[ImageFileDirectory_v2]) -> list[ImageFileDirectory_v2]:
    return [page for page, _ in zip(pages, range(PICTURES + 1), strict=False)]


def _directories(file: IO[bytes]) -> Iterator[ImageFileDirectory_v2]:
    """The chain of directories in a TIFF file, which ends where it would come back to itself."""
    head, seen = _tiff_head(file), {0}
    offset = ImageFileDirectory_v2(head).next
    while offset not in seen:
        seen.add(offset)
        page = _directory(file, head, offset)
        yield page
        offset = page.next


def _directory(file: IO[bytes], head: bytes, offset: int) -> ImageFileDirectory_v2:
    page = ImageFileDirectory_v2(head)
    page.next = 0  # the end, if the directory is cut off
    file.seek(offset)
    page.load(file)
    return page


def _numbers(page: ImageFileDirectory_v2, tag: int) -> list[int]:
    value: Any = page.get(tag, ())
    return [int(number) for number in (value if isinstance(value, tuple) else (value,))]


def _picture(page: ImageFileDirectory_v2) -> Picture:
    (width, *_), (height, *_) = _numbers(page, _WIDTH) or [0], _numbers(page, _HEIGHT) or [0]
    new, old = _numbers(page, _SUBFILE) or [0], _numbers(page, _OLD_SUBFILE) or [0]
    return width, height, bool(new[0] & _REDUCED) or old[0] == _OLD_REDUCED


def _mpo_pictures(image: Any) -> Iterator[Picture]:
    """The pictures of an MPO file, by their own headers."""
    entries = image.mpinfo[0xB002][: PICTURES + 1]
    for number, entry in enumerate(entries):
        image.seek(number)
        yield image.width, image.height, number > 0 and str(entry["Attribute"]["MPType"]).startswith(_PREVIEW)
