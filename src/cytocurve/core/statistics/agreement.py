"""How far label versions agree: confusion, Cohen's kappa, scores against a reference, and their consensus.

Labels come as sequences of equal length, one entry per image; ``""`` means unlabelled.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from cytocurve.core.data.taxonomy import CELL_TYPES, NAMED_TASKS

LEVEL = 0.95
BINARY_TASKS = tuple(name for name in NAMED_TASKS if name != "multiclass")
VOTES = ("unanimous", "majority", "tie", "single", "unlabelled")
"""How an image came to its label: all of several votes, the most of them, equal votes, one vote alone, none."""

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; all three are None where the value is not defined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Share:
    """A share, hits of total, with its 95 % Wilson interval; no value where the total is zero."""

    hits: int
    total: int
    estimate: Estimate


def confusion(first: Sequence[str], second: Sequence[str]) -> tuple[list[str], Counts]:
    """The labels that occur, sorted, and the images (label of ``first``, label of ``second``).

    Images that either of the two leaves unlabelled are not counted.
    """
    pairs = [pair for pair in zip(first, second, strict=True) if all(pair)]
    names = sorted({label for pair in pairs for label in pair})
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    for (a, b), count in Counter(pairs).items():
        counts[place[a], place[b]] = count
    return names, counts


def cohen_kappa(counts: Counts) -> Estimate:
    """Agreement of two versions beyond chance, from their square confusion table (Cohen 1960).

    The interval is kappa +- 1.96 standard errors, within [-1, 1], by the asymptotic standard error of Fleiss, Cohen &
    Everitt 1969 (Psychological Bulletin 72:323-327). Not defined without images, and where both versions
    give one and the same label to all of them.
    """
    total = counts.sum()
    if np.count_nonzero(counts.sum(axis=0) + counts.sum(axis=1)) < 2:
        return Estimate(None, None, None)
    share = counts / total
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed, chance = np.trace(share), rows @ columns
    rest = 1 - chance
    kappa = (observed - chance) / rest
    both = columns[:, np.newaxis] + rows  # (i, j): the share of label i in the second version and of j in the first
    apart = share * both**2
    agreeing = np.diag(share) @ (rest - np.diag(both) * (1 - observed)) ** 2
    differing = (1 - observed) ** 2 * (apart.sum() - np.trace(apart))
    variance = (agreeing + differing - (observed * chance - 2 * chance + observed) ** 2) / (total * rest**4)
    error = norm.ppf((1 + LEVEL) / 2) * np.sqrt(max(variance, 0.0))
    return Estimate(float(kappa), max(float(kappa - error), -1.0), min(float(kappa + error), 1.0))


def share(hits: int, total: int) -> Share:
    """The share with its interval (Wilson 1927, without correction for continuity)."""
    if not total:
        return Share(hits, total, Estimate(None, None, None))
    interval = binomtest(hits, total).proportion_ci(LEVEL, method="wilson")
    return Share(hits, total, Estimate(hits / total, float(interval.low), float(interval.high)))


def by_class(names: Sequence[str], counts: Counts) -> dict[str, tuple[Share, Share]]:
    """Precision and sensitivity of each label, the first version of the confusion table being the truth."""
    return {
        name: (
            share(int(counts[number, number]), int(counts[:, number].sum())),
            share(int(counts[number, number]), int(counts[number].sum())),
        )
        for number, name in enumerate(names)
    }


def binary(names: Sequence[str], counts: Counts, positive: Collection[str]) -> tuple[Share, Share]:
    """Sensitivity and specificity for these positive labels, the first version of the table being the truth."""
    yes = np.array([name in positive for name in names], dtype=bool)
    return (
        share(int(counts[yes][:, yes].sum()), int(counts[yes].sum())),
        share(int(counts[~yes][:, ~yes].sum()), int(counts[~yes].sum())),
    )


def binary_tasks(names: Collection[str]) -> dict[str, frozenset[str]]:
    """The positive labels of each binary task of the taxonomy; none where it does not know all these labels."""
    if not set(names) <= set(CELL_TYPES):
        return {}
    return {task: frozenset(name for name in names if getattr(CELL_TYPES[name], task)) for task in BINARY_TASKS}


def consensus(versions: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Each image's label by the vote of the versions, and how it came about (one of ``VOTES``).

    The label that most versions give; among labels with equally many votes, the one of the version named first. A
    version that leaves an image unlabelled does not vote on it.
    """
    return [_vote([label for label in given if label]) for given in zip(*versions.values(), strict=True)]


def _vote(given: Sequence[str]) -> tuple[str, str]:
    if len(given) < 2:
        return (given[0], "single") if given else ("", "unlabelled")
    votes = Counter(given)
    most = max(votes.values())
    leading = [label for label in given if votes[label] == most]
    if most == len(given):
        return leading[0], "unanimous"
    return leading[0], "majority" if len(set(leading)) == 1 else "tie"
