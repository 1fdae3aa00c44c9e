"""Images listed in a table by path."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from cytocurve.core.data.spelling import same_form
from cytocurve.ingest.scanning import bombs_refused, unusable

NamesIn = Callable[[Path], Mapping[str, Sequence[str]]]
"""The names in a folder by their composed form."""


def listed_images(folder: Path, values: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
    """The images that a table lists by path below a folder, and one line per problem.

    Names are normalized paths, in the order of the table; a file is found by its name in any Unicode form. A name that
    occurs more than once is a problem, and so is one that several files have in different forms.
    """
    images, problems = {}, []
    names_in = cache(_names_in)
    with bombs_refused():
        for row, value in enumerate(values, start=1):
            path, reason = _found(folder, value, names_in)
            if reason:
                problems.append(f"{value!r}: {reason}" if value else f"row {row}: {reason}")
            else:
                images[plain_path(value)] = path
    occurrences = Counter(plain_path(value) for value in values if value)
    return images, problems + [
        f"{name!r}: {count} rows for one image" for name, count in occurrences.items() if count > 1
    ]


def plain_path(value: str) -> str:
    """Normalize a path: remove ``.`` parts and repeated ``/``, and compose its characters (NFC)."""
    return same_form(PurePosixPath(value).as_posix())


def _found(folder: Path, value: str, names_in: NamesIn) -> tuple[Path, str]:
    """The file of a path in a table, and why it is not a usable image in the folder; no reason if it is."""
    path = folder / value
    if not value:
        return path, "the image is missing"
    if not value.isprintable():
        return path, "its name has control characters"
    if ".." in PurePosixPath(value).parts or PurePosixPath(value).is_absolute():
        return path, f"not a path below {folder}"
    try:
        paths = _same_name(folder, PurePosixPath(plain_path(value)).parts, names_in)
        if len(paths) > 1:
            names = " and ".join(ascii(match.relative_to(folder).as_posix()) for match in paths)
            return path, f"files in several Unicode forms of this name: {names}; rename or remove all but one"
        path = paths[0] if paths else path
        if not path.resolve().is_relative_to(folder.resolve()):
            return path, f"leads outside {folder}"
        return path, unusable(path, folder) if path.exists() else "no such file"
    except OSError as error:
        return path, f"cannot be read: {error.strerror}"


def _same_name(folder: Path, parts: Sequence[str], names_in: NamesIn) -> list[Path]:
    """The existing paths below a folder whose parts are these, in any Unicode form."""
    paths = [folder]
    for part in parts:
        paths = [path / name for path in paths for name in names_in(path).get(part, ())]
    return paths


def _names_in(folder: Path) -> dict[str, list[str]]:
    """The names in a folder by their composed form."""
    names: dict[str, list[str]] = {}
    for name in sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ():
        names.setdefault(same_form(name), []).append(name)
    return names
