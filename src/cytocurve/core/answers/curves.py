"""What the scores of an arm say about training sizes."""

from collections.abc import Mapping
from dataclasses import dataclass

from cytocurve.core.answers.serialization import Number, Vector


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The distribution of scores over runs, as in ``core.statistics.curves.Summary``."""

    mean: Number
    sd: Number
    median: Number
    q1: Number
    q3: Number
    whisker_low: Number
    whisker_high: Number
    outliers: Vector
    min: Number
    max: Number
    ci_low: Number
    ci_high: Number
    n: int
    undefined: int


@dataclass(frozen=True, kw_only=True)
class CurvePoint(Summary):
    """The distribution of scores over the runs of one training size."""

    size: int


Curves = Mapping[str, tuple[CurvePoint, ...]]
"""By metric, a point per training size."""


@dataclass(frozen=True)
class LossCourse:
    """The median loss over runs with quartiles, one entry per epoch shown."""

    median: Vector
    q1: Vector
    q3: Vector


@dataclass(frozen=True, kw_only=True)
class OverRuns:
    """The mean over ``n`` runs with its standard deviation."""

    mean: Number
    sd: Number
    n: int


@dataclass(frozen=True, kw_only=True)
class LossCurve:
    """Losses of the runs of one training size by epoch, and of the weights that were kept; see ``statistics.losses``.

    ``kept_epoch`` is the median epoch of the weights that were kept. The training loss is that of its epoch, with
    augmentation; validation and test losses are those of the final network. ``training_score`` is the leading metric of
    the final networks on their training images, without augmentation; None if it is not known.
    """

    size: int
    runs: int
    epoch: tuple[int, ...]
    training: LossCourse
    validation: LossCourse
    kept_epoch: Number
    training_kept: OverRuns
    validation_kept: OverRuns
    test_kept: OverRuns
    training_score: OverRuns | None = None


@dataclass(frozen=True)
class MeanGain:
    """A gain in mean score with its 95 % interval."""

    mean: Number
    ci_low: Number
    ci_high: Number


@dataclass(frozen=True)
class Saturation:
    """The size from which no larger one is better by more than ``margin``; see ``core.statistics.saturation``."""

    size: int | None
    gain_not_shown_beyond: int | None
    margin: float
    confidence: float
    missed: Mapping[int, Number]
    gain: MeanGain | None


@dataclass(frozen=True)
class SeedSpread:
    """The spread of ``n`` seeds, each the mean over its folds."""

    min: Number
    mean: Number
    sd: Number
    max: Number
    n: int
    undefined: int


@dataclass(frozen=True)
class SizeOverSeeds:
    """The spread over seeds at one training size, by metric."""

    size: int
    metrics: Mapping[str, SeedSpread]
