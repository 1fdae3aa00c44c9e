"""How often the tests of `cytocurve compare` find a difference when there is none, and when there is one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bench import harness
from cytocurve.core.comparison import AREA
from cytocurve.core.comparison.significance import (
    corrected_signed_rank,
    corrected_t,
    fold_ratio,
    holm,
    rank_sum,
    signed_rank,
)
from cytocurve.core.data.splits import Fold, cross_validation
from cytocurve.core.statistics.curves import areas

Values = NDArray[np.float64]

ABOUT = (
    "{studies:,} simulated studies per row, level {level:.0%}: the share of studies in which a test finds a "
    "difference. Each is a real cross-validation: the images are Gaussian vectors in two classes, the folds and "
    "nested training sets those of `cytocurve split`, and every run is a ridge classifier fitted to its training "
    "images and scored by ROC-AUC on its test fold. Arms see different features that are equally good: their expected "
    "scores are equal, and their folds share training images as those of a study do. `family`: at least one "
    "difference found in the study after Holm's correction over all pairs, sizes and the area. The corrected tests "
    "take n_test / n_train = 1 / (folds - 2)."
)
LEVEL, LIMIT = 0.05, 0.06
RIDGE = 1.0
SEEDS_OF_ARMS = (10, 24)


@dataclass(frozen=True)
class Study:
    """Arms that see ``features`` features each, ``shared`` of them common to two neighbours, of random images.

    A feature is Gaussian with unit variance, and the classes' means lie ``separation`` apart in it; ``advantage`` is
    added for the last arm. ``positives`` of the images are positive.
    """

    title: str
    images: int = 250
    positives: float = 0.5
    folds: int = 10
    sizes: tuple[int, ...] = (10, 20, 30, 50, 100, 200)
    arms: int = 2
    features: int = 10
    shared: int = 0
    separation: float = 0.6
    advantage: float = 0.0
    seeds: int = 1

    @property
    def classes(self) -> NDArray[np.int64]:
        return (np.arange(self.images) < round(self.positives * self.images)).astype(np.int64)

    @cached_property
    def split(self) -> list[Fold]:
        """The folds that `cytocurve split` would draw."""
        return cross_validation([f"image {i}" for i in range(self.images)], self.classes.tolist(), self.folds, 0)


BASE = Study("10 folds of 250 images, different features in each arm")
NULLS = (
    BASE,
    replace(BASE, title="half of the features are the same in both arms", shared=5),
    replace(BASE, title="a hard task: classes half as far apart", separation=0.3),
    replace(BASE, title="50 weak features per arm", features=50, separation=0.3),
    replace(BASE, title="3 seeds per fold: each run sees a random half of its arm's features", seeds=3),
    replace(BASE, title="3 arms: 3 pairs in one family", arms=3),
    replace(BASE, title="5 folds", folds=5, sizes=(10, 20, 30, 50, 100, 150)),
    replace(BASE, title="1,000 images, of which at most 200 are for training", images=1000),
    replace(BASE, title="a rare class: 50 of 500 images", images=500, positives=0.1),
)
TESTS: Mapping[str, Callable[[Values, float], float]] = {
    "plain paired t": lambda differences, _: corrected_t(differences, 0.0).p,
    "corrected t": lambda differences, ratio: corrected_t(differences, ratio).p,
    "plain Wilcoxon": lambda differences, _: signed_rank(differences),
    "corrected Wilcoxon": corrected_signed_rank,
}
STATED = ("corrected t", "corrected Wilcoxon")


def main() -> None:
    """Simulate studies whose arms are equally good, and one where they are not (takes minutes)."""
    given = harness.options(__doc__ or "", "python -m bench.comparison --studies 200", studies=2000, seed=1)
    random = np.random.default_rng(given.seed)
    found = [(study, rejections(study, given.studies, random)) for study in NULLS]
    better = replace(BASE, title="the second arm's classes lie 0.2 further apart", advantage=0.2)
    power = rejections(better, given.studies, random)
    worst = max(max(rates[test].values()) for _, rates in found for test in STATED)
    worst_line = (
        f"Largest rate of the corrected tests in any column of any study: **{worst:.1%}** (target: at most "
        f"{LIMIT:.0%}, {harness.verdict(worst, LIMIT, at_most=True)})."
    )
    parts = [
        ABOUT.format(studies=given.studies, level=LEVEL),
        f"### No difference: {BASE.title}\n\n{by_size(found[0][1])}",
        f"### No difference: other studies\n\n{by_study(found)}",
        worst_line,
        f"### A real difference: {better.title}",
        f"Mean difference of ROC-AUC by training size: {listed(effect(better, random))}.",
        by_size(power),
        f"### Independent seeds: one-sided Mann-Whitney U\n\n{over_seeds(given.studies, random)}",
    ]
    harness.write("comparison", "Tests of differences between arms", "\n\n".join(parts))


def by_size(rates: Mapping[str, Mapping[str, float]]) -> str:
    columns = list(rates["corrected t"])
    return harness.table(["", *columns], [[test, *(f"{row[at]:.1%}" for at in columns)] for test, row in rates.items()])


def by_study(found: Sequence[tuple[Study, Mapping[str, Mapping[str, float]]]]) -> str:
    columns = [f"{test}: {what}" for test in TESTS for what in ("worst size", AREA, "family")]
    rows = []
    for study, rates in found:
        row: list[object] = [study.title]
        for test in TESTS:
            sizes = [rate for at, rate in rates[test].items() if at not in (AREA, "family")]
            row += [f"{max(sizes):.1%}", f"{rates[test][AREA]:.1%}", f"{rates[test]['family']:.1%}"]
        rows.append(row)
    return harness.table(["study", *columns], rows)


def rejections(study: Study, studies: int, random: np.random.Generator) -> dict[str, dict[str, float]]:
    """The share of studies in which each test finds a difference: by training size, on the area, in the family.

    Of several pairs of arms, the columns of sizes and area count the first.
    """
    names = [*map(str, study.sizes), AREA]
    p_values: dict[str, list[list[float]]] = {test: [] for test in TESTS}
    ratio = fold_ratio(study.folds)
    for scores in simulated(study, studies, random):
        columns = np.concatenate([scores, areas(scores, study.sizes)[..., None]], axis=-1).mean(axis=2)
        pairs = [(i, j) for i in range(study.arms) for j in range(i + 1, study.arms)]
        for test, p_of in TESTS.items():
            p_values[test].append(
                [p_of(columns[i, :, at] - columns[j, :, at], ratio) for i, j in pairs for at in range(len(names))]
            )
    found = {}
    for test, rows in p_values.items():
        table = np.array(rows)[:, : len(names)]
        family = np.mean([min(holm(row)) <= LEVEL for row in rows])
        found[test] = dict(zip(names, (table <= LEVEL).mean(axis=0).tolist(), strict=True)) | {"family": float(family)}
    return found


def simulated(study: Study, studies: int, random: np.random.Generator) -> Iterator[Values]:
    """The scores (arms, folds, seeds, sizes) of each simulated study."""
    folds, classes = study.split, study.classes
    test = np.array([fold.test for fold in folds])
    step = study.features - study.shared
    for _ in range(studies):
        images = random.normal(size=(study.images, step * (study.arms - 1) + study.features))
        images += (classes[:, None] - 0.5) * study.separation
        images[:, step * (study.arms - 1) + study.shared :] += (classes[:, None] - 0.5) * study.advantage
        scores = np.empty((study.arms, study.folds, study.seeds, len(study.sizes)))
        for arm in range(study.arms):
            seen = images[:, arm * step : arm * step + study.features]
            for at, size in enumerate(study.sizes):
                train = np.array([fold.train[:size] for fold in folds])
                for seed in range(study.seeds):
                    masks = halves(study.folds, study.features, random) if study.seeds > 1 else None
                    scores[arm, :, seed, at] = fitted_scores(seen, classes, train, test, masks)
        yield scores


def halves(runs: int, features: int, random: np.random.Generator) -> Values:
    """For each run (runs, features), ones at a random half of the features and zeros elsewhere."""
    return (random.permuted(np.tile(np.arange(features), (runs, 1)), axis=1) < features // 2).astype(np.float64)


def fitted_scores(
    images: Values, classes: NDArray[np.int64], train: NDArray[np.intp], test: NDArray[np.intp], masks: Values | None
) -> Values:
    """ROC-AUC (runs,) of ridge classifiers fitted to ``train`` (runs, n) and scored on ``test`` (runs, m)."""
    seen, unseen = images[train], images[test]
    if masks is not None:
        seen, unseen = seen * masks[:, None], unseen * masks[:, None]
    weights = ridge(seen, classes[train])
    return roc_areas((unseen @ weights[:, :, None])[:, :, 0], classes[test] == 1)


def ridge(seen: Values, classes: NDArray[np.int64]) -> Values:
    """The weights (runs, features) of ridge classifiers of images (runs, n, features) in classes (runs, n)."""
    wanted = 2.0 * classes - 1
    centred, wanted = seen - seen.mean(axis=1, keepdims=True), wanted - wanted.mean(axis=1, keepdims=True)
    turned = centred.transpose(0, 2, 1)
    weights = np.linalg.solve(turned @ centred + RIDGE * np.eye(seen.shape[2]), turned @ wanted[:, :, None])
    return np.asarray(weights[:, :, 0])


def roc_areas(found: Values, positive: NDArray[np.bool_]) -> Values:
    """The ROC-AUC (runs,) of scores (runs, m)."""
    pairs = positive[:, :, None] & ~positive[:, None, :]
    return np.asarray(((found[:, :, None] > found[:, None, :]) & pairs).sum(axis=(1, 2)) / pairs.sum(axis=(1, 2)))


def effect(study: Study, random: np.random.Generator, studies: int = 200) -> dict[int, float]:
    """The mean advantage of the second arm at each training size."""
    scores = np.array(list(simulated(study, studies, random)))
    return dict(zip(study.sizes, (scores[:, 1] - scores[:, 0]).mean(axis=(0, 1, 2)).tolist(), strict=True))


def listed(gains: Mapping[int, float]) -> str:
    return ", ".join(f"{gain:.3f} at {size}" for size, gain in gains.items())


def over_seeds(studies: int, random: np.random.Generator) -> str:
    """Arms that are trained with several seeds on one split: the same learner twice, and two equally good ones."""
    sizes = (20, 50, 200)
    rows = []
    for seeds in SEEDS_OF_ARMS:
        for title, same in (("the same learner twice", True), ("two learners, equally good on new images", False)):
            p_values = np.array([seed_study(seeds, sizes, same, random) for _ in range(studies)])
            rates = [f"{rate:.1%}" for rate in (p_values <= LEVEL).mean(axis=0)]
            family = np.mean([min(holm(row)) <= LEVEL for row in p_values.tolist()])
            target = harness.verdict(float(max((p_values <= LEVEL).mean(axis=0).max(), family)), LIMIT, at_most=True)
            rows.append([title, seeds, *rates, f"{family:.1%}", f"{LIMIT:.0%}, {target}" if same else ""])
    return (
        "One fold tests; the seeds of an arm draw the half of its features that a network uses. The test's null "
        "hypothesis is that both arms' seeds score alike on these very images, and for that hypothesis it holds its "
        "level. Two learners that are equally good on new images need not be equally good on these: the last rows "
        "show that a small p-value over seeds must not be read as a claim about new images.\n\n"
        + harness.table(["", "seeds per arm", *map(str, sizes), "family", "target: at most"], rows)
    )


def seed_study(seeds: int, sizes: Sequence[int], same: bool, random: np.random.Generator) -> list[float]:
    fold, classes, features = BASE.split[0], BASE.classes, BASE.features
    images = random.normal(size=(BASE.images, 2 * features)) + (classes[:, None] - 0.5) * BASE.separation
    arms = [images[:, :features], images[:, :features] if same else images[:, features:]]
    test = np.tile(fold.test, (seeds, 1))
    p_values = []
    for size in sizes:
        train = np.tile(fold.train[:size], (seeds, 1))
        first, second = (fitted_scores(seen, classes, train, test, halves(seeds, features, random)) for seen in arms)
        p_values.append(rank_sum(first, second))
    return p_values


if __name__ == "__main__":
    main()
