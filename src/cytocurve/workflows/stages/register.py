"""Stage ``register``: choose an arm by validation scores only and register its model as challenger.

The model is an ensemble over folds: it averages the class probabilities of the networks that the arm's folds trained at
the largest size. A single fold's network would be an arbitrary choice, and picking the best one would chase the noise
of 25 validation images. A refit on all images would leave none for early stopping or testing. The members are the
networks whose test scores the curve shows, and since the log loss is convex, the loss of the mean prediction never
exceeds the mean loss on any image.

DVC restores results by restoring files, which does not restore an alias. ``reports/challenger.json`` therefore names
the model that the alias was moved to. DVC compares this file but never restores it, so after other results are checked
out or applied, this stage is stale, and the next ``dvc repro`` moves the alias. An experiment registers a version, so
that it can be compared and loaded, but does not move the alias; stage ``challenger`` then makes this stage stale.
"""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.runs import PlannedRun, digest
from cytocurve.errors import InputError
from cytocurve.evaluation.registered import Evidence, Score, described, evidence
from cytocurve.files import write_text
from cytocurve.stores.dvc import commit, data_hash
from cytocurve.stores.ledger import open_ledger
from cytocurve.stores.tracking.connection import ask, check_uri
from cytocurve.stores.tracking.registry import CHALLENGER, CLASSES, CORRECTED, MEMBERS, OUT_OF_FOLD, Notes
from cytocurve.stores.tracking.registry import register as register_version
from cytocurve.study.design import ArmDesign, check_split, design_arm, held_out
from cytocurve.study.looks import shortened
from cytocurve.study.results import check_results
from cytocurve.study.selection import METRIC, best_arm, validated
from cytocurve.training.networks import HOLDOUT, about, check_registrable, input_shape, members_weights, registrable
from cytocurve.training.publisher import publish
from cytocurve.workflows.alias import challenge
from cytocurve.workflows.gate import require_audit

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


REGISTER_SECONDS = 600.0
"""Maximum time to upload a model to a server and to register it, of which most is for large models."""


@dataclass(frozen=True)
class RegisterOutcome:
    """The registered model, its arm, how the arm was chosen, the study's scores, the member runs, and the version.

    ``out_of_fold`` and ``corrected`` are scores of single networks, as in ``evaluation.registered.Evidence``: images
    that the ensemble's networks have seen cannot give a score of the ensemble. ``members`` are the keys of the runs.
    ``challenger`` is whether the alias is now at the version; an experiment of DVC does not move it.
    """

    model: str
    arm: str
    classes: tuple[str, ...]
    size: int
    chosen_by: str
    validation: dict[str, float | None]
    candidates: int
    validation_images: int
    out_of_fold: dict[str, Score]
    corrected: Score | None
    members: list[str]
    model_key: str
    version: int
    challenger: bool

    def to_json(self) -> dict[str, Any]:
        """The contents of ``reports/model.json``, ``version`` and ``challenger``."""
        return asdict(self)


def register(project: ProjectPaths) -> RegisterOutcome:
    """Register the best arm's model, as challenger unless in an experiment, and write ``reports/model.json``.

    If the registry holds this model already, only the alias is moved, which needs no ledger; a version whose files are
    missing or damaged gets a successor. Raises ``InputError`` if results or weights are missing, ``ServiceError`` if
    the registry cannot be used.
    """
    params = project.params()
    check_uri(project.tracking_uri)
    size = params.sizes[-1]
    check_split(project, params)
    require_audit(project)
    check_results(project, params.arms)
    validations = validated(project, size)
    scores = {name: arm.score for name, arm in validations.items()}
    best = best_arm(scores, params)
    if np.isnan(scores[best]):
        raise InputError(
            f"Nothing to register: validation {METRIC} at {size} training images is undefined for all arms"
        )
    design = next(design_arm(project, params, arm) for arm in params.arms if arm.name == best)
    members = members_of(design, params)
    report: dict[str, Any] = {
        "model": f"{params.dataset}-{params.task_name}",
        "arm": best,
        "classes": design.class_names,
        "size": size,
        "chosen_by": f"mean validation {METRIC} at {size} training images",
        "validation": {name: None if np.isnan(value) else round(value, 6) for name, value in scores.items()},
        **evidence(project, params, best, validations),
        "members": [run.key for run in members],
        "model_key": digest([run.key for run in members]),
    }
    experiment = f"{params.dataset}/{params.task_name}"
    number = challenge(project, report["model"], report["model_key"], _notes(report), experiment)
    if number is None:
        number = _register(project, design, members, report)
    write_text(project.reports / "model.json", json.dumps(report, indent=1) + "\n")
    write_text(project.challenger, json.dumps({key: report[key] for key in ("model", "model_key")}, indent=1) + "\n")
    return RegisterOutcome(**report, version=number, challenger=not project.in_experiment)


def members_of(design: ArmDesign, params: Params) -> list[PlannedRun]:
    """Each fold's run at the largest size with the first seed."""
    return [run for run in design.runs if run.size == params.sizes[-1] and run.seed == params.seeds[0]]


def _register(project: ProjectPaths, design: ArmDesign, members: list[PlannedRun], report: dict[str, Any]) -> int:
    check_registrable(design)
    ledger = open_ledger(project.ledger_url)
    members_weights(ledger, design, members)  # before anything is published
    published = publish(project, design)
    locked = held_out(project, project.params())["pixel_sha256"]

    def store(client: "MlflowClient") -> int:
        return register_version(
            client,
            lambda: registrable(ledger, design, members),
            name=report["model"],
            model_key=report["model_key"],
            run_id=published.run_id,
            # Not an image of the study: a model outlives the withdrawal of a patient.
            sample=np.zeros((1, *input_shape(design)), np.uint8),
            tags=_tags(project, design, report),
            alias=None if project.in_experiment else CHALLENGER,
            metadata={**about(design), HOLDOUT: " ".join(shortened(locked))},
            notes=_notes(report),
        )

    return ask(project.tracking_uri, project.tracking_lock, store, REGISTER_SECONDS)


def _notes(report: dict[str, Any]) -> Notes:
    """What the version says about its score: that of single networks, and what the choice of the arm does to it."""
    known = Evidence(
        candidates=report["candidates"],
        validation_images=report["validation_images"],
        out_of_fold=report["out_of_fold"],
        corrected=report["corrected"],
    )
    tags = {
        "cytocurve.candidates": str(report["candidates"]),
        OUT_OF_FOLD: json.dumps(report["out_of_fold"]),
        CORRECTED: json.dumps(report["corrected"]),
        "cytocurve.score_of": "single networks on images outside of their folds, not the ensemble",
    }
    return Notes(described(report["arm"], len(report["members"]), report["size"], known), tags)


def _tags(project: ProjectPaths, design: ArmDesign, report: dict[str, Any]) -> dict[str, str]:
    """Tags that trace a model version back to data, code and runs."""
    tags = {
        "cytocurve.arm": design.arm.name,
        "cytocurve.arm_key": design.key,
        "cytocurve.labels": design.arm.labels,
        "cytocurve.data": data_hash(project.root),
        "cytocurve.commit": commit(project.root),
        CLASSES: json.dumps(design.class_names),
        "cytocurve.preparation": json.dumps(asdict(design.recipe.preparation)),
        "cytocurve.size": str(report["size"]),
        "cytocurve.chosen_by": report["chosen_by"],
        "cytocurve.validation": str(report["validation"][design.arm.name]),
        MEMBERS: json.dumps(report["members"]),
    }
    return {name: value for name, value in tags.items() if value is not None}
