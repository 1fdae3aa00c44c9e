"""From the predictions of a registered model on new images to the record of its validation."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cytocurve.core.answers import (
    Freshness,
    Interval,
    LeftOut,
    ReliabilityBin,
    ValidatedClass,
    Validation,
    WrongImage,
    build,
)
from cytocurve.core.answers.serialization import rounded
from cytocurve.core.runs import digest
from cytocurve.core.statistics.calibration import Calibration, calibration
from cytocurve.core.statistics.clusters import LEAST, RESAMPLES, Estimate, Units, difference, estimates
from cytocurve.core.statistics.metrics import METRICS, Labels, Probabilities, precisions, roc_auc, score
from cytocurve.core.statistics.predictions import Predictions
from cytocurve.core.statistics.proportions import wilson
from cytocurve.core.statistics.values import ratio
from cytocurve.report.titles import title_of
from cytocurve.stores.tracking.experiments import ARM
from cytocurve.stores.tracking.registry import CORRECTED, OUT_OF_FOLD, Version
from cytocurve.study.selection import METRIC
from cytocurve.text import counted

OVER_IMAGES = ("accuracy", "f1_weighted", "brier")
"""The scores in which a rare class has little weight."""

WORST = 24
"""The number of wrong images that a page shows."""


@dataclass(frozen=True)
class Judged:
    """What is validated, and the images that judge it: ``image, label, class, patient, pixel_sha256``."""

    version: Version
    dataset: str
    labels: str
    holdout: bool
    classes: tuple[str, ...]
    images: pd.DataFrame


def validation(
    judged: Judged,
    probabilities: Probabilities,
    left_out: Sequence[LeftOut],
    notes: Sequence[str],
    freshness: Freshness | None,
    resamples: int = RESAMPLES,
) -> Validation:
    """The record for the probabilities (images, classes) of the images, in their order."""
    images, classes = judged.images, judged.classes
    labels = np.array([classes.index(name) for name in images["class"]], np.intp)
    values = np.asarray(probabilities, np.float64)
    clusters, patients = _clusters(images)
    found = estimates(labels, values, clusters, _scores(classes), _units(labels, clusters, classes), resamples)
    study, corrected = _study(judged.version.tags)
    missing = [name for name in classes if name not in set(images["class"])]
    differences = {} if missing else {name: difference(found[name], study[name]) for name in study if name in found}
    reliability = calibration(Predictions.of(labels, values, np.zeros(len(labels), np.intp), [0], [0]))
    wrong = _wrong(images, labels, values, classes)
    return Validation(
        model=judged.version.name,
        version=judged.version.number,
        aliases=judged.version.aliases,
        arm=judged.version.tags[ARM],
        dataset=judged.dataset,
        labels=judged.labels,
        holdout=judged.holdout,
        data=digest(sorted(zip(images["pixel_sha256"].tolist(), images["class"].tolist(), strict=True))),
        images=len(images),
        patients=patients,
        without_patient=int(images["patient"].isna().sum()),
        classes=classes,
        metric=METRIC,
        metrics={metric: title_of(metric) for metric in METRICS},
        scores={metric: _interval(found[metric]) for metric in METRICS},
        study={metric: _interval(its) for metric, its in study.items()},
        differences={metric: _interval(its) for metric, its in differences.items()},
        corrected=corrected,
        by_class=tuple(_by_class(images, classes, found)),
        confusion=tuple(map(tuple, _confusion(labels, values, len(classes)).tolist())),
        brier=_interval(found["brier"]),
        ece=rounded(float(reliability.ece.mean)),
        bins=tuple(_bins(reliability, values, clusters)),
        errors=len(wrong),
        worst=tuple(wrong[:WORST]),
        left_out=tuple(left_out),
        notes=(*notes, *_lacking(missing), *_too_few(labels, clusters, classes, patients is not None)),
        freshness=freshness,
    )


def _lacking(missing: Sequence[str]) -> list[str]:
    if not missing:
        return []
    names = ", ".join(missing)
    return [f"There is no image of {names}: averages are over the other classes, so none is compared with the study's."]


def _clusters(images: pd.DataFrame) -> tuple[list[int], int | None]:
    """Each image's number of its patient, or one of its own, and how many patients are known."""
    known = images["patient"].dropna()
    names = images["patient"].fillna("image " + images["image"])
    return pd.factorize(names)[0].tolist(), int(known.nunique()) or None


def _scores(classes: Sequence[str]) -> Any:
    """The statistic of ``estimates``: every metric, the Brier score, and three scores of each class."""

    def statistic(labels: Labels, probabilities: Probabilities) -> dict[str, float]:
        counts = _confusion(labels, probabilities, len(classes))
        hits, occurring, given = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
        sensitivity, precision = ratio(hits, occurring), precisions(hits, occurring, given)
        found = score(labels, probabilities)
        outcomes = labels[:, np.newaxis] == np.arange(len(classes))
        found["brier"] = float(((probabilities - outcomes) ** 2).sum(axis=1).mean()) / (2 if len(classes) == 2 else 1)
        for number, name in enumerate(classes):
            inside = probabilities[:, number]
            against = np.stack([-inside, inside], axis=1)
            found[f"sensitivity {name}"] = float(sensitivity[number])
            found[f"precision {name}"] = float(precision[number])
            found[f"roc_auc {name}"] = roc_auc((labels == number).astype(np.intp), against)
        return found

    return statistic


def _units(labels: Labels, clusters: Sequence[int], classes: Sequence[str]) -> dict[str, Units]:
    """The patients that each score rests on: of a class, those with images of it.

    Of two classes, those of the rarer one. Of more, all of them are worth a number of equal size, but an average over
    classes cannot rest on more patients than its rarest class.
    """
    of_class = _by_patients(labels, clusters, len(classes))
    present = [units for units in of_class if units.count] if len(classes) > 2 else of_class
    rarest, everything = min(units.count for units in present), Units.of(np.bincount(clusters).tolist())
    averaged = Units(rarest, everything.effective)
    units = {name: everything if name in OVER_IMAGES else averaged for name in (*METRICS, "brier")}
    if len(classes) == 2:
        units = dict.fromkeys(units, Units(rarest, min(each.effective for each in of_class)))
    for name, number in zip(classes, of_class, strict=True):
        units |= {f"{what} {name}": number for what in ("sensitivity", "precision", "roc_auc")}
    return units


def _by_patients(labels: Labels, clusters: Sequence[int], classes: int) -> list[Units]:
    """The patients with images of each class."""
    return [Units.of(np.bincount(np.asarray(clusters)[labels == number]).tolist()) for number in range(classes)]


def _too_few(labels: Labels, clusters: Sequence[int], classes: Sequence[str], by_patient: bool) -> list[str]:
    """Which classes have too few patients, or images if no patient is known, for an interval; empty if none has."""
    what = "patient" if by_patient else "image"
    units = _by_patients(labels, clusters, len(classes))
    few = [(its.count, name) for its, name in zip(units, classes, strict=True) if 0 < its.count < LEAST]
    if not few:
        return []
    named = ", ".join(f"{counted(number, what)} of {name}" for number, name in few)
    scores = "An interval takes" if len(classes) == 2 else "Intervals of a class and of averages over classes take"
    return [f"{named}: too few for an interval. {scores} at least {LEAST} {what}s of each class."]


def _bins(reliability: Calibration, values: Probabilities, clusters: Sequence[int]) -> Iterator[ReliabilityBin]:
    """The reliability bins, with Wilson's intervals for as many patients of equal size as have images there."""
    columns = ("low", "high", "predicted", "observed", "images")
    judged = values[:, 1] if values.shape[1] == 2 else values.max(axis=1)
    place = np.searchsorted(reliability.high[:-1], judged)
    for number, row in enumerate(zip(*(vars(reliability)[column] for column in columns), strict=True)):
        patients = Units.of(np.bincount(np.asarray(clusters)[place == number]).tolist()).effective
        share = float(reliability.observed[number])
        low, high = wilson(share, patients) if patients else (float("nan"), float("nan"))
        yield build(ReliabilityBin, observed_low=low, observed_high=high, **dict(zip(columns, row, strict=True)))


def _confusion(labels: Labels, probabilities: Probabilities, classes: int) -> Any:
    place = labels * classes + probabilities.argmax(axis=1)
    return np.bincount(place, minlength=classes**2).reshape(classes, classes)


def _study(tags: Mapping[str, str]) -> tuple[dict[str, Estimate], bool]:
    """The study's scores of single networks, and whether the leading one is corrected for the choice of the arm."""
    scores = json.loads(tags.get(OUT_OF_FOLD) or "{}")
    corrected = json.loads(tags.get(CORRECTED) or "null")
    if corrected is not None:
        scores[METRIC] = corrected
    return {name: _estimate(its) for name, its in scores.items()}, corrected is not None


def _estimate(stored: Mapping[str, float | None]) -> Estimate:
    ends = (stored[key] for key in ("mean", "ci_low", "ci_high"))
    return Estimate(*(float("nan") if end is None else end for end in ends))


def _interval(found: Estimate) -> Interval:
    return build(Interval, **vars(found))


def _by_class(images: pd.DataFrame, classes: Sequence[str], found: Mapping[str, Estimate]) -> list[ValidatedClass]:
    rows = []
    for name in classes:
        own = images[images["class"] == name]
        scores = {what: _interval(found[f"{what} {name}"]) for what in ("sensitivity", "precision", "roc_auc")}
        known = None if images["patient"].isna().all() else int(own["patient"].nunique())
        rows.append(ValidatedClass(class_name=name, images=len(own), patients=known, **scores))
    return rows


def _wrong(images: pd.DataFrame, labels: Labels, values: Probabilities, classes: Sequence[str]) -> list[WrongImage]:
    """The wrongly classified images, the most confident first."""
    predicted = values.argmax(axis=1)
    order = np.lexsort((images["image"].to_numpy(str), -values.max(axis=1)))
    return [
        build(
            WrongImage,
            image=images["image"].iloc[row],
            label=images["label"].iloc[row],
            class_name=images["class"].iloc[row],
            predicted=classes[predicted[row]],
            probability=float(values[row].max()),
            probabilities=dict(zip(classes, values[row].tolist(), strict=True)),
        )
        for row in order
        if predicted[row] != labels[row]
    ]
