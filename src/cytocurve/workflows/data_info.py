"""``cytocurve data info``: describe a dataset and its copy in ``data/``, without decoding images."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
from PIL import Image

from cytocurve import datasets
from cytocurve.config import ProjectPaths
from cytocurve.core.data import labels
from cytocurve.datasets import Progress
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import FORMATS, bombs_refused, files_below, refusal
from cytocurve.study.dataset import ORIGIN, local_datasets, read_origin
from cytocurve.text import did_you_mean


@dataclass(frozen=True)
class PatientCounts:
    """The number of patients, and the range and median of images per patient."""

    count: int
    min: int
    median: float
    max: int


@dataclass(frozen=True)
class VersionCounts:
    """Images per class of a label version, and the number of unlabeled images."""

    classes: dict[str, int]
    unlabelled: int


@dataclass(frozen=True)
class LocalData:
    """The contents of ``data/<name>``.

    ``sizes`` counts images by "<width>x<height>"; ``patients`` and ``folds`` are None if none are known.
    """

    images: int
    bytes: int
    sizes: dict[str, int]
    formats: dict[str, int]
    patients: PatientCounts | None
    folds: dict[str, int] | None
    labels: dict[str, VersionCounts]


@dataclass(frozen=True)
class DatasetInfo:
    """The origin of a dataset (None where not stated), and the contents of its folder in ``data/`` (None if absent)."""

    name: str
    loader: str | None
    title: str | None
    licence: str | None
    citation: str | None
    url: str | None
    here: LocalData | None

    def to_json(self) -> dict[str, Any]:
        """The record as JSON."""
        return asdict(self)


def info(project: ProjectPaths, name: str, progress: Progress) -> DatasetInfo:
    """Describe ``data/<name>`` from its ``dataset.yaml`` and its files, or the known dataset of that name.

    Raises ``InputError`` if the name is unknown, or listing every file that cannot be used.
    """
    folder = project.data / name
    if name not in local_datasets(project):
        return DatasetInfo(name=name, **_known(project, name), here=None)
    wrong: list[str] = []
    origin = _origin(folder / "dataset.yaml", wrong)
    images = _images(folder / "images", progress, wrong)
    tables = _tables(folder / "labels", wrong)
    if wrong:
        raise InputError(f"{folder}: these files cannot be used:", wrong, next_step="correct or remove these files")
    patients = Counter(labels.known("patient", tables.values()).values())
    folds = Counter(labels.known("fold", tables.values()).values())
    here = LocalData(
        **images,
        patients=_patients(patients),
        folds=dict(sorted(folds.items())) or None,
        labels={version: _version(table) for version, table in tables.items()},
    )
    return DatasetInfo(name=name, **origin, here=here)


def _known(project: ProjectPaths, name: str) -> dict[str, str]:
    known = datasets.names()
    if name in known:
        dataset = datasets.load(name)
        return {"loader": name} | {key: getattr(dataset, key) for key in ORIGIN[1:]}
    here = local_datasets(project)
    raise InputError(
        f"dataset {name!r} is unknown{did_you_mean(name, [*here, *known])}",
        hint=f"In data/: {', '.join(here) or 'nothing yet'}. Known: {', '.join(known)}.",
        next_step="cytocurve data list",
    )


def _origin(path: Path, wrong: list[str]) -> dict[str, str | None]:
    """The entries of ``dataset.yaml``, None for missing ones."""
    content, lines = read_origin(path, str(path))
    wrong += lines
    return {key: None if content.get(key) is None else str(content[key]) for key in ORIGIN}


def _images(folder: Path, progress: Progress, wrong: list[str]) -> dict[str, Any]:
    """Counts of the images; see ``files_below``."""
    files = list(files_below(folder).values())
    sizes: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    total = 0
    with bombs_refused():
        for done, path in enumerate(files, start=1):
            try:
                reason = refusal(path)
                if reason:
                    wrong.append(f"{path}: {reason}")
                else:
                    with Image.open(path, formats=FORMATS) as image:
                        sizes[f"{image.width}x{image.height}"] += 1
                        formats[str(image.format)] += 1
                    total += path.stat().st_size
            except OSError as error:
                wrong.append(f"{path}: cannot be read: {error.strerror or error}")
            progress(done, len(files))
    return {
        "images": len(files),
        "bytes": total,
        "sizes": _most_frequent_first(sizes),
        "formats": _most_frequent_first(formats),
    }


def _most_frequent_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _tables(folder: Path, wrong: list[str]) -> dict[str, pd.DataFrame]:
    tables = {}
    for path in sorted(path for path in folder.glob("*.csv") if not path.name.startswith(".")):
        try:
            table = labels.parse(path.read_bytes().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            wrong.append(f"{path}: not UTF-8, byte {error.start}: save it as CSV UTF-8")
            continue
        except (OSError, ValueError) as error:
            wrong.append(f"{path}: {error}")
            continue
        missing = [column for column in labels.REQUIRED if list(table.columns).count(column) != 1]
        wrong += [f"{path}: column {column!r} must occur exactly once" for column in missing]
        if not missing:
            tables[path.stem] = labels.aligned(table, ())
    return tables


def _patients(images: Mapping[str, int]) -> PatientCounts | None:
    if not images:
        return None
    counts = list(images.values())
    return PatientCounts(len(counts), min(counts), median(counts), max(counts))


def _version(table: pd.DataFrame) -> VersionCounts:
    return VersionCounts(labels.class_counts(table["label"]), int((table["label"] == "").sum()))
