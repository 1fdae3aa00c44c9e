"""How many planted label errors `cytocurve labels review` puts first, on the starter dataset."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from bench import clones, harness

ARM = "sequential-none-noisy"
FLIPPED = 0.05
SHARES = (0.05, 0.1)


def main() -> None:
    """Flip labels, train on them, rank them (takes minutes)."""
    given = harness.options(__doc__ or "", "python -m bench.relabelling --seed 2", folds=10, size=200, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        changes = {
            "augmentations": ["none"],
            "labels": ["expert", "noisy"],
            "folds": given.folds,
            "sizes": [given.size],
        }
        clone = clones.clone(Path(folder) / "clone", changes)
        flipped = plant(clone / "data" / "starter" / "labels", given.seed)
        clones.command(clone, "dvc", "repro", "split")
        clones.command(clone, "cytocurve", "sweep", ARM)
        ranking = json.loads(
            clones.command(clone, "cytocurve", "labels", "review", ARM, "--top", "9999", "--json").output
        )
    order = [suspect["image"] for suspect in ranking["suspects"]]
    rows = []
    for share in SHARES:
        first = order[: round(share * len(order))]
        hits = len(flipped & set(first))
        random = len(first) * len(flipped) / len(order)
        target = f"5, {harness.verdict(hits / random, 5)}" if share == SHARES[0] else ""
        rows.append(
            [f"first {share:.0%}: {len(first)} of {len(order)}", hits, f"{random:.2f}", f"{hits / random:.1f}", target]
        )
    harness.write(
        "relabelling",
        "Planted label errors found",
        f"Starter dataset, {len(flipped)} of {len(order)} labels flipped between blast and not blast (seed "
        f"{given.seed}), sequential network without augmentation, {given.folds} folds, {given.size} training images, "
        "flipped ones included; images ranked by the networks that never trained on them.\n\n"
        + harness.table(["", "flips found", "random order", "times random", "target: at least"], rows),
    )


def plant(folder: Path, seed: int) -> set[str]:
    """Write ``noisy.csv``: the expert's labels with some flipped, of images that occur once; returns their names."""
    table = pd.read_csv(folder / "expert.csv", dtype="str")
    several = twins(folder.parent / "images", table["image"].tolist())
    once = [name for name in table["image"] if name not in several]
    chosen = set(np.random.default_rng(seed).choice(once, round(FLIPPED * len(once)), replace=False).tolist())
    rows = table["image"].isin(chosen)
    blast = table["label"] == "lymphoblast"
    table.loc[rows, "label"] = np.where(blast[rows], "lymphocyte_typical", "lymphoblast")
    table.to_csv(folder / "noisy.csv", index=False)
    return chosen


def twins(folder: Path, names: list[str]) -> set[str]:
    """Files that are byte-identical to another one."""
    contents = pd.Series({name: (folder / name).read_bytes() for name in names})
    return set(contents.index[contents.duplicated(keep=False)])


if __name__ == "__main__":
    main()
