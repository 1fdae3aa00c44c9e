"""A support vector machine on color, texture and shape of the cell and its nucleus, without any network.

The classical way to classify blood cells. One machine with a Gaussian kernel per class, that class against all others
(for two classes, a single one); its decision values become probabilities by Platt's sigmoid (Platt 1999), which is
fitted to decision values of training images that were left out of the fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cytocurve.models.architectures import Architecture, Features, Weights
from cytocurve.models.cell_features import cell_features
from cytocurve.models.settings import Settings

Numbers = NDArray[np.float64]

PARTS = 5
"""Parts of the training images for the sigmoid; fewer if a class has fewer images."""

FARTHEST = 5.0
"""Scaled features are limited to this many standard deviations: with ten training images, some hardly vary."""

LEAST_SLOPE = 0.1
"""The sigmoid must rise: with few images, left-out decision values can suggest that it falls."""

Positive = Annotated[float, Field(gt=0)]


class FeaturesSvmSettings(Settings):
    """The cost of errors, the kernel's width relative to its default, and the side to which images are scaled down."""

    c: Positive = 3.0
    gamma: Positive = 0.5
    side: Annotated[int, Field(ge=16)] = 128


@dataclass(frozen=True)
class Machines:
    """Fitted machines: exp(-gamma |x - support|²) times ``dual`` (machines, supports), plus ``bias`` (machines,).

    ``slope`` and ``offset`` (machines,) are those of the sigmoids.
    """

    gamma: float
    supports: Numbers
    dual: Numbers
    bias: Numbers
    slope: Numbers
    offset: Numbers

    def decisions(self, scaled: Numbers) -> Numbers:
        """Decision values (n, machines), positive for the machine's class; each row is computed by itself."""
        rows = [np.exp(-self.gamma * np.square(self.supports - row).sum(axis=1)) for row in scaled]
        return np.array([(self.dual * row).sum(axis=1) + self.bias for row in rows]).reshape(len(rows), len(self.bias))

    def probabilities(self, scaled: Numbers) -> Numbers:
        """Probabilities (n, classes); without a machine, of a single class."""
        if not len(self.bias):
            return np.ones((len(scaled), 1))
        each = 1 / (1 + np.exp(-(self.slope * self.decisions(scaled) + self.offset)))
        both = np.concatenate([1 - each, each], axis=1) if each.shape[1] == 1 else each
        shares: Numbers = both / both.sum(axis=1, keepdims=True)
        return shares


class FeaturesSvm:
    """The estimator: scales features to mean 0 and standard deviation 1, then applies its machines."""

    classes_: NDArray[Any]

    def __init__(self, settings: FeaturesSvmSettings, _seed: int) -> None:
        self._settings = settings

    def fit(self, inputs: NDArray[Any], classes: NDArray[np.int32], sample_weight: Any = None) -> None:
        """Fit to vectors (n, features)."""
        vectors = np.asarray(inputs, np.float64)
        spread, rounding = vectors.std(axis=0), 1e-6 * np.abs(vectors).max(axis=0)
        self._mean, self._scale = vectors.mean(axis=0), np.where(spread > rounding, spread, 1.0)
        self.classes_ = np.unique(classes)
        targets = [classes == number for number in (self.classes_ if len(self.classes_) > 2 else self.classes_[1:])]
        weights = np.ones(len(classes)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        parameters = self._settings.c, self._settings.gamma / vectors.shape[1]
        self._machines = _fitted(self._scaled(vectors), targets, weights, parameters)

    def predict_proba(self, inputs: NDArray[Any]) -> Numbers:
        """Probabilities (n, classes)."""
        return self._machines.probabilities(self._scaled(np.asarray(inputs, np.float64)))

    def get_weights(self) -> Weights:
        """The scaling, the machines and the classes."""
        its = self._machines
        machines = [np.array(its.gamma), its.supports, its.dual, its.bias, its.slope, its.offset]
        return [self._mean, self._scale, *machines, self.classes_]

    def set_weights(self, weights: Weights) -> None:
        """Restore a fitted state."""
        self._mean, self._scale, gamma, *machines, self.classes_ = weights
        self._machines = Machines(float(gamma), *machines)

    def _scaled(self, vectors: Numbers) -> Numbers:
        scaled: Numbers = np.clip((vectors - self._mean) / self._scale, -FARTHEST, FARTHEST)
        return scaled


def _fitted(
    scaled: Numbers, targets: Sequence[NDArray[np.bool_]], weights: Numbers, parameters: tuple[float, float]
) -> Machines:
    """One machine per target; ``parameters`` are the cost and gamma. Only vectors that a machine needs are kept."""
    dual = np.zeros((len(targets), len(scaled)))
    bias, slope, offset = np.zeros((3, len(targets)))
    for number, target in enumerate(targets):
        dual[number], bias[number] = _machine(scaled, target, weights, parameters)
        left_out = _left_out_decisions(scaled, target, weights, parameters)
        if left_out is None:  # a class with a single image: its margins are the best guess
            slope[number] = 1.0
        else:
            slope[number], offset[number] = sigmoid(left_out, target, weights)
    needed = (dual != 0).any(axis=0)
    return Machines(parameters[1], scaled[needed], dual[:, needed], bias, slope, offset)


def _machine(
    scaled: Numbers, target: NDArray[np.bool_], weights: Numbers, parameters: tuple[float, float]
) -> tuple[Numbers, float]:
    """The coefficients of all vectors, zero for those that are not support vectors, and the bias."""
    from sklearn.svm import SVC

    cost, gamma = parameters
    fitted = SVC(C=cost, gamma=gamma).fit(scaled, target, sample_weight=weights)
    coefficients = np.zeros(len(scaled))
    coefficients[fitted.support_] = fitted.dual_coef_[0]
    return coefficients, float(fitted.intercept_[0])


def _left_out_decisions(
    scaled: Numbers, target: NDArray[np.bool_], weights: Numbers, parameters: tuple[float, float]
) -> Numbers | None:
    """The decision value of each image by a machine fitted without it; None if that would leave a class without any."""
    from sklearn.model_selection import StratifiedKFold

    parts = min(PARTS, int(target.sum()), int((~target).sum()))
    if parts < 2:
        return None
    decisions = np.zeros(len(scaled))
    for kept, left_out in StratifiedKFold(parts).split(scaled, target):
        dual, bias = _machine(scaled[kept], target[kept], weights[kept], parameters)
        zero = np.zeros(1)
        machine = Machines(parameters[1], scaled[kept], dual[None], np.array([bias]), zero, zero)
        decisions[left_out] = machine.decisions(scaled[left_out])[:, 0]
    return decisions


def sigmoid(decisions: Numbers, target: NDArray[np.bool_], weights: Numbers) -> tuple[float, float]:
    """Slope and offset that fit probabilities to decision values best, with Platt's smoothed targets."""
    from scipy.optimize import minimize

    positive, negative = target.sum(), (~target).sum()
    wanted = np.where(target, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(parameters: Numbers) -> tuple[float, Numbers]:
        logits = parameters[0] * decisions + parameters[1]
        errors = weights * (1 / (1 + np.exp(-logits)) - wanted)
        value = (weights * (np.logaddexp(0, logits) - wanted * logits)).sum()
        return float(value), np.array([(errors * decisions).sum(), errors.sum()])

    best = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=[(LEAST_SLOPE, None), (None, None)])
    return float(best.x[0]), float(best.x[1])


def minimum_size(_: FeaturesSvmSettings) -> int:
    """The smallest image side, in pixels, on which a texture can be measured."""
    return 16


ARCHITECTURE = Architecture(
    FeaturesSvmSettings,
    minimum_size,
    estimator=FeaturesSvm,
    features=Features(cell_features, settings=("side",), libraries=("numpy", "scikit-image", "scipy")),
    libraries=("scikit-learn",),
)
