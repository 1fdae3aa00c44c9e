"""What became of a record: every run that saw an image, and the arms and models made of those runs."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from cytocurve.stores.ledger import Ledger


@dataclass(frozen=True)
class Sighting:
    """A run that saw an image as part of its ``train``, ``validation`` or ``test`` set."""

    identity: str
    subset: str
    run_key: str
    arm: str
    fold: int
    size: int
    seed: int


def sightings(ledger: Ledger, identities: Collection[str], progress: Callable[[int, int], None]) -> Iterator[Sighting]:
    """Every sighting of these images (SHA-256 of the pixels, hex) in a ledger, in the order of the run keys.

    All runs that were ever trained are looked at, those of other studies too.
    """
    wanted = {bytes.fromhex(identity) for identity in identities}
    keys = ledger.keys()
    for done, key in enumerate(keys, 1):
        run = ledger.get(key)
        if run is not None:
            for subset, images in run.images.items():
                for identity in sorted(wanted.intersection(map(bytes, images))):
                    told = (run.description[name] for name in ("arm", "fold", "size", "seed"))
                    yield Sighting(identity.hex(), subset, key, *told)
        progress(done, len(keys))
