"""Early stopping on the validation loss; keeps the weights of the epoch with the lowest one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cytocurve.models.protocols import TrainingProtocol
from cytocurve.models.settings import Settings


class EarlyStoppingSettings(Settings):
    """The settings of Schouten et al. 2021; ``class_weights`` is a list (one per class), ``balanced`` or null."""

    batch_size: int = 5
    optimizer: str = "rmsprop"
    learning_rate: float = 1e-3
    max_epochs: int = 500
    patience: int = 50
    class_weights: Literal["balanced"] | Sequence[float] | None = None


@dataclass
class EarlyStopping:
    """Stops after ``patience`` epochs without a new lowest validation loss."""

    patience: int
    best: float = float("inf")
    waited: int = 0

    def improved(self, validation_loss: float) -> bool:
        """Record an epoch's validation loss; returns whether it is the lowest so far. NaN never is."""
        if validation_loss < self.best:
            self.best = validation_loss
            self.waited = 0
            return True
        self.waited += 1
        return False

    @property
    def stop(self) -> bool:
        """Whether to stop training."""
        return self.waited >= self.patience


def watch(settings: EarlyStoppingSettings) -> EarlyStopping:
    """The monitor of one training."""
    return EarlyStopping(settings.patience)


PROTOCOL = TrainingProtocol(EarlyStoppingSettings, watch)
