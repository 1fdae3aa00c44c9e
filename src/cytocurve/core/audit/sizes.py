"""Image sizes by class: a size with a different class distribution suggests a separate batch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from cytocurve.core.audit.finding import Finding, Offender, share
from cytocurve.text import counted

FEWEST = 5
"""Sizes with fewer images than this are not tested."""

APART = 0.2
"""Total variation distance (0 to 1) from which a size's class distribution counts as different."""

LEVEL = 0.001
"""Significance level of the chi-square test that a difference must also pass, over all sizes (Bonferroni)."""


@dataclass(frozen=True)
class Size:
    """The images of one size, in pixels: the count of each class, and whether the class distribution is different.

    ``distance`` is the total variation distance between the class distributions of this size and of all others.
    """

    size: str
    classes: dict[str, int]
    distance: float
    different: bool

    @property
    def images(self) -> int:
        """The number of images of this size."""
        return sum(self.classes.values())

    @property
    def as_json(self) -> dict[str, Any]:
        """The size as JSON."""
        return {
            "size": self.size,
            "images": self.images,
            "classes": self.classes,
            "distance": self.distance,
            "different": self.different,
        }


def sizes(given: pd.DataFrame) -> list[Size]:
    """The image sizes of a split's images, most frequent first; the first never counts as different."""
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
    """The p-value of the chi-square test that both have the same class distribution."""
    return float(chi2_contingency(np.stack([here, elsewhere])).pvalue)


def finding(table: list[Size], labels: str) -> Finding:
    """The sizes whose class distribution differs from that of the others."""
    different = [size for size in table if size.different]
    images, total = sum(size.images for size in different), sum(size.images for size in table)
    offenders: list[Offender] = [
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
        f"{counted(images, 'image')} of {total:,}) {'has' if len(different) == 1 else 'have'} a class distribution "
        "very different from that of the other sizes. This may be a separate batch, whose appearance a network may "
        "learn."
    )
    numbers = {"sizes": len(different), "images": images, "share": share(images, total)}
    return Finding("size-by-class", "warning", sentence, numbers, offenders, labels)
