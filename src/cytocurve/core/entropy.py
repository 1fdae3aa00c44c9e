"""The source of a run's random numbers."""

import hashlib
import json
from collections.abc import Sequence


def entropy(seed: int, identities: Sequence[str]) -> int:
    """The number that seeds a run's initial weights, batches and augmentation.

    It depends on the run's seed and its training images in order, and on nothing else: runs that differ only in their
    arm share their random numbers.
    """
    canonical = json.dumps([seed, identities], separators=(",", ":"))
    return int(hashlib.sha256(canonical.encode()).hexdigest(), 16)
