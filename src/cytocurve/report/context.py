"""What a page shows in addition to the answers, known only at rendering time: commit, run times, links, pictures."""

from collections.abc import Mapping
from dataclasses import dataclass

from cytocurve.core.answers import Validation


@dataclass(frozen=True)
class TrackingLinks:
    """Pages of the tracking server: its ``url``, and the paths of the experiment and of each arm's runs."""

    url: str
    experiment: str
    arms: Mapping[str, str]


@dataclass(frozen=True)
class LookedAt:
    """A look at the holdout: when, at which model version, with which score, and why."""

    date: str
    version: int
    score: float | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """The commit (``dirty`` with uncommitted changes), training seconds by arm, links, pictures and table names.

    ``seconds`` is CPU time, for arms whose runs are all in the ledger; ``tracking`` is None if the tracking store
    cannot be reached or does not contain the study; ``pictures`` maps images to data URLs. ``validations`` are those
    of the study's registered model, ``looks`` those at its holdout, oldest first. A browser reloads the page every
    ``refresh`` seconds, if given.
    """

    commit: str | None = None
    dirty: bool = False
    seconds: Mapping[str, float]
    tracking: TrackingLinks | None = None
    pictures: Mapping[str, str]
    tables: tuple[str, ...] = ()
    validations: tuple[Validation, ...] = ()
    looks: tuple[LookedAt, ...] = ()
    refresh: int | None = None
