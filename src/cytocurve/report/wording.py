"""Sentences with numbers for the page, the charts and the command line, in one place.

"No difference shown" does not mean "equal", and "reached" refers to observed scores only, never to a forecast.
"""

from collections.abc import Mapping, Sequence

from cytocurve.core.answers import Answers, ArmPlan, Limits, PairComparison, Split, Target
from cytocurve.core.answers.audit import Audit
from cytocurve.core.comparison.pairs import Verdict
from cytocurve.report.formatting import count, rounded, target

GOALS = (0.99, 0.98, 0.95, 0.9, 0.85, 0.8)
"""Round targets; the planner's slider starts at the highest of them that the evidence supports."""

NO_DIFFERENCE = "no difference shown"

FOLDS: Mapping[Split, str] = {
    "stratified": (
        "Folds are drawn by image: cells of the same patient may be in both the training and the test set, so scores "
        "for new patients may be lower."
    ),
    "patient": "Folds are drawn by patient: no patient is on both sides of a fold.",
    "predefined": (
        "Folds are those of the dataset's authors; the audit reports patients and pictures that are in more than one."
    ),
}
"""What a reader must know about each kind of split."""

_MEANINGS = {
    "roc_auc": "for a {positive} and a {negative} image, it ranks the {positive} one higher in {share} of 100 pairs",
    "accuracy": "the network classifies {share} of 100 images correctly",
    "sensitivity": "the network finds {share} of 100 {positive} images",
    "specificity": "the network leaves {share} of 100 {negative} images alone",
    "roc_auc_classes": (
        "for an image of a class and one of another class, it ranks the right one higher in {share} of 100 pairs, "
        "averaged over the classes"
    ),
    "precision": "of 100 images called {positive}, {share} are",
}

_OF_CLASSES = ("accuracy", "roc_auc_classes")


def verdict(value: Verdict, first: str, second: str) -> str:
    """The verdict on two arms of these names."""
    return NO_DIFFERENCE if value == "not_shown" else f"{first if value == 'a_better' else second} is better"


def comparison_verdict(row: PairComparison, names: Mapping[str, str]) -> str:
    """The verdict of a comparison, with the arms' short names."""
    return verdict(row.verdict, names[row.a], names[row.b])


def settling(row: PairComparison) -> str:
    """What would show a difference with 80 % power if it is as large as observed; empty if it cannot be estimated."""
    needed = row.settling
    if needed is None:
        return ""
    what = "patients" if needed.by_patient else "images"
    ways = []
    if needed.images is not None:
        ways.append(f"about {count(rounded(needed.images))} {what} instead of {count(needed.images_now)}")
    if needed.folds is not None:
        ways.append(f"{count(needed.folds)} folds instead of {count(row.folds)}")
    if needed.seeds is not None:
        ways.append(f"{count(needed.seeds)} seeds instead of {count(row.seeds)}")
    return ", or ".join(ways) or f"neither more {what} nor more folds alone"


def limits(answer_limits: Limits) -> list[str]:
    """What limits the scores: the origin of the images, the validation images, and patients across folds."""
    stopping = (
        f"In addition to its training images, every run uses about {answer_limits.validation_images or 0:.0f} labeled "
        "validation images to decide when to stop and which weights to keep."
    )
    origin = [f"The images: {answer_limits.title}."] if answer_limits.title else []
    return [*origin, stopping, FOLDS[answer_limits.split]]


def unbalanced(audit: Audit | None) -> str:
    """Which training sizes cannot be balanced, and what that means for curves and forecasts; empty if all can."""
    found = [finding for finding in audit.findings if finding.id == "unbalanced-sizes"] if audit else []
    return " ".join(finding.sentence for finding in found)


def no_forecast(plan: ArmPlan) -> str | None:
    """Why there is no forecast, or None if there is one."""
    if plan.refusal is not None:
        return plan.refusal
    return None if plan.targets else "There is no target to forecast."


def saturation(answers: Answers, arm: str) -> str:
    """Whether larger training sets were shown to be better."""
    result = answers.arms[arm].saturation
    largest = count(answers.sizes[-1])
    if result.size is not None:
        return (
            f"Beyond {count(result.size)} images, no larger training set in this study is better by more than "
            f"{result.margin} ({100 * result.confidence:.0f} % confidence)."
        )
    if len(answers.sizes) == 1:
        return f"The study has one training size, so it cannot show whether fewer than {largest} images do as well."
    return f"The study does not show that fewer than {largest} images do as well (within {result.margin})."


def span(needed: Target, horizon: int) -> str:
    """The interval of a forecast number of images."""
    low = "fewer" if needed.low is None else count(needed.low)
    return f"{low} to {count(needed.high) if needed.high is not None else f'more than {count(horizon)}'}"


def observed(needed: Target, plan: ArmPlan) -> str:
    """The training size from which the observed means are at or above a target."""
    if needed.size == plan.largest:
        return f"With {count(plan.largest)} images"
    return f"From {count(needed.size or 0)} images on"


def rule(needed: Target, plan: ArmPlan) -> str:
    """The sizes at which the means must reach a target for it to count as observed."""
    return "at the largest size" if needed.size == plan.largest else "there and at all larger sizes"


def size_interval(needed: Target) -> str:
    """The 90 % interval of the size from which the observed means reach a target."""
    if needed.high is None:
        return "the lower end of the mean's 90 % interval is still below the target"
    low = "fewer" if needed.low is None else count(needed.low)
    return f"90 % interval of the size: {low} to {count(needed.high)}"


def more(number: int, kind: str) -> str:
    """A number of further findings of a kind."""
    return f"{number} more {kind}{'s' if number > 1 and kind == 'warning' else ''}"


def answer(needed: Target, plan: ArmPlan, title: str) -> str:
    """What one target needs, in a sentence."""
    goal = f"{title} {target(needed.target)}"
    if needed.verdict == "reached":
        return (
            f"{observed(needed, plan)}, mean {title} was at least {target(needed.target)}: observed, "
            f"{rule(needed, plan)}; {size_interval(needed)}."
        )
    if needed.verdict == "beyond":
        return (
            f"{goal} is not reachable on this evidence: the forecast stays below it up to the forecast horizon of "
            f"{count(plan.horizon)} images."
        )
    if needed.size is None:
        return (
            f"{goal} is uncertain: the forecast stays below it up to {count(plan.horizon)} images, and only the "
            f"upper end of the 90 % interval reaches it, at {count(needed.low or 0)} images."
        )
    return (
        f"{goal} needs about {count(rounded(needed.size))} images (90 % interval {span(needed, plan.horizon)}), "
        f"a forecast from up to {count(plan.largest)} images."
    )


def default_target(plan: ArmPlan) -> int:
    """The index in ``plan.targets`` of the initial target.

    This is the highest of ``GOALS`` that the lower end of the interval reaches at an observed or forecast size; if
    there is none, the highest target that is not out of reach, or else the lowest target.
    """
    rows = plan.targets
    sure = [i for i, row in enumerate(rows) if row.high is not None]
    round_ones = [i for i in sure if any(abs(rows[i].target - goal) < 1e-9 for goal in GOALS)]
    open_ones = [i for i, row in enumerate(rows) if row.verdict != "beyond"]
    return (round_ones or open_ones or [0])[-1]


def positive_name(answers: Answers) -> str | None:
    """The name of the positive class if there are two classes, else None.

    For a binary task it is derived from the task name: ``blast``, or the labels before ``-vs-``.
    """
    if len(answers.classes) != 2:
        return None
    second = answers.classes[1]
    return answers.task.partition("-vs-")[0] if second == answers.positive else second


def calibration_axes(answers: Answers) -> tuple[str, str]:
    """Axis titles of the reliability diagram: positive class of two, or most likely class of several (Guo 2017)."""
    name = positive_name(answers)
    if name is None:
        return "probability stated by the network", "share that is correct"
    return f"stated probability of {name}", f"share that is {name}"


def meaning(metric: str, value: float, classes: Sequence[str], positive: str | None) -> str | None:
    """What a score means for individual images, in a sentence, for metrics that have a simple explanation."""
    if positive is None and metric == "roc_auc":
        metric = "roc_auc_classes"
    if metric not in _MEANINGS or (positive is None and metric not in _OF_CLASSES):
        return None
    others = [name for name in classes if name != positive]
    share = f"{100 * value:.0f}" if value < 0.995 else "more than 99"
    terms = {"positive": positive or "", "negative": others[0], "share": share}
    return _MEANINGS[metric].format(**terms)
