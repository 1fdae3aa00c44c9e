"""Images per second of the stage ``catalog``, from reading to near-identical pictures, and the memory it takes."""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from bench import harness
from cytocurve.config import ProjectPaths
from cytocurve.text import counted
from cytocurve.workflows.stages.catalog import catalog

WANTED = 150
MEMORY = 1024
PARAMS = """\
dataset: drawn
task: {positive: [a], negative: [b]}
labels: [folder]
architectures: [sequential]
augmentations: [none]
folds: 3
sizes: [10]
seeds: [0]
image_size: 257
training: {}
settings: {sequential: {}, none: {}}
"""


def main() -> None:
    """Draw images, and measure a child that catalogues them."""
    given = harness.options(__doc__ or "", "python -m bench.catalog --images 17000", images=2000, rounds=1)
    with tempfile.TemporaryDirectory() as folder:
        _draw(Path(folder), given.images)
        found = [harness.ask("bench.catalog", "--measure", folder) for _ in range(given.rounds)]
    rate = max(child["rate"] for child in found)
    memory = max(child["memory"] for child in found)
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    rows = [
        ["images per second of wall time", f"{rate:.0f}", f"at least {WANTED}, {harness.verdict(rate, WANTED)}"],
        ["images per second of CPU time, per core", f"{max(child['cpu'] for child in found):.0f}", ""],
        ["peak memory", f"{memory:.0f} MiB", f"at most {MEMORY} MiB, {harness.verdict(memory, MEMORY, True)}"],
    ]
    harness.write(
        f"catalog_{given.images}",
        f"Catalog of {given.images:,} images",
        f"JPEG images of 360x363 pixels, best of {counted(given.rounds, 'round')}, each in its own process; load "
        f"averages: {load}.\n\n" + harness.table(["", "", "target"], rows),
    )


def _draw(root: Path, count: int) -> None:
    """Plain cells, all different: discs of many sizes and positions on backgrounds of low and high frequencies."""
    (root / "params.yaml").write_text(PARAMS)
    images = root / "data" / "drawn" / "images"
    lines = ["image,label"]
    rng = np.random.default_rng(0)
    down, across = np.mgrid[:90, :90]
    noise = rng.integers(0, 9, (363, 360, 1), dtype=np.uint8)
    for label in "ab":
        (images / label).mkdir(parents=True)
    for number in range(count):
        ground = Image.fromarray(rng.integers(160, 246, (6, 6, 3), dtype=np.uint8)).resize((90, 90))
        small = np.array(ground)
        for radius in rng.integers(5, 22, 3):
            row, column = rng.integers(15, 75, 2)
            small[np.hypot(down - row, across - column) < radius] -= rng.integers(10, 50, 3, dtype=np.uint8)
        pixels = np.asarray(Image.fromarray(small).resize((360, 363))) + noise
        name = f"{'ab'[number % 2]}/{number:05d}.jpg"
        Image.fromarray(pixels).save(images / name, quality=90)
        lines.append(f"{name},{name[0]}")
    (root / "data" / "drawn" / "labels").mkdir()
    (root / "data" / "drawn" / "labels" / "folder.csv").write_text("\n".join(lines) + "\n")


def _silent(done: int, total: int) -> None:
    pass


def _measure(root: Path) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    count = catalog(ProjectPaths(root), _silent).images
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": count / wall, "cpu": count / cpu, "memory": memory}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measure(Path(sys.argv[2]))
    else:
        main()
