"""Names that differ only in spelling, such as ``Blast`` and ``blast``, or ``P07`` and ``p7``."""

import re
import unicodedata
from collections.abc import Iterable

_ZEROS = re.compile(r"(?<![0-9])(?<![0-9][.,])0+(?=[0-9])")
"""Leading zeros of a run of digits, unless they are decimals: ``1.05`` is not ``1.5``."""


def canonical(name: str) -> str:
    """A key that all spellings of a name share: Unicode form, case, whitespace and leading zeros do not count."""
    text = _folded(_folded(unicodedata.normalize("NFD", name)))
    return _ZEROS.sub("", " ".join(text.split()))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold())


def same_form(name: str) -> str:
    """A file name in Unicode's composed form (NFC), since systems store the same typed name in either form."""
    return unicodedata.normalize("NFC", name)


def spellings(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of distinct names that share a canonical key, each sorted, in the order of their first name."""
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(canonical(name), set()).add(name)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def spelled(what: str, names: Iterable[str]) -> list[str]:
    """One line for each group of spellings."""
    return [f"{what} {' = '.join(map(repr, group))}" for group in spellings(names)]
