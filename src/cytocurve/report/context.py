"""What a page shows in addition to the answers, known only at rendering time: commit, run times, links, pictures."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TrackingLinks:
    """Pages of the tracking server: its ``url``, and the paths of the experiment and of each arm's runs."""

    url: str
    experiment: str
    arms: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """The commit (``dirty`` with uncommitted changes), training seconds by arm, links, pictures and table names.

    ``seconds`` is CPU time, for arms whose runs are all in the ledger; ``tracking`` is None if the tracking store
    cannot be reached or does not contain the study; ``pictures`` maps images to data URLs. A browser reloads the page
    every ``refresh`` seconds, if given.
    """

    commit: str | None = None
    dirty: bool = False
    seconds: Mapping[str, float]
    tracking: TrackingLinks | None = None
    pictures: Mapping[str, str]
    tables: tuple[str, ...] = ()
    refresh: int | None = None
