"""Fitted estimators of one architecture as one model in a folder: arrays and JSON, no pickle.

MLflow loads the folder through this module (``_load_pyfunc``), so that cytocurve must be installed: unlike a Keras
model, an estimator does not carry its own code.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.runs import Component
from cytocurve.errors import InputError
from cytocurve.files import write_text
from cytocurve.models import architectures, estimators
from cytocurve.models.architectures import Architecture, Estimator, Weights

ABOUT, ARRAYS = "ensemble.json", "members.npz"

LOG = logging.getLogger("cytocurve")


@dataclass(frozen=True)
class EstimatorEnsemble:
    """Estimators of one architecture, whose probabilities are averaged; ``component`` names it, with its settings."""

    component: Component
    outputs: int
    members: Sequence[Weights]

    def __call__(self, images: NDArray[np.uint8], training: bool = False) -> NDArray[np.float32]:  # noqa: ARG002
        """The mean of the members' probabilities, float32 (n, outputs), of images (n, height, width, channels)."""
        if not len(images):
            return np.zeros((0, self.outputs), np.float32)
        family = self._architecture
        given = estimators.inputs(family, family.settings.model_validate(self.component.settings), np.asarray(images))
        each = [estimators.probabilities(member, given, self.outputs) for member in self._fitted()]
        return np.asarray(np.mean(each, axis=0, dtype=np.float64), np.float32)

    @property
    def trained_by_this_code(self) -> bool:
        """Whether the installed architecture is the one that was trained."""
        return architectures.version(self.component.name) == self.component.version

    @property
    def libraries(self) -> tuple[str, ...]:
        """The packages that it computes with."""
        family = self._architecture
        named = (*family.libraries, *(family.features.libraries if family.features else ()))
        return tuple(sorted({"numpy", "pillow", *named}))

    def save(self, folder: Path) -> None:
        """Write the ensemble to a folder."""
        about = {"architecture": asdict(self.component), "outputs": self.outputs, "members": len(self.members)}
        write_text(folder / ABOUT, json.dumps(about, indent=1) + "\n")
        arrays = {f"{m}.{n}": array for m, member in enumerate(self.members) for n, array in enumerate(member)}
        np.savez(folder / ARRAYS, allow_pickle=False, **arrays)

    @property
    def _architecture(self) -> Architecture:
        return architectures.load(self.component.name)

    def _fitted(self) -> list[Estimator]:
        family = self._architecture
        if family.estimator is None:
            raise ValueError("the architecture has no estimator")
        settings, fitted = family.settings.model_validate(self.component.settings), []
        for weights in self.members:
            estimator = family.estimator(settings, 0)
            estimator.set_weights(weights)
            fitted.append(estimator)
        return fitted


def load(folder: Path) -> EstimatorEnsemble:
    """The ensemble in a folder; raises ``InputError`` if its architecture is not installed."""
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    component = Component(**about["architecture"])
    if component.name not in architectures.names():
        raise InputError(
            f"The model needs the architecture {component.name!r}, which is not installed",
            hint=f"Architectures: {', '.join(architectures.names())}.",
        )
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        counts = [sum(name.startswith(f"{member}.") for name in arrays.files) for member in range(about["members"])]
        members = [[arrays[f"{member}.{n}"] for n in range(count)] for member, count in enumerate(counts)]
    return EstimatorEnsemble(component, about["outputs"], members)


@dataclass(frozen=True)
class Served:
    """What MLflow calls: an ensemble with ``predict``."""

    ensemble: EstimatorEnsemble

    def predict(self, model_input: Any, params: Any = None) -> NDArray[np.float32]:  # noqa: ARG002
        """Class probabilities, float32 (n, classes), of prepared images, uint8 (n, height, width, channels)."""
        return self.ensemble(np.asarray(model_input, np.uint8))


def _load_pyfunc(path: str) -> Served:
    ensemble = load(Path(path))
    if not ensemble.trained_by_this_code:
        LOG.warning("%s was trained by other code than is installed, which may change its predictions", path)
    return Served(ensemble)
