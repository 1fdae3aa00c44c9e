"""What results mean where the classes have other shares than in the study, with intervals."""

from collections.abc import Iterator
from dataclasses import dataclass

from cytocurve.core.answers import Answers, ArmAnswers
from cytocurve.core.answers.serialization import rounded
from cytocurve.core.statistics.predictive_values import PREVALENCES, predictive_values


@dataclass(frozen=True, kw_only=True)
class PredictiveValues:
    """The predictive values of an arm at a training size where a share ``prevalence`` of the images is positive.

    The ends are those at the lower and at the upper ends of the intervals of both sensitivity and specificity.
    """

    size: int
    prevalence: float
    positive: float | None
    positive_low: float | None
    positive_high: float | None
    negative: float | None
    negative_low: float | None
    negative_high: float | None


def of_arm(answers: Answers, arm: ArmAnswers) -> Iterator[PredictiveValues]:
    """By training size and prevalence; nothing without one positive class or where a score is not defined."""
    if answers.positive is None:
        return
    for sensitivity, specificity in zip(arm.curves["sensitivity"], arm.curves["specificity"], strict=True):
        if sensitivity.mean is None or specificity.mean is None:
            continue
        for share in PREVALENCES:
            (positive, negative), low, high = (
                _rounded(of_sensitivity, of_specificity, share)
                for of_sensitivity, of_specificity in (
                    (sensitivity.mean, specificity.mean),
                    (sensitivity.ci_low, specificity.ci_low),
                    (sensitivity.ci_high, specificity.ci_high),
                )
            )
            yield PredictiveValues(
                size=sensitivity.size,
                prevalence=share,
                positive=positive,
                positive_low=low[0],
                positive_high=high[0],
                negative=negative,
                negative_low=low[1],
                negative_high=high[1],
            )


def _rounded(
    sensitivity: float | None, specificity: float | None, prevalence: float
) -> tuple[float | None, float | None]:
    if sensitivity is None or specificity is None:
        return None, None
    positive, negative = predictive_values(sensitivity, specificity, prevalence)
    return None if positive is None else rounded(positive), None if negative is None else rounded(negative)
