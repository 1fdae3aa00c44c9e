"""Resolve a recipe for an engine: look up its components and fill in default settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from cytocurve.core.runs import PlannedRun, Recipe
from cytocurve.models import architectures, augmentation, protocols
from cytocurve.models.class_weights import class_weights
from cytocurve.models.jobs import Job
from cytocurve.models.transforms import Pixels


@dataclass(frozen=True)
class Resolved:
    """The components that a recipe names, with all of their settings."""

    architecture: architectures.Architecture
    architecture_settings: BaseModel
    policy: augmentation.Policy
    policy_settings: BaseModel
    protocol: protocols.TrainingProtocol
    protocol_settings: Any

    def settings(self) -> Mapping[str, Any]:
        """All settings by name, those of the architecture and the policy last."""
        models = (self.protocol_settings, self.architecture_settings, self.policy_settings)
        return {name: value for model in models for name, value in model.model_dump().items()}


def resolved(recipe: Recipe) -> Resolved:
    """The components of a recipe; raises ``KeyError`` if one is not installed."""
    architecture = architectures.load(recipe.architecture.name)
    policy, protocol = augmentation.load(recipe.augmentation.name), protocols.load(recipe.protocol.name)
    return Resolved(
        architecture,
        architecture.settings.model_validate(recipe.architecture.settings),
        policy,
        policy.settings.model_validate(recipe.augmentation.settings),
        protocol,
        protocol.settings.model_validate(recipe.protocol.settings),
    )


def job(planned: PlannedRun, images: Pixels, classes: NDArray[np.int32]) -> Job:
    """The job of a run on prepared images (n, height, width, channels) with class indices (n,)."""
    run, parts = planned.run, resolved(planned.run.recipe)
    return Job(
        **vars(parts),
        images=images,
        classes=classes,
        train=planned.rows["train"],
        validation=planned.rows["validation"],
        test=planned.rows["test"],
        outputs=run.outputs,
        entropy=run.entropy,
        class_weights=class_weights(parts.protocol_settings.class_weights, np.array(run.train.classes), run.outputs),
    )
