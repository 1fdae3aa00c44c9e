"""Means and standard deviations over the defined (non-NaN) values of an array."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def ratio(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Values:
    """``part / whole``, broadcast to a common shape; NaN where the whole is not above zero."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    quotient: Values = np.divide(part, whole, out=np.full(shape, np.nan), where=np.broadcast_to(whole, shape) > 0)
    return quotient


def mean(values: Values, axis: int = 0) -> Values:
    """The mean of the defined values along an axis; NaN where there are none."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=axis), defined.sum(axis=axis))


def sd(values: Values, axis: int = 0) -> Values:
    """The standard deviation (ddof 1) of the defined values along an axis; NaN where fewer than two are defined."""
    deviations = values - np.expand_dims(mean(values, axis), axis)
    defined = ~np.isnan(values)
    squares = np.where(defined, deviations**2, 0.0).sum(axis=axis)
    return np.sqrt(ratio(squares, defined.sum(axis=axis) - 1))
