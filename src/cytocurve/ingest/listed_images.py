"""Images listed in a table by path."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path, PurePosixPath

from cytocurve.core.data.spelling import same_form, without_zeros
from cytocurve.ingest.scanning import bombs_refused, unusable, why_not_data
from cytocurve.text import some

MISSING = "no such file"

Key = Callable[[str], str]
"""What the names have in common that count as one."""

NamesIn = Callable[[Path], Mapping[str, Sequence[str]]]
"""The names in a folder by their key."""


def listed_images(folder: Path, values: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
    """The images that a table lists by path below a folder, and one line per problem.

    Names are normalized paths, in the order of the table; a file is found by its name in any Unicode form. A name that
    occurs more than once is a problem, and so is one that several files have in different forms.
    """
    images, problems = {}, []
    in_any_form, in_any_spelling = (cache(partial(_names_in, key=key)) for key in (same_form, without_zeros))
    with bombs_refused():
        for row, value in enumerate(values, start=1):
            path, reason = _found(folder, value, in_any_form)
            if reason == MISSING and (alike := _matching(folder, value, without_zeros, in_any_spelling)):
                reason += f"; spelled otherwise: {some([path.relative_to(folder).as_posix() for path in alike], 3)}"
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
    if reason := next(filter(None, map(why_not_data, PurePosixPath(value).parts[:-1])), ""):
        return path, f"in a folder that is skipped: {reason}"
    try:
        paths = _matching(folder, value, same_form, names_in)
        if len(paths) > 1:
            names = " and ".join(ascii(match.relative_to(folder).as_posix()) for match in paths)
            return path, f"files in several Unicode forms of this name: {names}; rename or remove all but one"
        path = paths[0] if paths else path
        if not path.resolve().is_relative_to(folder.resolve()):
            return path, f"leads outside {folder}"
        return path, unusable(path, folder) if path.exists() else MISSING
    except OSError as error:
        return path, f"cannot be read: {error.strerror}"


def _matching(folder: Path, value: str, key: Key, names_in: NamesIn) -> list[Path]:
    """The existing paths below a folder whose parts have the keys of the value's parts."""
    paths = [folder]
    for part in PurePosixPath(value).parts:
        paths = [path / name for path in paths for name in names_in(path).get(key(part), ())]
    return paths


def _names_in(folder: Path, key: Key) -> dict[str, list[str]]:
    """The names in a folder by their key."""
    names: dict[str, list[str]] = {}
    for name in sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ():
        names.setdefault(key(name), []).append(name)
    return names
