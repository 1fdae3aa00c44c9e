"""The answers of one arm, computed from its stored predictions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cytocurve.core.answers import (
    ArmAnswers,
    Calibration,
    ClassScores,
    ClassWise,
    Confusion,
    CurvePoint,
    Example,
    LossCurve,
    PatientScores,
    PrecisionRecallCurve,
    ReliabilityBin,
    RocCurve,
    Saturation,
    SeedSpread,
    SizeOverSeeds,
    Spread,
    Summary,
    build,
)
from cytocurve.core.data.taxonomy import Task
from cytocurve.core.planner.labels import LabelNeeds
from cytocurve.core.runs import Arm
from cytocurve.core.statistics import predictions as averaging
from cytocurve.core.statistics.calibration import calibration
from cytocurve.core.statistics.confusion import class_wise, confusion
from cytocurve.core.statistics.curves import Curve, area, summarize
from cytocurve.core.statistics.losses import Course, cross_entropy, loss_curves
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.core.statistics.predictions import Predictions
from cytocurve.core.statistics.questions import Sides, asked, questions, scores
from cytocurve.core.statistics.review import out_of_fold, probability_columns
from cytocurve.core.statistics.saturation import saturation
from cytocurve.core.statistics.seeds import over_seeds
from cytocurve.core.statistics.subjects import subjects
from cytocurve.core.statistics.thresholds import precision_recall, roc
from cytocurve.core.statistics.values import Values, mean, sd
from cytocurve.evaluation.forecasts import arm_plan, curve_of

EXAMPLES = 24
"""The number of images that a page shows per arm."""


@dataclass(frozen=True)
class ArmPredictions:
    """An arm's test predictions by training size; ``classes`` are in the order of the network's outputs.

    ``rows`` are the predictions at the largest size, with the names of their images.
    """

    classes: tuple[str, ...]
    by_size: Mapping[int, Predictions]
    rows: pd.DataFrame


def arm_predictions(runs: pd.DataFrame, predictions: pd.DataFrame, patients: Mapping[str, str]) -> ArmPredictions:
    """The test predictions of these runs; ``patients`` maps images to patients, where the patient is known."""
    columns = probability_columns(predictions)
    classes = tuple(column.removeprefix("p_") for column in columns)
    by_key = runs.set_index("run_key").loc[predictions["run_key"].cat.categories]
    codes = predictions["run_key"].cat.codes.to_numpy()
    labels = np.array([classes.index(name) for name in predictions["label"].cat.categories])
    labels = labels[predictions["label"].cat.codes]
    subject = _subjects(predictions["image"], patients)
    probabilities = predictions[columns].to_numpy(np.float64)
    size = by_key["size"].to_numpy()
    by_size = {}
    for number in np.unique(size).tolist():
        keys = np.flatnonzero(size == number)
        rows = np.flatnonzero(size[codes] == number)
        fold, seed = (by_key[axis].to_numpy()[keys].tolist() for axis in ("fold", "seed"))
        run = np.searchsorted(keys, codes[rows])
        patient = None if subject is None else subject[rows]
        by_size[number] = Predictions.of(labels[rows], probabilities[rows], run, fold, seed, patient)
    return ArmPredictions(classes, by_size, predictions[size[codes] == max(by_size)])


def _subjects(images: pd.Series, patients: Mapping[str, str]) -> Any:
    if not patients:
        return None
    numbers = {name: number for number, name in enumerate(sorted(set(patients.values())))}
    by_image = [numbers.get(patients.get(name, ""), -1) for name in images.cat.categories]
    return np.array(by_image)[images.cat.codes]


def arm_answers(
    arm: Arm,
    runs: pd.DataFrame,
    tests: ArmPredictions,
    labels: Mapping[str, str],
    leading: str,
    needs: LabelNeeds,
    losses: pd.DataFrame | None = None,
) -> ArmAnswers:
    """The answers of an arm; ``labels`` maps images to the labels that were merged into classes, where known.

    Saturation and forecast are by the metric ``leading``; ``needs`` are the labels that training sizes take. ``losses``
    are those of the runs by epoch, None if there are none.
    """
    curves = {metric: curve_of(runs, metric) for metric in METRICS}
    return ArmAnswers(
        architecture=arm.architecture,
        augmentation=arm.augmentation,
        labels=arm.labels,
        classes=tests.classes,
        curves={metric: _points(curve) for metric, curve in curves.items()},
        area={metric: build(Summary, **vars(area(curve))) for metric, curve in curves.items()},
        saturation=_saturation(curves[leading]),
        losses=() if losses is None else tuple(_losses(runs, tests, losses, f"training_{leading}")),
        questions={name: dict(_answer(tests, sides)) for name, sides in _questions(tests, labels).items()},
        roc={name: _roc_curves(tests, number) for number, name in _curve_classes(tests)},
        precision_recall={name: _precision_recall_curves(tests, number) for number, name in _curve_classes(tests)},
        confusion=tuple(build(Confusion, size=size, **vars(confusion(at))) for size, at in tests.by_size.items()),
        class_wise=tuple(ClassWise(size, tuple(_classes(tests.classes, at))) for size, at in tests.by_size.items()),
        over_seeds=_over_seeds(curves),
        subjects=tuple(_patient_scores(tests)) or None,
        calibration=tuple(_calibration(size, at) for size, at in tests.by_size.items()),
        examples=tuple(_examples(tests, labels)),
        plan=arm_plan(runs, leading, needs),
    )


def _points(curve: Curve) -> tuple[CurvePoint, ...]:
    return tuple(build(CurvePoint, size=size, **vars(summary)) for size, summary in summarize(curve).items())


def _losses(
    runs: pd.DataFrame, tests: ArmPredictions, losses: pd.DataFrame, training_score: str
) -> Iterator[LossCurve]:
    """The losses of each training size, and the scores of a column of ``runs``, if it is there."""
    by_run = {str(key): rows for key, rows in losses.groupby("run_key", observed=True)}
    for size, at in tests.by_size.items():
        of_size = runs[runs["size"] == size]
        keys = of_size["run_key"]
        found = loss_curves([(by_run[key]["loss"].tolist(), by_run[key]["validation_loss"].tolist()) for key in keys])
        yield build(
            LossCurve,
            size=size,
            runs=found.runs,
            epoch=found.epoch,
            training=_without_arrays(found.training),
            validation=_without_arrays(found.validation),
            kept_epoch=float(np.nanmedian(found.kept)) if np.isfinite(found.kept).any() else None,
            training_kept=_over_runs(found.training_kept),
            validation_kept=_over_runs(found.validation_kept),
            test_kept=_over_runs(cross_entropy(at)),
            training_score=_over_runs(of_size[training_score].to_numpy()) if training_score in of_size else None,
        )


def _over_runs(values: Values) -> dict[str, Any]:
    return {"mean": float(mean(values)), "sd": float(sd(values)), "n": int((~np.isnan(values)).sum())}


def _without_arrays(course: Course) -> dict[str, Any]:
    return {name: values.tolist() for name, values in vars(course).items()}


def pictured(tests: ArmPredictions) -> dict[str, str]:
    """An image of each class: of those tested at the largest size, the one whose class has the highest probability."""
    means = out_of_fold(tests.rows.astype({"image": str, "label": str}))
    found = {}
    for name in tests.classes:
        of_class = means[means["label"] == name].sort_values([f"p_{name}", "image"], ascending=[False, True])
        if len(of_class):
            found[name] = str(of_class["image"].iloc[0])
    return found


def _saturation(curve: Curve) -> Saturation:
    result = saturation(curve)
    return build(Saturation, **{**vars(result), "gain": result.gain and vars(result.gain)})


def _questions(tests: ArmPredictions, labels: Mapping[str, str]) -> dict[str, Sides]:
    """The binary questions that the classes answer, by the labels of the test images."""
    if len(tests.classes) == 2:
        return {}
    rows = tests.rows[["image", "label"]].drop_duplicates("image").astype(str)
    numbers = {name: number for number, name in enumerate(tests.classes)}
    members = {labels[i]: numbers[c] for i, c in zip(rows["image"], rows["label"], strict=True) if i in labels}
    return questions(Task("", tests.classes, members)) if members else {}


def _answer(tests: ArmPredictions, positive: Sides) -> Iterator[tuple[str, tuple[CurvePoint, ...]]]:
    """The learning curve of a binary question by each metric, scored like a separate task."""
    parts = [(size, at, scores(asked(at, positive))) for size, at in tests.by_size.items()]
    fold, seed = (np.concatenate([getattr(at, axis) for _, at, _ in parts]).tolist() for axis in ("fold", "seed"))
    sizes = np.repeat([size for size, _, _ in parts], [at.runs for _, at, _ in parts]).tolist()
    for metric in METRICS:
        values = np.concatenate([by_metric[metric] for _, _, by_metric in parts]).tolist()
        yield metric, _points(Curve.of(fold, seed, sizes, values))


def _curve_classes(tests: ArmPredictions) -> list[tuple[int, str]]:
    """The classes that have curves by threshold: the positive one of two, else all."""
    numbered = list(enumerate(tests.classes))
    return numbered[1:] if len(numbered) == 2 else numbered


def _roc_curves(tests: ArmPredictions, number: int) -> tuple[RocCurve, ...]:
    curves = {size: vars(roc(at, number)) for size, at in tests.by_size.items()}
    return tuple(
        build(RocCurve, size=size, auc_mean=curve["area_mean"], auc_sd=curve["area_sd"], **curve)
        for size, curve in curves.items()
    )


def _precision_recall_curves(tests: ArmPredictions, number: int) -> tuple[PrecisionRecallCurve, ...]:
    curves = {size: vars(precision_recall(at, number)) for size, at in tests.by_size.items()}
    return tuple(
        build(PrecisionRecallCurve, size=size, ap_mean=curve["area_mean"], ap_sd=curve["area_sd"], **curve)
        for size, curve in curves.items()
    )


def _classes(names: tuple[str, ...], predictions: Predictions) -> Iterator[ClassScores]:
    scores = class_wise(predictions)
    for number, name in enumerate(names):
        precision, sensitivity = (_spread(spread, number) for spread in (scores.precision, scores.sensitivity))
        yield ClassScores(name, int(scores.images[number]), precision, sensitivity)


def _spread(spread: averaging.Spread, place: int | tuple[()] = ()) -> Spread:
    return build(Spread, **{name: values[place] for name, values in vars(spread).items()})


def _over_seeds(curves: Mapping[str, Curve]) -> tuple[SizeOverSeeds, ...]:
    by_metric = {metric: over_seeds(curve) for metric, curve in curves.items()}
    sizes = next(iter(curves.values())).sizes.tolist()
    return tuple(
        SizeOverSeeds(size, {metric: build(SeedSpread, **vars(at[size])) for metric, at in by_metric.items()})
        for size in sizes
    )


def _patient_scores(tests: ArmPredictions) -> Iterator[PatientScores]:
    for size, at in tests.by_size.items():
        scores = subjects(at)
        if scores is not None:
            yield build(
                PatientScores,
                size=size,
                subjects=scores.accuracy.n,
                accuracy=vars(scores.accuracy),
                diagnosis=vars(scores.diagnosis),
                unknown=scores.unknown,
                undefined=scores.undefined,
            )


def _calibration(size: int, predictions: Predictions) -> Calibration:
    result = calibration(predictions)
    columns = ("low", "high", "predicted", "observed", "observed_low", "observed_high", "images")
    rows = zip(*(vars(result)[column] for column in columns), strict=True)
    bins = tuple(build(ReliabilityBin, **dict(zip(columns, row, strict=True))) for row in rows)
    return Calibration(size, _spread(result.brier), _spread(result.ece), bins)


def _examples(tests: ArmPredictions, labels: Mapping[str, str]) -> Iterator[Example]:
    """The images whose true class has the lowest probability at the largest size, the mean over its runs."""
    means = out_of_fold(tests.rows.astype({"image": str, "label": str}))
    runs = tests.rows["image"].value_counts()
    values = means[[f"p_{name}" for name in tests.classes]].to_numpy()
    true = np.array([tests.classes.index(label) for label in means["label"]])
    of_true = values[np.arange(len(values)), true]
    order = np.lexsort((means["image"].to_numpy(str), of_true))
    for row in order[np.isfinite(of_true[order])][:EXAMPLES]:
        image, true_class = means["image"].iloc[row], means["label"].iloc[row]
        yield build(
            Example,
            image=image,
            label=labels.get(image, true_class),
            class_name=true_class,
            predicted=tests.classes[int(values[row].argmax())],
            probability=of_true[row],
            probabilities=dict(zip(tests.classes, values[row].tolist(), strict=True)),
            runs=int(runs[image]),
        )
