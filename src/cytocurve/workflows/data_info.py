"""``cytocurve data info``: what a dataset is, and what of it is here, without decoding a pixel."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
from PIL import Image

from cytocurve import datasets
from cytocurve.config import ProjectPaths, read_yaml
from cytocurve.core.data import labels
from cytocurve.datasets import Progress
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import FORMATS, bombs_refused, refusal
from cytocurve.text import did_you_mean

_ORIGIN = ("loader", "title", "licence", "citation", "url")


def info(project: ProjectPaths, name: str, progress: Progress) -> dict[str, Any]:
    """What ``data/<name>/dataset.yaml`` or the known dataset of that name states, and counts of what is here.

    ``here`` is None where nothing is, else ``images``, ``bytes``, ``sizes`` ("width x height" -> images), ``formats``,
    ``patients`` and ``folds`` (None where none are known) and ``labels`` (version -> ``classes``, ``unlabelled``).
    Raises ``InputError`` where the name is unknown, and one that lists all files that cannot be used.
    """
    folder = project.data / name
    if folder.parent != project.data or not folder.is_dir() or name.startswith("."):
        return {"name": name, **_known(project, name), "here": None}
    wrong: list[str] = []
    origin = _origin(folder / "dataset.yaml", wrong)
    here = _images(folder / "images", progress, wrong)
    tables = _tables(folder / "labels", wrong)
    if wrong:
        raise InputError(f"{folder}: these files cannot be used:", wrong, next_step="correct or remove what is listed.")
    patients = Counter(labels.known("patient", tables.values()).values())
    folds = Counter(labels.known("fold", tables.values()).values())
    here |= {"patients": _patients(patients), "folds": dict(sorted(folds.items())) or None}
    here["labels"] = {version: _version(table) for version, table in tables.items()}
    return {"name": name, **origin, "here": here}


def _known(project: ProjectPaths, name: str) -> dict[str, str]:
    known = datasets.names()
    if name in known:
        dataset = datasets.load(name)
        return {"loader": name} | {key: getattr(dataset, key) for key in _ORIGIN[1:]}
    there = project.data.iterdir() if project.data.is_dir() else ()
    here = sorted(path.name for path in there if path.is_dir() and not path.name.startswith("."))
    raise InputError(
        f"dataset {name!r} is unknown{did_you_mean(name, [*here, *known])}",
        hint=f"In data/: {', '.join(here) or 'nothing yet'}. Known: {', '.join(known)}.",
        next_step="cytocurve data list",
    )


def _origin(path: Path, wrong: list[str]) -> dict[str, str | None]:
    """What the dataset's own file states, None where it states nothing."""
    try:
        content = read_yaml(path) if path.is_file() else {}
    except (InputError, OSError) as error:
        wrong.append(str(error))
        content = {}
    if not isinstance(content, dict):
        wrong.append(f"{path}: a mapping is expected, as in loader: folder")
        content = {}
    return {key: None if content.get(key) is None else str(content[key]) for key in _ORIGIN}


def _images(folder: Path, progress: Progress, wrong: list[str]) -> dict[str, Any]:
    """Counts of the images; hidden files are none, links are followed."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
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
    return {"images": len(files), "bytes": total, "sizes": _often(sizes), "formats": _often(formats)}


def _often(counts: Counter[str]) -> dict[str, int]:
    """The most frequent first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _tables(folder: Path, wrong: list[str]) -> dict[str, pd.DataFrame]:
    tables = {}
    for path in sorted(path for path in folder.glob("*.csv") if not path.name.startswith(".")):
        try:
            table = labels.parse(path.read_bytes().decode("utf-8-sig"))
        except (OSError, ValueError) as error:
            wrong.append(f"{path}: {error}")
            continue
        missing = [column for column in labels.REQUIRED if list(table.columns).count(column) != 1]
        wrong += [f"{path}: column {column!r} must stand there once" for column in missing]
        if not missing:
            tables[path.stem] = table
    return tables


def _patients(images: Mapping[str, int]) -> dict[str, float] | None:
    """How many patients there are, and the images that one has."""
    if not images:
        return None
    counts = list(images.values())
    return {"count": len(counts), "min": min(counts), "median": median(counts), "max": max(counts)}


def _version(table: pd.DataFrame) -> dict[str, Any]:
    return {"classes": labels.class_counts(table["label"]), "unlabelled": int((table["label"] == "").sum())}
