"""The first step of a worker, on five blank images."""

import numpy as np

from cytocurve.models import architectures
from cytocurve.models.augmentation import POLICIES
from cytocurve.models.engines import Job, train
from cytocurve.training.worker import train_run


def run() -> str:
    """One augmented step; the name of what a sweep would call."""
    family, policy, five = architectures.load("sequential"), POLICIES["flip_rotate"], np.arange(5)
    job = Job(
        architecture=family, architecture_settings=family.settings(), policy=policy, policy_settings=policy.settings(),
        images=np.zeros((5, 257, 257, 3), np.uint8), classes=np.zeros(5, np.int32), train=five, validation=five,
        test=five, outputs=2, batch_size=5, optimizer="rmsprop", learning_rate=1e-3, max_epochs=1, patience=1,
        entropy=1,
    )  # fmt: skip
    train("native", job)
    return train_run.__name__
