"""Training sizes for which a class has too few images, so that a training set is not balanced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from cytocurve.core.audit.finding import Finding, Offender
from cytocurve.text import counted

EVEN = 0.9
"""A class with at least this share of the largest class's images counts as balanced."""


@dataclass(frozen=True)
class UnbalancedSize:
    """A training size at which some folds use up a class; ``classes`` are the counts in the most uneven fold."""

    size: int
    folds: int
    classes: Mapping[str, int]

    @property
    def described(self) -> str:
        """The size and its counts in words."""
        counts = " + ".join(f"{count} {name}" for name, count in self.classes.items())
        return f"{self.size} ({counts})"


def unbalanced_sizes(split: pd.DataFrame, sizes: Sequence[int]) -> list[UnbalancedSize]:
    """The training sizes at which a fold has used up a class that then has less than ``EVEN`` of the largest one.

    The classes of a balanced set differ by one image at most.
    """
    train = split[split["subset"] == "train"]
    names = sorted(split["label"].unique())
    available = _counts(train, names)
    found = []
    for size in sizes:
        used = _counts(train[train["rank"] < size], names).reindex(available.index, fill_value=0)
        largest = used.max(axis=1)
        uneven = used.lt(largest - 1, axis=0) & used.lt(EVEN * largest, axis=0)
        short = ((used == available) & uneven).any(axis=1)
        if short.any():
            gap = (largest - used.min(axis=1)).where(short, -1)
            worst = used.to_numpy()[int(gap.to_numpy().argmax())]
            found.append(UnbalancedSize(size, int(short.sum()), dict(zip(names, worst.tolist(), strict=True))))
    return found


def _counts(train: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Images per fold (row) and class (column)."""
    return train.groupby(["fold", "label"]).size().unstack(fill_value=0).reindex(columns=list(names), fill_value=0)


def finding(found: Sequence[UnbalancedSize], labels: str) -> Finding:
    """The training sizes that cannot be balanced; a warning for two classes, a note for several."""
    binary = all(len(size.classes) == 2 for size in found)
    offenders: list[Offender] = [
        {"size": size.size, "folds": size.folds, "classes": [f"{name} {count}" for name, count in size.classes.items()]}
        for size in found
    ]
    listed = ", ".join(size.described for size in found)
    sentence = (
        f"Label version {labels}: {counted(len(found), 'training size')} cannot be balanced, because a class has too "
        f"few images: {listed}. Such a set is larger mostly by images of the other classes, so its gain is not that "
        "of more images of each class."
    )
    return Finding(
        "unbalanced-sizes", "warning" if binary else "note", sentence, {"sizes": len(found)}, offenders, labels
    )
