"""The ledger: finished runs by run key, each written once and atomically; reading never changes it.

A backend is a module of this package, named after the scheme of its URLs (``local`` serves plain paths and
``file://``). It defines ``open_url(url) -> Ledger``; no other module refers to it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from cytocurve import registry
from cytocurve.errors import InputError
from cytocurve.files import local_path
from cytocurve.redaction import shown

Array = NDArray[Any]

State = Literal["absent", "damaged", "whole"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


@dataclass(frozen=True)
class Finished:
    """A finished run.

    ``losses`` and ``validation_losses`` have one entry per epoch; ``predictions`` maps ``train``, ``validation`` and
    ``test`` to class probabilities, float32, (images, classes), and runs of earlier versions lack ``train``; ``images``
    maps the same subsets to the images' identities, uint8, (images, 32); ``description`` describes the run to readers
    (recipe, seed, fold, size); ``provenance`` contains times, packages, host and commit.
    """

    key: str
    description: Mapping[str, Any]
    losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    predictions: Mapping[str, Array]
    images: Mapping[str, Array]
    provenance: Mapping[str, Any]


class Ledger(Protocol):
    """A store of finished runs that several processes can read and write concurrently.

    Readers see a complete run or none, even if a writer is killed. Only ``add`` and ``quarantine`` write.
    """

    @property
    def url(self) -> str:
        """A URL that opens the same ledger from any process and working directory."""

    def __contains__(self, key: str) -> bool:
        """Whether a run is stored under the key; its files are not checked."""

    def keys(self) -> list[str]:
        """The keys of all stored runs, damaged ones included, sorted."""

    def add(self, finished: Finished, weights: Sequence[Array]) -> None:
        """Store a run durably; a run that is already stored is not changed.

        Raises ``CytocurveError`` if it cannot be stored.
        """

    def get(self, key: str) -> Finished | None:
        """The run stored under the key; None if it is absent or damaged."""

    def weights(self, key: str) -> list[Array] | None:
        """The best weights of a run, in the order of the Keras model; None if the run is absent or damaged."""

    def provenance(self, key: str) -> Mapping[str, Any]:
        """Times, packages, host and commit of a run, without reading its other files; empty if it is not stored."""

    def check(self, key: str) -> State:
        """Check whether a run is stored and its contents match their checksums."""

    def check_writable(self) -> None:
        """Raise ``CytocurveError`` if runs cannot be added, before any is trained; creates what ``add`` needs."""

    def quarantine(self, key: str) -> bool:
        """Move a damaged run out of the way, so that it can be added again; returns False if it is not damaged.

        The damaged contents are kept for inspection.
        """


def open_ledger(url: str) -> Ledger:
    """The ledger at a URL; a plain path or ``file://`` is a local folder.

    Raises ``InputError`` if no backend serves the URL's scheme.
    """
    match = _SCHEME.match(url)
    scheme = match[1].lower() if match else "file"
    if match:
        url = scheme + url[len(scheme) :]
    name = "local" if scheme == "file" else scheme
    if match and not url.startswith(f"{scheme}://") and name in registry.members(__name__):
        raise InputError(
            f"The ledger {shown(url)!r} cannot be opened: expected {scheme}:///<path>",
            next_step=f"for a path that starts with {scheme}: write ./{shown(url)}",
        )
    if scheme == "local" or name not in registry.members(__name__):
        raise InputError(
            f"The ledger {shown(url)!r} cannot be opened: no backend serves {scheme}:",
            hint=f"Available: a folder, {', '.join(sorted(_schemes()))}",
            next_step="set CYTOCURVE_LEDGER to one of these (if the name of a folder contains a colon: ./name:x), or "
            "install a package that provides this backend",
        )
    _check_path(url)
    ledger: Ledger = registry.load(__name__, name, "open_url")(url)
    return ledger


def _check_path(url: str) -> None:
    path = local_path(url)
    try:
        if path is not None:
            path.resolve().exists()
    except OSError as error:  # such as a name that is too long
        raise InputError(
            f"The ledger {shown(url)!r} cannot be opened: {error.strerror}", next_step="correct CYTOCURVE_LEDGER"
        ) from error


def _schemes() -> list[str]:
    return [f"{'file' if name == 'local' else name}://" for name in registry.members(__name__)]
