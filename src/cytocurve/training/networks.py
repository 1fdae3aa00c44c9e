"""Predictors for any image, from runs in the ledger or from registered models."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cytocurve.config import ProjectPaths
from cytocurve.core.runs import PlannedRun
from cytocurve.errors import InputError
from cytocurve.models import recipes
from cytocurve.models.architectures import Weights
from cytocurve.models.ensemble import mean_ensemble
from cytocurve.models.packed import EstimatorEnsemble
from cytocurve.models.predictor import Predictor, predictor, saved_model
from cytocurve.redaction import shown
from cytocurve.stores.ledger import Ledger
from cytocurve.stores.tracking.connection import ask
from cytocurve.stores.tracking.registry import PackedModel, download, stored_metadata
from cytocurve.study.design import ArmDesign

DOWNLOAD_SECONDS = 600.0
"""Maximum time to download a model from a server."""


def about(design: ArmDesign) -> dict[str, Any]:
    """The metadata of an arm's models, preparation and classes, as in ``Predictor.about``."""
    return {"preparation": asdict(design.recipe.preparation), "classes": list(design.class_names)}


def input_shape(design: ArmDesign) -> tuple[int, int, int]:
    """The input shape of the arm's networks: height, width, channels."""
    side = design.recipe.preparation.settings["size"]
    return side, side, 3


def check_registrable(design: ArmDesign) -> None:
    """Raise ``InputError`` if the arm's networks cannot be combined into one model."""
    architecture = recipes.resolved(design.recipe).architecture
    if architecture.build is None and architecture.estimator is None:
        raise InputError(
            f"{design.arm.name} cannot be registered: its architecture has neither a Keras model nor an estimator"
        )


def members_weights(ledger: Ledger, design: ArmDesign, members: Sequence[PlannedRun]) -> list[Weights]:
    """The members' weights; raises ``InputError`` listing runs that are not in the ledger."""
    weights = {run.key: ledger.weights(run.key) for run in members}
    if missing := [key for key, arrays in weights.items() if arrays is None]:
        raise InputError(
            f"{shown(ledger.url)} lacks these runs of {design.arm.name}, or they are damaged:",
            missing,
            next_step="set CYTOCURVE_LEDGER to the ledger that has them, or cytocurve sweep; then cytocurve register",
        )
    return [arrays for arrays in weights.values() if arrays is not None]


def ensemble(ledger: Ledger, design: ArmDesign, members: Sequence[PlannedRun]) -> Any:
    """A model that averages the members' probabilities: a Keras model, or an ensemble of estimators.

    Raises ``InputError`` listing the runs whose weights are not in the ledger.
    """
    weights = members_weights(ledger, design, members)
    parts = recipes.resolved(design.recipe)
    if parts.architecture.build is None:
        return EstimatorEnsemble(design.recipe.architecture, len(design.class_names), weights)
    return mean_ensemble(
        parts.architecture, parts.architecture_settings, input_shape(design), len(design.class_names), weights
    )


def registrable(ledger: Ledger, design: ArmDesign, members: Sequence[PlannedRun]) -> Any:
    """The ensemble as the registry stores it: a Keras model, or the files of an ensemble of estimators."""
    model = ensemble(ledger, design, members)
    if not isinstance(model, EstimatorEnsemble):
        return model
    return PackedModel(model.save, type(model).__module__, model.outputs, model.libraries)


def of_runs(ledger: Ledger, design: ArmDesign, members: Sequence[PlannedRun]) -> Predictor:
    """A predictor that averages the probabilities of these runs; raises ``InputError``."""
    return predictor(ensemble(ledger, design, members), about(design))


HOLDOUT = "holdout"
"""The metadata of a model with the first digits of the identities of the images that were locked away from it."""


def locked_away(project: ProjectPaths, name: str, version: int) -> frozenset[str]:
    """The images that the study of a registered version had locked away, as ``looks.shortened`` identities.

    They stay locked for this version after a study without that holdout; none for versions of an earlier cytocurve.
    Raises ``ServiceError`` if the registry cannot be reached.
    """
    with TemporaryDirectory() as scratch:
        stored = ask(
            project.tracking_uri,
            project.tracking_lock,
            lambda client: stored_metadata(client, name, version, Path(scratch)),
        )
    return frozenset(str(stored.get(HOLDOUT, "")).split())


def of_version(project: ProjectPaths, name: str, version: int) -> Predictor:
    """The predictor of a registered model version.

    Raises ``InputError`` if cytocurve did not register it, ``ServiceError`` if the registry cannot be reached.
    """
    with TemporaryDirectory() as scratch:
        folder, metadata = ask(
            project.tracking_uri,
            project.tracking_lock,
            lambda client: download(client, name, version, Path(scratch)),
            DOWNLOAD_SECONDS,
        )
        if "preparation" not in metadata:
            raise InputError(f"{name}, version {version}, has no metadata about the preparation of images")
        return predictor(saved_model(folder), metadata)
