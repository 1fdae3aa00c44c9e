"""A trained network together with its image preparation: image files in, class probabilities out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cytocurve.core.runs import Component
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import bombs_refused, refusal, unusable_mode
from cytocurve.models import packed, preparation, tensorflow
from cytocurve.models.packed import EstimatorEnsemble
from cytocurve.models.preparation import Preparation

BATCH = 64
"""Number of images prepared and predicted at a time."""


@dataclass(frozen=True)
class Predictor:
    """A network and everything needed to classify any image.

    ``classes`` are the names of its outputs. ``prepared_by`` is the preparation that it was trained with; if its
    version differs from that of the installed preparation, or if an estimator was trained by other code than is
    installed (``same_code``), ``prepared_as_trained`` is false.
    """

    network: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    preparation: Preparation
    prepared_by: Component
    classes: tuple[str, ...]
    same_code: bool = True

    @property
    def prepared_as_trained(self) -> bool:
        """Whether images are prepared, and measured, by the same code as the training images."""
        return self.same_code and self.prepared_by == self.preparation.component

    def probabilities(self, images: Sequence[Path | str | Image.Image]) -> NDArray[np.float32]:
        """Class probabilities, float32 (images, classes), of images or image files of any size.

        Raises ``InputError`` listing those that cannot be used: damaged, or not of 8 bits per channel.
        """
        batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
        empty = np.zeros((0, len(self.classes)), np.float32)
        return np.concatenate([empty, *(self.network(self._prepared(batch)) for batch in batches)])

    def _prepared(self, images: Sequence[Path | str | Image.Image]) -> NDArray[np.uint8]:
        prepared, problems = [], []
        for image in images:
            try:
                prepared.append(self._prepare(Path(image) if isinstance(image, str) else image))
            except (ValueError, OSError, Image.DecompressionBombError) as error:
                problems.append(f"{image}: {error}")
        if problems:
            raise InputError("These images cannot be used:", problems)
        return np.stack(prepared)

    def _prepare(self, image: Path | Image.Image) -> NDArray[np.uint8]:
        """The image as the network takes it; raises ``ValueError`` for files that no dataset could contain."""
        if isinstance(image, Path):
            with bombs_refused():
                reason = refusal(image)
        else:
            reason = unusable_mode(image.mode)
        if reason:
            raise ValueError(reason)
        return self.preparation.prepare(image)

    def about(self) -> dict[str, Any]:
        """JSON values to store with the network, from which ``predictor`` restores this one."""
        return {"preparation": asdict(self.prepared_by), "classes": list(self.classes)}


def predictor(model: Any, about: Mapping[str, Any]) -> Predictor:
    """A predictor from a model that takes uint8 images, as ``saved_model`` loads it, and ``Predictor.about``.

    Raises ``InputError`` if the preparation is unknown to this version of cytocurve.
    """
    component = Component(**about["preparation"])
    if component.name != preparation.NAME:
        raise InputError(f"The model needs preparation {component.name!r}, which is not installed")
    return Predictor(
        lambda images: np.asarray(model(images, training=False), np.float32),
        preparation.preparation(component.settings),
        component,
        tuple(about["classes"]),
        model.trained_by_this_code if isinstance(model, EstimatorEnsemble) else True,
    )


def saved_model(folder: Path) -> Any:
    """The model in a folder: the Keras model of a ``.keras`` file, or an ensemble of estimators.

    Raises ``InputError`` if the architecture of an ensemble is not installed.
    """
    for file in folder.rglob("*.keras"):
        return tensorflow.keras().models.load_model(file)
    (about,) = folder.rglob(packed.ABOUT)
    return packed.load(about.parent)
