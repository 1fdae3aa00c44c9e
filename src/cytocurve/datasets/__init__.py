"""Datasets, one a file: where they come from, and how their folders become images and label tables.

A module of this package that defines ``DATASET`` is a dataset of ``cytocurve data add``; nothing else
needs to know of it.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

Progress = Callable[[int, int], None]
"""Called with the number of files done and their total."""

RecordOf = Callable[[str], tuple[str | None, str | None]]
"""From a file's upstream path to its patient and its official fold, None for what the path does not tell."""


@dataclass(frozen=True)
class Listing:
    """What stands in a dataset's upstream folder.

    ``images`` maps an image's name (its path below ``data/<dataset>/images``, with ``/``) to its file;
    ``labels`` maps a label version to a table with the columns ``image`` and ``label`` and, where known,
    ``patient``, ``annotator`` and ``fold`` (the official one): one row an image, an empty label where the version has
    none; ``skipped`` maps files that are left out to the reason.
    """

    images: Mapping[str, Path]
    labels: Mapping[str, pd.DataFrame]
    skipped: Mapping[str, str]


@dataclass(frozen=True)
class Dataset:
    """A dataset that ``cytocurve data add`` knows.

    ``read`` lists the upstream folder it is given and raises ``InputError`` where that folder is not this
    dataset's. ``draw`` is for datasets that need no folder: it writes the upstream layout into an empty
    one, by drawing or downloading it. ``unpack`` is for datasets whose upstream is one file other than an archive: it
    writes the layout that ``read`` expects from that file into an empty folder. ``tables`` reads the label versions of
    an upstream folder alone, as ``Listing.labels`` holds them, where they stand in files of their own and no image is
    needed. ``classes`` are the labels that may occur; None leaves them open. ``record_of`` is for datasets whose paths
    tell patients or official folds; it takes any path of the upstream inventory.
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
    """Names of all datasets, sorted; modules that begin with ``_`` are none."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def load(name: str) -> Dataset:
    """The dataset of that name; raises ``KeyError`` if there is none."""
    if name not in names():
        raise KeyError(name)
    dataset: Dataset = importlib.import_module(f"{__name__}.{name}").DATASET
    return dataset
