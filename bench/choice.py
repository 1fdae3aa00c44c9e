"""How far the score of an arm that was chosen among several lies from its expected score on new images."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from bench import harness
from bench.comparison import BASE, Study, Values, ridge, roc_areas
from cytocurve.core.statistics.choice import best, scores_of_choosing

SIZE, DRAWS, LIMIT = 200, 200, 0.005
ARMS = (2, 6, 12)
STUDIES = (
    *(replace(BASE, arms=arms, title=f"{arms} equally good arms") for arms in ARMS),
    *(replace(BASE, arms=arms, advantage=0.06, title=f"{arms} arms, one of them slightly better") for arms in ARMS),
    *(replace(BASE, arms=arms, advantage=0.2, title=f"{arms} arms, one of them better") for arms in ARMS),
)
ESTIMATES = ("best arm's own score", "chosen by the other folds", "bootstrap")

ABOUT = (
    "{studies:,} simulated studies per row, each a real cross-validation of ten folds and 250 images as in "
    f"`comparison`, with ridge classifiers of {SIZE} training images. The arm with the best mean validation ROC-AUC is "
    "chosen. Bias: the mean of an estimate minus the expected ROC-AUC of the chosen arm's networks on new images, "
    "which is known exactly; ± is twice its standard error. `chosen by the other folds` is what cytocurve reports: "
    "each fold's test score is that of the arm which images outside of that test fold choose. `bootstrap` is "
    "the bootstrap bias-corrected cross-validation of Tsamardinos et al. (2018) over parts: choose on the drawn parts, "
    f"score on the others, {DRAWS} draws."
)


def main() -> None:
    """Simulate studies whose best arm is chosen on validation images (takes minutes)."""
    given = harness.options(__doc__ or "", "python -m bench.choice --studies 100", studies=1000, seed=1)
    random = np.random.default_rng(given.seed)
    rows, worst = [], 0.0
    for study in STUDIES:
        found = np.array([estimates(study, random) for _ in range(given.studies)])
        errors, ahead = found[:, :-1], found[:, -1]
        means, doubt = errors.mean(axis=0), 2 * errors.std(axis=0) / np.sqrt(len(errors))
        worst = max(worst, abs(means[1]))
        rows.append(
            [study.title, f"{ahead.mean():+.3f}", *(f"{m:+.4f} ± {d:.4f}" for m, d in zip(means, doubt, strict=True))]
        )
    line = f"Largest bias of what is reported: **{worst:.4f}** (target: at most {LIMIT}, "
    line += f"{harness.verdict(worst, LIMIT, at_most=True)})."
    columns = ["study", "last arm better by", *ESTIMATES]
    text = "\n\n".join([ABOUT.format(studies=given.studies), harness.table(columns, rows), line])
    harness.write("choice", "The score of an arm that was chosen", text)


def estimates(study: Study, random: np.random.Generator) -> Values:
    """The error of each of ``ESTIMATES`` in a simulated study, and how much better the last arm is than the first."""
    validation, tests, truth = simulated(study, random)
    chosen = int(best(validation[:, :, np.newaxis])[0])
    shared = overlap(study)
    corrected = scores_of_choosing(validation[:, :, np.newaxis], tests[:, :, np.newaxis], shared)
    found = tests[chosen].mean(), corrected.mean(), bootstrap(validation[:, shared.argmax(axis=1)], tests, random)
    return np.append(np.array(found) - truth[chosen], truth[-1] - truth[0])


def simulated(study: Study, random: np.random.Generator) -> tuple[Values, Values, Values]:
    """Validation and test scores (arms, folds), and the arms' expected scores on new images (arms,)."""
    classes = study.classes
    train, validation, test = (
        np.array([getattr(fold, name)[:SIZE] for fold in study.split]) for name in ("train", "validation", "test")
    )
    scores: list[tuple[Values, Values, float]] = []
    for arm in range(study.arms):
        separation = study.separation + study.advantage * (arm == study.arms - 1)
        images = random.normal(size=(study.images, study.features)) + (classes[:, None] - 0.5) * separation
        weights = ridge(images[train], classes[train])
        judged = [
            roc_areas((images[part] @ weights[:, :, None])[:, :, 0], classes[part] == 1) for part in (validation, test)
        ]
        expected = norm.cdf(separation * weights.sum(axis=1) / np.sqrt(2 * (weights**2).sum(axis=1)))
        scores.append((judged[0], judged[1], float(expected.mean())))
    columns = zip(*scores, strict=True)
    return tuple(np.array(column) for column in columns)  # type: ignore[return-value]


def overlap(study: Study) -> NDArray[np.bool_]:
    """For folds i and j, whether j validates on images that i tests."""
    folds = study.split
    return np.array([[bool(set(i.test.tolist()) & set(j.validation.tolist())) for j in folds] for i in folds])


def bootstrap(validation: Values, tests: Values, random: np.random.Generator) -> float:
    """Bootstrap bias-corrected cross-validation: scores (arms, parts) on the same parts by different networks."""
    folds = validation.shape[1]
    drawn = random.multinomial(folds, np.full(folds, 1 / folds), size=DRAWS)  # (draws, folds)
    chosen = (validation @ drawn.T).argmax(axis=0)
    unseen = np.where(drawn == 0, tests[chosen], np.nan)
    return float(np.nanmean(unseen))


if __name__ == "__main__":
    main()
