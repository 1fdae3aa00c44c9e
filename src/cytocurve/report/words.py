"""What the page says in sentences: every statement that is made of numbers, so that page and chart never differ.

"No difference shown" is not "equal", and "reached" is said of scores that were observed, never of a forecast.
"""

from collections.abc import Mapping, Sequence
from typing import Any

GOALS = (0.99, 0.98, 0.95, 0.9, 0.85, 0.8)
"""Round targets, the first of them that the evidence supports is where the planner's slider stands."""

_MEANINGS = {
    "roc_auc": "of a {positive} and a {negative} image, it ranks the {positive} one higher in {share} of 100 pairs",
    "accuracy": "the network puts {share} of 100 images into the right class",
    "sensitivity": "the network finds {share} of 100 {positive} images",
    "specificity": "the network leaves {share} of 100 {negative} images alone",
    "roc_auc_classes": (
        "of an image of a class and one of another class, it ranks the right one higher in {share} of 100 pairs, on "
        "average over the classes"
    ),
    "precision": "of 100 images called {positive}, {share} are",
}

_OF_CLASSES = ("accuracy", "roc_auc_classes")


def score(value: float | None) -> str:
    """A score to three digits, a dash where it is not defined."""
    return "–" if value is None or value != value else f"{value:.3f}"


def signed(value: float | None) -> str:
    """A difference with its sign."""
    return "–" if value is None or value != value else f"{value:+.3f}".replace("-", "−")


def count(value: float) -> str:
    """A number with its thousands parted."""
    return f"{value:,}"


def rounded(size: int) -> int:
    """A forecast number of images to two digits: it is not known better."""
    return int(float(f"{size:.2g}"))


def p_value(value: float | None) -> str:
    """A probability to two significant digits, small ones as a bound."""
    if value is None or value != value:
        return "–"
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def percent(value: float) -> str:
    """A probability in per cent; below one half of a per cent, and above 99.5, as a bound."""
    return "< 1 %" if value < 0.005 else "> 99 %" if 0.995 <= value < 1 else f"{100 * value:.0f} %"


def target(value: float) -> str:
    """A target as the slider names it: 0.95, 0.955."""
    return f"{value:.3f}".removesuffix("0")


def interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval of scores."""
    return "no interval: too few runs" if low is None or high is None else f"{score(low)} to {score(high)}"


def span(found: Mapping[str, Any], horizon: int) -> str:
    """The interval of a forecast number of images."""
    low = "fewer" if found["low"] is None else count(found["low"])
    return f"{low} to {count(found['high']) if found['high'] is not None else f'more than {count(horizon)}'}"


def observed(found: Mapping[str, Any], plan: Mapping[str, Any], things: str) -> str:
    """From which training size on the observed means are at a target."""
    if found["size"] == plan["largest"]:
        return f"With {count(found['size'])} {things}"
    return f"From {count(found['size'])} {things} on"


def rule(found: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """Where the means must be at a target, for its size to count as observed."""
    return "at the largest size" if found["size"] == plan["largest"] else "there and at all larger sizes"


def size_interval(found: Mapping[str, Any]) -> str:
    """The 90 % interval of the size from which an observed mean is at its target."""
    if found["high"] is None:
        return "the lower end of the mean's 90 % interval is not there yet"
    low = "fewer" if found["low"] is None else count(found["low"])
    return f"90 % interval of the size {low} to {count(found['high'])}"


def more(number: int, kind: str) -> str:
    """So many further findings of a kind."""
    return f"{number} more {kind}{'s' if number > 1 and kind == 'warning' else ''}"


def answer(found: Mapping[str, Any], plan: Mapping[str, Any], title: str) -> str:
    """What one target needs, in a sentence."""
    goal = f"{title} {target(found['target'])}"
    if found["verdict"] == "reached":
        return (
            f"{observed(found, plan, 'images')}, mean {title} was at least {target(found['target'])}: observed, "
            f"{rule(found, plan)}; {size_interval(found)}."
        )
    if found["verdict"] == "beyond":
        return (
            f"{goal} is not reachable on this evidence: the forecast stays below it up to "
            f"{count(plan['horizon'])} images, and beyond that nothing is said."
        )
    if found["size"] is None:
        return (
            f"{goal} is in doubt: the forecast stays below it up to {count(plan['horizon'])} images, and only the "
            f"upper end of its 90 % interval reaches it, at {count(found['low'])}."
        )
    return (
        f"{goal} needs about {count(rounded(found['size']))} images (90 % interval {span(found, plan['horizon'])}): "
        f"a forecast, made from at most {count(plan['largest'])} images."
    )


def default_target(plan: Mapping[str, Any]) -> int:
    """The place in ``plan["targets"]`` of the target to begin with.

    The highest of ``GOALS`` that is sure: even the lower end of the interval reaches it, at a size that was trained or
    foretold. Else the highest target that is not beyond reach; else the lowest.
    """
    rows = plan["targets"]
    sure = [i for i, row in enumerate(rows) if row["high"] is not None]
    round_ones = [i for i in sure if any(abs(rows[i]["target"] - goal) < 1e-9 for goal in GOALS)]
    open_ones = [i for i, row in enumerate(rows) if row["verdict"] != "beyond"]
    return (round_ones or open_ones or [0])[-1]


def positive_name(answers: Mapping[str, Any]) -> str | None:
    """What the positive class of two is called; None where there are more.

    Of a binary task the name says it: ``blast``, or the labels before ``-vs-``.
    """
    if len(answers["classes"]) != 2:
        return None
    second = str(answers["classes"][1])
    return str(answers["task"]).partition("-vs-")[0] if second == answers["positive"] else second


def calibration_axes(answers: Mapping[str, Any]) -> tuple[str, str]:
    """What the axes of the reliability show: of two classes, the positive one; of more, the likeliest (Guo 2017)."""
    name = positive_name(answers)
    if name is None:
        return "probability that the network states", "share that is right"
    return f"stated probability of {name}", f"share that is {name}"


def meaning(metric: str, value: float, classes: Sequence[str], positive: str | None) -> str | None:
    """What a score means for a single image, where that can be said in a sentence."""
    if positive is None and metric == "roc_auc":
        metric = "roc_auc_classes"
    if metric not in _MEANINGS or (positive is None and metric not in _OF_CLASSES):
        return None
    others = [name for name in classes if name != positive]
    share = f"{100 * value:.0f}" if value < 0.995 else "more than 99"
    words = {"positive": positive or "", "negative": others[0], "share": share}
    return _MEANINGS[metric].format(**words)
