"""Whether both engines give the same curves: paired over folds, with another seed of the native engine as control."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from bench import clones, harness
from cytocurve.yaml_files import read_yaml

ARM = "sequential-none-expert"
SIZES = [20, 50]
OTHERS: Mapping[str, Mapping[str, Any]] = {
    "Keras engine": {"engine": "keras", "seed": 0},
    "native engine, another seed": {"engine": "native", "seed": 1},
}


def main() -> None:
    """Train with both engines and compare; takes about ten minutes."""
    given = harness.options(__doc__ or "", "python -m bench.agreement --folds 4 --epochs 5", folds=10, epochs=500)
    with tempfile.TemporaryDirectory() as folder:
        reference = _scores(Path(folder) / "reference", "native", 0, given.folds, given.epochs)
        rows = []
        for number, (title, other) in enumerate(OTHERS.items()):
            found = _scores(Path(folder) / str(number), other["engine"], other["seed"], given.folds, given.epochs)
            rows += [_row(title, size, reference[size].to_numpy(), found[size].to_numpy()) for size in SIZES]
    harness.write(
        "agreement",
        "Agreement of the engines",
        f"ROC-AUC on the test folds of the starter dataset, {given.folds} folds, no augmentation, each against the "
        "native engine with the same folds, initial weights and batches. Long trainings diverge through rounding, so "
        "single runs differ; the curves must agree. The interval and the Wilcoxon signed-rank test are of the paired "
        "differences over folds. Equivalence is two one-sided paired t-tests (Schuirmann 1987) with a margin of the "
        "sd over folds. The last rows show the effect of chance alone.\n\n"
        + harness.table(
            ["against native", "n", "native", "other", "difference, 95 % interval", "Wilcoxon p", "equivalence p"], rows
        ),
    )


def _scores(folder: Path, engine: str, seed: int, folds: int, epochs: int) -> pd.DataFrame:
    """ROC-AUC, one row per fold, one column per size."""
    training = read_yaml(harness.ROOT / "params.yaml")["training"] | {"engine": engine, "max_epochs": epochs}
    changes = {"augmentations": ["none"], "folds": folds, "sizes": SIZES, "seeds": [seed], "training": training}
    clone = clones.clone(folder, changes)
    for words in (["dvc", "repro", "split"], ["cytocurve", "sweep", ARM]):
        clones.command(clone, *words)
    return pd.read_parquet(clone / "results" / f"{ARM}.parquet").pivot(index="fold", columns="size", values="roc_auc")


def _row(title: str, size: int, ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> list[object]:
    difference, margin = theirs - ours, float(ours.std(ddof=1))
    low, high = stats.t.interval(0.95, len(difference) - 1, difference.mean(), stats.sem(difference))
    rank = stats.wilcoxon(difference).pvalue if difference.any() else 1.0
    above = stats.ttest_1samp(difference, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(difference, margin, alternative="less").pvalue
    spreads = [f"{scores.mean():.3f} ± {scores.std(ddof=1):.3f}" for scores in (ours, theirs)]
    interval = f"{difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
    return [title, size, *spreads, interval, f"{rank:.2f}", f"{max(above, below):.4f}"]


if __name__ == "__main__":
    main()
