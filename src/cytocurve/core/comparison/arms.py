"""An arm in a comparison: its scores, and the images, folds and labels that it was scored on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytocurve.core.runs import digest
from cytocurve.core.statistics.values import Values
from cytocurve.text import counted


@dataclass(frozen=True)
class ScoredOn:
    """What an arm was scored on: ``images``, one row per image with ``image, fold, label``, and their digest.

    ``images`` is None if only the digest is known, as for arms in a tracking store; it shows whether two arms differ,
    but not how.
    """

    digest: str
    images: pd.DataFrame | None = None

    @classmethod
    def on(cls, images: pd.DataFrame) -> "ScoredOn":
        """These images, each listed once."""
        return cls(digest_of_tests(images["image"].tolist(), images["fold"].tolist(), images["label"].tolist()), images)


def digest_of_tests(images: Sequence[str], folds: Sequence[int], labels: Sequence[str]) -> str:
    """SHA-256 (hex) of the test images' names, folds and labels, independent of their order."""
    return digest(sorted(zip(images, map(int, folds), labels, strict=True)))


@dataclass(frozen=True, eq=False)
class ScoredImages:
    """What each test image contributes to the scores of an arm: ``contributions`` (images, seeds, sizes).

    Images are sorted by name, seeds and sizes are those of the arm; NaN where undefined. ``folds``, ``classes`` and
    ``units`` (images,) are numbers; units are patients if ``by_patient``, with every image of an unknown patient as a
    unit of its own, and otherwise images. See ``core.statistics.contributions``.
    """

    folds: NDArray[np.intp]
    classes: NDArray[np.intp]
    units: NDArray[np.intp]
    contributions: Values
    by_patient: bool


@dataclass(frozen=True)
class ScoredArm:
    """An arm's scores by one metric: one row per run with ``fold, seed, size, score``; undefined scores are NaN.

    ``name`` is the arm's name in the comparison, ``labels`` the label version that it is scored on, ``images`` the
    contributions of the test images; None if there are no predictions, as in a tracking store.
    """

    name: str
    labels: str
    runs: pd.DataFrame
    tested: ScoredOn
    images: ScoredImages | None = None

    @cached_property
    def folds(self) -> list[int]:
        """The fold numbers, increasing."""
        return sorted(set(self.runs["fold"].tolist()))

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds, increasing."""
        return sorted(set(self.runs["seed"].tolist()))

    @cached_property
    def sizes(self) -> list[int]:
        """The training sizes, increasing."""
        return sorted(set(self.runs["size"].tolist()))

    def scores(self, seeds: Sequence[int], sizes: Sequence[int]) -> Values:
        """The scores (folds, seeds, sizes) at these seeds and sizes, NaN where there is no run."""
        table = np.full((len(self.folds), len(seeds), len(sizes)), np.nan)
        runs = self.runs[self.runs["seed"].isin(seeds) & self.runs["size"].isin(sizes)]
        at = (
            np.searchsorted(names, runs[column])
            for names, column in ((self.folds, "fold"), (seeds, "seed"), (sizes, "size"))
        )
        table[tuple(at)] = runs["score"]
        return table

    def contributions(self, seeds: Sequence[int], sizes: Sequence[int]) -> Values | None:
        """The contributions (images, seeds, sizes) of the test images at these seeds and sizes, None if unknown."""
        if self.images is None:
            return None
        of_seeds = self.images.contributions[:, np.searchsorted(self.seeds, seeds)]
        return np.asarray(of_seeds[:, :, np.searchsorted(self.sizes, sizes)])


def why_not(first: ScoredArm, second: ScoredArm) -> str | None:
    """Why two arms cannot be compared, as a sentence, or None if they can."""
    if first.tested.digest != second.tested.digest:
        return _difference(first, second)
    if not set(first.sizes) & set(second.sizes):
        return "They have no training size in common."
    if first.folds != second.folds:
        return f"The first has results for {counted(len(first.folds), 'fold')}, the second for {len(second.folds)}."
    if len(first.folds) < 3:
        return f"A comparison needs at least 3 folds; these arms have {len(first.folds)}."
    return None


def _difference(first: ScoredArm, second: ScoredArm) -> str:
    if first.tested.images is None or second.tested.images is None:
        return (
            "Their test images, folds or labels differ. Only digests were compared, since the tracking store does not "
            "contain predictions."
        )
    one, other = (arm.tested.images.set_index("image") for arm in (first, second) if arm.tested.images is not None)
    shared = one.index.intersection(other.index)
    if len(shared) < max(len(one), len(other)):
        return (
            f"Their test images differ: {len(one) - len(shared)} of the {len(one)} in the first are not in the second, "
            f"{len(other) - len(shared)} of the {len(other)} in the second are not in the first."
        )
    moved = int((one["fold"] != other["fold"].reindex(one.index)).sum())
    if moved:
        return f"Their folds differ for {moved} of {counted(len(one), 'test image')}."
    if set(one["label"]) != set(other["label"]):
        classes = (", ".join(sorted(set(table["label"]))) for table in (one, other))
        return f"Their classes differ: {' against '.join(classes)}."
    changed = int((one["label"] != other["label"].reindex(one.index)).sum())
    return (
        f"Their labels differ on {changed} of {len(one)} test images (label versions {first.labels} and "
        f"{second.labels}), and scores on different labels are not comparable."
    )
