"""How often the tests of `cytocurve compare` find a difference when there is none, and when there is one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bench import harness
from cytocurve.core.comparison import AREA
from cytocurve.core.comparison.settling import Evidence, settling
from cytocurve.core.comparison.significance import (
    Sampling,
    corrected_signed_rank,
    corrected_t,
    fold_ratio,
    holm,
    images_and_folds,
    rank_sum,
    sampling,
)
from cytocurve.core.data.splits import Fold, cross_validation
from cytocurve.core.statistics.curves import areas

Values = NDArray[np.float64]
Classes = NDArray[np.int64]
Rates = Mapping[str, Mapping[str, float]]
"""By test, the share of studies in which it finds a difference at each place."""

Learner = Callable[[Values], Values]
"""From images (runs, images, features) to scores (runs, images)."""

ABOUT = (
    "{studies:,} simulated studies per row ({half:,} for power), level {level:.0%}: the share of studies in which a "
    "test finds a difference. Each is a real cross-validation: the images are vectors in two classes, the folds and "
    "nested training sets those of `cytocurve split`, and every run is a classifier fitted to its training images and "
    "scored by ROC-AUC on its test fold. Arms see different features that are equally good: their expected scores are "
    "equal, and their folds share training images as those of a study do. `family`: at least one difference found in "
    "the study after Holm's correction over all pairs, sizes and the area. The corrected tests take n_test / n_train "
    "= 1 / (folds - 2). `images and folds` gives the verdict of `cytocurve compare`; `images alone` is the same "
    "correction without the variance between folds (as for the cross-validated ROC-AUC of LeDell et al. 2015), which "
    "takes the networks as given."
)
LEVEL, LIMIT, POWER = 0.05, 0.06, 0.8
RIDGE = 1.0
SEEDS_OF_ARMS = (10, 24)
CELLS = 5
"""Images of a patient, in studies with patients."""

FIGURE = harness.ROOT / "docs" / "power.svg"


@dataclass(frozen=True)
class Study:
    """Arms that see ``features`` features each, ``shared`` of them common to two neighbours, of random images.

    A feature has unit variance, and the classes' means lie ``separation`` apart in it; ``advantage`` is added for the
    last arm, whose learner is ``other`` if given. ``positives`` of the images are positive. With ``patients``, images
    of a patient have half of their variance in common and are kept in one fold.
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
    learner: str = "ridge"
    other: str = ""
    made: str = "normal"
    patients: bool = False
    split_seed: int = 0

    @property
    def classes(self) -> Classes:
        return (np.arange(self.images) < round(self.positives * self.images)).astype(np.int64)

    @property
    def units(self) -> NDArray[np.intp]:
        """The independent unit of each image."""
        return np.arange(self.images) // (CELLS if self.patients else 1)

    @cached_property
    def split(self) -> list[Fold]:
        """The folds that `cytocurve split` would draw."""
        if not self.patients:
            names = [f"image {i}" for i in range(self.images)]
            return cross_validation(names, self.classes.tolist(), self.folds, self.split_seed)
        count = self.images // CELLS
        names, classes = [f"patient {i}" for i in range(count)], self.classes[::CELLS].tolist()
        return [
            Fold(*(_cells(part) for part in (fold.test, fold.validation, fold.train)))
            for fold in cross_validation(names, classes, self.folds, self.split_seed)
        ]


def _cells(patients: NDArray[np.intp]) -> NDArray[np.intp]:
    """The images of these patients, one of each in turn."""
    return np.asarray((patients[np.newaxis] * CELLS + np.arange(CELLS)[:, np.newaxis]).ravel(), dtype=np.intp)


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
    replace(BASE, title="5 nearest neighbors", learner="neighbors"),
    replace(BASE, title="random hidden layers of 30 units", learner="hidden"),
    replace(BASE, title="one training in ten fails", learner="failing"),
)
"""The designs on which the test over images and folds was chosen."""

CHECKS = (
    replace(BASE, title="t-distributed features with 3 degrees of freedom", made="heavy"),
    replace(BASE, title="one label in ten is wrong", made="mislabeled", separation=1.0),
    replace(BASE, title="5 nearest neighbors, classes that differ in spread alone", learner="neighbors", made="rings"),
    replace(BASE, title="an easy task: classes twice as far apart", separation=1.2),
    replace(BASE, title="20 folds of 280 images", folds=20, images=280),
    replace(BASE, title="3 folds of 240 images", folds=3, images=240, sizes=(10, 20, 40, 80)),
    replace(BASE, title="60 images in 5 folds", images=60, folds=5, sizes=(10, 20, 30)),
    replace(BASE, title="1,000 images, random hidden layers, trainings that fail", images=1000, learner="both"),
    replace(BASE, title="50 patients with 5 images each, folds by patient", patients=True),
    replace(BASE, title="median thresholds of the 5 best of 20 features", learner="thresholds", features=20),
    replace(
        BASE,
        title="ridge against neighbors, equally good at 100 images",
        other="neighbors",
        advantage=0.122,
        sizes=(100,),
    ),
)
"""Designs that had no part in the choice."""

REAL = (
    (replace(BASE, title=BASE.title, advantage=0.2), "0.2"),
    (replace(NULLS[2], advantage=0.2), "0.2"),
    (replace(NULLS[3], advantage=0.08), "0.08"),
    (replace(NULLS[4], advantage=0.2), "0.2"),
    (replace(NULLS[7], advantage=0.12), "0.12"),
    (replace(NULLS[9], advantage=0.2), "0.2"),
    (replace(NULLS[11], advantage=0.3), "0.3"),
    (replace(CHECKS[8], advantage=0.3), "0.3"),
)
"""Studies with a difference, with the advantage of the second arm as it is shown."""

TESTS: Mapping[str, Callable[[Values, float, Sampling], float]] = {
    "plain paired t": lambda differences, _, __: corrected_t(differences, 0.0).p,
    "corrected t": lambda differences, ratio, _: corrected_t(differences, ratio).p,
    "corrected Wilcoxon": lambda differences, ratio, _: corrected_signed_rank(differences, ratio),
    "images alone": lambda differences, ratio, images: _images_alone(differences, ratio, images),
    "images and folds": lambda differences, ratio, images: images_and_folds(differences, images, ratio).p,
}
ADVANTAGES = (0.0, 0.1, 0.2, 0.3, 0.4)
STATED = ("corrected t", "corrected Wilcoxon", "images and folds")


def _images_alone(differences: Values, ratio: float, images: Sampling) -> float:
    error = np.sqrt((1 + len(differences) * ratio) * images.variance)
    return float(2 * special.stdtr(images.freedom, -abs(differences.mean()) / error))


def main() -> None:
    """Simulate studies whose arms are equally good, and some where they are not (takes half an hour)."""
    given = harness.options(__doc__ or "", "python -m bench.comparison --studies 200", studies=2000, seed=1, workers=2)
    half = given.studies // 2
    random = np.random.default_rng(given.seed).spawn(9)
    with ProcessPoolExecutor(given.workers) as pool:
        tasks = [rates_of(pool, each, given.studies, random[i]) for i, each in enumerate((NULLS, CHECKS))]
        tasks.append(rates_of(pool, [study for study, _ in REAL], half, random[2]))
        tasks.append(rates_of(pool, [replace(BASE, advantage=each) for each in ADVANTAGES], half, random[3]))
        gains = [pool.submit(effect, replace(BASE, advantage=each), random[4]) for each in ADVANTAGES]
        bias = pool.submit(effect, CHECKS[-1], random[5])
        texts = [
            pool.submit(split_seeds, half // 2, random[6]),
            pool.submit(settled, half // 4, random[7]),
            pool.submit(over_seeds, given.studies, random[8]),
        ]
        chosen, checked, real, curves = ([task.result() for task in each] for each in tasks)
        by_advantage = dict(zip(ADVANTAGES, (gain.result() for gain in gains), strict=True))
        repeated, settling_text, seeds = (text.result() for text in texts)
    worst = {test: max(max(rates[test].values()) for rates in (*chosen, *checked)) for test in STATED}
    lines = [f"{test} {rate:.1%} ({harness.verdict(rate, LIMIT, at_most=True)})" for test, rate in worst.items()]
    parts = [
        ABOUT.format(studies=given.studies, half=half, level=LEVEL),
        f"### No difference: {BASE.title}\n\n{by_size(chosen[0])}",
        f"### No difference: designs on which the test over images and folds was chosen\n\n{by_study(NULLS, chosen)}",
        f"### No difference: designs that had no part in the choice\n\n{by_study(CHECKS, checked)}",
        f"Mean difference in the last row: {bias.result()[100]:+.4f}.",
        f"Largest rate in any column of any study (target: at most {LIMIT:.0%}): {', '.join(lines)}.",
        f"### Power: a real difference\n\n{power(real)}",
        f"### A real difference by size: {BASE.title}\n\n{by_size(real[0])}",
        f"Mean difference of ROC-AUC: {listed(by_advantage[0.2])}.",
        f"### Power curves\n\n{power_curves(curves, by_advantage)}",
        f"### More split seeds instead\n\n{repeated}",
        f"### What would settle it\n\n{settling_text}",
        f"### Independent seeds: one-sided Mann-Whitney U\n\n{seeds}",
    ]
    harness.write("comparison", "Tests of differences between arms", "\n\n".join(parts))


def by_size(rates: Rates) -> str:
    columns = list(rates["corrected t"])
    return harness.table(["", *columns], [[test, *(f"{row[at]:.1%}" for at in columns)] for test, row in rates.items()])


def by_study(studies: Sequence[Study], results: Sequence[Rates]) -> str:
    columns = [f"{test}: {what}" for test in TESTS for what in ("worst size", AREA, "family")]
    rows = []
    for study, rates in zip(studies, results, strict=True):
        row: list[object] = [study.title]
        for test in TESTS:
            sizes = [rate for at, rate in rates[test].items() if at not in (AREA, "family")]
            row += [f"{max(sizes):.1%}", _rate(rates[test], AREA), f"{rates[test]['family']:.1%}"]
        rows.append(row)
    return harness.table(["study", *columns], rows)


def _rate(rates: Mapping[str, float], place: str) -> str:
    return f"{rates[place]:.1%}" if place in rates else "–"


def power(results: Sequence[Rates]) -> str:
    columns = [f"{test}: {what}" for test in TESTS for what in ("largest size", AREA)]
    rows = [
        [study.title, advantage]
        + [f"{rates[test][place]:.1%}" for test in TESTS for place in (str(study.sizes[-1]), AREA)]
        for (study, advantage), rates in zip(REAL, results, strict=True)
    ]
    return (
        "The plain t-test and, where trainings fail or vary, `images alone` find more because they do not hold their "
        "level.\n\n" + harness.table(["study", "advantage", *columns], rows)
    )


def rates_of(
    pool: Executor, designs: Sequence[Study], studies: int, random: np.random.Generator
) -> list[Future[dict[str, dict[str, float]]]]:
    """``found`` for each design, with random numbers of its own."""
    generators = random.spawn(len(designs))
    return [pool.submit(found, design, studies, own) for design, own in zip(designs, generators, strict=True)]


def power_curves(results: Sequence[Rates], gains: Mapping[float, Mapping[int, float]]) -> str:
    """A table and a figure of power against the advantage of the second arm."""
    curves = {
        (test, place): [rates[test][place] for rates in results]
        for place in (str(BASE.sizes[-1]), AREA)
        for test in STATED
    }
    at_largest = [gains[advantage][BASE.sizes[-1]] for advantage in ADVANTAGES]
    draw(at_largest, curves, FIGURE)
    rows = [[test, place, *(f"{rate:.1%}" for rate in curve)] for (test, place), curve in curves.items()]
    return (
        f"{BASE.title}; columns are the mean difference of ROC-AUC at {BASE.sizes[-1]} images. "
        f"[docs/{FIGURE.name}](../docs/{FIGURE.name}) shows these curves.\n\n"
        + harness.table(["test", "at", *(f"{gain:+.3f}" for gain in at_largest)], rows)
    )


def draw(gains: Sequence[float], curves: Mapping[tuple[str, str], Sequence[float]], path: Path) -> None:
    """Power against the true difference, a panel for each place."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    looks = {
        "images and folds": ("#0b6e4f", "-"),
        "corrected t": ("#444444", "--"),
        "corrected Wilcoxon": ("#888", ":"),
    }
    places = list(dict.fromkeys(place for _, place in curves))
    with mpl.rc_context({"svg.hashsalt": "power", "font.size": 9, "svg.fonttype": "path"}):
        figure = Figure(figsize=(6.4, 2.9), layout="constrained")
        for axes, place in zip(np.atleast_1d(figure.subplots(1, len(places), sharey=True)), places, strict=True):
            for test, (color, line) in looks.items():
                axes.plot(
                    gains, [100 * rate for rate in curves[test, place]], line, color=color, label=test, marker="."
                )
            axes.axhline(100 * LEVEL, color="#bbbbbb", linewidth=0.8)
            axes.set(title="area under the curve" if place == AREA else f"at {place} images", ylim=(0, 100))
            axes.set_xlabel(f"true difference of ROC-AUC at {BASE.sizes[-1]} images")
        figure.axes[0].set_ylabel("studies that find a difference (%)")
        figure.axes[0].legend(frameon=False, loc="upper left")
        figure.savefig(path, metadata={"Date": None})


def found(study: Study, studies: int, random: np.random.Generator) -> dict[str, dict[str, float]]:
    """The share of studies in which each test finds a difference: by training size, on the area, in the family.

    Of several pairs of arms, the columns of sizes and area count the first.
    """
    places = [*map(str, study.sizes), *([AREA] if len(study.sizes) > 1 else [])]
    p_values: dict[str, list[list[float]]] = {test: [] for test in TESTS}
    ratio = fold_ratio(study.folds)
    pairs = [(i, j) for i in range(study.arms) for j in range(i + 1, study.arms)]
    for scores, parts in simulated(study, studies, random):
        cells = [
            (scores[j, :, at] - scores[i, :, at], over_images(study, parts[j, :, at] - parts[i, :, at]))
            for i, j in pairs
            for at in range(len(places))
        ]
        for test, p_of in TESTS.items():
            p_values[test].append([p_of(differences, ratio, images) for differences, images in cells])
    rates = {}
    for test, rows in p_values.items():
        table = np.array(rows)[:, : len(places)]
        family = np.mean([min(holm(row)) <= LEVEL for row in rows])
        rates[test] = dict(zip(places, (table <= LEVEL).mean(axis=0).tolist(), strict=True)) | {"family": float(family)}
    return rates


def over_images(study: Study, parts: Values) -> Sampling:
    """The variance over images, or patients, of contributions (images,)."""
    folds = np.empty(study.images, dtype=np.intp)
    for number, fold in enumerate(study.split):
        folds[fold.test] = number
    return sampling(parts, folds, study.classes.astype(np.intp), study.units)


def simulated(study: Study, studies: int, random: np.random.Generator) -> Iterator[tuple[Values, Values]]:
    """Each study's scores (arms, folds, places) and the images' contributions (arms, images, places), area last."""
    for _ in range(studies):
        yield trained(study, drawn(study, random), random)


def drawn(study: Study, random: np.random.Generator) -> list[Values]:
    """What each arm sees of the images: (images, features) per arm."""
    step = study.features - study.shared
    count = step * (study.arms - 1) + study.features
    signal = np.where(study.classes == 1, 0.5, -0.5)[:, None]
    images = random.normal(size=(study.images, count))
    if study.made == "heavy":
        images = random.standard_t(3, size=images.shape) / np.sqrt(3)
    if study.made == "mislabeled":
        signal = np.where(random.random((study.images, 1)) < 0.1, -signal, signal)
    if study.patients:
        of_patient = random.normal(size=(study.images // CELLS, count))
        images = np.sqrt(0.5) * (images + np.repeat(of_patient, CELLS, axis=0))
    seen = []
    for arm in range(study.arms):
        apart = study.separation + study.advantage * (arm == study.arms - 1)
        own = images[:, arm * step : arm * step + study.features]
        seen.append(own * (1 + (signal > 0) * apart) if study.made == "rings" else own + signal * apart)
    return seen


def trained(study: Study, seen: Sequence[Values], random: np.random.Generator) -> tuple[Values, Values]:
    """The scores and contributions of ``simulated`` for the features that each arm sees; seeds are averaged."""
    folds, classes = study.split, study.classes
    tests = [fold.test for fold in folds]
    even = len({len(test) for test in tests}) == 1
    groups = [list(range(len(folds)))] if even else [[number] for number in range(len(folds))]
    scores = np.zeros((study.arms, study.folds, len(study.sizes)))
    parts = np.zeros((study.arms, study.images, len(study.sizes)))
    for arm, images in enumerate(seen):
        learner = LEARNERS[study.other if study.other and arm == study.arms - 1 else study.learner]
        for at, size in enumerate(study.sizes):
            for _seed in range(study.seeds):
                mask = halves(study.folds, study.features, random)[:, None] if study.seeds > 1 else None
                for group in groups:
                    train = np.array([folds[number].train[:size] for number in group])
                    test = np.array([tests[number] for number in group])
                    given = (images[train], images[test])
                    if mask is not None:
                        given = given[0] * mask[group], given[1] * mask[group]
                    results = learner(given[0], classes[train], random)(given[1])
                    area, part = placed(results, classes[test] == 1)
                    scores[arm, group, at] += area / study.seeds
                    parts[arm, test, at] += part / study.seeds
    if len(study.sizes) == 1:
        return scores, parts
    return tuple(np.concatenate([each, areas(each, study.sizes)[..., None]], axis=-1) for each in (scores, parts))  # type: ignore[return-value]


def placed(results: Values, positive: NDArray[np.bool_]) -> tuple[Values, Values]:
    """The ROC-AUC (runs,) of results (runs, m), and the images' contributions (runs, m), for all runs at once."""
    ones, zeros = positive.sum(axis=1, keepdims=True), (~positive).sum(axis=1, keepdims=True)
    ranks = _ranks(results)
    own = np.empty_like(ranks)
    for side, count in ((positive, ones), (~positive, zeros)):
        for size in np.unique(count).tolist():
            rows = np.flatnonzero(count[:, 0] == size)
            at = np.nonzero(side[rows])
            own[rows[at[0]], at[1]] = _ranks(results[rows[at[0]], at[1]].reshape(len(rows), size)).ravel()
    below = ranks - own  # images of the other class that are lower, ties as half
    part = np.where(positive, below / zeros, 1 - below / ones)
    area = np.where(positive, part, 0).sum(axis=1) / ones[:, 0]
    return area, (part - area[:, None]) / np.where(positive, ones, zeros)


def _ranks(values: Values) -> Values:
    """The ranks in each row, from 0, ties sharing their mean: that of their orders from either end."""
    up, down = (np.argsort(np.argsort(each, axis=1, kind="stable"), axis=1) for each in (values, -values))
    return np.asarray((up + values.shape[1] - 1 - down) / 2)


def halves(runs: int, features: int, random: np.random.Generator) -> Values:
    """For each run (runs, features), ones at a random half of the features and zeros elsewhere."""
    return (random.permuted(np.tile(np.arange(features), (runs, 1)), axis=1) < features // 2).astype(np.float64)


def ridge(seen: Values, classes: Classes, penalty: float = RIDGE) -> Values:
    """The weights (runs, features) of ridge classifiers of images (runs, n, features) in classes (runs, n)."""
    wanted = 2.0 * classes - 1
    centred, wanted = seen - seen.mean(axis=1, keepdims=True), wanted - wanted.mean(axis=1, keepdims=True)
    turned = centred.transpose(0, 2, 1)
    weights = np.linalg.solve(turned @ centred + penalty * np.eye(seen.shape[2]), turned @ wanted[:, :, None])
    return np.asarray(weights[:, :, 0])


def _linear(weights: Values) -> Learner:
    return lambda images: np.asarray((images @ weights[:, :, None])[:, :, 0])


def _by_ridge(seen: Values, classes: Classes, _: np.random.Generator) -> Learner:
    return _linear(ridge(seen, classes))


def _by_neighbors(seen: Values, classes: Classes, _: np.random.Generator) -> Learner:
    def learned(images: Values) -> Values:
        lengths = (images**2).sum(axis=-1)[:, :, None] + (seen**2).sum(axis=-1)[:, None, :]
        apart = lengths - 2 * images @ seen.transpose(0, 2, 1)
        nearest = np.argpartition(apart, 4, axis=-1)[..., :5]
        votes = np.take_along_axis(np.broadcast_to(classes[:, None, :], apart.shape), nearest, -1).mean(axis=-1)
        return np.asarray(votes)

    return learned


def _by_hidden_layer(seen: Values, classes: Classes, random: np.random.Generator) -> Learner:
    inner = random.normal(size=(len(seen), seen.shape[2], 30)) / np.sqrt(seen.shape[2])
    shift = random.normal(size=(len(seen), 1, 30))
    outer = _linear(ridge(np.tanh(seen @ inner + shift), classes, 0.1))
    return lambda images: outer(np.tanh(images @ inner + shift))


def _failing(learner: Callable[..., Learner]) -> Callable[..., Learner]:
    """One run in ten keeps random weights."""

    def either(seen: Values, classes: Classes, random: np.random.Generator) -> Learner:
        fails = random.random(len(seen)) < 0.1
        good, bad = learner(seen, classes, random), _linear(random.normal(size=(len(seen), seen.shape[2])))
        return lambda images: np.where(fails[:, None], bad(images), good(images))

    return either


def _by_thresholds(seen: Values, classes: Classes, _: np.random.Generator) -> Learner:
    median = np.median(seen, axis=1, keepdims=True)
    agreed = (np.sign(seen - median) * (2.0 * classes - 1)[:, :, None]).mean(axis=1)
    best = np.argsort(-abs(agreed), axis=1)[:, :5]

    def learned(images: Values) -> Values:
        sides = np.take_along_axis(np.sign(images - median), np.broadcast_to(best[:, None], (*images.shape[:2], 5)), 2)
        return np.asarray((sides * np.take_along_axis(agreed, best, 1)[:, None]).sum(axis=-1))

    return learned


LEARNERS: Mapping[str, Callable[[Values, Classes, np.random.Generator], Learner]] = {
    "ridge": _by_ridge,
    "neighbors": _by_neighbors,
    "hidden": _by_hidden_layer,
    "failing": _failing(_by_ridge),
    "both": _failing(_by_hidden_layer),
    "thresholds": _by_thresholds,
}


def fitted_scores(
    images: Values, classes: Classes, train: NDArray[np.intp], test: NDArray[np.intp], masks: Values
) -> Values:
    """ROC-AUC (runs,) of ridge classifiers fitted to ``train`` (runs, n) and scored on ``test`` (runs, m)."""
    seen, unseen = images[train] * masks[:, None], images[test] * masks[:, None]
    return placed(_linear(ridge(seen, classes[train]))(unseen), classes[test] == 1)[0]


def roc_areas(results: Values, positive: NDArray[np.bool_]) -> Values:
    """The ROC-AUC (runs,) of results (runs, m)."""
    return placed(results, positive)[0]


def effect(study: Study, random: np.random.Generator, studies: int = 400) -> dict[int, float]:
    """The mean advantage of the last arm over the first at each training size."""
    gains = np.array([scores[-1] - scores[0] for scores, _ in simulated(study, studies, random)]).mean(axis=(0, 1))
    return dict(zip(study.sizes, gains.tolist(), strict=False))


def listed(gains: Mapping[int, float]) -> str:
    return ", ".join(f"{gain:.3f} at {size}" for size, gain in gains.items())


def split_seeds(studies: int, random: np.random.Generator, seeds: int = 5) -> str:
    """The corrected t-test over several cross-validations of the same images, for as many times the training."""
    rows = []
    for title, null, advantage in ((BASE.title, BASE, 0.2), (NULLS[9].title, NULLS[9], 0.2)):
        row: list[object] = [title]
        for study in (null, replace(null, advantage=advantage)):
            p_values = []
            splits = [replace(study, split_seed=seed) for seed in range(seeds)]
            for split in splits:
                split.split  # noqa: B018 (drawn once, not for every study)
            for _ in range(studies):
                seen = drawn(study, random)
                scores = np.concatenate([trained(split, seen, random)[0] for split in splits], axis=1)
                ratio = fold_ratio(study.folds)
                p_values.append([corrected_t(each, ratio).p for each in (scores[1] - scores[0]).T])
            rates = (np.array(p_values) <= LEVEL).mean(axis=0)
            row += [f"{rates[:-1].max():.1%}" if study is null else f"{rates[-2]:.1%}", f"{rates[-1]:.1%}"]
        rows.append(row)
    columns = ["study", "no difference: worst size", f"no difference: {AREA}"]
    columns += ["a difference: largest size", f"a difference: {AREA}"]
    return (
        f"The corrected t-test over {seeds} cross-validations with different split seeds ({studies:,} studies per "
        f"row). It finds more than the tests of one cross-validation, for {seeds} times the training. Its correction "
        "stays the same while the spread of repetitions shrinks, which leaves it the least room below the limit, so it "
        "is not offered.\n\n" + harness.table(columns, rows)
    )


def settled(studies: int, random: np.random.Generator) -> str:
    """Whether the numbers of images and folds that `compare` names give the power that it names."""
    rows = []
    for study in (
        replace(BASE, advantage=0.15),
        replace(NULLS[9], advantage=0.12),
        replace(NULLS[11], title="1,000 images, one training in ten fails", images=1000, advantage=0.5),
    ):
        at = len(study.sizes) - 1
        true = effect(study, random)[study.sizes[-1]]
        needed = []
        for scores, parts in simulated(study, studies, random):
            images = over_images(study, parts[1, :, at] - parts[0, :, at])
            differences = (scores[1, :, at] - scores[0, :, at])[:, None]
            evidence = Evidence.of(differences, images, study.classes.astype(np.intp), study.units, False)
            needed.append(settling(replace(evidence, difference=true), LEVEL))
        row: list[object] = [study.title, f"{true:+.3f}"]
        for name in ("images", "folds"):
            numbers = [getattr(each, name) for each in needed if each and getattr(each, name)]
            number = int(np.median(numbers)) if len(numbers) > studies / 2 else None
            if name == "images" and number is not None:
                number += -number % (2 * study.folds)
            if number is None:
                row += ["none", ""]
                continue
            larger = replace(study, images=number) if name == "images" else replace(study, folds=number)
            rates = found(replace(larger, sizes=study.sizes[-1:]), studies, random)
            row += [number, f"{rates['images and folds'][str(study.sizes[-1])]:.0%}"]
        rows.append(row)
    return (
        f"For the true difference at the largest size, the median number over studies that the estimate names for "
        f"{POWER:.0%} power, and the share of {studies:,} studies of that number in which the test over images and "
        "folds finds the difference. `compare` uses the observed difference instead of the true one, so its numbers "
        "are estimates that vary from study to study.\n\n"
        + harness.table(["study", "difference", "images", "power there", "folds", "power there"], rows)
    )


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
