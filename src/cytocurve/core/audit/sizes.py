"""Image sizes by class: a size that holds the classes in other shares comes from another batch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from cytocurve.core.audit.finding import Finding, Offender, share
from cytocurve.text import counted

FEWEST = 5
"""Images of a size below which its shares of the classes say nothing."""

APART = 0.2
"""Total variation distance (0 to 1) from which a size's shares of the classes are quite different."""

LEVEL = 0.001
"""Significance of the chi-square test that the shares must pass besides, over all sizes (Bonferroni)."""


@dataclass(frozen=True)
class Size:
    """The images of one size, in pixels: how many of each class, and whether their shares are quite different.

    ``distance`` is the total variation distance between the shares of the classes in this size and in all others.
    """

    size: str
    classes: dict[str, int]
    distance: float
    different: bool

    @property
    def images(self) -> int:
        """Images of this size."""
        return sum(self.classes.values())

    @property
    def figures(self) -> dict[str, Any]:
        """The size as JSON has it."""
        return {
            "size": self.size,
            "images": self.images,
            "classes": self.classes,
            "distance": self.distance,
            "different": self.different,
        }


def sizes(given: pd.DataFrame) -> list[Size]:
    """The image sizes of a split's images, the most frequent first; it is the rule, and never called different."""
    size = given["width"].astype(int).astype(str) + "x" + given["height"].astype(int).astype(str)
    table = pd.crosstab(size.rename("size"), given["class"])
    order = sorted(table.index, key=lambda name: (-table.loc[name].sum(), name))
    total, level = table.sum(), LEVEL / len(table)
    return [
        _size(name, table.loc[name], total - table.loc[name], level if rank else 0.0) for rank, name in enumerate(order)
    ]


def _size(name: str, here: pd.Series, elsewhere: pd.Series, level: float) -> Size:
    classes = {str(label): int(count) for label, count in here.items()}
    if elsewhere.sum() == 0:
        return Size(name, classes, 0.0, different=False)
    distance = float(np.abs(here / here.sum() - elsewhere / elsewhere.sum()).sum() / 2)
    apart = here.sum() >= FEWEST and distance >= APART
    different = bool(apart and _pvalue(here, elsewhere) < level)
    return Size(name, classes, round(distance, 4), different)


def _pvalue(here: pd.Series, elsewhere: pd.Series) -> float:
    """Of the chi-square test that both are samples of the same classes."""
    return float(chi2_contingency(np.stack([here, elsewhere])).pvalue)


def finding(table: list[Size], labels: str) -> Finding:
    """Sizes that hold the classes in quite different shares."""
    different = [size for size in table if size.different]
    images, total = sum(size.images for size in different), sum(size.images for size in table)
    found: list[Offender] = [
        {
            "size": size.size,
            "images": size.images,
            "classes": [f"{name} {count}" for name, count in size.classes.items() if count],
        }
        for size in different
    ]
    names = ", ".join(size.size for size in different)
    sentence = (
        f"Label version {labels}: {counted(len(different), 'image size')} ({names}; "
        f"{counted(images, 'image')} of {total:,}) {'holds' if len(different) == 1 else 'hold'} the classes in quite "
        "different shares than the others: perhaps another batch, whose looks a network may learn."
    )
    numbers = {"sizes": len(different), "images": images, "share": share(images, total)}
    return Finding("size-by-class", "warning", sentence, numbers, found, labels)
