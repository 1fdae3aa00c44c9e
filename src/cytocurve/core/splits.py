"""Cross-validation splits with nested, balanced training sets.

Splitters yield indices, never data. Order is drawn from hashes of the images' identities and a seed, so that
a split depends on which images take part, not on their file names or their order on disk.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytocurve.errors import InputError

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
        train=pool[round_robin(groups)],
    )


def balanced_sample(
    identities: Sequence[str], classes: Sequence[int], strata: Sequence[str], size: int, seed: int
) -> Indices:
    """Indices of ``size`` images a class, sorted; within a class the strata (its labels) are drawn in turn.

    Raises ``InputError`` listing the classes that have fewer than ``size`` images.
    """
    chosen, short = [], []
    for number in sorted(set(classes)):
        members = np.flatnonzero(np.asarray(classes) == number).tolist()
        names = sorted({strata[i] for i in members})
        if len(members) < size:
            short.append(f"{' + '.join(names)}: {len(members)} images")
        groups = by_class([identities[i] for i in members], [names.index(strata[i]) for i in members], f"sample/{seed}")
        chosen.append(np.array(members)[round_robin(groups)][:size])
    if short:
        raise InputError(f"sample_per_class: {size} images a class are asked for, but there are only", short)
    return np.sort(np.concatenate(chosen))


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
