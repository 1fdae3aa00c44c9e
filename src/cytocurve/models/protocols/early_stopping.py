"""Early stopping by the validation loss alone; the weights of the epoch with the lowest one are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cytocurve.models.protocols import TrainingProtocol
from cytocurve.models.settings import Settings


class EarlyStoppingSettings(Settings):
    """The settings of Schouten et al. 2021; ``class_weights`` are one per class, ``balanced`` or none."""

    batch_size: int = 5
    optimizer: str = "rmsprop"
    learning_rate: float = 1e-3
    max_epochs: int = 500
    patience: int = 50
    class_weights: Literal["balanced"] | Sequence[float] | None = None


@dataclass
class EarlyStopping:
    """Stops once the validation loss has not fallen below its lowest value for ``patience`` epochs."""

    patience: int
    best: float = float("inf")
    waited: int = 0

    def improved(self, validation_loss: float) -> bool:
        """Take in an epoch's validation loss; whether it is the lowest so far. NaN never is."""
        if validation_loss < self.best:
            self.best = validation_loss
            self.waited = 0
            return True
        self.waited += 1
        return False

    @property
    def stop(self) -> bool:
        """Whether training ends here."""
        return self.waited >= self.patience


def watch(settings: EarlyStoppingSettings) -> EarlyStopping:
    """Begin to follow one training."""
    return EarlyStopping(settings.patience)


PROTOCOL = TrainingProtocol(EarlyStoppingSettings, watch)
