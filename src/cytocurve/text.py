"""Building blocks of messages: suggestions for misspelled names, counts with nouns, shortened lists."""

import difflib
from collections.abc import Collection, Iterable, Mapping

SHOWN = 10
"""The number of names that a message lists."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """A suggestion of the closest known name, to end a message; empty if none is close."""
    close = difflib.get_close_matches(given, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def check_known(what: str, given: Iterable[str], known: Collection[str]) -> list[str]:
    """One line for each unknown name, with a suggestion."""
    return [f"{what} {name!r} is unknown{did_you_mean(name, known)}" for name in given if name not in known]


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 image``, ``1,241 images``."""
    return f"{number:,} {plural(number, one, many)}"


def plural(number: int, one: str, many: str = "") -> str:
    """The form of a noun or verb that agrees with a number; by default, the plural ends in ``s``."""
    return one if number == 1 else many or one + "s"


def rounded(size: int) -> int:
    """A forecast number of images, rounded to two significant digits; more would suggest false precision."""
    return int(float(f"{size:.2g}"))


def first_few(items: Collection[str], most: int) -> str:
    """The first ``most`` items, separated by commas, and an ellipsis if there are more."""
    shown = list(items)[:most]
    return ", ".join([*shown, "…"] if len(items) > most else shown)


def some(items: Collection[str], most: int = SHOWN) -> str:
    """The first ``most`` items, separated by commas, and how many more there are."""
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return f"{', '.join(list(items)[:most])}{more}"


def some_lines(lines: Collection[str], most: int = SHOWN) -> list[str]:
    """The first ``most`` lines, and a line that says how many more there are."""
    more = [f"and {len(lines) - most:,} more"] if len(lines) > most else []
    return [*list(lines)[:most], *more]


def by_reason(reasons: Mapping[str, str]) -> list[str]:
    """A line per reason with the first names that have it; reasons that differ after a colon are one.

    ``reasons`` maps each name to its reason.
    """
    kinds: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        kinds.setdefault(reason.split(":")[0], []).append(name)
    lines = []
    for kind, names in kinds.items():
        exact = {reasons[name] for name in names}
        reason = exact.pop() if len(exact) == 1 else kind
        lines.append(
            f"{names[0]}: {reason}" if len(names) == 1 else f"{counted(len(names), 'file')}: {reason}: {some(names)}"
        )
    return some_lines(lines)
