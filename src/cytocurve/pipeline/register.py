"""Stage ``register``: choose an arm by validation scores alone and register its model as challenger.

The model is the ensemble of the folds: the mean of the class probabilities of the networks that the arm's folds
trained at the largest size. Why not one fold's network: which fold is chance, and choosing the best one chases the
noise of 25 validation images. Why not a refit on all images: nothing would be left for early stopping, and the result
would be a network that no test image has ever judged. The ensemble's members are the very networks whose test scores
the curve shows, and as the log loss is convex, the loss of their mean is on no image larger than their mean loss.
"""

import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytocurve.config import Params, Project
from cytocurve.core.metrics import score
from cytocurve.core.runs import digest
from cytocurve.errors import InputError
from cytocurve.models import architectures
from cytocurve.models.ensemble import mean_ensemble
from cytocurve.stores.dvc import commit, data_hash
from cytocurve.stores.files import write_text
from cytocurve.stores.images import square
from cytocurve.stores.ledger import Ledger
from cytocurve.stores.registry import register as register_version
from cytocurve.stores.tracking import connected
from cytocurve.study.plan import ArmPlan, PlannedRun, plan_arm
from cytocurve.study.publish import publish

METRIC = "roc_auc"


def register(project: Project) -> dict[str, Any]:
    """Register the best arm's model and write ``reports/model.json``; returns its contents.

    Raises ``InputError`` where results or weights are missing, ``ServiceError`` where the registry cannot be used.
    """
    params = project.params()
    plans = {arm.name: plan_arm(project, params, arm) for arm in params.arms}
    size = params.sizes[-1]
    scores = {name: validation_score(project, plan, size) for name, plan in plans.items()}
    best = max(sorted(scores), key=lambda name: scores[name])
    plan, members = plans[best], members_of(plans[best], params)
    report = {
        "model": f"{params.dataset}-{params.task_name}",
        "arm": best,
        "classes": plan.class_names,
        "size": size,
        "chosen_by": f"mean validation {METRIC} at {size} training images",
        "validation": {name: round(value, 6) for name, value in scores.items()},
        "members": [run.key for run in members],
        "model_key": digest([run.key for run in members]),
    }
    _register(project, plan, members, report)
    write_text(project.reports / "model.json", json.dumps(report, indent=1) + "\n")
    return report


def validation_score(project: Project, plan: ArmPlan, size: int) -> float:
    """The arm's mean score on its validation images at that training size; test images are not looked at."""
    path = project.predictions(plan.arm)
    if not path.is_file():
        raise InputError(f"{path}: no results of this arm yet", hint="Next: dvc repro sweep")
    table = pd.read_parquet(path)
    keys = {run.key for run in plan.runs if run.size == size}
    rows = table[(table["subset"] == "validation") & table["run_key"].isin(keys)]
    if rows["run_key"].nunique() < len(keys):
        raise InputError(f"{path}: results of other runs than params.yaml states", hint="Next: dvc repro sweep")
    columns = [f"p_{name}" for name in plan.class_names]
    number = {name: i for i, name in enumerate(plan.class_names)}
    scores = [
        score(run["label"].map(number).to_numpy(), run[columns].to_numpy())[METRIC]
        for _, run in rows.groupby("run_key")
    ]
    return float(np.nanmean(scores))


def members_of(plan: ArmPlan, params: Params) -> list[PlannedRun]:
    """Each fold's run at the largest size; of several seeds, the first."""
    return [run for run in plan.runs if run.size == params.sizes[-1] and run.seed == params.seeds[0]]


def _register(project: Project, plan: ArmPlan, members: list[PlannedRun], report: dict[str, Any]) -> None:
    ledger = Ledger(project.ledger)
    lost = ledger.missing(run.key for run in members)
    if lost:
        raise InputError(
            f"{ledger.root} lacks these runs of {plan.arm.name}:",
            lost,
            "Next: cytocurve sweep, then cytocurve register",
        )
    recipe = plan.recipe
    shape = (recipe.image_size, recipe.image_size, 3)
    architecture = architectures.load(recipe.architecture)
    settings = architecture.settings.model_validate(recipe.architecture_settings)
    weights = [ledger.weights(run.key) for run in members]
    published = publish(project, plan)
    with connected(project.tracking_uri, project.tracking_lock) as client:
        register_version(
            client,
            mean_ensemble(architecture, settings, shape, recipe.outputs, weights),
            name=report["model"],
            model_key=report["model_key"],
            run_id=published.run_id,
            sample=sample(project, plan),
            tags=_tags(project, plan, report),
        )


def sample(project: Project, plan: ArmPlan) -> NDArray[np.uint8]:
    """The first image of the arm as the network takes it, (1, size, size, 3)."""
    path = project.data / plan.dataset / "images" / plan.images[0]
    return square(path, plan.identities[0], plan.recipe.image_size)[np.newaxis]


def _tags(project: Project, plan: ArmPlan, report: dict[str, Any]) -> dict[str, str]:
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
        "cytocurve.members": json.dumps(report["members"]),
    }
    return {name: value for name, value in tags.items() if value is not None}
