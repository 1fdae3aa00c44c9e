"""Cross-validation splits with nested training sets: by image, by group (patients, similar pictures), or predefined.

Splitters yield indices, never data. Order is drawn from hashes of the images' identities and a seed, so that
a split depends on which images are included, not on their file names or their order on disk.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cytocurve.errors import InputError
from cytocurve.text import counted

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """Indices of one fold's images; a training set of size n is ``train[:n]``."""

    test: Indices
    validation: Indices
    train: Indices


def cross_validation(identities: Sequence[str], classes: Sequence[int], folds: int, seed: int) -> list[Fold]:
    """Stratified folds: every image in exactly one test fold, the next fold validates, the rest trains.

    Sizes of test folds, and the images of one class in them, differ by at most one. Any prefix of ``train``
    is balanced: its classes differ by at most one image until one is used up (Schouten et al. 2021,
    "Binary classifier"). Raises ``InputError`` for fewer than three folds.
    """
    if folds < 3:
        raise InputError(f"folds: one fold tests, one validates, the rest train: at least 3 are needed, got {folds}")
    order = np.concatenate(by_class(identities, classes, f"folds/{seed}"))
    fold_of = np.empty(len(order), dtype=np.intp)
    fold_of[order] = np.arange(len(order)) % folds
    return _folds(identities, classes, fold_of, folds, seed)


def grouped_cross_validation(
    identities: Sequence[str], classes: Sequence[int], groups: Sequence[str], folds: int, seed: int
) -> list[Fold]:
    """Folds that keep groups together, stratified as well as possible; otherwise as ``cross_validation``.

    Greedy, the groups that are hardest to place first: each goes to the fold that keeps the class shares most even
    (like scikit-learn's StratifiedGroupKFold does). Raises ``InputError`` for fewer than three folds, or fewer groups.
    """
    names = sorted(set(groups), key=lambda group: _draw(f"groups/{seed}", group))
    if folds < 3 or len(names) < folds:
        raise InputError(f"folds: at least 3, and no more than the {len(names)} groups of images, got {folds}")
    group_of, numbers = np.array(_positions(names, groups)), sorted(set(classes))
    counts = np.zeros((len(names), len(numbers)))  # (group, class)
    np.add.at(counts, (group_of, np.searchsorted(numbers, classes)), 1)
    placed = np.zeros((folds, len(numbers)))
    fold_of_group = np.empty(len(names), dtype=np.intp)
    total = counts.sum(axis=0)
    for group in np.lexsort((np.arange(len(names)), -counts.sum(axis=1), -counts.std(axis=1))):
        after = placed + np.eye(folds)[:, :, np.newaxis] * counts[group]  # (candidate, fold, class)
        unevenness = (after / total).std(axis=1).mean(axis=1)
        best = np.flatnonzero(np.isclose(unevenness, unevenness.min()))
        chosen = best[np.argmin(placed[best].sum(axis=1))]
        placed[chosen] += counts[group]
        fold_of_group[group] = chosen
    return _folds(identities, classes, fold_of_group[group_of], folds, seed)


def predefined(identities: Sequence[str], classes: Sequence[int], given: Sequence[str], seed: int) -> list[Fold]:
    """Folds as defined by the dataset's authors, in the order of their names; otherwise as ``cross_validation``.

    Raises ``InputError`` for fewer than three.
    """
    names = sorted(set(given))
    if len(names) < 3:
        raise InputError(
            f"split: predefined: one fold tests, one validates, the rest train: at least 3 are needed; there are: "
            f"{', '.join(names) or 'none'}"
        )
    return _folds(identities, classes, np.array(_positions(names, given)), len(names), seed)


def _positions(names: Sequence[str], given: Sequence[str]) -> list[int]:
    position = {name: number for number, name in enumerate(names)}
    return [position[name] for name in given]


def _folds(identities: Sequence[str], classes: Sequence[int], fold_of: Indices, folds: int, seed: int) -> list[Fold]:
    return [_fold(identities, classes, fold_of, folds, number, seed) for number in range(folds)]


def _fold(
    identities: Sequence[str], classes: Sequence[int], fold_of: Indices, folds: int, number: int, seed: int
) -> Fold:
    following = (number + 1) % folds
    pool = np.flatnonzero((fold_of != number) & (fold_of != following))
    members = pool.tolist()
    groups = by_class([identities[i] for i in members], [classes[i] for i in members], f"train/{seed}/{number}")
    return Fold(
        test=np.flatnonzero(fold_of == number),
        validation=np.flatnonzero(fold_of == following),
        train=pool[round_robin(groups)] if members else pool,
    )


def by_whole_groups(train: Indices, classes: Sequence[int], groups: Sequence[str]) -> Indices:
    """The training images ordered group by group, so that a prefix contains whole groups and at most one partial group.

    The groups come in the order of their first image; the next is always one of the class that has the fewest images
    so far, a group's class being that of most of its images. Within a group the order is kept.
    """
    members: dict[str, list[int]] = {}
    for index in train.tolist():
        members.setdefault(groups[index], []).append(index)
    waiting: dict[int, list[str]] = {}
    for group, indices in members.items():
        counts = Counter(classes[index] for index in indices)
        waiting.setdefault(max(sorted(counts), key=lambda number: counts[number]), []).append(group)
    seen: Counter[int] = Counter()
    order: list[int] = []
    while waiting:
        number = min(waiting, key=lambda number: (seen[number], list(waiting).index(number)))
        group = waiting[number].pop(0)
        if not waiting[number]:
            del waiting[number]
        order += members[group]
        seen.update(classes[index] for index in members[group])
    return np.array(order, dtype=np.intp)


def joined(identities: Sequence[str], *groupings: Sequence[str]) -> list[str]:
    """Each image's group: images that any of the groupings puts together share one; an empty name means no group.

    A group is named after the smallest of its images' identities.
    """
    first: dict[tuple[int, str], int] = {}
    edges = [
        (index, first.setdefault((number, name), index))
        for number, grouping in enumerate((identities, *groupings))
        for index, name in enumerate(grouping)
        if name
    ]
    rows, columns = np.array(edges, dtype=np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(len(edges), np.int8), (rows, columns)), shape=(len(identities), len(identities)))
    component = connected_components(graph, directed=False)[1]
    least: dict[int, str] = {}
    for number, identity in zip(component.tolist(), identities, strict=True):
        least[number] = min(identity, least.get(number, identity))
    return [least[number] for number in component.tolist()]


def balanced_sample(
    identities: Sequence[str], classes: Sequence[int], strata: Sequence[str], size: int, seed: int
) -> Indices:
    """Indices of ``size`` images per class, sorted; within a class the strata (its labels) are drawn in turn.

    Raises ``InputError`` listing the classes that have fewer than ``size`` images.
    """
    chosen, short = [], []
    for number in sorted(set(classes)):
        members = np.flatnonzero(np.asarray(classes) == number).tolist()
        names = sorted({strata[i] for i in members})
        if len(members) < size:
            short.append(f"{' + '.join(names)}: {counted(len(members), 'image')}")
        groups = by_class([identities[i] for i in members], [names.index(strata[i]) for i in members], f"sample/{seed}")
        chosen.append(np.array(members)[round_robin(groups)][:size])
    if short:
        raise InputError(f"sample_per_class: {counted(size, 'image')} per class requested, but there are only", short)
    return np.sort(np.concatenate(chosen))


def holdout(classes: Sequence[int], groups: Sequence[str], share: float, seed: int) -> Indices:
    """Indices, sorted, of about this share of the images of every class, in whole groups.

    The groups are visited in an order drawn from their names; one is taken if that brings the classes' shares closer
    to what is asked (by the sum of squares). With one image per group, every class is within half an image of its
    share; with groups of one class each, within half of its largest group.
    """
    names, numbers = sorted(set(groups)), sorted(set(classes))
    counts = np.zeros((len(names), len(numbers)))  # (group, class)
    np.add.at(counts, (np.array(_positions(names, groups), np.intp), np.searchsorted(numbers, classes)), 1)
    total = counts.sum(axis=0)
    missing, taken = share * total, set()
    for group in by_class(names, [0] * len(names), f"holdout/{seed}")[0] if names else ():
        if (counts[group] * (2 * missing - counts[group]) / total**2).sum() > 0:
            taken.add(names[group])
            missing = missing - counts[group]
    return np.array([index for index, group in enumerate(groups) if group in taken], dtype=np.intp)


def by_class(identities: Sequence[str], classes: Sequence[int], salt: str) -> list[Indices]:
    """Indices of each class, classes and images in an order drawn from the hashes of salt and identity."""
    priority = np.array([_draw(salt, identity) for identity in identities], dtype=object)
    numbers = sorted(set(classes), key=lambda number: _draw(salt, f"class {number}"))
    members = [np.flatnonzero(np.asarray(classes) == number) for number in numbers]
    return [group[np.argsort(priority[group], kind="stable")] for group in members]


def round_robin(groups: Sequence[Indices]) -> Indices:
    """One index of each group in turn, until all are used up."""
    turn = np.concatenate([np.arange(len(group)) for group in groups])
    return np.concatenate(groups)[np.argsort(turn, kind="stable")]


def _draw(salt: str, identity: str) -> str:
    return hashlib.sha256(f"{salt}\0{identity}".encode()).hexdigest()
