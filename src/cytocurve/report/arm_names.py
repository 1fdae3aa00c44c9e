"""Short names of arms: the parts in which they differ, without those that they share."""

from collections.abc import Mapping

from cytocurve.core.answers import ArmAnswers

PARTS = ("architecture", "augmentation", "labels")


def short_names(arms: Mapping[str, ArmAnswers]) -> dict[str, str]:
    """For each arm, the parts in which the arms differ; the architecture where there is one arm only."""
    parts = [part for part in PARTS if len({getattr(arm, part) for arm in arms.values()}) > 1] or ["architecture"]
    return {name: " · ".join(_part(part, getattr(arm, part)) for part in parts) for name, arm in arms.items()}


def _part(part: str, value: str) -> str:
    if part != "augmentation":
        return value
    return "no augmentation" if value == "none" else value.replace("_", " + ")
