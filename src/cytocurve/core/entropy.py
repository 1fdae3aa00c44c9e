"""The source of a run's random numbers."""

import hashlib
import json
from collections.abc import Sequence


def entropy(seed: int, identities: Sequence[str]) -> int:
    """The seed of a run's initial weights, batches and augmentation.

    It depends only on the run's seed and its ordered training images: runs that differ only in their arm share their
    random numbers.
    """
    canonical = json.dumps([seed, identities], separators=(",", ":"))
    return int(hashlib.sha256(canonical.encode()).hexdigest(), 16)
