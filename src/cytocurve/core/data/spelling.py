"""Names that differ only in spelling, such as ``Blast`` and ``blast``, or ``P07`` and ``p7``."""

import re
import unicodedata
from collections.abc import Callable, Iterable

_ZEROS = re.compile(r"(?<![0-9])(?<![0-9][.,])0+(?=[0-9])")
"""Leading zeros of a run of digits, unless they are decimals: ``1.05`` is not ``1.5``."""

_BESIDE = re.compile(r" ?([/.]) ?")
"""Whitespace at the ends of a path's parts and before its suffix."""


def canonical(name: str) -> str:
    """A key that all spellings of a name share: Unicode form, case, whitespace and leading zeros do not count."""
    return _ZEROS.sub("", _plain(name))


def canonical_path(name: str) -> str:
    """A key that all spellings of a file's path share: as ``canonical``, but leading zeros count.

    Files numbered ``cell1`` and ``cell01`` may be different images, but no case, whitespace or Unicode form tells two
    files apart: one replaces the other where a file system ignores them.
    """
    return _BESIDE.sub(r"\1", _plain(name))


def without_zeros(name: str) -> str:
    """A key that the paths share that differ only in spelling, leading zeros included."""
    return _ZEROS.sub("", canonical_path(name))


def _plain(name: str) -> str:
    return " ".join(_folded(_folded(unicodedata.normalize("NFD", name))).split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold())


def same_form(name: str) -> str:
    """A name in Unicode's composed form (NFC), since systems store the same typed name in either form."""
    return unicodedata.normalize("NFC", name)


def spellings(names: Iterable[str], key: Callable[[str], str] = canonical) -> list[tuple[str, ...]]:
    """Groups of distinct names that share a key, each sorted, in the order of their first name."""
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(key(name), set()).add(name)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def same_files(names: Iterable[str]) -> list[str]:
    """One line for each group of paths that only case, whitespace or Unicode forms tell apart."""
    return [
        f"{' and '.join(map(_shown_in(group), group))} are one name in several spellings; rename or remove all but one"
        for group in spellings(names, canonical_path)
    ]


def _shown_in(group: Iterable[str]) -> Callable[[str], str]:
    """How to show these names: Unicode forms look alike, so that names that differ in them are written in ASCII."""
    forms = [same_form(name) for name in group]
    return ascii if len(set(forms)) < len(forms) else repr


def spelled(what: str, names: Iterable[str]) -> list[str]:
    """One line for each group of spellings."""
    return [f"{what} {' = '.join(map(repr, group))}" for group in spellings(names)]
