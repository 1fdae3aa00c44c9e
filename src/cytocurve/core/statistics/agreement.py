"""Agreement between label versions: confusion table, Cohen's kappa, scores against a reference, and consensus.

Labels are sequences of equal length, one entry per image; ``""`` means unlabeled.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from cytocurve.core.data.taxonomy import CELL_TYPES, NAMED_TASKS
from cytocurve.core.statistics.bootstrap import CONFIDENCE
from cytocurve.core.statistics.proportions import wilson

BINARY_TASKS = tuple(name for name in NAMED_TASKS if name != "multiclass")
VOTES = ("unanimous", "majority", "tie", "single", "unlabelled")
"""How the consensus label was determined: all votes agree, a majority, a tie, a single vote, or no votes."""

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; all three are None if the value is undefined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Share:
    """The share ``hits / total`` with its 95 % Wilson interval; undefined if the total is zero."""

    hits: int
    total: int
    estimate: Estimate


def confusion(first: Sequence[str], second: Sequence[str]) -> tuple[list[str], Counts]:
    """The sorted labels that occur, and the confusion table (label of ``first``, label of ``second``).

    Images that are unlabeled in either version are not counted.
    """
    pairs = [pair for pair in zip(first, second, strict=True) if all(pair)]
    names = sorted({label for pair in pairs for label in pair})
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    for (a, b), count in Counter(pairs).items():
        counts[place[a], place[b]] = count
    return names, counts


def cohen_kappa(counts: Counts) -> Estimate:
    """Chance-corrected agreement of two versions, from their square confusion table (Cohen 1960).

    The interval is kappa ± 1.96 standard errors, clipped to [-1, 1], with the asymptotic standard error of Fleiss,
    Cohen & Everitt 1969 (Psychological Bulletin 72:323-327). Undefined without images, and if both versions assign
    the same single label to all of them.
    """
    total = counts.sum()
    if np.count_nonzero(counts.sum(axis=0) + counts.sum(axis=1)) < 2:
        return Estimate(None, None, None)
    share = counts / total
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed, chance = np.trace(share), rows @ columns
    rest = 1 - chance
    kappa = (observed - chance) / rest
    both = columns[:, np.newaxis] + rows  # (i, j): share of label i in the second version + share of j in the first
    apart = share * both**2
    agreeing = np.diag(share) @ (rest - np.diag(both) * (1 - observed)) ** 2
    differing = (1 - observed) ** 2 * (apart.sum() - np.trace(apart))
    variance = (agreeing + differing - (observed * chance - 2 * chance + observed) ** 2) / (total * rest**4)
    error = ndtri((1 + CONFIDENCE) / 2) * np.sqrt(max(variance, 0.0))
    return Estimate(float(kappa), max(float(kappa - error), -1.0), min(float(kappa + error), 1.0))


def share(hits: int, total: int) -> Share:
    """The share with its Wilson interval."""
    if not total:
        return Share(hits, total, Estimate(None, None, None))
    return Share(hits, total, Estimate(hits / total, *wilson(hits / total, total)))


def by_class(names: Sequence[str], counts: Counts) -> dict[str, tuple[Share, Share]]:
    """Precision and sensitivity of each label, taking the first version of the confusion table as ground truth."""
    return {
        name: (
            share(int(counts[number, number]), int(counts[:, number].sum())),
            share(int(counts[number, number]), int(counts[number].sum())),
        )
        for number, name in enumerate(names)
    }


def binary(names: Sequence[str], counts: Counts, positive: Collection[str]) -> tuple[Share, Share]:
    """Sensitivity and specificity for these positive labels, taking the first version as ground truth."""
    yes = np.array([name in positive for name in names], dtype=bool)
    return (
        share(int(counts[yes][:, yes].sum()), int(counts[yes].sum())),
        share(int(counts[~yes][:, ~yes].sum()), int(counts[~yes].sum())),
    )


def binary_tasks(names: Collection[str]) -> dict[str, frozenset[str]]:
    """The positive labels of each binary task of the taxonomy; empty if a label is not in the taxonomy."""
    if not set(names) <= set(CELL_TYPES):
        return {}
    return {task: frozenset(name for name in names if getattr(CELL_TYPES[name], task)) for task in BINARY_TASKS}


def consensus(versions: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Each image's label by majority vote of the versions, and how it was determined (one of ``VOTES``).

    Ties go to the label of the version that comes first. A version in which an image is unlabeled does not vote on it.
    """
    return [_vote([label for label in labels if label]) for labels in zip(*versions.values(), strict=True)]


def _vote(labels: Sequence[str]) -> tuple[str, str]:
    if len(labels) < 2:
        return (labels[0], "single") if labels else ("", "unlabelled")
    votes = Counter(labels)
    most = max(votes.values())
    leading = [label for label in labels if votes[label] == most]
    if most == len(labels):
        return leading[0], "unanimous"
    return leading[0], "majority" if len(set(leading)) == 1 else "tie"
