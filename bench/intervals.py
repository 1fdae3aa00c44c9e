"""What the 95 % intervals cover, and how often a curve is wrongly called saturated, in simulated studies."""

import numpy as np

from bench import harness
from bench.comparison import BASE, CHECKS, NULLS, Study, simulated
from cytocurve.core.statistics.bootstrap import mean_intervals
from cytocurve.core.statistics.curves import MARGIN, Curve
from cytocurve.core.statistics.saturation import saturation

STUDIES = (BASE, NULLS[2], NULLS[6], NULLS[9], NULLS[10], NULLS[11], CHECKS[4])
SHAPES = ((5, 1), (10, 1), (20, 1), (10, 5))
FEW = ((3, 1), (4, 1), (4, 2))
"""Folds and seeds; the intervals of few folds are computed otherwise."""
SIZES = (10, 20, 30, 50, 100, 200)
LEVEL, NOISE = 0.9, 0.01
ALLOWED = 0.05


def main() -> None:
    """Simulate independent folds with normal scores (takes minutes)."""
    given = harness.options(__doc__ or "", "python -m bench.intervals --studies 200", studies=1500, seed=1)
    random = np.random.default_rng(given.seed)
    rows = []
    own = random.spawn(1)[0]
    designs = [*((shape, own) for shape in FEW), *((shape, random) for shape in SHAPES)]
    for (folds, seeds), random_of_design in designs:
        covered = coverage(random_of_design, folds, seeds, given.studies)
        claimed, alone = wrongly_saturated(random_of_design, folds, seeds, given.studies)
        rows.append(
            [
                folds,
                seeds,
                f"{covered:.1%}",
                f"{claimed:.1%}, {harness.verdict(claimed, ALLOWED, True)}",
                f"{alone:.1%}",
            ]
        )
    columns = [
        "folds",
        "seeds",
        "95 % interval covers",
        f"falsely saturated, target: at most {ALLOWED:.0%}",
        "unordered",
    ]
    covered_by_size = [(study, in_cross_validation(study, given.studies, random)) for study in STUDIES]
    harness.write(
        "intervals",
        "Coverage of intervals, and false saturation",
        f"{given.studies:,} simulated studies a row, seed {given.seed}. Scores of folds are independent and normal; "
        "with several seeds, deviations of seeds within a fold are as large as those of folds. Saturation at the "
        f"worst: {len(SIZES)} sizes of equal mean, but for the largest, better by just more than the margin of "
        f"{MARGIN}; scores deviate by {NOISE} a fold and size. Unordered: the smallest size that passes by itself, not "
        "only where all larger ones pass.\n\n" + harness.table(columns, rows) + "\n\n### In real cross-validations\n\n"
        "The same intervals in studies of `comparison`: the share that contains the learner's expected score, over "
        "training sets, images and seeds. Training sets of folds overlap, and test images of one fold train the "
        "others, so the interval over folds is too narrow for that.\n\n"
        + harness.table(
            ["study", *["training images: coverage", *[""] * 5]],
            [
                [study.title, *(f"{size}: {share:.1%}" for size, share in shares.items()), *[""] * (6 - len(shares))]
                for study, shares in covered_by_size
            ],
        ),
    )


def coverage(random: np.random.Generator, folds: int, seeds: int, studies: int) -> float:
    """The share of studies whose interval holds the expected score."""
    values = random.normal(0, 1, (folds, 1, studies)) + random.normal(0, seeds > 1, (folds, seeds, studies))
    low, high = mean_intervals(values)
    return float(np.mean((low <= 0) & (high >= 0)))


def in_cross_validation(study: Study, studies: int, random: np.random.Generator) -> dict[int, float]:
    """By training size, the share of studies whose interval contains the expected score of the first arm's learner."""
    scores = np.array([found[0] for found, _ in simulated(study, studies, random)])[..., : len(study.sizes)]
    expected = scores.mean(axis=(0, 1))
    inside = []
    for each in scores:  # (folds, sizes)
        low, high = mean_intervals(each[:, np.newaxis])
        inside.append((low <= expected) & (high >= expected))
    return dict(zip(study.sizes, np.mean(inside, axis=0).tolist(), strict=True))


def wrongly_saturated(random: np.random.Generator, folds: int, seeds: int, studies: int) -> tuple[float, float]:
    """The share of studies with a saturation size although there is none, in order and by single sizes."""
    shape = (folds, seeds, len(SIZES))
    mean = np.array([LEVEL] * (len(SIZES) - 1) + [LEVEL + MARGIN + 1e-6])
    claimed = alone = 0
    for _ in range(studies):
        noise = random.normal(0, NOISE, (folds, 1, len(SIZES))) + random.normal(0, NOISE * (seeds > 1), shape)
        ran = np.ones(shape, dtype=np.bool_)
        curve = Curve(np.arange(folds), np.arange(seeds), np.array(SIZES), mean + noise, ran)
        found = saturation(curve)
        claimed += found.size is not None
        alone += min(found.missed.values()) <= MARGIN
    return claimed / studies, alone / studies


if __name__ == "__main__":
    main()
