"""Datasets, one per module: where they come from, and how their folders become images and label tables.

A module of this package that defines ``DATASET``, or a plugin (see ``cytocurve.registry``), is a dataset of
``cytocurve data add``; nothing else needs to know about it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cytocurve import registry

Progress = Callable[[int, int], None]
"""Called with the number of files done and their total."""

RecordOf = Callable[[str], tuple[str | None, str | None]]
"""From a file's upstream path to its patient and its official fold; None for what the path does not say."""


@dataclass(frozen=True)
class Listing:
    """The contents of a dataset's upstream folder.

    ``images`` maps an image's name (its path below ``data/<dataset>/images``, with ``/``) to its file;
    ``labels`` maps a label version to a table with the columns ``image`` and ``label`` and, where known,
    ``patient``, ``annotator`` and ``fold`` (the official one): one row per image, with an empty label if the version
    has none; ``skipped`` maps excluded files to the reason.
    """

    images: Mapping[str, Path]
    labels: Mapping[str, pd.DataFrame]
    skipped: Mapping[str, str]


@dataclass(frozen=True)
class Dataset:
    """A dataset that ``cytocurve data add`` can add.

    ``read`` lists an upstream folder and raises ``InputError`` if the folder is not this dataset's. ``draw`` is for
    datasets that need no folder: it draws or downloads the upstream layout into an empty folder. ``unpack`` is for
    datasets whose upstream is one file other than an archive: it writes the layout that ``read`` expects into an empty
    folder. ``tables`` reads only the label versions of an upstream folder, as in ``Listing.labels``, if they are in
    files of their own. ``classes`` are the labels that may occur; None allows any. ``record_of`` is for datasets whose
    paths contain patients or official folds; it takes any path of the upstream inventory.
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
    """The dataset of that name; raises ``KeyError`` if there is none."""
    dataset: Dataset = registry.load(__name__, name, "DATASET")
    return dataset
