"""Audit findings: a severity, a sentence, numbers, and all offenders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["leakage", "duplicate", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("leakage", "duplicate", "warning", "note")
"""Most severe first."""

AT_MOST = 1000
"""The number of offenders that a finding's JSON lists; it also gives their total number."""

Offender = Mapping[str, str | int | float | list[str] | list[int]]


@dataclass(frozen=True)
class Finding:
    """The outcome of one check, which passed if there are no offenders.

    ``labels`` is the label version that was checked, None for all images. ``numbers`` are counts and shares (0 to 1).
    """

    id: str
    severity: Severity
    sentence: str
    numbers: Mapping[str, int | float]
    offenders: Sequence[Offender]
    labels: str | None = None

    @property
    def as_json(self) -> dict[str, Any]:
        """The finding as JSON, with at most ``AT_MOST`` offenders."""
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
    """``part / whole``, to four digits; 0 if ``whole`` is 0."""
    return round(float(part) / whole, 4) if whole else 0.0
