"""Find images that cannot be decoded completely, which their headers do not tell."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cytocurve.ingest.decoding import read_rgb
from cytocurve.ingest.scanning import bombs_refused

_THREADS = min(os.cpu_count() or 1, 8)


def damaged(images: Mapping[str, Path], progress: Callable[[int, int], None]) -> dict[str, str]:
    """Why images cannot be decoded, by name; none for those that can. Pillow releases the GIL."""
    found = {}
    with bombs_refused(), ThreadPoolExecutor(_THREADS) as pool:
        for done, (name, reason) in enumerate(zip(images, pool.map(_damage, images.values()), strict=True), start=1):
            if reason:
                found[name] = reason
            progress(done, len(images))
    return found


def _damage(path: Path) -> str:
    try:
        read_rgb(path)
    except ValueError as error:
        return f"damaged image: {error}"
    return ""
