"""Short names of arms: what tells them apart, and nothing that they share."""

from collections.abc import Mapping
from typing import Any

PARTS = ("architecture", "augmentation", "labels")


def short_names(arms: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """For each arm, the parts in which the arms differ; the architecture where there is one arm only."""
    told = [part for part in PARTS if len({arm[part] for arm in arms.values()}) > 1] or ["architecture"]
    return {name: " · ".join(_part(part, arm[part]) for part in told) for name, arm in arms.items()}


def _part(part: str, value: str) -> str:
    if part != "augmentation":
        return value
    return "no augmentation" if value == "none" else value.replace("_", " + ")
