"""Find the images in an upstream folder, and why its other files cannot be used."""

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
        skipped = {name: "hidden folder" for name in folders if name.startswith(".")}
        skipped |= {name: "link to a folder; not followed" for name in folders if (here / name).is_symlink()}
        folders[:] = [name for name in folders if name not in skipped]
        yield from ((here / name, reason) for name, reason in skipped.items())
        yield from ((here / name, "") for name in files)


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
            with Image.open(file, formats=FORMATS) as image:
                return _unusable(image)
        except UnidentifiedImageError:
            return f"not an image: its format is none of {', '.join(FORMATS)}"
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            return f"too large: {error}"
        except Exception as error:  # Pillow raises nearly anything for damaged files
            return f"damaged image: {str(error) or type(error).__name__}"


def unusable_mode(mode: str) -> str:
    """Why pixels of a Pillow mode cannot be used; empty if they can."""
    return f"pixels of mode {mode}; only images with 8 bits per channel can be used" if mode[0] in "IF" else ""


def _unusable(image: ImageFile) -> str:
    """Why an opened image cannot be used; empty if it can."""
    if reason := unusable_mode(image.mode):
        return reason
    if _has_several(image):
        return "several images in one file; save each in a separate file"
    return too_large(image.width, image.height)


def _has_several(image: ImageFile) -> bool:
    """Whether the file contains a second image; TIFF pages are not counted, since there can be very many."""
    if image.format != "TIFF":
        return bool(getattr(image, "is_animated", False))
    try:
        image.seek(1)
    except EOFError:
        return False
    return True


@contextmanager
def bombs_refused() -> Iterator[None]:
    """Turn Pillow's warnings about decompression bombs into errors.

    Its other warnings, for example about damaged EXIF data, do not affect pixels and are hidden.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
