"""An estimator without epochs: scikit-learn's logistic regression on the colors of coarse tiles."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from cytocurve.models.architectures import Architecture, Weights
from cytocurve.models.settings import Settings

TILES = 3


class ColorRegressionSettings(Settings):
    c: float = 1.0


def features(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    rows = np.array_split(images / 255, TILES, axis=1)
    tiles = [tile.mean(axis=(1, 2)) for row in rows for tile in np.array_split(row, TILES, axis=2)]
    return np.concatenate(tiles, axis=1)


class ColorRegression:
    classes_: NDArray[Any]

    def __init__(self, settings: ColorRegressionSettings, seed: int) -> None:
        self._model = LogisticRegression(C=settings.c, random_state=seed)

    def fit(self, images: NDArray[np.uint8], classes: NDArray[np.int32], sample_weight: Any = None) -> None:
        self._model.fit(features(images), classes, sample_weight=sample_weight)
        self.classes_ = self._model.classes_

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        probabilities: NDArray[Any] = self._model.predict_proba(features(images))
        return probabilities

    def get_weights(self) -> Weights:
        return [self._model.coef_, self._model.intercept_, self._model.classes_]

    def set_weights(self, weights: Weights) -> None:
        self._model.coef_, self._model.intercept_, self._model.classes_ = weights
        self.classes_ = self._model.classes_


ARCHITECTURE = Architecture(ColorRegressionSettings, lambda _: TILES, estimator=ColorRegression)
