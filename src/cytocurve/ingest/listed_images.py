"""Images listed in a table by path."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from cytocurve.ingest.scanning import bombs_refused, unusable


def listed_images(folder: Path, values: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
    """The images that a table lists by path below a folder, and one line per problem.

    Names are normalized paths, in the order of the table. A name that occurs more than once is a problem.
    """
    images, problems = {}, []
    with bombs_refused():
        for row, value in enumerate(values, start=1):
            name = plain_path(value)
            reason = _reason(folder, value)
            if reason:
                problems.append(f"{value!r}: {reason}" if value else f"row {row}: {reason}")
            else:
                images[name] = folder / name
    occurrences = Counter(plain_path(value) for value in values if value)
    return images, problems + [
        f"{name!r}: {count} rows for one image" for name, count in occurrences.items() if count > 1
    ]


def plain_path(value: str) -> str:
    """Normalize a path: remove ``.`` parts and repeated ``/``."""
    return PurePosixPath(value).as_posix()


def _reason(folder: Path, value: str) -> str:
    """Why a path in a table is not a usable image in the folder; empty if it is."""
    if not value:
        return "the image is missing"
    if not value.isprintable():
        return "its name has control characters"
    if ".." in PurePosixPath(value).parts or PurePosixPath(value).is_absolute():
        return f"not a path below {folder}"
    path = folder / value
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            return f"leads outside {folder}"
        return unusable(path, folder) if path.exists() else "no such file"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
