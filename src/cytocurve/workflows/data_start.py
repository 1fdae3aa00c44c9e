"""Settings with which a study of a newly added dataset can begin."""

import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from cytocurve.config import Params, ProjectPaths, validate_params
from cytocurve.core.data.assignment import split_versions
from cytocurve.core.data.taxonomy import CELL_TYPES
from cytocurve.errors import InputError
from cytocurve.files import sha256
from cytocurve.study.dataset import images_below, label_tables
from cytocurve.yaml_files import read_yaml

FOLDS = (10, 5, 4, 3)
"""Numbers of folds that are tried, the preferred one first."""

AT_MOST = 6
"""The number of training sizes; forecasts need at least five."""

PER_CLASS = (
    *range(1, 9),
    *(number * 10**power for power in range(6) for number in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)),
)
"""Images per class from which training sizes are chosen."""

_UNQUOTED = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SPECIAL = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_NEGATIVE = frozenset(
    {
        "normal",
        "healthy",
        "negative",
        "neg",
        "control",
        "benign",
        "none",
        "no",
        "off",
        "false",
        "0",
        "00",
        "other",
        "hem",
    }
)
"""Words in the names of negative classes."""


def settings(project: ProjectPaths, dataset: str, version: str) -> dict[str, Any]:
    """Settings for ``params.yaml`` that ``cytocurve split`` accepts for this dataset; empty if there are none.

    Tries the study's own rules first, with the splits and numbers of folds that the images allow, and then the default
    rules for what a study may draw from its images. The training sizes are those that can be balanced.
    """
    catalog = _catalog(project, dataset, version)
    counts = Counter(catalog[version].dropna())
    plain = {"min_class_size": 3, "sample_per_class": None, "grow_by": "images"}
    content = read_yaml(project.params_file)
    for more, split, folds in product(({}, plain), _splits(catalog), _folds(counts)):
        given = {
            "dataset": dataset, "labels": [version], "task": _task(counts), "split": split, "folds": folds, "sizes": [2]
        } | more  # fmt: skip
        try:
            params = validate_params({**content, **given}, project.params_file.name)
            sizes = _sizes(catalog, params)
        except InputError:
            continue
        if sizes:
            return given | {"sizes": sizes}
    return {}


def as_yaml(settings: Mapping[str, Any]) -> str:
    """The settings as lines of ``params.yaml``; names that YAML may read as another type are quoted."""
    yaml, text = YAML(), io.StringIO()
    yaml.width = 100_000
    yaml.dump({key: _plain(value) for key, value in settings.items()}, text)
    return text.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        safe = _UNQUOTED.fullmatch(value) and value.lower() not in _SPECIAL
        return value if safe or not value.isprintable() else SingleQuotedScalarString(value)
    if isinstance(value, Mapping):
        mapping = CommentedMap({key: _plain(item) for key, item in value.items()})
        mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, Sequence):
        sequence = CommentedSeq([_plain(item) for item in value])
        sequence.fa.set_flow_style()
        return sequence
    return value


def _catalog(project: ProjectPaths, dataset: str, version: str) -> pd.DataFrame:
    """What the splits need of a catalog, without decoding: identical images are those with the same bytes."""
    folder = project.data / dataset
    images, _ = images_below(folder / "images", dataset)
    table = label_tables(folder / "labels", dataset, images)[0][version]
    assert table is not None
    rows = table.set_index("image").reindex(list(images)).replace("", None)
    identities = _identities(images)
    first = pd.Series(list(images)).groupby(identities).transform("first")
    frame = pd.DataFrame({"image": list(images), "pixel_sha256": identities})
    frame["duplicate_of"] = first.where(first != frame["image"], None)
    frame["near_duplicate_of"] = frame["duplicate_of"]
    for column in ("patient", "fold", "withdrawn", "unlabelled_in"):
        frame[column] = rows[column].to_numpy() if column in rows else pd.Series([None] * len(frame), dtype="str")
    frame[version] = rows["label"].to_numpy()
    return frame


def _identities(images: Mapping[str, Path]) -> list[str]:
    """A name for the bytes of each image; only files of equal size are read."""
    sizes = {name: path.stat().st_size for name, path in images.items()}
    shared = Counter(sizes.values())
    return [sha256(path) if shared[sizes[name]] > 1 else name for name, path in images.items()]


def _task(counts: Mapping[str, int]) -> str | dict[str, list[str]]:
    if len(counts) != 2:
        return "multiclass"
    first, second = sorted(counts)
    swapped = _score(first) > _score(second)
    positive, negative = (second, first) if swapped else (first, second)
    return {"positive": [positive], "negative": [negative]}


def _score(label: str) -> int:
    """How much a label looks like the name of a negative class."""
    blast = label in CELL_TYPES and (CELL_TYPES[label].blast or CELL_TYPES[label].atypical)
    return bool(set(re.split(r"[\W_]+", label.casefold())) & _NEGATIVE) - blast


def _splits(catalog: pd.DataFrame) -> Iterator[str]:
    if catalog["patient"].notna().all():
        yield "patient"
    yield "stratified"


def _folds(counts: Mapping[str, int]) -> list[int]:
    """The numbers of folds with at least two images per class in each test fold; the smallest in any case."""
    least = min(counts.values(), default=0)
    return [folds for folds in FOLDS if least >= 2 * folds or folds == FOLDS[-1]]


def _sizes(catalog: pd.DataFrame, params: Params) -> list[int]:
    """Training sizes, evenly spaced on a logarithmic scale, up to the largest that every fold can balance."""
    (table,) = split_versions(catalog, params).values()
    train = table[table["subset"] == "train"].groupby(["fold", "class"]).size()
    classes = int(table["class"].nunique())
    # The hashes of pixels draw other folds of patients than those of bytes, with other sizes.
    least = int(train.min() * (0.8 if params.split == "patient" else 1))
    fitting = [number for number in PER_CLASS if number <= least]
    return [classes * number for number in _spaced(fitting)]


def _spaced(numbers: Sequence[int]) -> list[int]:
    """At most ``AT_MOST`` of these ascending numbers, about evenly spaced on a logarithmic scale."""
    if len(numbers) <= AT_MOST:
        return list(numbers)
    targets = [math.log(numbers[-1] / numbers[0]) * step / (AT_MOST - 1) for step in range(AT_MOST)]
    return sorted({min(numbers, key=lambda number: abs(math.log(number / numbers[0]) - target)) for target in targets})
