"""Paint synthetic stained blood cells as arrays, bit for bit identical on every machine.

An image is light that passes through layers: each layer multiplies every color channel by one minus its absorption.
All operations are those of ``drawing`` or others whose results IEEE 754 defines. Lengths are in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from cytocurve.datasets.starter.drawing import (
    Plane,
    Point,
    Range,
    Rng,
    bell,
    blur,
    cut,
    direction,
    noise,
    smoothstep,
    turn,
    uniform,
    union,
)

SIDE = 257
"""Height and width of an image in pixels, as in ALL-IDB2."""

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Smear:
    """A slide's stain and lighting: ``light`` through bare glass and what layers absorb, as red, green, blue in 0..1.

    ``crowding`` is the number of red cells that are tried, ``focus`` the number of blurring passes, ``noise``
    the sensor's, in units of 0..1, and ``tilt`` the change of light across the image.
    """

    light: Color
    chromatin: Color
    red: Color
    strength: float
    crowding: int
    focus: int
    noise: float
    tilt: Point


@dataclass(frozen=True)
class Granules:
    """Granules of the cytoplasm: how many, their radii and what they absorb."""

    count: Range
    radius: Range
    color: Color


@dataclass(frozen=True)
class Look:
    """Ranges from which one cell of a type is drawn.

    ``radius`` is the cell's, ``filling`` the nuclear radius as a part of it, ``form`` one of round, indented,
    kidney, lobed and none; ``density`` is the chromatin's, ``clumping`` its contrast from fine (0) to
    coarse (1), ``nucleoli`` their number, ``rim`` how much deeper the cytoplasm stains at its edge.
    """

    form: str
    radius: Range
    filling: Range = (0.0, 0.0)
    wobble: Range = (0.0, 0.0)
    density: Range = (0.0, 0.0)
    clumping: Range = (0.0, 0.0)
    nucleoli: Range = (0.0, 0.0)
    cytoplasm: Color = (0.0, 0.0, 0.0)
    rim: Range = (0.0, 0.3)
    granules: Granules | None = None


BLACK = 0.22
"""The fraction of the unattenuated light that the camera shows as black; it sets the contrast."""

PLATELET: Color = (0.36, 0.45, 0.14)
"""The absorption of a platelet's middle."""


@dataclass(frozen=True)
class Patch:
    """A rectangle of the image around a point: its slices, and its pixels' offsets from the point (h, 1), (1, w)."""

    rows: slice
    columns: slice
    y: Plane
    x: Plane

    @classmethod
    def around(cls, center: Point, reach: float) -> "Patch":
        """All pixels of the image within ``reach`` of the center, along rows and along columns."""
        top, left = (min(max(int(c - reach), 0), SIDE) for c in center)
        bottom, right = (min(max(int(c + reach) + 2, 0), SIDE) for c in center)
        y = np.arange(top, bottom, dtype=np.float64)[:, None] - center[0]
        x = np.arange(left, right, dtype=np.float64)[None, :] - center[1]
        return cls(slice(top, bottom), slice(left, right), y, x)


def blob(rng: Rng, patch: Patch, radius: float, wobble: float, at: Point = (0.0, 0.0), squeeze: float = 0.08) -> Plane:
    """Depth in pixels inside a wobbly ellipse around ``at``, negative outside; shape of the patch."""
    down, right = direction(rng)
    stretch = 1.0 + uniform(rng, (0, squeeze))
    y, x = patch.y - at[0], patch.x - at[1]
    v, u = (y * right + x * down) * stretch, (x * right - y * down) / stretch
    r = np.sqrt(v * v + u * u) + 1e-9
    cosine, sine = u / r, v / r
    outline = np.full(r.shape, radius)
    c, s = cosine, sine
    for order in (2, 3, 4, 5):
        c, s = c * cosine - s * sine, s * cosine + c * sine
        size = wobble * radius * 4.0 / (order * order)
        outline += c * (size * bell(rng)) + s * (size * bell(rng))
    return outline - r


def absorb(film: Plane, patch: Patch, cover: Plane, color: Color) -> None:
    """Lay a layer onto the film (3, SIDE, SIDE) in place: ``cover`` says how much of the color's absorption."""
    for channel in range(3):
        film[channel, patch.rows, patch.columns] *= 1.0 - np.minimum(cover * color[channel], 0.93)


def clear(film: Plane, patch: Patch, cover: Plane) -> None:
    """Remove what lies under a cell, which pushes red cells aside."""
    for channel in range(3):
        part = film[channel, patch.rows, patch.columns]
        part += (1.0 - part) * cover


def red_cell(film: Plane, rng: Rng, center: Point, radius: float, color: Color, tint: float) -> None:
    """A biconcave red cell whose thickness follows Evans and Fung 1972."""
    patch = Patch.around(center, radius * 1.3 + 2)
    depth = blob(rng, patch, radius, 0.03, squeeze=0.12)
    rho = np.clip(1.0 - depth / radius, 0.0, 1.0)
    square = rho * rho
    pallor = uniform(rng, (0.2, 1.0))
    profile = np.sqrt(1.0 - square * square * square) * (0.35 + square * (1.9 - 0.95 * square))
    cover = (profile * pallor + (1.0 - pallor) * 0.8) * smoothstep(depth / 2.5 + 0.5)
    absorb(film, patch, cover * tint, color)


def red_cells(film: Plane, rng: Rng, smear: Smear, keep_clear: float) -> None:
    """Red cells around the middle, touching and sometimes overlapping, none nearer than ``keep_clear`` to it."""
    placed: list[tuple[float, float, float]] = []
    middle, tint = SIDE / 2, uniform(rng, (0.75, 1.4))
    for _ in range(int(smear.crowding * uniform(rng, (0.4, 1.4)))):
        radius = 43.0 + 3.5 * bell(rng)
        y, x = uniform(rng, (-35, SIDE + 35)), uniform(rng, (-35, SIDE + 35))
        gap = uniform(rng, (0.72, 1.05))
        others = [*placed, (middle, middle, keep_clear / gap)]
        if all(
            (y - b) * (y - b) + (x - a) * (x - a) > (gap * (radius + r)) * (gap * (radius + r)) for b, a, r in others
        ):
            placed.append((y, x, radius))
            red_cell(film, rng, (y, x), radius, smear.red, tint * uniform(rng, (0.85, 1.15)))


def segments(rng: Rng, patch: Patch, radius: float, wobble: float) -> Plane:
    """Depth inside two to four nuclear segments on an arc, joined by thin bridges."""
    count = 2 + int(uniform(rng, (0.4, 2.99)))
    arm, size = direction(rng), radius * (0.53 - 0.05 * count)
    step = 3.3 / count * uniform(rng, (0.8, 1.15))
    distance = radius - size
    depth, last = np.full(np.broadcast_shapes(patch.y.shape, patch.x.shape), -1e3), None
    for _ in range(count):
        reach = distance * uniform(rng, (0.75, 1.0))
        at = (arm[0] * reach, arm[1] * reach)
        depth = union(depth, blob(rng, patch, size * uniform(rng, (0.9, 1.15)), wobble + 0.04, at, 0.3), 3.0)
        if last is not None:
            depth = union(depth, bridge(patch, last, at, 2.5), 4.0)
        last, arm = at, turn(arm, step)
    return depth


def bridge(patch: Patch, start: Point, end: Point, width: float) -> Plane:
    """Depth inside a straight thread of chromatin between two points."""
    dy, dx = end[0] - start[0], end[1] - start[1]
    y, x = patch.y - start[0], patch.x - start[1]
    along = np.clip((y * dy + x * dx) / (dy * dy + dx * dx + 1e-9), 0.0, 1.0)
    v, u = y - along * dy, x - along * dx
    return width - np.sqrt(v * v + u * u)


def nucleus(rng: Rng, patch: Patch, look: Look, radius: float, room: float) -> Plane:
    """Depth inside a nucleus of the look's form; ``room`` is how far it may lie from the cell's middle."""
    wobble, side = uniform(rng, look.wobble), direction(rng)
    if look.form == "lobed":
        return segments(rng, patch, radius, wobble)
    shift = room * uniform(rng, (0.1, 0.9))
    at = (side[0] * shift, side[1] * shift)
    whole = blob(rng, patch, radius, wobble, at, 0.14)
    if look.form == "round":
        return whole
    bite, far = (0.55, 1.0) if look.form == "kidney" else (0.45, 1.1)
    notch = (at[0] - side[0] * radius * far, at[1] - side[1] * radius * far)
    return cut(whole, blob(rng, patch, radius * bite, 0.05, notch, 0.3), 8.0)


def chromatin(rng: Rng, patch: Patch, depth: Plane, look: Look) -> Plane:
    """Density of the nuclear stain: fine and even in blasts, dark clumps with pale gaps in mature cells."""
    clumping = uniform(rng, look.clumping)
    coarse = noise(rng, patch.y, patch.x, 14.0) * 0.65 + noise(rng, patch.y, patch.x, 7.5) * 0.35
    fine = noise(rng, patch.y, patch.x, 4.0)
    clumps = smoothstep((coarse - 0.30) / 0.28)
    texture = 1.0 + clumping * 0.6 * (clumps - 0.72) + (0.22 - 0.1 * clumping) * (fine - 0.5)
    membrane = smoothstep(1.0 - np.abs(depth - 2.0) / 4.0) * 0.08
    density: Plane = uniform(rng, look.density) * (texture + membrane)
    return density


def nucleoli(rng: Rng, patch: Patch, depth: Plane, density: Plane, look: Look) -> Plane:
    """The density with pale, round nucleoli in it, each with a darker rim of chromatin."""
    for _ in range(int(uniform(rng, look.nucleoli))):
        toward, radius = direction(rng), uniform(rng, (6.0, 10.0))
        reach = uniform(rng, (0, 32))
        spot = blob(rng, patch, radius, 0.05, (toward[0] * reach, toward[1] * reach), 0.2)
        inside = smoothstep(spot / 3.5 + 0.5) * smoothstep((depth - 3.0) / 4.0)
        edge = smoothstep(1.0 - np.abs(spot + 1.0) / 3.0)
        density = density * (1.0 - inside * uniform(rng, (0.25, 0.5)) + edge * 0.08)
    return density


def granules(film: Plane, rng: Rng, center: Point, radius: float, look: Granules, strength: float) -> None:
    """Round granules all over the cell, in place."""
    for _ in range(int(uniform(rng, look.count))):
        toward, size = direction(rng), uniform(rng, look.radius)
        reach = (radius - size - 1.5) * sqrt(float(rng.random_sample()))
        patch = Patch.around((center[0] + toward[0] * reach, center[1] + toward[1] * reach), size + 1)
        spot = smoothstep(1.15 - (patch.y * patch.y + patch.x * patch.x) / (size * size))
        absorb(film, patch, spot * (strength * uniform(rng, (0.6, 1.1))), look.color)


def leukocyte(film: Plane, rng: Rng, smear: Smear, look: Look, center: Point, radius: float) -> None:
    """A white cell: cytoplasm, nucleus with chromatin and nucleoli, granules."""
    patch = Patch.around(center, radius * 1.3 + 4)
    if patch.rows.start == patch.rows.stop or patch.columns.start == patch.columns.stop:
        return
    body = blob(rng, patch, radius, uniform(rng, look.wobble), squeeze=0.1)
    nuclear = radius * uniform(rng, look.filling)
    kernel = nucleus(rng, patch, look, nuclear, radius - nuclear)
    kernel = cut(kernel, 1.0 - body, 3.0)
    cover = smoothstep(body / 3.0 + 0.5)
    clear(film, patch, cover * 0.95)
    mottle = 0.8 + 0.4 * noise(rng, patch.y, patch.x, 5.0)
    rim = 1.0 + uniform(rng, look.rim) * smoothstep(1.0 - body / 9.0)
    strength = smear.strength * uniform(rng, (0.65, 1.15))
    nuclear_cover = smoothstep(kernel / 3.0 + 0.5)
    absorb(film, patch, cover * (1.0 - 0.8 * nuclear_cover) * mottle * rim * strength, look.cytoplasm)
    if look.granules:
        granules(film, rng, center, radius, look.granules, strength)
    density = nucleoli(rng, patch, kernel, chromatin(rng, patch, kernel, look), look)
    absorb(film, patch, nuclear_cover * density * strength, smear.chromatin)


def platelet(film: Plane, rng: Rng, smear: Smear, center: Point, radius: float) -> None:
    """A platelet: no nucleus, a grainy violet middle in a pale rim."""
    patch = Patch.around(center, radius * 1.6 + 4)
    depth = blob(rng, patch, radius, uniform(rng, (0.05, 0.14)), squeeze=0.25)
    cover = smoothstep(depth / 4.0 + 0.5)
    clear(film, patch, cover * 0.4)
    grain = noise(rng, patch.y, patch.x, 3.0)
    middle = smoothstep(depth / (radius * 0.9))
    absorb(film, patch, cover * (0.35 + middle * (0.5 + 0.9 * grain)) * smear.strength, PLATELET)


def platelets(film: Plane, rng: Rng, smear: Smear, look: Look) -> None:
    """One platelet or a clump of up to five in the middle of the image."""
    y = x = SIDE / 2
    for _ in range(1 + int(uniform(rng, (0, 1)) * uniform(rng, (0, 5)))):
        radius = uniform(rng, look.radius)
        platelet(film, rng, smear, (y, x), radius)
        toward = direction(rng)
        y, x = y + toward[0] * radius * 1.7, x + toward[1] * radius * 1.7


def surroundings(film: Plane, rng: Rng, smear: Smear, passers: Sequence[Look], keep_clear: float) -> None:
    """Plasma, red cells, stray platelets and sometimes a white cell cut off by the image's edge."""
    whole = Patch.around((SIDE / 2, SIDE / 2), SIDE)
    absorb(film, whole, noise(rng, whole.y, whole.x, 60.0), (0.02, 0.04, 0.03))
    red_cells(film, rng, smear, keep_clear)
    for _ in range(int(uniform(rng, (0, 1)) * uniform(rng, (0, 4)))):
        toward, reach = direction(rng), uniform(rng, (keep_clear + 25, 170))
        at = (SIDE / 2 + toward[0] * reach, SIDE / 2 + toward[1] * reach)
        platelet(film, rng, smear, at, uniform(rng, (7, 14)))
    if rng.random_sample() < 0.6:
        toward, look = direction(rng), passers[int(uniform(rng, (0, len(passers))))]
        radius = uniform(rng, look.radius)
        reach = max(keep_clear + 0.85 * radius, uniform(rng, (95, 170)))
        at = (SIDE / 2 + toward[0] * reach, SIDE / 2 + toward[1] * reach)
        leukocyte(film, rng, smear, look, at, radius)


def expose(film: Plane, rng: Rng, smear: Smear) -> NDArray[np.uint8]:
    """The photograph (SIDE, SIDE, 3): uneven light, a slight blur, and shot noise."""
    patch = Patch.around((SIDE / 2, SIDE / 2), SIDE)
    y, x = patch.y / SIDE, patch.x / SIDE
    lamp = (1.0 + y * smear.tilt[0] + x * smear.tilt[1]) * (1.0 - 0.16 * (y * y + x * x))
    dim = uniform(rng, (0.8, 1.03))
    film = blur(film, smear.focus)
    grain = rng.random_sample((3, SIDE, SIDE)) + rng.random_sample((3, SIDE, SIDE)) - 1.0
    image = np.empty((SIDE, SIDE, 3), dtype=np.uint8)
    for channel in range(3):
        light = film[channel] * lamp * (smear.light[channel] * dim * uniform(rng, (0.95, 1.03)))
        light = np.clip((light - BLACK) / (1.0 - BLACK), 0.0, 1.0)
        light = light + grain[channel] * np.sqrt(light) * smear.noise
        image[:, :, channel] = np.rint(np.clip(light, 0.0, 1.0) * 255.0).astype(np.uint8)
    return image


def smear(rng: Rng) -> Smear:
    """A slide with a stain and lighting of its own."""
    warm, stain, deep = uniform(rng, (0, 1)), uniform(rng, (-1, 1)), uniform(rng, (0, 1))
    return Smear(
        light=(0.93 + 0.06 * warm, 0.88 + 0.04 * uniform(rng, (-1, 1)), 0.93 - 0.14 * warm),
        chromatin=(0.66 - 0.05 * stain, 0.80, 0.44 + 0.06 * stain),
        red=(0.14 + 0.10 * deep, 0.25 + 0.18 * deep, 0.20 + 0.08 * deep + 0.04 * stain),
        strength=uniform(rng, (0.88, 1.08)),
        crowding=int(uniform(rng, (20, 80))),
        focus=1 + int(uniform(rng, (0, 2.5))),
        noise=uniform(rng, (0.012, 0.03)),
        tilt=(0.12 * bell(rng), 0.12 * bell(rng)),
    )


def paint(look: Look, passers: Sequence[Look], slide: Smear, seed: int) -> NDArray[np.uint8]:
    """One photograph (SIDE, SIDE, 3) of a cell among its neighbors; sometimes one of the passers is at the edge."""
    rng = Rng(seed)
    film = np.ones((3, SIDE, SIDE))
    radius = uniform(rng, look.radius)
    if look.form == "none":
        surroundings(film, rng, slide, passers, 2.0 * radius)
        platelets(film, rng, slide, look)
    else:
        surroundings(film, rng, slide, passers, radius)
        leukocyte(film, rng, slide, look, (SIDE / 2 + 4 * bell(rng), SIDE / 2 + 4 * bell(rng)), radius)
    return expose(film, rng, slide)
