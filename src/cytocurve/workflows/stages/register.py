"""Stage ``register``: choose an arm by validation scores alone and register its model as challenger.

The model is the ensemble of the folds: the mean of the class probabilities of the networks that the arm's folds
trained at the largest size. Why not one fold's network: which fold is chance, and choosing the best one chases the
noise of 25 validation images. Why not a refit on all images: nothing would be left for early stopping, and the result
would be a network that no test image has ever judged. The ensemble's members are the very networks whose test scores
the curve shows, and as the log loss is convex, the loss of their mean is on no image larger than their mean loss.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.runs import PlannedRun, digest
from cytocurve.errors import InputError
from cytocurve.files import write_text
from cytocurve.models import architectures
from cytocurve.models.ensemble import mean_ensemble
from cytocurve.stores.dvc import commit, data_hash
from cytocurve.stores.ledger import Ledger
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.registry import MEMBERS
from cytocurve.stores.tracking.registry import register as register_version
from cytocurve.study.design import ArmPlan, check_split, plan_arm
from cytocurve.study.selection import METRIC, best_arm, validation_scores
from cytocurve.training.publisher import publish


@dataclass(frozen=True)
class RegisterOutcome:
    """The registered model, the arm behind it, how that was chosen, and the keys of the runs that are its members."""

    model: str
    arm: str
    classes: tuple[str, ...]
    size: int
    chosen_by: str
    validation: dict[str, float | None]
    members: list[str]
    model_key: str

    def to_json(self) -> dict[str, Any]:
        """The contents of ``reports/model.json``."""
        return asdict(self)


def register(project: ProjectPaths) -> RegisterOutcome:
    """Register the best arm's model and write ``reports/model.json``; returns its contents.

    Raises ``InputError`` where results or weights are missing, ``ServiceError`` where the registry cannot be used.
    """
    params = project.params()
    size = params.sizes[-1]
    check_split(project, params)
    scores = validation_scores(project, size)
    best = best_arm(scores, params)
    if np.isnan(scores[best]):
        raise InputError(f"No arm has a defined validation {METRIC} at {size} training images: nothing to register")
    plan = next(plan_arm(project, params, arm) for arm in params.arms if arm.name == best)
    members = members_of(plan, params)
    report: dict[str, Any] = {
        "model": f"{params.dataset}-{params.task_name}",
        "arm": best,
        "classes": plan.class_names,
        "size": size,
        "chosen_by": f"mean validation {METRIC} at {size} training images",
        "validation": {name: None if np.isnan(value) else round(value, 6) for name, value in scores.items()},
        "members": [run.key for run in members],
        "model_key": digest([run.key for run in members]),
    }
    _register(project, plan, members, report)
    write_text(project.reports / "model.json", json.dumps(report, indent=1) + "\n")
    return RegisterOutcome(**report)


def members_of(plan: ArmPlan, params: Params) -> list[PlannedRun]:
    """Each fold's run at the largest size; of several seeds, the first."""
    return [run for run in plan.runs if run.size == params.sizes[-1] and run.seed == params.seeds[0]]


def _register(project: ProjectPaths, plan: ArmPlan, members: list[PlannedRun], report: dict[str, Any]) -> None:
    ledger = Ledger(project.ledger)
    found = {run.key: ledger.weights(run.key) for run in members}
    if lost := [key for key, weights in found.items() if weights is None]:
        raise InputError(
            f"{ledger.root} lacks these runs of {plan.arm.name}, or they were damaged:",
            lost,
            next_step="cytocurve sweep, then cytocurve register",
        )
    recipe = plan.recipe
    shape = (recipe.image_size, recipe.image_size, 3)
    architecture = architectures.load(recipe.architecture)
    settings = architecture.settings.model_validate(recipe.architecture_settings)
    weights = [arrays for arrays in found.values() if arrays is not None]
    published = publish(project, plan)
    with connected(project.tracking_uri, project.tracking_lock) as client:
        register_version(
            client,
            lambda: mean_ensemble(architecture, settings, shape, recipe.outputs, weights),
            name=report["model"],
            model_key=report["model_key"],
            run_id=published.run_id,
            # No picture of the study: a model outlives the withdrawal of a patient.
            sample=np.zeros((1, *shape), np.uint8),
            tags=_tags(project, plan, report),
        )


def _tags(project: ProjectPaths, plan: ArmPlan, report: dict[str, Any]) -> dict[str, str]:
    """What leads from a version back to data, code and runs."""
    tags = {
        "cytocurve.arm": plan.arm.name,
        "cytocurve.arm_key": plan.key,
        "cytocurve.labels": plan.arm.labels,
        "cytocurve.data": data_hash(project.root),
        "cytocurve.commit": commit(project.root),
        "cytocurve.classes": json.dumps(plan.class_names),
        "cytocurve.size": str(report["size"]),
        "cytocurve.chosen_by": report["chosen_by"],
        "cytocurve.validation": str(report["validation"][plan.arm.name]),
        MEMBERS: json.dumps(report["members"]),
    }
    return {name: value for name, value in tags.items() if value is not None}
