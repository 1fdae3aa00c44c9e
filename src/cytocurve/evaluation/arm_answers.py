"""All that the stored predictions of one arm tell, as plain values for pages, tables and other programs."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from cytocurve.core.data.taxonomy import Task
from cytocurve.core.statistics.calibration import calibration
from cytocurve.core.statistics.confusion import class_wise, confusion
from cytocurve.core.statistics.curves import Curve, area, summarise
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.core.statistics.predictions import Predictions, Spread
from cytocurve.core.statistics.questions import Sides, asked, questions, scores
from cytocurve.core.statistics.review import out_of_fold, probability_columns
from cytocurve.core.statistics.saturation import saturation
from cytocurve.core.statistics.seeds import over_seeds
from cytocurve.core.statistics.subjects import subjects
from cytocurve.core.statistics.thresholds import AveragedCurve, precision_recall, roc

EXAMPLES = 24
"""Images that a page shows of an arm."""


@dataclass(frozen=True)
class ArmPredictions:
    """An arm's test predictions: ``classes`` in the order of the outputs, and by training size what its runs said.

    ``rows`` are those of the largest size, with images.
    """

    classes: tuple[str, ...]
    by_size: Mapping[int, Predictions]
    rows: pd.DataFrame


def arm_predictions(runs: pd.DataFrame, predictions: pd.DataFrame, patients: Mapping[str, str]) -> ArmPredictions:
    """These test predictions of these runs; ``patients`` names those of the images whose patient is known."""
    columns = probability_columns(predictions)
    classes = tuple(column.removeprefix("p_") for column in columns)
    by_key = runs.set_index("run_key").loc[predictions["run_key"].cat.categories]
    codes = predictions["run_key"].cat.codes.to_numpy()
    labels = np.array([classes.index(name) for name in predictions["label"].cat.categories])
    labels = labels[predictions["label"].cat.codes]
    subject = _subjects(predictions["image"], patients)
    probabilities = predictions[columns].to_numpy(np.float64)
    size = by_key["size"].to_numpy()
    found = {}
    for each in np.unique(size).tolist():
        keys = np.flatnonzero(size == each)
        rows = np.flatnonzero(size[codes] == each)
        fold, seed = (by_key[axis].to_numpy()[keys].tolist() for axis in ("fold", "seed"))
        run = np.searchsorted(keys, codes[rows])
        of_rows = None if subject is None else subject[rows]
        found[each] = Predictions.of(labels[rows], probabilities[rows], run, fold, seed, of_rows)
    return ArmPredictions(classes, found, predictions[size[codes] == max(found)])


def _subjects(images: pd.Series, patients: Mapping[str, str]) -> Any:
    if not patients:
        return None
    numbers = {name: number for number, name in enumerate(sorted(set(patients.values())))}
    of_image = [numbers.get(patients.get(name, ""), -1) for name in images.cat.categories]
    return np.array(of_image)[images.cat.codes]


def arm_answers(runs: pd.DataFrame, told: ArmPredictions, given: Mapping[str, str], leading: str) -> dict[str, Any]:
    """The answers of an arm, by subject; ``given`` are the labels of images where known, of which classes are made."""
    curves = {metric: curve_of(runs, metric) for metric in METRICS}
    sizes = told.by_size
    return {
        "classes": told.classes,
        "curves": {metric: _points(curve) for metric, curve in curves.items()},
        "area": {metric: asdict(area(curve)) for metric, curve in curves.items()},
        "saturation": asdict(saturation(curves[leading])),
        "questions": {name: dict(_asked(told, sides)) for name, sides in _questions(told, given).items()},
        "roc": _by_class(told, roc, "auc"),
        "precision_recall": _by_class(told, precision_recall, "ap"),
        "confusion": [{"size": size, **vars(confusion(of))} for size, of in sizes.items()],
        "class_wise": [{"size": size, "rows": list(_classes(told.classes, of))} for size, of in sizes.items()],
        "over_seeds": _over_seeds(curves),
        "subjects": _by_subject(told),
        "calibration": [{"size": size, **_calibrated(of)} for size, of in sizes.items()],
        "examples": _examples(told, given),
    }


def curve_of(runs: pd.DataFrame, metric: str) -> Curve:
    """The learning curve of an arm's runs by a metric."""
    fold, seed, size, scores = (runs[column].tolist() for column in ("fold", "seed", "size", metric))
    return Curve.of(fold, seed, size, scores)


def _points(curve: Curve) -> list[dict[str, Any]]:
    return [{"size": size, **asdict(point)} for size, point in summarise(curve).items()]


def _questions(told: ArmPredictions, given: Mapping[str, str]) -> dict[str, Sides]:
    """The binary questions that the classes answer, by the labels of the test images."""
    if len(told.classes) == 2:
        return {}
    tests = told.rows[["image", "label"]].drop_duplicates("image").astype(str)
    numbers = {name: number for number, name in enumerate(told.classes)}
    members = {given[i]: numbers[c] for i, c in zip(tests["image"], tests["label"], strict=True) if i in given}
    return questions(Task("", told.classes, members)) if members else {}


def _asked(told: ArmPredictions, positive: Sides) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each metric of a binary question, scored like a task."""
    parts = [(size, of, scores(asked(of, positive))) for size, of in told.by_size.items()]
    fold, seed = (np.concatenate([getattr(of, axis) for _, of, _ in parts]).tolist() for axis in ("fold", "seed"))
    sizes = np.repeat([size for size, _, _ in parts], [of.runs for _, of, _ in parts]).tolist()
    for metric in METRICS:
        values = np.concatenate([found[metric] for _, _, found in parts]).tolist()
        yield metric, _points(Curve.of(fold, seed, sizes, values))


def _by_class(told: ArmPredictions, curve_of: Any, area_name: str) -> dict[str, list[dict[str, Any]]]:
    """The averaged curves of each class; of two, the positive one's."""
    numbers = [1] if len(told.classes) == 2 else range(len(told.classes))
    return {
        told.classes[number]: [_averaged(size, curve_of(of, number), area_name) for size, of in told.by_size.items()]
        for number in numbers
    }


def _averaged(size: int, curve: AveragedCurve, area_name: str) -> dict[str, Any]:
    return {
        "size": size,
        "grid": curve.grid,
        "mean": curve.mean,
        "low": curve.low,
        "high": curve.high,
        f"{area_name}_mean": curve.area_mean,
        f"{area_name}_sd": curve.area_sd,
        "prevalence": curve.prevalence,
        "n": curve.n,
        "undefined": curve.undefined,
    }


def _classes(names: tuple[str, ...], predictions: Predictions) -> Iterator[dict[str, Any]]:
    found = class_wise(predictions)
    for number, name in enumerate(names):
        spreads = {"precision": found.precision, "sensitivity": found.sensitivity}
        yield {
            "class": name,
            "images": found.images[number],
            **{of: {each: values[number] for each, values in vars(spread).items()} for of, spread in spreads.items()},
        }


def _over_seeds(curves: Mapping[str, Curve]) -> list[dict[str, Any]]:
    found = {metric: over_seeds(curve) for metric, curve in curves.items()}
    sizes = next(iter(curves.values())).sizes.tolist()
    return [{"size": size, "metrics": {metric: asdict(of[size]) for metric, of in found.items()}} for size in sizes]


def _by_subject(told: ArmPredictions) -> list[dict[str, Any]] | None:
    found = {size: subjects(of) for size, of in told.by_size.items()}
    return [
        {
            "size": size,
            "subjects": of.accuracy.n,
            "accuracy": asdict(of.accuracy),
            "diagnosis": asdict(of.diagnosis),
            "unknown": of.unknown,
            "undefined": of.undefined,
        }
        for size, of in found.items()
        if of is not None
    ] or None


def _calibrated(predictions: Predictions) -> dict[str, Any]:
    found = calibration(predictions)
    columns = ("low", "high", "predicted", "observed", "images")
    bins = [dict(zip(columns, row, strict=True)) for row in zip(*(vars(found)[c] for c in columns), strict=True)]
    return {"brier": _spread(found.brier), "ece": _spread(found.ece), "bins": bins}


def _spread(spread: Spread) -> dict[str, Any]:
    return {name: value.item() for name, value in vars(spread).items()}


def _examples(told: ArmPredictions, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """The images whose true class got the least probability at the largest size, the mean over its runs."""
    means = out_of_fold(told.rows.astype({"image": str, "label": str}))
    runs = told.rows["image"].value_counts()
    columns = [f"p_{name}" for name in told.classes]
    values = means[columns].to_numpy()
    true = np.array([told.classes.index(label) for label in means["label"]])
    of_true = values[np.arange(len(values)), true]
    order = np.lexsort((means["image"].to_numpy(str), of_true))
    order = order[np.isfinite(of_true[order])][:EXAMPLES]
    return [
        {
            "image": means["image"].iloc[row],
            "label": given.get(means["image"].iloc[row], means["label"].iloc[row]),
            "class": means["label"].iloc[row],
            "predicted": told.classes[int(values[row].argmax())],
            "probability": of_true[row],
            "probabilities": dict(zip(told.classes, values[row], strict=True)),
            "runs": int(runs[means["image"].iloc[row]]),
        }
        for row in order
    ]
