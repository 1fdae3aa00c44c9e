"""Pictures that look the same in any of the eight flips and quarter turns.

The difference of two thumbnails is the root mean square of their pixel differences, divided by the smaller standard
deviation of their gray levels; the minimum over the eight views of one of them counts. It is relative to the contrast:
equal pictures have 0, unrelated ones about sqrt(2), and a picture without contrast only resembles its exact copies.
"""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ALIKE = 0.25
"""The difference up to which two pictures are near-identical: a correlation of about 0.97 or more.

Measured on real pictures of PBC, the starter's and those of C-NMC, segmented on black: of all 750,000 pairs of
different cells the smallest is 0.56 in PBC, 0.47 in the starter, 0.57 among 13 cells of C-NMC. Flips have 0, quarter
turns, half the size or a JPEG of quality 75 mostly below 0.03, a JPEG of quality 30 below 0.05 (one of C-NMC 0.27), and
1 % cut off every side at most 0.20. With 2 % cut off it is 0.28 in the middle, so that such crops are found in part.
"""

THUMBNAIL = 32
"""Width and height in pixels of the gray pictures that are compared."""

Thumbnails = NDArray[np.uint8]
Numbers = NDArray[np.float64]
Pairs = list[tuple[int, int, float]]

Grey = TypeVar("Grey", bound=np.generic)

_BLOCK = 256
_CHUNK = 2048
_LOW = 8


def views(thumbnail: NDArray[Grey]) -> Iterator[NDArray[Grey]]:
    """A square picture's eight flips and quarter turns, the picture itself first; of any shape (…, side, side)."""
    for flipped in (thumbnail, thumbnail[..., ::-1]):
        for turns in range(4):
            yield np.rot90(flipped, turns, axes=(-2, -1))


def near_identical(thumbnails: Thumbnails) -> Pairs:
    """Pairs ``(first, second, difference)`` that connect all near-identical pictures; sorted, ``first < second``.

    ``thumbnails`` is (images, side, side) with a side of at most ``THUMBNAIL``. Pictures already connected by earlier
    pairs are not compared again, so there are fewer pairs than pictures, however many are alike.
    """
    if not len(thumbnails):
        return []
    sums = _sums(thumbnails)
    here, there = _reach(_signatures(thumbnails), sums[1])
    index = np.arange(len(thumbnails))
    group = index.copy()
    found: Pairs = []
    for start in range(0, len(index), _BLOCK):
        for left in range(start, len(index), _CHUNK):
            across, down = slice(start, start + _BLOCK), slice(left, left + _CHUNK)
            if np.ptp(group[across]) == 0 and (group[down] == group[start]).all():
                continue
            row, column = np.nonzero(here[across] @ there[down].T <= 0)
            row, column = row + start, column + left
            new = (row < column) & (group[row] != group[column])
            rows, columns = np.unique(row[new]), np.unique(column[new])
            if len(rows):
                found += _join(group, rows, columns, _differences(thumbnails, sums, rows, columns))
    return sorted(found)


def _join(group: NDArray[np.intp], rows: NDArray[np.intp], columns: NDArray[np.intp], differences: Numbers) -> Pairs:
    """Merge the groups of pictures that are alike; returns one pair per merged group."""
    pairs: Pairs = []
    alike = (differences <= ALIKE) & (rows[:, np.newaxis] < columns)
    for place in np.flatnonzero(alike.any(axis=1)):
        one, others = int(rows[place]), columns[alike[place]]
        joined, first = np.unique(group[others], return_index=True)
        new = joined != group[one]
        pairs += [(one, int(others[i]), float(differences[place][alike[place]][i])) for i in first[new]]
        if new.any():
            group[np.isin(group, joined)] = group[one]
    return pairs


def difference(one: Thumbnails, other: Thumbnails) -> float:
    """How much two thumbnails (side, side) differ: 0 for equal views, infinite if one of them is uniformly gray."""
    both = np.stack([one, other])
    return float(_differences(both, _sums(both), np.array([0]), np.array([1]))[0, 0])


def _differences(thumbnails: Thumbnails, sums: Numbers, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Numbers:
    """The differences of all ``rows`` from all ``columns``.

    The products of gray levels minus 128 are integers, and no sum of them exceeds 2^24: float32 holds them exactly,
    and the result is the same on every machine.
    """
    squares, contrasts = sums
    turned = np.stack(list(views(_centred(thumbnails[rows])))).reshape(8 * len(rows), -1)
    products = turned @ _centred(thumbnails[columns]).reshape(len(columns), -1).T
    nearest = products.reshape(8, len(rows), len(columns)).max(axis=0).astype(np.float64)
    unlike = squares[rows, np.newaxis] + squares[columns] - 2 * nearest
    least = np.minimum(contrasts[rows, np.newaxis], contrasts[columns])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(unlike == 0, 0, np.sqrt(unlike / least))


def _reach(signatures: NDArray[np.float32], contrasts: Numbers) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two tables with a row per picture; if the product of a row of each is above 0, the two pictures are not alike.

    The product is the squared distance of the signatures minus what ``ALIKE`` allows the first picture and what
    rounding to float32 may add.
    """
    lengths = np.einsum("ij,ij->i", signatures, signatures)[:, np.newaxis]
    allowed = (1.001 * ALIKE**2 * contrasts + 64).astype(np.float32)[:, np.newaxis]
    ones = np.ones_like(lengths)
    return np.hstack([-2 * signatures, ones, lengths - allowed]), np.hstack([signatures, lengths, ones])


def _centred(thumbnails: Thumbnails) -> NDArray[np.float32]:
    return thumbnails.astype(np.float32) - 128


def _sums(thumbnails: Thumbnails) -> Numbers:
    """Each picture's sum of squares about 128 and about its own mean, (2, images)."""
    pixels = thumbnails.reshape(len(thumbnails), -1).astype(np.int32) - 128
    squares = np.einsum("ij,ij->i", pixels, pixels).astype(np.float64)
    return np.stack([squares, squares - pixels.sum(axis=1).astype(np.float64) ** 2 / pixels.shape[1]])


def _signatures(thumbnails: Thumbnails) -> NDArray[np.float32]:
    """Numbers that all views of a picture share; two pictures' numbers are no farther apart than their closest views.

    They are the magnitudes of the lowest coefficients of the orthonormal cosine transform, which preserves distances: a
    flip changes signs, a quarter turn also swaps (u, v) and (v, u); taking magnitudes and sorting the two only reduces
    distances.
    """
    found = []
    rows, columns = np.triu_indices(min(_LOW, thumbnails.shape[-1]))
    for start in range(0, len(thumbnails), _CHUNK):
        sizes = np.abs(dctn(_centred(thumbnails[start : start + _CHUNK]), axes=(1, 2), norm="ortho"))
        upper, lower = sizes[:, rows, columns], sizes[:, columns, rows]
        larger, smaller = np.maximum(upper, lower), np.minimum(upper, lower)
        found.append(np.concatenate([larger, smaller[:, rows != columns]], axis=1))
    return np.concatenate(found)


def first_of_group(count: int, pairs: Pairs) -> NDArray[np.intp]:
    """For each of ``count`` pictures, the smallest index among those connected to it by chains of pairs."""
    rows, columns = np.array([pair[:2] for pair in pairs], dtype=np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs), np.int8), (rows, columns)), shape=(count, count))
    component = connected_components(graph, directed=False)[1]
    first: NDArray[np.intp] = np.unique(component, return_index=True)[1][component]
    return first
