"""The first step of a worker, on five blank images."""

import numpy as np

from cytocurve.models import architectures, augmentation, protocols
from cytocurve.models.engines import train
from cytocurve.models.jobs import Job
from cytocurve.training.worker import train_run


def run() -> str:
    """One augmented step; the name of what a sweep would call."""
    family, policy, five = architectures.load("sequential"), augmentation.load("flip_rotate"), np.arange(5)
    protocol = protocols.load("early_stopping")
    job = Job(
        architecture=family, architecture_settings=family.settings(), policy=policy, policy_settings=policy.settings(),
        images=np.zeros((5, 257, 257, 3), np.uint8), classes=np.zeros(5, np.int32), train=five, validation=five,
        test=five, outputs=2, entropy=1, protocol=protocol, protocol_settings=protocol.settings(max_epochs=1),
    )  # fmt: skip
    train("native", job)
    return train_run.__name__
