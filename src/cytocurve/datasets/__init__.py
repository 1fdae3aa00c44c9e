"""Known datasets, one per module: their origin, and how to read their files as images and label tables.

A module in this package, or a plugin (see ``cytocurve.registry``), that defines ``DATASET`` is available to
``cytocurve data add``; no other module refers to it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from cytocurve import registry

Progress = Callable[[int, int], None]
"""Called with the number of files done and their total."""

RecordOf = Callable[[str], tuple[str | None, str | None]]
"""Maps a file's upstream path to its patient and official fold; None if the path does not contain them."""


@dataclass(frozen=True)
class Listing:
    """The contents of a dataset's upstream folder.

    ``images`` maps an image's name (its path below ``data/<dataset>/images``, with ``/``) to its file;
    ``labels`` maps a label version to a table with the columns ``image`` and ``label`` and, where known,
    ``patient``, ``annotator`` and ``fold`` (the official one): one row per image, with an empty label if the version
    has none; ``skipped`` maps each excluded file to the reason; ``notes`` maps a remark to the names it is about.
    """

    images: Mapping[str, Path]
    labels: Mapping[str, pd.DataFrame]
    skipped: Mapping[str, str]
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """A dataset that ``cytocurve data add`` can add.

    ``read`` lists an upstream folder and raises ``InputError`` if it does not contain this dataset. ``draw``, for
    datasets that do not need a source, draws or downloads the upstream layout into an empty folder. ``unpack``, for
    datasets distributed as one file, not an archive, writes the layout that ``read`` expects into an empty folder.
    ``tables`` reads only the label versions of an upstream folder, as in ``Listing.labels``, if they are in separate
    files. ``classes`` are the allowed labels; None allows any. ``record_of``, for datasets whose paths contain patients
    or official folds, accepts any path of the upstream inventory.
    """

    name: str
    title: str
    licence: str
    citation: str
    url: str
    classes: frozenset[str] | None
    read: Callable[[Path], Listing]
    draw: Callable[[Path, Progress], None] | None = None
    unpack: Callable[[Path, Path, Progress], None] | None = None
    tables: Callable[[Path], Mapping[str, pd.DataFrame]] | None = None
    record_of: RecordOf | None = None


def names() -> list[str]:
    """The names of all datasets, sorted."""
    return registry.members(__name__)


def load(name: str) -> Dataset:
    """The dataset with that name; raises ``KeyError`` if it does not exist."""
    dataset: Dataset = registry.load(__name__, name, "DATASET")
    return dataset
