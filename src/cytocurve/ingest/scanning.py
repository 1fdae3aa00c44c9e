"""Find the images in an upstream folder, and why its other files cannot be used."""

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from cytocurve.errors import InputError
from cytocurve.ingest.headers import relation, unusual_samples
from cytocurve.ingest.limits import too_large

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")

SEVERAL = "several images in one file"
NOT_LARGEST = "the first picture in the file is a smaller version of a later one"
TO_CONVERT = (
    ".avif", ".cr2", ".czi", ".dcm", ".dib", ".dng", ".exr", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jxl",
    ".ndpi", ".nef", ".npy", ".pbm", ".pgm", ".ppm", ".psd", ".svs", ".tga",
)  # fmt: skip
"""Suffixes of images in other formats."""

PREVIEWS = "only the main picture in the file is used; the others are smaller versions of it"
TRANSPARENT = "transparency is ignored: transparent pixels get the color that is stored for them, often black or white"

NO_DATA: Mapping[str, str] = {
    "$recycle.bin": "deleted files of Windows",
    "#recycle": "deleted files of a Synology server",
    "#snapshot": "snapshots of a Synology server",
    "@eadir": "thumbnails of a Synology server",
    "@recently-snapshot": "snapshots of a QNAP server",
    "@recycle": "deleted files of a QNAP server",
    "__macosx": "metadata of macOS",
    "__pycache__": "files of Python",
    "lost+found": "recovered files of a file system",
    "recycler": "deleted files of Windows",
    "system volume information": "files of Windows",
}
"""Folders that systems create, by name in lower case, and what they contain; hidden folders need no entry."""

NO_IMAGES = ("desktop.ini", "ehthumbs.db", "thumbs.db")
"""Files that Windows creates beside images, in lower case."""

_ADVICE: Mapping[str, str] = {
    "bits per channel": "convert them to 8 bits, all with the same scaling, for example with ImageMagick: "
    "magick IN.tif -depth 8 OUT.png for values up to 65,535, magick IN.tif -level 0,4095 -depth 8 OUT.png for the "
    "values up to 4,095 of a 12-bit camera",
    "samples": "convert them to unsigned 8-bit samples, all with the same scaling",
    "color palette": "save them as RGB images with a program that shows their colors",
    SEVERAL: "save each image to a separate file, for example with ImageMagick: magick IN.tif OUT-%d.png",
    NOT_LARGEST: "save the largest image of each to a separate file",
    "too large": "cut out single cells, or scale the images down",
    "pixels are more than the limit": "cut out single cells, or scale the images down",
    "damaged image": "copy or download them again, or remove them",
    "not an image:": f"convert them to {FORMATS[2]} or {FORMATS[3]}",
    "not an image suffix": f"convert them to {FORMATS[2]} or {FORMATS[3]}, "
    "for example with ImageMagick: magick IN OUT.png",
    "its name": "rename them",
    "link": "replace the links by the files that they lead to",
    "not in a class folder": "",
    "no such file": "",
    "rows for one image": "",
}
"""What to do about a reason for which an image is skipped, by a part of the reason; empty if its reader knows best."""


def find_images(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The images below a folder, and why other files are skipped, by relative path with ``/``, sorted.

    Raises ``InputError`` if the folder does not exist, or listing all unreadable files.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder", next_step="pass the folder into which the dataset was unpacked")
    images, skipped, unreadable = {}, {}, []
    with bombs_refused():
        for path, reason in sorted(_walk(folder)):
            name = os.fsencode(path.relative_to(folder).as_posix()).decode(errors="replace")
            try:
                reason = reason or unusable(path, folder)
            except OSError as error:
                unreadable.append(f"{path}: {error.strerror}")
                continue
            if reason:
                skipped[name] = reason
            else:
                images[name] = path
    if unreadable:
        raise InputError(f"{folder}: these files cannot be read:", unreadable, next_step="check their permissions")
    return images, skipped


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file with an empty reason, and every folder that is not entered with the reason."""

    def fail(error: OSError) -> None:
        raise InputError(f"{error.filename}: this folder cannot be read: {error.strerror}") from error

    for place, folders, files in os.walk(folder, onerror=fail):
        here = Path(place)
        skipped = {name: reason for name in folders if (reason := why_not_data(name))}
        skipped |= {name: "link to a folder; not followed" for name in folders if (here / name).is_symlink()}
        folders[:] = [name for name in folders if name not in skipped]
        yield from ((here / name, reason) for name, reason in skipped.items())
        yield from ((here / name, "") for name in files)


def why_not_data(name: str) -> str:
    """Why a folder of this name contains no data; empty if it may contain some."""
    if name.startswith("."):
        return "hidden folder"
    made = NO_DATA.get(name.lower())
    return f"not data: {made}" if made else ""


def files_below(folder: Path) -> dict[str, Path]:
    """The files below a folder by sorted name, without hidden ones, files of systems, and folders without data.

    Links to files are followed, since DVC may use them; links to folders are not.
    """
    found: dict[str, Path] = {}
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if not why_not_data(name)]
        files = (here / name for name in names if not name.startswith(".") and name.lower() not in NO_IMAGES)
        found |= {path.relative_to(folder).as_posix(): path for path in files if path.is_file()}
    return dict(sorted(found.items()))


def inner(folder: Path, name: str) -> Path:
    """The subfolder with that name, or the folder itself if there is none."""
    return folder / name if (folder / name).is_dir() else folder


def unusable(path: Path, folder: Path) -> str:
    """Why a file in the folder is skipped; empty if it is a usable image. Raises ``OSError`` if unreadable."""
    if path.name.startswith("."):
        return "hidden file"
    if path.suffix.lower() not in SUFFIXES:
        return f"not an image suffix ({' '.join(SUFFIXES)})"
    if not path.name.isprintable():
        return "its name has control characters"
    if "�" in os.fsencode(path).decode(errors="replace"):
        return "its name is not valid UTF-8"
    if path.is_symlink() and not path.exists():
        return "link to a file that does not exist"
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        return "link that leads outside the folder; not followed"
    if not path.is_file():
        return "not a regular file"
    return refusal(path)


def refusal(path: Path) -> str:
    """Why a file is not a usable image, judging by its header; empty if it is. Raises ``OSError`` if unreadable."""
    with path.open("rb") as file:
        try:
            if reason := unusual_samples(file):
                return reason
            file.seek(0)
            with Image.open(file, formats=FORMATS) as image:
                return _unusable(file, image)
        except UnidentifiedImageError:
            return f"not an image: its format is none of {', '.join(FORMATS)}"
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            return f"too large: {error}"
        except Exception as error:  # Pillow raises nearly anything for damaged files
            return f"damaged image: {str(error) or type(error).__name__}"


def unusable_mode(mode: str) -> str:
    """Why pixels of a Pillow mode cannot be used; empty if they can."""
    return f"pixels of mode {mode}; only images with 8 bits per channel can be used" if mode[0] in "IF" else ""


def _unusable(file: IO[bytes], image: ImageFile) -> str:
    """Why an opened image cannot be used; empty if it can."""
    if reason := unusable_mode(image.mode) or too_large(image.width, image.height):
        return reason
    pictures = relation(file, image)
    if pictures == "larger":
        return NOT_LARGEST
    return f"{SEVERAL}; save each in a separate file" if pictures == "equal" else ""


def advice(reasons: Mapping[str, str]) -> str:
    """What to do about images that are skipped for these reasons, by file name; the most frequent reason decides.

    Empty if no image is skipped, or if the caller knows what to do about that reason.
    """
    counts = Counter(part for name, reason in reasons.items() if (part := _advised(name, reason)))
    return _ADVICE[counts.most_common(1)[0][0]] if counts else ""


def _advised(name: str, reason: str) -> str:
    """The key in ``_ADVICE``; empty for files that are not images."""
    if reason.startswith("not an image suffix") and not name.lower().endswith(TO_CONVERT):
        return ""
    return next((part for part in _ADVICE if part in reason), "")


def notes(paths: Mapping[str, Path]) -> dict[str, list[str]]:
    """What is not used of these usable images, which is not a reason to skip them: the names by the kind of thing."""
    found: dict[str, list[str]] = {}
    with bombs_refused():
        for name, path in paths.items():
            for note in _notes(path):
                found.setdefault(note, []).append(name)
    return dict(sorted(found.items()))


def _notes(path: Path) -> Iterable[str]:
    with suppress(Exception), path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
        # Damage in the pixels is reported when the catalog decodes them.
        if _is_transparent(image):
            yield TRANSPARENT
        if relation(file, image) == "smaller":
            yield PREVIEWS


def _is_transparent(image: ImageFile) -> bool:
    """Whether a pixel is not opaque; decodes only images that have an alpha channel or a transparent color."""
    if not image.has_transparency_data:
        return False
    return image.convert("RGBA").getchannel("A").getextrema() != (255, 255)


@contextmanager
def bombs_refused() -> Iterator[None]:
    """Turn Pillow's warnings about decompression bombs into errors.

    Its other warnings, for example about damaged EXIF data, do not affect pixels and are hidden.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
