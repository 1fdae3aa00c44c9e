"""The full published grid with augmentation, 200 runs, through a real ``dvc repro`` in a fresh clone."""

import os
import re
import tempfile
from pathlib import Path
from statistics import median

import pandas as pd

from bench import clones, contenders, harness, peak

ARM = "sequential-flip_rotate-expert"


def main() -> None:
    """Run the grid once and report how long it took."""
    given = harness.options(__doc__ or "", "python -m bench.grid --folds 3 --largest 20", folds=10, largest=200)
    sizes = list(range(10, given.largest + 1, 10))
    with tempfile.TemporaryDirectory() as folder:
        changes = {"augmentations": ["flip_rotate"], "folds": given.folds, "sizes": sizes}
        clone = clones.clone(Path(folder) / "clone", changes)
        cost = clones.command(clone, "dvc", "repro")
        results = pd.read_parquet(clone / "results" / f"{ARM}.parquet")
    published = _figure(cost.output, "publish seconds") / cost.wall
    published_cpu = _figure(cost.output, "publish cpu seconds") / cost.cpu
    epochs, steps = results["epochs"], results["epochs"] * results["size"] / 5
    wall, cpu = cost.wall / 60, cost.cpu / 60
    flops = peak.nominal_flops(contenders.make_job("none", 10, 257, 1)) * steps.sum()
    ideal = flops / (median(peak.peak_rate() for _ in range(9)) * (os.cpu_count() or 1)) / 60
    rows = [
        ["runs, mean epochs, steps", f"{len(results)}, {epochs.mean():.0f}, {steps.sum():,.0f}", ""],
        ["nominal work", f"{flops / 1e12:.0f} TFLOP", ""],
        ["nominal work at the measured peak of all cores", f"{ideal:.0f} min", ""],
        ["`dvc repro`, all stages", f"{wall:.1f} min", f"15 min (aim 8), {harness.verdict(wall, 15, True)}"],
        ["CPU time of all processes", f"{cpu:.1f} min", ""],
        [
            "memory of the largest process",
            f"{cost.memory:.0f} MiB",
            f"1 GiB, {harness.verdict(cost.memory, 1024, True)}",
        ],
        ["publishing, share of wall time", f"{published:.2%}", f"2 %, {harness.verdict(published, 0.02, True)}"],
        ["publishing, share of CPU time", f"{published_cpu:.2%}", f"2 %, {harness.verdict(published_cpu, 0.02, True)}"],
    ]
    harness.write(
        "grid",
        "The full published grid",
        f"{given.folds} folds, {len(sizes)} training sizes to {given.largest}, flips and rotations, with early "
        "stopping: catalog, folds, training, MLflow runs, curves, report and a registered model, in a fresh clone "
        "with an empty ledger.\n\n" + harness.table(["", "", "target: at most"], rows),
    )


def _figure(output: str, name: str) -> float:
    found = re.search(rf"\b{name} ([0-9.]+)", output)
    return float(found[1]) if found else float("nan")


if __name__ == "__main__":
    main()
