"""The images in an upstream folder, and why other files in it cannot be used."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from cytocurve.errors import InputError
from cytocurve.ingest.limits import too_large

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")


def find_images(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The images below a folder, and the reason for each other file; names are paths below it, with ``/``, sorted.

    Raises ``InputError`` if the folder does not exist, or listing all files that cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder", next_step="give the folder that the dataset was unpacked into.")
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
        raise InputError(f"{folder}: these files cannot be read:", unreadable, next_step="check their permissions.")
    return images, skipped


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file, with no reason yet, and every folder that is not entered, with the reason."""

    def fail(error: OSError) -> None:
        raise InputError(f"{error.filename}: this folder cannot be read: {error.strerror}") from error

    for place, folders, files in os.walk(folder, onerror=fail):
        here = Path(place)
        closed = {name: "hidden folder" for name in folders if name.startswith(".")}
        closed |= {name: "link to a folder; not followed" for name in folders if (here / name).is_symlink()}
        folders[:] = [name for name in folders if name not in closed]
        yield from ((here / name, reason) for name, reason in closed.items())
        yield from ((here / name, "") for name in files)


def inner(folder: Path, name: str) -> Path:
    """The folder of that name in a folder, or the folder itself if it has none."""
    return folder / name if (folder / name).is_dir() else folder


def unusable(path: Path, folder: Path) -> str:
    """Why a file of that folder is left out; empty if it is an image. Raises ``OSError`` if unreadable."""
    if path.name.startswith("."):
        return "hidden file"
    if path.suffix.lower() not in SUFFIXES:
        return f"not an image by its suffix ({' '.join(SUFFIXES)})"
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
    """Why a file cannot be used as an image, by its header; empty if it can. Raises ``OSError`` if unreadable."""
    with path.open("rb") as file:
        try:
            with Image.open(file, formats=FORMATS) as image:
                return _unusable(image)
        except UnidentifiedImageError:
            return f"not an image: its contents are none of {', '.join(FORMATS)}"
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            return f"too large: {error}"
        except Exception as error:  # Pillow raises nearly anything for damaged files
            return f"damaged image: {str(error) or type(error).__name__}"


def _unusable(image: ImageFile) -> str:
    """Why an opened image cannot be used; empty if it can."""
    if image.mode[0] in "IF":
        return f"pixels of mode {image.mode}; only images with 8 bits per channel can be used"
    if _several(image):
        return "several pictures in one file; save each in its own file"
    return too_large(image.width, image.height)


def _several(image: ImageFile) -> bool:
    """Whether a second picture follows; the pages of a TIFF are not counted, since there can be very many."""
    if image.format != "TIFF":
        return bool(getattr(image, "is_animated", False))
    try:
        image.seek(1)
    except EOFError:
        return False
    return True


@contextmanager
def bombs_refused() -> Iterator[None]:
    """Within it, Pillow's warning about an image of extremely many pixels is an error.

    Its other warnings, such as those about damaged EXIF data, do not concern the pixels and are not shown.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
