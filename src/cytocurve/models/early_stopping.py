"""When to stop a training, and which epoch's weights to keep: by the validation loss alone."""

from dataclasses import dataclass


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
