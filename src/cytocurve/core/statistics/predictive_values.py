"""What a positive or negative result means where the classes have other shares than in the study."""

PREVALENCES = (0.01, 0.05, 0.2, 0.5)
"""Shares of positive images for which predictive values are shown."""


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float | None, float | None]:
    """The positive and negative predictive value by Bayes' theorem (Altman & Bland 1994, BMJ 309:102).

    The share of images called positive that are, and of images called negative that are, where a share ``prevalence``
    is positive; None if no image is called so.
    """
    hits, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    misses, left = (1 - sensitivity) * prevalence, specificity * (1 - prevalence)
    return (
        hits / (hits + alarms) if hits + alarms > 0 else None,
        left / (left + misses) if left + misses > 0 else None,
    )
