"""Color, texture and shape of a stained cell and its nucleus, as numbers that flips and quarter turns hardly change.

The nucleus is the dark class of a three-class Otsu threshold on the green channel (Liao et al. 2001), where stained
chromatin is darkest; the cytoplasm is the middle class around it. Nothing is measured on the background: it differs
between batches of slides and would give classes away.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cytocurve.models.architectures import Vector

Mask = NDArray[np.bool_]
Gray = NDArray[np.uint8]

LEVELS = 32
"""Gray levels of the co-occurrence matrices."""

BLACK = 10
"""Pixels at the border that are darker than this in all channels are not part of the slide: it was masked out."""

ROUND = np.ones((3, 3), bool)


def cell_features(image: NDArray[np.uint8], side: int) -> Vector:
    """The features of an image, uint8 (height, width, 3), as float32 (features,), all finite.

    The image is scaled down until no side is longer than ``side``. Features of a region that is not found are zero.
    """
    return np.array(list(named_features(image, side).values()), np.float32)


def named_features(image: NDArray[np.uint8], side: int) -> dict[str, float]:
    """The features by name, as in ``cell_features``."""
    from skimage.color import rgb2hsv, rgb2lab

    small = _scaled(image, side)
    nucleus, cell = segmented(small)
    found = dict(_shape(nucleus, cell))
    around = _frame(cell)
    part, regions = small[around], {"nucleus": nucleus[around], "cytoplasm": (cell & ~nucleus)[around]}
    colors = np.concatenate([rgb2lab(part), _without_hue_wrap(rgb2hsv(part))], axis=2)
    patterns = binary_patterns(part[:, :, 1])
    for name, region in regions.items():
        found |= _color(name, colors, region)
        found |= _cooccurrence(name, part[:, :, 1], region)
        found |= _pattern_shares(name, patterns, region)
    return found


def _frame(cell: Mask) -> tuple[slice, slice]:
    """The part of the image with the cell and the pixels next to it; all of it if there is no cell."""
    if not cell.any():
        return slice(None), slice(None)
    rows, columns = (np.flatnonzero(cell.any(axis=axis)) for axis in (1, 0))
    return slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2)


def _scaled(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # As real numbers, rounded once: bytes would be rounded after each axis, with results that depend on their order.
    channels = [Image.fromarray(image[:, :, number].astype(np.float32)) for number in range(3)]
    small = [np.asarray(channel.resize(size, Image.Resampling.BILINEAR)) for channel in channels]
    return np.round(np.stack(small, axis=2)).clip(0, 255).astype(np.uint8)


def segmented(image: NDArray[np.uint8]) -> tuple[Mask, Mask]:
    """The nucleus, and the cell that contains it; both are empty if the image has too few gray levels."""
    from scipy import ndimage

    slide = ~_masked_out(image)
    smooth = np.round(ndimage.gaussian_filter(image[:, :, 1].astype(np.float32), 1.0)).astype(np.uint8)
    dark, stained = _thresholds(smooth, slide)
    nucleus = _central(_cleaned((smooth <= dark) & slide))
    body = _cleaned(((smooth <= stained) & slide) | nucleus)
    near = ndimage.distance_transform_edt(~nucleus) <= 0.15 * max(nucleus.shape) if nucleus.any() else nucleus
    parts, _ = ndimage.label(body, ROUND)
    touched = np.unique(parts[nucleus])
    return nucleus, (np.isin(parts, touched[touched > 0]) & near) | nucleus


def _masked_out(image: NDArray[np.uint8]) -> Mask:
    """Black regions at the border, as in images of cells that were cut out."""
    from scipy import ndimage

    parts, _ = ndimage.label(image.max(axis=2) < BLACK, ROUND)
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    numbers, counts = np.unique(border[border > 0], return_counts=True)
    return np.isin(parts, numbers[counts >= max(image.shape) // 8])


def _thresholds(gray: Gray, slide: Mask) -> tuple[int, int]:
    """The highest gray level of the nucleus and of stained pixels; -1 if there is nothing to tell apart."""
    from skimage.filters import threshold_multiotsu

    cut_out = slide.mean() < 0.95
    try:
        levels = threshold_multiotsu(gray[slide], classes=2 if cut_out else 3)
    except ValueError:  # fewer gray levels than classes
        return -1, -1
    return int(levels[0]), 255 if cut_out else int(levels[1])


def _cleaned(mask: Mask) -> Mask:
    """Without specks and holes."""
    from scipy import ndimage

    filled: Mask = ndimage.binary_fill_holes(ndimage.binary_opening(mask, ROUND))
    return filled


def _central(mask: Mask) -> Mask:
    """The component that is large and central, with its neighbors of at least a twentieth of its area: other lobes."""
    from scipy import ndimage

    parts, count = ndimage.label(mask, ROUND)
    if not count:
        return mask
    numbers = np.arange(1, count + 1)
    areas = ndimage.sum_labels(mask, parts, numbers)
    places = np.array(ndimage.center_of_mass(mask, parts, numbers))
    side, middle = max(mask.shape), (np.array(mask.shape) - 1) / 2
    main = int(np.argmax(areas * np.exp(-((np.linalg.norm(places - middle, axis=1) / (side / 4)) ** 2))))
    near = np.linalg.norm(places - places[main], axis=1) < 0.3 * side
    return np.isin(parts, numbers[near & (areas >= areas[main] / 20)])


def _shape(nucleus: Mask, cell: Mask) -> Iterator[tuple[str, float]]:
    """Size and outline: of the nucleus, of its largest lobe, and of the cell."""
    from skimage.measure import label, regionprops

    lobes = regionprops(label(nucleus)) if nucleus.any() else []
    largest = max(lobes, key=_size) if lobes else None
    whole = regionprops(nucleus.astype(np.uint8))[0] if lobes else None
    body = regionprops(cell.astype(np.uint8))[0] if lobes else None
    yield "nucleus_lobes", float(len(lobes))
    yield "nucleus_largest_lobe", largest.area / whole.area if largest and whole else 0.0
    for name, region in (("nucleus", whole), ("lobe", largest), ("cell", body)):
        yield from _outline(name, region, nucleus.size)
    hu = np.abs(whole.moments_hu) if whole else np.zeros(7)  # the sign of the last changes when an image is mirrored
    yield from ((f"nucleus_hu_{number}", float(np.log10(value + 1e-8))) for number, value in enumerate(hu, 1))
    yield "nucleus_share", whole.area / body.area if whole and body else 0.0
    shift = np.subtract(whole.centroid, body.centroid) if whole and body else np.zeros(2)
    yield "nucleus_off_center", float(np.linalg.norm(shift) / np.sqrt(nucleus.size))


def _size(lobe: Any) -> tuple[float, ...]:
    """The area, and shape for lobes of the same area: which one comes first depends on how the image is turned."""
    return lobe.area, round(lobe.eccentricity, 6), round(lobe.perimeter, 6)


def _outline(name: str, region: Any, pixels: int) -> Iterator[tuple[str, float]]:
    area, perimeter = (region.area, region.perimeter) if region else (0.0, 0.0)
    yield f"{name}_area", area / pixels
    yield f"{name}_roundness", 4 * np.pi * area / perimeter**2 if perimeter else 0.0
    yield f"{name}_solidity", region.solidity if area > 3 else 0.0  # a hull needs pixels that are not in a line
    yield f"{name}_eccentricity", region.eccentricity if region else 0.0


def _without_hue_wrap(hsv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hue is an angle: its mean would be wrong near red, where it jumps from 1 to 0."""
    hue, saturation, value = np.moveaxis(hsv, 2, 0)
    angle = 2 * np.pi * hue
    return np.stack([saturation * np.cos(angle), saturation * np.sin(angle), value], axis=2)


def _color(name: str, colors: NDArray[np.float64], region: Mask) -> dict[str, float]:
    """Mean and standard deviation of each channel."""
    inside = colors[region] if region.any() else np.zeros((1, colors.shape[2]))
    channels = ("lightness", "green_red", "blue_yellow", "hue_cosine", "hue_sine", "value")
    means = {f"{name}_{channel}_mean": float(mean) for channel, mean in zip(channels, inside.mean(0), strict=True)}
    spreads = {f"{name}_{channel}_sd": float(sd) for channel, sd in zip(channels, inside.std(0), strict=True)}
    return means | spreads


def _cooccurrence(name: str, gray: Gray, region: Mask) -> dict[str, float]:
    """Properties of gray-level co-occurrence matrices (Haralick et al. 1973), averaged over directions."""
    from skimage.feature import graycomatrix, graycoprops

    levels = np.where(region, gray // (256 // LEVELS) + 1, 0).astype(np.uint8)
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    pairs = graycomatrix(levels, [1, 3], angles, LEVELS + 1, symmetric=True)[1:, 1:]
    pairs = pairs.sum(axis=3, keepdims=True, dtype=np.float64)
    if not pairs.sum(axis=(0, 1)).all():
        pairs[0, 0] += 1  # no two pixels of the region have this distance
    named: dict[str, float] = {}
    for kind in ("contrast", "homogeneity", "energy", "correlation", "entropy"):
        near, far = graycoprops(pairs, kind)[:, 0]
        named |= {f"{name}_{kind}_1": float(near), f"{name}_{kind}_3": float(far)}
    return named


def binary_patterns(gray: Gray) -> NDArray[np.intp]:
    """The rotation-invariant uniform local binary pattern of each pixel (Ojala et al. 2002, eq. 9), 0 to 9.

    Each pixel is compared with its eight neighbors as they are. Interpolated neighbors on a circle, as in scikit-image,
    make equal gray levels differ by rounding errors, which then depend on how the image is turned.
    """
    padded = np.pad(gray, 1, mode="edge")
    height, width = gray.shape
    around = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    brighter = np.array([padded[r : r + height, c : c + width] >= gray for r, c in around])
    changes = (brighter != np.roll(brighter, 1, axis=0)).sum(axis=0)
    return np.where(changes <= 2, brighter.sum(axis=0), 9)


def _pattern_shares(name: str, patterns: NDArray[np.intp], region: Mask) -> dict[str, float]:
    inside = patterns[region]
    shares = np.bincount(inside, minlength=10) / max(len(inside), 1)
    return {f"{name}_pattern_{number}": float(share) for number, share in enumerate(shares)}
