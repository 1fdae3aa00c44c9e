"""The validation of a model in words, and its page: scores, calibration, errors with pictures, images left out."""

from collections.abc import Mapping, Sequence

from cytocurve.core.answers import Interval, Validation
from cytocurve.report.context import LookedAt
from cytocurve.report.environment import environment
from cytocurve.report.formatting import interval, score, signed
from cytocurve.text import counted, some

ENSEMBLE = (
    "The registered model averages the networks of all folds, which together have seen every image of the study: the "
    "study's score is that of single networks, and only other images can give the model's own."
)
"""What every mention of the model's score must say."""


def title(result: Validation) -> str:
    """What was validated on what."""
    aliases = f" ({', '.join(result.aliases)})" if result.aliases else ""
    where = "the holdout" if result.holdout else f"dataset {result.dataset}"
    patients = f" of {counted(result.patients, 'patient')}" if result.patients else ""
    return (
        f"{result.model} version {result.version}{aliases} on {where}, labels {result.labels}: "
        f"{counted(result.images, 'image')}{patients}"
    )


def looks(result: Validation) -> list[str]:
    """How fresh the holdout is; nothing for another dataset."""
    fresh = result.freshness
    if fresh is None:
        return []
    lines = [f"{ordinal(fresh.look)} look at this holdout"]
    if fresh.other_looks:
        lines.append(
            f"Not fresh: {fresh.images_seen_then} of its {counted(result.images, 'image')} were part of "
            f"{counted(fresh.other_looks, 'look')} at another draw, which a change of holdout or split_seed cannot undo"
        )
    if fresh.images_used:
        lines.append(
            f"Not fresh: {fresh.images_used} of its {counted(result.images, 'image')} were used by "
            f"{counted(fresh.runs_using, 'finished run')} of other draws, so they had a part in earlier choices"
        )
    return lines


def ordinal(number: int) -> str:
    """A number as 1st, 2nd, 3rd."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def remarks(result: Validation) -> list[str]:
    """How to read the scores: what the intervals are over, and what the study's scores are of."""
    over = "Intervals are over images, since no patient is known: they are too narrow if patients have several images"
    if result.patients:
        over = "Intervals are over patients"
        if result.without_patient:
            over += f"; {counted(result.without_patient, 'image')} without a patient count as patients of their own"
    lines = [f"{over}."]
    if result.study:
        own = "The study's scores are those of single networks, out of fold"
        if result.corrected:
            own += (
                f"; its {result.metrics[result.metric]} is corrected for the choice of the arm, those marked * are "
                "not: they are a little too good, so differences to them look worse than they are"
            )
        lines.append(f"{own}. The ensemble has none in the study: its networks have together seen all of its images.")
    return [*lines, *result.notes]


def study_score(result: Validation, metric: str) -> str:
    """The study's score; with an asterisk where another one is corrected for the choice of the arm, but not this."""
    if metric not in result.study:
        return "–"
    return f"{score(result.study[metric].value)}{'*' if result.corrected and metric != result.metric else ''}"


def calibrated(result: Validation) -> str:
    """How well the probabilities agree with the outcomes."""
    brier = result.brier
    return (
        f"Calibration: Brier score {score(brier.value)} (95 % interval {within(brier)}), "
        f"expected calibration error {score(result.ece)}; lower is better for both"
    )


def render(result: Validation, pictures: Mapping[str, str], recorded: Sequence[LookedAt]) -> str:
    """The page; ``pictures`` maps wrong images to data URLs, ``recorded`` are the looks at the holdout."""
    return (
        environment()
        .get_template("validation.html")
        .render(
            result=result,
            pictures=pictures,
            recorded=recorded,
            title=title(result),
            looks=looks(result),
            remarks=remarks(result),
            calibrated=calibrated(result),
            study_score=study_score,
            within=within,
            apart=apart,
            counted=counted,
            some=some,
        )
    )


def within(its: Interval) -> str:
    """The interval of a score."""
    return interval(its.ci_low, its.ci_high, "–")


def apart(its: Interval | None) -> str:
    """The interval of a difference."""
    if its is None or its.ci_low is None or its.ci_high is None:
        return "–"
    return f"{signed(its.ci_low)} to {signed(its.ci_high)}"
