"""Sentences with numbers for the page, the charts and the command line, in one place.

"No difference shown" does not mean "equal", and a size within the trained ones is not called a forecast.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from cytocurve.core.answers import Answers, ArmPlan, Labels, Limits, LossCurve, PairComparison, Split, Summary, Target
from cytocurve.core.answers.audit import Audit
from cytocurve.core.comparison.pairs import Verdict
from cytocurve.core.comparison.settling import MOST, Settling
from cytocurve.report.formatting import count, interval, percent, score, target
from cytocurve.text import counted, first_few, rounded

CHANCES_AT = (0.5, 1, 2, 5, 10)
"""The sizes whose chances a sentence gives, as multiples of the largest training size."""

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
    "roc_auc": (
        "for an image of class {positive} and one of class {negative}, it ranks the former higher in {share} of 100 "
        "pairs"
    ),
    "accuracy": "the network classifies {share} of 100 images correctly",
    "sensitivity": "the network finds {share} of 100 images of class {positive}",
    "specificity": "the network leaves {share} of 100 images of class {negative} alone",
    "roc_auc_classes": (
        "for an image of a class and one of another class, it ranks the right one higher in {share} of 100 pairs, "
        "averaged over the classes"
    ),
    "precision": "of 100 images called {positive}, {share} are of that class",
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
    return ", or ".join(_ways(row, needed)) or _not_alone(row, needed)


def settles(row: PairComparison) -> bool:
    """Whether more images, folds or seeds alone would show the difference."""
    return row.settling is not None and bool(_ways(row, row.settling))


def _ways(row: PairComparison, needed: Settling) -> list[str]:
    what = _units(needed)
    ways = []
    if needed.images is not None:
        ways.append(f"about {count(rounded(needed.images))} {what} instead of {count(needed.images_now)}")
    if needed.folds is not None:
        ways.append(f"{count(needed.folds)} folds instead of {count(row.folds)}")
    if needed.seeds is not None:
        ways.append(f"{count(needed.seeds)} seeds instead of {count(row.seeds)}")
    return ways


def _units(needed: Settling) -> str:
    return "patients" if needed.by_patient else "images"


def _not_alone(row: PairComparison, needed: Settling) -> str:
    """What was tried in vain, and what more images in more folds would do together."""
    what = _units(needed)
    seeds = f", nor by up to {MOST} seeds" if row.seeds > 1 else ""
    if needed.images_together is None or needed.folds_together is None:
        return f"not by up to {MOST} times the {what} and folds{seeds}: trainings differ too much"
    images, folds = count(rounded(needed.images_together)), count(rounded(needed.folds_together))
    return (
        f"about {images} {what} in {folds} folds instead of {count(needed.images_now)} in {count(row.folds)}; not by "
        f"up to {MOST} times the {what} or by more folds alone{seeds}"
    )


def unknown_seeds(rows: Sequence[PairComparison]) -> str:
    """What a single seed leaves open where differences are not shown; empty if there are several, or all are shown."""
    if not any(row.settling is not None and row.seeds == 1 for row in rows):
        return ""
    return "One seed does not tell what more seeds would add: run at least 2 to see."


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
    return _sentences(audit, "unbalanced-sizes")


def unbalanced_sizes(audit: Audit | None) -> dict[str, tuple[int, ...]]:
    """The training sizes that cannot be balanced, by label version."""
    found = [finding for finding in audit.findings if finding.id == "unbalanced-sizes"] if audit else []
    return {str(row.labels): tuple(int(str(each["size"])) for each in row.offenders) for row in found}


def lacking(audit: Audit | None) -> str:
    """Which official folds lack a class, and what that means for their scores; empty if none does."""
    return _sentences(audit, "folds-without-class")


def no_interval(row: Summary) -> str:
    """Why a mean score has no interval, in a few words."""
    if row.n < 2:
        return "one run"
    return "all folds agree" if row.min == row.max else "too few folds"


def interval_over_folds(row: Summary) -> str:
    """The interval of a mean score, or why there is none."""
    if row.ci_low is None:
        return f"no interval: {no_interval(row)}"
    return f"95 % interval over folds {interval(row.ci_low, row.ci_high)}"


def scored(answers: Answers, row: Summary) -> str:
    """How many folds, or runs, a mean is of if some have no score, and why where it is known; empty if all have one."""
    if not row.undefined:
        return ""
    what = "fold" if len(answers.seeds) == 1 else "run"
    found = answers.audit.findings if answers.audit and len(answers.classes) == 2 else ()
    own = [each for each in found if each.id == "folds-without-class" and each.labels == answers.best.labels]
    folds = [str(fold["fold"]) for each in own for fold in each.offenders if fold["images"] == "test"]
    why = f", since the test images of {first_few(folds, 3)} lack a class" if folds else ""
    return f"mean of {count(row.n)} of {counted(row.n + row.undefined, what)}{why}"


def _sentences(audit: Audit | None, check: str) -> str:
    return " ".join(finding.sentence for finding in audit.findings if finding.id == check) if audit else ""


def partial(answers: Answers) -> str:
    """How much of the study a page shows, in sentences; empty if it shows all of it."""
    part = answers.partial
    if part is None:
        return ""
    waiting = "; ".join(f"{arm} ({counted(number, 'run')} so far)" for arm, number in part.left_out.items())
    shown = f" Not shown until they have runs of every size: {waiting}." if waiting else ""
    return (
        f"Partial: {part.finished:,} of {counted(part.planned, 'run')} have finished. Scores, the chosen network and "
        f"forecasts may still change.{shown}"
    )


def overfitting(losses: Sequence[LossCurve]) -> str:
    """How far test losses are from training losses at the smallest and the largest size; empty if not known."""
    known = [row for row in losses if row.training_kept.mean is not None and row.test_kept.mean is not None]
    if not known:
        return ""
    gaps = "; with ".join(_gap(row) for row in ((known[0], known[-1]) if len(known) > 1 else known))
    return f"With {gaps}. The larger the gap, the more the networks know their training images by heart."


def _gap(row: LossCurve) -> str:
    train, test = row.training_kept.mean or 0.0, row.test_kept.mean or 0.0
    return f"{count(row.size)} images, the loss is {score(train)} in training and {score(test)} on test images"


def class_names(answers: Answers) -> dict[str, str]:
    """The classes as readers know them: those of a binary task by the name of the task."""
    positive = positive_name(answers)
    if positive is None or answers.positive is None:
        return {name: name for name in answers.classes}
    other = answers.task.partition("-vs-")[2] or f"not {positive}"
    return {name: positive if name == answers.positive else other for name in answers.classes}


def tested_on(answers: Answers) -> str:
    """Which images gave the scores: ``on unseen images``, and whether they are of patients who were trained on."""
    if answers.best.subjects is None or answers.limits.split == "patient":
        return "on unseen images"
    outside = "on images outside the training set"
    if answers.audit is None:
        return f"{outside}, of the same patients" if answers.limits.split == "stratified" else "on unseen images"
    shares = [
        finding.numbers.get("test_share") or 0
        for finding in answers.audit.findings
        if finding.id == "patient-leak" and finding.labels == answers.best.labels
    ]
    if not any(shares):
        return "on unseen images"
    return f"{outside}, {'' if max(shares) >= 1 else 'partly '}of the same patients"


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


def span(needed: Target, plan: ArmPlan) -> str:
    """The 80 % range of the size that reaches a target."""
    smallest = plan.observed[0].size
    low = f"{count(smallest)} or fewer" if needed.low == smallest else count(rounded(needed.low or 0))
    high = count(rounded(needed.high)) if needed.high is not None else f"more than {count(plan.horizon)}"
    return high if needed.low == needed.high and needed.low != smallest else f"{low} to {high}"


def chance(needed: Target, plan: ArmPlan, size: int) -> float | None:
    """The probability that a size reaches a target, interpolated in log n; None if there is none."""
    if not needed.chances or not plan.forecast[0].size <= size <= plan.forecast[-1].size:
        return None
    sizes = np.log([point.size for point in plan.forecast])
    return float(np.interp(np.log(size), sizes, np.array(needed.chances, dtype=np.float64)))


def chances(needed: Target, plan: ArmPlan) -> str:
    """The probabilities of a few sizes: ``12 % with 100 images, 35 % with 200, …``; empty without a forecast."""
    found = [(size, chance(needed, plan, size)) for size in (round(times * plan.largest) for times in CHANCES_AT)]
    known = [(count(size), percent(value)) for size, value in found if value is not None]
    return ", ".join(f"{value} with {size}{'' if place else ' images'}" for place, (size, value) in enumerate(known))


def labels(needed: Target, names: Mapping[str, str] | None = None) -> str:
    """All labels that an answer takes, in a sentence; empty without a size. ``names`` are the classes' shown names."""
    if needed.labels is None:
        return ""
    chance = "a chance of 90 %" if needed.high is not None else "an even chance"
    return f"In all, {chance} takes {labels_in_all(needed.labels, names)}."


def labels_in_all(needed: Labels, names: Mapping[str, str] | None = None) -> str:
    """The labels of a training size: in all, by class, and in patients where they are known."""
    parts = [f"{count(number)} {(names or {}).get(name, name)}" for name, number in needed.classes.items()]
    patients = [f"from about {counted(needed.patients, 'patient')}"] if needed.patients is not None else []
    details = ", ".join([*parts, *patients])
    return (
        f"{counted(needed.total, 'labeled image')}: {count(needed.training)} to train and {count(needed.validation)} "
        "to validate" + (f" ({details})" if details else "")
    )


def more(number: int, kind: str) -> str:
    """A number of further findings of a kind."""
    return f"{number} more {kind}{'s' if number > 1 and kind == 'warning' else ''}"


def answer(needed: Target, plan: ArmPlan, title: str) -> str:
    """What one target needs: the sizes at 50 % and 90 %, or else the chance at the horizon; ``labels`` continues."""
    goal = f"{title} {target(needed.target)}"
    if needed.verdict == "beyond":
        return f"{goal} is out of reach: {_at_horizon(needed, plan)}."
    if needed.size is None:
        if not plan.forecast:
            return f"{goal} is not reached by the observed means, and there is no forecast."
        return f"{goal} is undecided: {_at_horizon(needed, plan)}."
    sizes = f"about {count(rounded(needed.size))} training images for an even chance"
    if needed.high is None:
        end = f", and 90 % certainty is not reached: {_at_horizon(needed, plan)}" if plan.forecast else ""
        return f"{goal} takes {sizes}{end}."
    trained = needed.high <= plan.largest
    where = "within the trained sizes" if trained else f"a forecast from up to {count(plan.largest)}"
    return (
        f"{goal} takes {sizes} and {count(rounded(needed.high))} for a chance of 90 % (80 % range "
        f"{span(needed, plan)}), {where}."
    )


def _at_horizon(needed: Target, plan: ArmPlan) -> str:
    at_most = chance(needed, plan, plan.horizon) or 0.0
    return f"the chance that {count(plan.horizon)} training images reach it is {percent(at_most)}"


def default_target(plan: ArmPlan) -> int:
    """The index in ``plan.targets`` of the target that the plan starts with; the lowest without one."""
    return next((i for i, row in enumerate(plan.targets) if plan.start and row.target == plan.start.target), 0)


def why(plan: ArmPlan) -> str:
    """Why the plan starts with its target, and which targets are open or out of reach; empty without a target."""
    if plan.start is None:
        return ""
    above = [row for row in plan.targets if row.target > plan.start.target]
    opened = [row.target for row in above if not row.decided]
    beyond = [row.target for row in above if row.verdict == "beyond"]
    zones = [f"{target(opened[0])} to {target(opened[-1])} are undecided"] if len(opened) > 1 else []
    zones += [f"{target(opened[0])} is undecided"] if len(opened) == 1 else []
    zones += [f"{target(beyond[0])} and above are out of reach up to {count(plan.horizon)} images"] if beyond else []
    return f"{target(plan.start.target)} is {plan.start.reason}" + (f"; {'; '.join(zones)}." if zones else ".")


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
