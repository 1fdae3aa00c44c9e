"""The lineage of images: every run in the ledger that used them."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from cytocurve.stores.ledger import Finished, Ledger


@dataclass(frozen=True)
class Sighting:
    """The use of an image in the ``train``, ``validation`` or ``test`` set of a run."""

    identity: str
    subset: str
    run_key: str
    arm: str
    fold: int
    size: int
    seed: int


def sightings(
    ledger: Ledger, identities: Collection[str], progress: Callable[[int, int], None]
) -> tuple[list[Sighting], list[str]]:
    """Every use of these images (SHA-256 of the pixels, hex) in a ledger, and the keys of damaged runs.

    Sorted by run key. Searches the whole ledger, including runs of other studies and earlier key formats; the images of
    damaged runs are unknown.
    """
    wanted = {bytes.fromhex(identity) for identity in identities}
    keys, damaged = ledger.keys(), []
    seen: list[Sighting] = []
    for done, key in enumerate(keys, 1):
        run = ledger.get(key)
        if run is None:
            damaged.append(key)
        else:
            seen += _in_run(run, wanted)
        progress(done, len(keys))
    return seen, damaged


def _in_run(run: Finished, wanted: set[bytes]) -> Iterator[Sighting]:
    for subset, images in run.images.items():
        for identity in sorted(wanted.intersection(map(bytes, images))):
            described = (run.description[name] for name in ("arm", "fold", "size", "seed"))
            yield Sighting(identity.hex(), subset, run.key, *described)
