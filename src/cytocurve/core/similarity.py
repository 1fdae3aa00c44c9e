"""Pictures that look the same: perceptual hashes, compared over the eight flips and quarter turns.

A perceptual hash is blind to where light and dark cells differ in detail, so that round cells on an even background
come close to each other. A pair that it proposes counts only if the thumbnails, turned the same way, agree as well.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

NEAR = 6
"""Of the 64 bits of two hashes, the most that differ between near-identical pictures."""

ALIKE = 5.0
"""Mean absolute difference of two thumbnails in grey levels (0 to 255) up to which pictures are near-identical."""

Hashes = NDArray[np.uint64]
Thumbnails = NDArray[np.uint8]
Pairs = list[tuple[int, int, int]]

_BLOCK = 128


def views(thumbnail: Thumbnails) -> Iterator[Thumbnails]:
    """A square picture's eight flips and quarter turns, the picture itself first; of any shape (…, side, side)."""
    for flipped in (thumbnail, thumbnail[..., ::-1]):
        for turns in range(4):
            yield np.rot90(flipped, turns, axes=(-2, -1))


def near_identical(hashes: Hashes, thumbnails: Thumbnails) -> Pairs:
    """Pairs ``(first, second, distance)`` of near-identical pictures, sorted; ``first < second``.

    ``hashes`` (images, 8) holds each picture's hashes in the order of ``views``, ``thumbnails`` is (images, side,
    side). The distance is the number of bits that differ, the least over the eight views.
    """
    plain = np.ascontiguousarray(hashes[:, 0])
    found: Pairs = []
    for start in range(0, len(plain), _BLOCK):
        block, others = hashes[start : start + _BLOCK], plain[start:]
        distance = np.full((len(block), len(others)), 65, np.uint8)
        for view in range(hashes.shape[1]):
            np.minimum(distance, np.bitwise_count(block[:, view, np.newaxis] ^ others), out=distance)
        rows, columns = np.nonzero(np.triu(distance <= NEAR, 1))
        found += [
            (start + row, start + column, int(distance[row, column]))
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
            if unlike(thumbnails[start + row], thumbnails[start + column]) <= ALIKE
        ]
    return sorted(found)


def unlike(one: Thumbnails, other: Thumbnails) -> float:
    """Mean absolute difference of two thumbnails (side, side) in grey levels, the least over the eight views."""
    target = other.astype(np.int16)
    return min(float(np.abs(view - target).mean()) for view in views(one.astype(np.int16)))


def first_of_group(count: int, pairs: Pairs) -> NDArray[np.intp]:
    """For each of ``count`` pictures the least index of those that chains of pairs connect it with."""
    rows, columns = np.array([pair[:2] for pair in pairs], dtype=np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs), np.int8), (rows, columns)), shape=(count, count))
    component = connected_components(graph, directed=False)[1]
    first: NDArray[np.intp] = np.unique(component, return_index=True)[1][component]
    return first
