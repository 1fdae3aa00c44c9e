"""What a study says about the model it registers: the score of its single networks, and how the arm was chosen.

The model averages the networks of all folds, which together have seen every image of the study. So the study has no
score of the model itself: its out-of-fold scores are those of single networks.
"""

from collections.abc import Mapping
from statistics import fmean
from typing import TypedDict

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.answers import Choice
from cytocurve.core.answers.serialization import rounded
from cytocurve.core.statistics.curves import summarize
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.evaluation.choice import choice
from cytocurve.evaluation.forecasts import curve_of
from cytocurve.study.results import read_runs, read_tests
from cytocurve.study.selection import METRIC, Validated, candidates


class Score(TypedDict):
    """A mean score with its 95 % interval; None where it is undefined."""

    mean: float | None
    ci_low: float | None
    ci_high: float | None


class Evidence(TypedDict):
    """What a study knows about its registered model.

    ``out_of_fold`` are the test scores of the arm's single networks by metric; ``corrected`` is the leading one,
    corrected for the choice among ``candidates`` arms, None if there was none or it cannot be corrected.
    ``validation_images`` is the mean number of images with which a network is validated.
    """

    candidates: int
    validation_images: int
    out_of_fold: dict[str, Score]
    corrected: Score | None


def evidence(project: ProjectPaths, params: Params, arm: str, validations: Mapping[str, Validated]) -> Evidence:
    """The evidence about the model of an arm; raises ``InputError`` if results are missing or cannot be used."""
    size, among = params.sizes[-1], candidates(params)
    arms = [candidate for candidate in params.arms if candidate.name in among]
    runs = read_runs(project, arms)
    tests = read_tests(project, [candidate for candidate in arms if candidate.name == arm], runs)
    corrected = choice(arm, among, size, runs, tests, validations) if len(among) > 1 else None
    summaries = {metric: summarize(curve_of(runs[arm], metric))[size] for metric in METRICS}
    return Evidence(
        candidates=len(among),
        validation_images=round(fmean(map(len, validations[arm].images.values()))),
        out_of_fold={
            metric: Score(mean=rounded(its.mean), ci_low=rounded(its.ci_low), ci_high=rounded(its.ci_high))
            for metric, its in summaries.items()
        },
        corrected=_corrected(corrected),
    )


def described(arm: str, members: int, size: int, known: Evidence) -> str:
    """The description of a registered version: what it is, how its arm was chosen, and whose score is known."""
    title, own, corrected = METRIC.upper().replace("_", "-"), known["out_of_fold"][METRIC], known["corrected"]
    if known["candidates"] > 1:
        chosen = f"the arm {arm}, chosen among {known['candidates']} by the mean {title} of validation images"
    else:
        chosen = f"the arm {arm}, the only candidate"
    networks = (
        f"{members} networks, one per fold, each with {size:,} images to train and {known['validation_images']:,} to "
        "validate"
    )
    parts = [
        f"The mean of the class probabilities of {networks}: {chosen}.",
        f"Out-of-fold {title} of these single networks: {_shown(own)}.",
    ]
    if corrected is not None:
        parts.append(f"Corrected for the choice of the arm: {_shown(corrected)}.")
    elif known["candidates"] > 1:
        parts.append("It is not corrected for the choice of the arm, since the arms' folds differ or overlap.")
    parts.append(
        "This is not the score of the ensemble: together, its networks have seen every image of the study, so these "
        "images cannot give its score. cytocurve validate scores it on other images."
    )
    return " ".join(parts)


def _shown(its: Score) -> str:
    mean, low, high = its["mean"], its["ci_low"], its["ci_high"]
    if mean is None:
        return "–"
    within = "no interval" if low is None or high is None else f"95 % interval over folds {low:.3f} to {high:.3f}"
    return f"{mean:.3f} ({within})"


def _corrected(found: Choice | None) -> Score | None:
    if found is None or found.score.mean is None:
        return None
    return Score(mean=found.score.mean, ci_low=found.score.ci_low, ci_high=found.score.ci_high)
