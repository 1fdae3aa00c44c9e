"""The data that the page's scripts read: the answers, plus all wording and styling, so that scripts define neither.

In texts, ``{name}`` is a placeholder that a script fills in.
"""

from collections.abc import Mapping
from typing import Any

from cytocurve.core.answers import Answers
from cytocurve.report import wording
from cytocurve.report.palette import script_looks

TEXTS: Mapping[str, str] = {
    "images": "images",
    "training_images": "training images",
    "labeled_images": "labeled training images",
    "of_arm": "of arm",
    "of_class": "of class",
    "mean_metric": "mean {metric}",
    "no_arm": "No arm is selected.",
    "no_score": "No score is defined here.",
    "curves": "Learning curves: {metric} against the number of training images. {arms}.",
    "curve": "{arm}: {first} with {smallest} images, {last} with {largest}",
    "curve_undefined": "{arm}: no score is defined",
    "forecast": (
        "Forecast of the mean {metric} of {arm} up to {horizon} images. The sentence above gives the answer for the "
        "selected target."
    ),
    "no_forecast": "No forecast: {reason}",
    "chances": (
        "The probability that a number of training images reaches mean {metric} {target}: {arm}, up to {horizon} "
        "images."
    ),
    "chance_axis": "probability of reaching the target",
    "even": "50 %",
    "sure": "90 %",
    "observed_edge": "largest observed size",
    "target": "target {target}",
    "difference_axis": "difference in mean {metric}",
    "pair": "{b}  −  {a}",
    "differences": "Differences in mean {metric}. {pairs}.",
    "difference": "{b} minus {a}: {difference}, {verdict}",
    "roc": "ROC curves for {class} with {size} images. {arms}.",
    "recall": "Precision and recall for {class} with {size} images. {arms}.",
    "area": "{arm}: area {value}",
    "average_precision": "{arm}: average precision {value}",
    "runs_undefined": ", {count} runs undefined",
    "reliability": "Calibration with {size} images. {arms}.",
    "calibration_error": "{arm}: calibration error {value}",
    "detail": "{size} training images; tables for {arm}.",
    "detail_of_class": "{size} training images; tables for {arm}; curves for {class}.",
    "x_roc": "false-positive rate",
    "y_roc": "true-positive rate",
    "x_recall": "recall",
    "y_recall": "precision",
    "spread_of_runs": "±: standard deviation over runs, in percentage points.",
    "interval_low": "interval from",
    "interval_high": "to",
}

COLUMNS: Mapping[str, str] = {
    "arm": "arm",
    "first_arm": "first arm",
    "second_arm": "second arm",
    "size": "images",
    "images": "images",
    "mean": "mean",
    "sd": "sd",
    "ci_low": "ci_low",
    "ci_high": "ci_high",
    "median": "median",
    "q1": "q1",
    "q3": "q3",
    "lower_quartile": "lower quartile",
    "upper_quartile": "upper quartile",
    "whisker_low": "whisker_low",
    "whisker_high": "whisker_high",
    "min": "min",
    "max": "max",
    "runs": "runs",
    "undefined": "runs not defined",
    "difference": "difference",
    "p_holm": "p_holm",
    "verdict": "verdict",
    "x": "x",
    "low": "low",
    "high": "high",
    "predicted": "predicted",
    "observed": "observed",
    "observed_low": "observed from",
    "observed_high": "observed to",
    "observed_mean": "observed mean",
    "forecast": "forecast",
    "probability": "probability",
    "target": "target",
    "class": "class",
    "true_class": "true class",
    "assigned": "assigned to {class}",
    "precision": "precision",
    "sensitivity": "sensitivity",
    "metric": "metric",
    "seeds": "seeds",
    "brier": "Brier score",
    "ece": "calibration error",
    "patients": "patients",
    "accuracy": "accuracy by patient",
    "diagnosis": "share diagnosed",
    "diagnosed": "patients with a diagnosis",
    "unknown": "predictions of unknown patients",
    "spread": "{name} ± sd",
    "spread_undefined": "{name}, runs not defined",
    "interval_from": "{name} 95 % interval from",
    "interval_to": "{name} 95 % interval to",
}
"""Labels of columns and tooltips."""


def script_data(answers: Answers, names: Mapping[str, str]) -> dict[str, Any]:
    """The data for the scripts; ``names`` are the arms' short names."""
    uneven = wording.unbalanced_sizes(answers.audit)
    return {
        "answers": answers.to_json(),
        "names": names,
        "plans": {arm: _plan(answers, arm) for arm in names},
        "classNames": wording.class_names(answers),
        "axes": wording.calibration_axes(answers),
        "verdicts": [wording.comparison_verdict(row, names) for row in answers.comparisons],
        "unbalanced": {arm: uneven.get(answers.arms[arm].labels, ()) for arm in names},
        "texts": TEXTS,
        "columns": COLUMNS,
        "looks": script_looks(len(names)),
    }


def thinned(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as JSON, with ROC and precision-recall curves at the largest training size only."""
    arms = {
        name: arm
        | {kind: {label: rows[-1:] for label, rows in arm[kind].items()} for kind in ("roc", "precision_recall")}
        for name, arm in answers["arms"].items()
    }
    return {**answers, "arms": arms}


def _plan(answers: Answers, arm: str) -> dict[str, Any]:
    plan = answers.arms[arm].plan
    return {
        "start": wording.default_target(plan),
        "sentences": [wording.answer(needed, plan, answers.title) for needed in plan.targets],
        "labels": [wording.labels(needed, wording.class_names(answers)) for needed in plan.targets],
        "none": wording.no_forecast(plan),
        "why": wording.why(plan),
    }
