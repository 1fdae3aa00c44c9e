"""Building blocks of messages: suggestions for misspelled names, counts with nouns, shortened lists."""

import difflib
from collections.abc import Collection, Iterable


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """A suggestion of the closest known name, to end a message; empty if none is close."""
    close = difflib.get_close_matches(given, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def check_known(what: str, given: Iterable[str], known: Collection[str]) -> list[str]:
    """One line for each unknown name, with a suggestion."""
    return [f"{what} {name!r} is unknown{did_you_mean(name, known)}" for name in given if name not in known]


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 image``, ``1,241 images``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def first_few(items: Collection[str], most: int) -> str:
    """The first ``most`` items, separated by commas, and an ellipsis if there are more."""
    shown = list(items)[:most]
    return ", ".join([*shown, "…"] if len(items) > most else shown)
