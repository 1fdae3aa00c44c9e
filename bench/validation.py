"""What the 95 % intervals of ``cytocurve validate`` cover, for patients whose cells resemble each other."""

from collections.abc import Mapping

import numpy as np
from scipy.special import expit, ndtr

from bench import harness
from cytocurve.core.statistics.clusters import Estimate, Units, estimates
from cytocurve.core.statistics.metrics import Labels, Probabilities, accuracy, roc_auc, sensitivity

METRICS = {"roc_auc": roc_auc, "sensitivity": sensitivity, "accuracy": accuracy}
CASES = ((5, 4, 1.0, 1.5), (10, 1, 0.0, 1.5), (10, 10, 0.3, 1.5), (10, 10, 1.0, 1.5), (10, 10, 1.0, 3.0),
         (20, 10, 1.0, 1.5), (40, 5, 1.0, 1.5))  # fmt: skip
"""Patients per class, their mean number of images, sd over patients, distance of the classes in sd of an image."""
RESAMPLES = 400


def main() -> None:
    """Simulate validations of patients with different numbers of images (takes minutes)."""
    given = harness.options(__doc__ or "", "python -m bench.validation --studies 50", studies=200, seed=1)
    random = np.random.default_rng(given.seed)
    rows = []
    for case in CASES:
        found = [validated(random, *case) for _ in range(given.studies)]
        patients, images, spread, distance = case
        truth = expected(spread, distance)
        cells = []
        for metric, value in truth.items():
            held = np.mean([its[metric].ci_low <= value <= its[metric].ci_high for its in found])
            width = np.mean([its[metric].ci_high - its[metric].ci_low for its in found])
            cells.append(f"{held:.1%} ({width:.2f})")
        rows.append([f"{patients} + {patients}", images, spread, distance, *cells])
    columns = [
        "patients",
        "images each, mean",
        "sd over patients",
        "distance of classes",
        "ROC-AUC",
        "sensitivity",
        "accuracy",
    ]
    harness.write(
        "validation",
        "Coverage of the intervals of a validation",
        f"{given.studies:,} simulated validations a row, seed {given.seed}, {RESAMPLES} resamples. The score of an "
        "image is normal around its patient's, which is normal around its class's; patients have 1 to twice the mean "
        "number of images. Distance is in sd of an image. Coverage of 95 % intervals, and their mean width.\n\n"
        + harness.table(columns, rows),
    )


def expected(spread: float, distance: float) -> Mapping[str, float]:
    """The true scores, for a threshold halfway between the classes."""
    sd = np.hypot(spread, 1)
    right = float(ndtr(distance / 2 / sd))
    return {"roc_auc": float(ndtr(distance / sd / np.sqrt(2))), "sensitivity": right, "accuracy": right}


def validated(
    random: np.random.Generator, patients: int, images: int, spread: float, distance: float
) -> Mapping[str, Estimate]:
    """The estimates of one simulated validation."""
    sizes = random.integers(1, 2 * images, 2 * patients) if images > 1 else np.ones(2 * patients, np.intp)
    patient = np.repeat(np.arange(2 * patients), sizes)
    labels = patient % 2
    scores = distance * (labels - 0.5) + random.normal(0, spread, 2 * patients)[patient]
    positive = expit(scores + random.normal(0, 1, len(labels)))
    units = min((Units.of(sizes[number::2].tolist()) for number in (0, 1)), key=lambda its: its.effective)
    return estimates(
        labels, np.stack([1 - positive, positive], axis=1), patient.tolist(), _score, dict.fromkeys(METRICS, units),
        RESAMPLES,
    )  # fmt: skip


def _score(labels: Labels, probabilities: Probabilities) -> Mapping[str, float]:
    return {name: metric(labels, probabilities) for name, metric in METRICS.items()}


if __name__ == "__main__":
    main()
