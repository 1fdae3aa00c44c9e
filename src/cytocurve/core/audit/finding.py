"""What an audit has to say: findings, each with its severity, a sentence, numbers and everything that offends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["leakage", "duplicate", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("leakage", "duplicate", "warning", "note")
"""The gravest first."""

AT_MOST = 1000
"""Offenders of a finding that its figures hold; the number of all of them stands beside."""

Offender = Mapping[str, str | int | float | list[str] | list[int]]


@dataclass(frozen=True)
class Finding:
    """The outcome of one check; it found nothing where there are no offenders.

    ``labels`` is the label version that it is about, None for all images. ``numbers`` are counts and shares (0 to 1).
    """

    id: str
    severity: Severity
    sentence: str
    numbers: Mapping[str, int | float]
    offenders: Sequence[Offender]
    labels: str | None = None

    @property
    def figures(self) -> dict[str, Any]:
        """The finding as JSON has it, with ``AT_MOST`` offenders."""
        return {
            "id": self.id,
            "labels": self.labels,
            "severity": self.severity,
            "sentence": self.sentence,
            "numbers": dict(self.numbers),
            "offenders_in_all": len(self.offenders),
            "offenders": [dict(offender) for offender in self.offenders[:AT_MOST]],
        }


def describe(offender: Offender) -> str:
    """An offender as one readable line."""
    return "; ".join(f"{key.replace('_', ' ')}: {_shown(value)}" for key, value in offender.items())


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def share(part: float, whole: float) -> float:
    """``part / whole``, to four digits; 0 of nothing is 0."""
    return round(float(part) / whole, 4) if whole else 0.0
