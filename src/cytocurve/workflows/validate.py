"""``cytocurve validate``: score a registered model on images that it has not seen: another dataset, or the holdout."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.answers import Freshness, Validation, to_json
from cytocurve.errors import InputError
from cytocurve.evaluation.page_context import looks_of
from cytocurve.evaluation.validation import Judged, validation
from cytocurve.files import write_text
from cytocurve.ingest.decoding import read_rgb
from cytocurve.progress import Observer
from cytocurve.report.review import picture
from cytocurve.report.validation import render
from cytocurve.stores.documents import write_json
from cytocurve.stores.dvc import commit
from cytocurve.stores.ledger import Ledger, open_ledger
from cytocurve.stores.tracking.connection import ask
from cytocurve.stores.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    CLASSES,
    Notes,
    Version,
    annotate,
    registered_versions,
)
from cytocurve.study.design import held_out
from cytocurve.study.lineage import sightings
from cytocurve.study.looks import Look, looks_at, recorded_look, shortened
from cytocurve.training.networks import locked_away, of_version
from cytocurve.workflows.validation_images import Chosen, Request, chosen_images

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

PREPARED_BY_OTHER_CODE = (
    "Images are prepared by other code than at training (cytocurve or a library that it uses has changed), which may "
    "change the scores."
)
NO_STUDY_SCORE = (
    "The version does not have the study's scores, since an earlier cytocurve registered it: cytocurve register adds "
    "them to the model of the present results."
)


def validate(
    project: ProjectPaths,
    version: str | None,
    dataset: str | None,
    labels: str | None,
    holdout: bool,
    reason: str | None,
    observer: Observer,
) -> Validation:
    """Score a registered version on new images, and write ``reports/validation/<name>.json`` and ``.html``.

    ``version`` is a number or an alias, by default the champion, else the challenger. A look at the holdout is recorded
    before anything shows its scores. Raises ``InputError`` before any prediction if the request or the images cannot
    be used, ``ServiceError`` if the registry cannot be reached.
    """
    _check_request(dataset, holdout, reason)
    params = project.params()
    held = held_out(project, params)
    if holdout and held.empty:
        raise InputError(
            "There is no holdout: params.yaml does not set one",
            hint="A holdout must be set before training: images that were trained on cannot serve as one.",
            next_step="holdout: 0.2 in params.yaml, then dvc repro; or cytocurve validate --dataset NAME",
        )
    found = _version(project, params, version)
    classes = tuple(json.loads(found.tags[CLASSES]))
    ledger = open_ledger(project.ledger_url)
    wanted = Request(
        version=found,
        classes=classes,
        dataset=params.dataset if dataset is None else dataset,
        labels=labels,
        held=frozenset(held["image"]),
        locked=locked_away(project, found.name, found.number),
        holdout=holdout,
    )
    chosen = chosen_images(project, params, wanted, ledger, observer)
    result = _scored(project, wanted, chosen, ledger, observer)
    if holdout:
        look = _look(project, result, chosen.table, reason or "")
        with recorded_look(project, look) as earlier:
            result = _counted(result, earlier, look)
            _write(project, result, chosen)
    else:
        _write(project, result, chosen)
    _tag(project, result)
    return result


def _check_request(dataset: str | None, holdout: bool, reason: str | None) -> None:
    if holdout == (dataset is not None):
        raise InputError("Validate on a dataset or on the holdout", next_step="--dataset NAME, or --holdout")
    if holdout and not (reason or "").strip():
        raise InputError(
            "--reason: every look at the holdout is recorded with its reason, which must not be blank",
            next_step='for example --reason "final score of the chosen model"',
        )


def _version(project: ProjectPaths, params: Params, wanted: str | None) -> Version:
    """The version with this number or alias, by default the champion, else the challenger."""
    name = f"{params.dataset}-{params.task_name}"
    registered = ask(project.tracking_uri, project.tracking_lock, registered_versions)
    versions = [version for version in registered if version.name == name]
    if not versions:
        raise InputError(f"No version of the model {name} is registered", next_step="dvc repro")
    for alias in [wanted] if wanted else [CHAMPION, CHALLENGER]:
        for version in versions:
            if alias in (str(version.number), *version.aliases):
                return version
    listed = [" ".join([str(its.number), *(f"({alias})" for alias in its.aliases)]) for its in versions]
    raise InputError(
        f"{name} has no version {wanted!r}" if wanted else f"{name} has neither a champion nor a challenger",
        hint=f"Versions: {', '.join(listed)}",
        next_step="cytocurve validate VERSION …, a number or an alias of these",
    )


def _scored(project: ProjectPaths, wanted: Request, chosen: Chosen, ledger: Ledger, observer: Observer) -> Validation:
    version, table = wanted.version, chosen.table
    predictor = of_version(project, version.name, version.number)
    probabilities = predictor.probabilities([chosen.files[image] for image in table["image"]])
    if not np.isfinite(probabilities).all():
        raise InputError(f"{version.name}, version {version.number}, predicts values that are not numbers")
    judged = Judged(version, wanted.dataset, chosen.labels, wanted.holdout, wanted.classes, table)
    notes = [] if predictor.prepared_as_trained else [PREPARED_BY_OTHER_CODE]
    fresh = _freshness(ledger, table, observer) if wanted.holdout else None
    result = validation(judged, probabilities, chosen.left_out, notes, fresh)
    return result if result.study else replace(result, notes=(*result.notes, NO_STUDY_SCORE))


def _freshness(ledger: Ledger, table: pd.DataFrame, observer: Observer) -> Freshness:
    """What the ledger knows of these images; the looks are counted when this one is recorded."""
    seen, _ = sightings(ledger, table["pixel_sha256"].tolist(), observer.task("ledger", "runs"))
    return Freshness(
        look=0,
        other_looks=0,
        images_seen_then=0,
        runs_using=len({its.run_key for its in seen}),
        images_used=len({its.identity for its in seen}),
    )


def _look(project: ProjectPaths, result: Validation, table: pd.DataFrame, reason: str) -> Look:
    return Look(
        date=datetime.now(UTC).date().isoformat(),
        reason=" ".join(reason.split()),
        model=result.model,
        version=result.version,
        commit=commit(project.root),
        labels=result.labels,
        data=result.data,
        metric=result.metric,
        score=result.scores[result.metric].value,
        seen=shortened(table["pixel_sha256"]),
    )


def _counted(result: Validation, earlier: Sequence[Look], look: Look) -> Validation:
    """The result with the number of this look."""
    here, others, images = looks_at(earlier, look.seen)
    assert result.freshness is not None
    fresh = replace(result.freshness, look=here + 1, other_looks=others, images_seen_then=images)
    return replace(result, freshness=fresh)


def _write(project: ProjectPaths, result: Validation, chosen: Chosen) -> None:
    pictures = {wrong.image: picture(read_rgb(chosen.files[wrong.image])) for wrong in result.worst}
    folder, looks = project.reports / "validation", looks_of(project, result.model) if result.holdout else ()
    page = render(result, pictures, looks)
    write_json(folder / f"{result.name}.json", to_json(result))
    write_text(folder / f"{result.name}.html", page)


def _tag(project: ProjectPaths, result: Validation) -> None:
    """The result as a tag of the version, with the hash of the data."""
    about = {
        "data": result.data,
        "images": result.images,
        "patients": result.patients,
        result.metric: to_json(result.scores[result.metric]),
    }
    tags = {f"cytocurve.validation.{result.name}": json.dumps(about)}

    def annotated(client: "MlflowClient") -> None:
        annotate(client, result.model, result.version, Notes("", tags))

    ask(project.tracking_uri, project.tracking_lock, annotated)
