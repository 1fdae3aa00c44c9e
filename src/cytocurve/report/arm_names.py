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


ARCHITECTURES: Mapping[str, str] = {
    "sequential": "a small convolutional network",
    "features_svm": "a support vector machine on image features",
}
AUGMENTATIONS: Mapping[str, str] = {
    "none": "without augmentation",
    "flip_rotate": "with flips and rotations",
    "flip_rotate_translate": "with flips, rotations and shifts",
}
"""Architectures and augmentations in plain English; others are called by their names."""


def in_words(arm: ArmAnswers) -> str:
    """An arm as a reader would say it: ``a small convolutional network with flips and rotations``."""
    return f"{architecture_in_words(arm)} {augmentation_in_words(arm)}"


def architecture_in_words(arm: ArmAnswers) -> str:
    """The architecture in plain English."""
    return ARCHITECTURES.get(arm.architecture, f"the architecture {arm.architecture}")


def augmentation_in_words(arm: ArmAnswers) -> str:
    """The augmentation in plain English."""
    return AUGMENTATIONS.get(arm.augmentation, f"with the augmentation {arm.augmentation}")


def distinction(arms: Mapping[str, ArmAnswers], name: str) -> str:
    """What distinguishes an arm from the others, in plain English; its architecture if there are no others."""
    arm = arms[name]
    differing = {part for part in PARTS if len({getattr(other, part) for other in arms.values()}) > 1}
    words = [architecture_in_words(arm)] if "architecture" in differing or not differing else []
    words += [augmentation_in_words(arm)] if "augmentation" in differing else []
    words += [f"labels {arm.labels}"] if "labels" in differing else []
    return f"{words[0][0].upper()}{' '.join(words)[1:]}"
