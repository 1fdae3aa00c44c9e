"""The stopping rule, on handwritten losses."""

import math

import pytest

from cytocurve.models.protocols.early_stopping import EarlyStopping


@pytest.mark.parametrize(
    ("patience", "losses", "epochs", "best"),
    [
        (2, [3, 2, 1, 0.5], 4, 4),
        (2, [1, 2, 3, 0.5], 3, 1),
        (2, [3, 2, 2.5, 2.4, 1], 4, 2),
        (2, [3, 2, 2.5, 1.9, 2, 2, 1], 6, 4),
        (1, [1, 1, 0], 2, 1),
        (2, [math.nan, 1, math.nan, math.nan], 4, 2),
        (2, [math.nan, math.nan, 1], 2, 0),
    ],
)
def test_training_ends_after_patience_epochs_without_a_new_lowest_loss(
    patience: int, losses: list[float], epochs: int, best: int
) -> None:
    rule = EarlyStopping(patience)
    seen, kept = 0, 0
    for loss in losses:
        seen += 1
        if rule.improved(loss):
            kept = seen
        if rule.stop:
            break
    assert (seen, kept) == (epochs, best)
