"""``cytocurve data list``: the datasets that can be added, and those in ``data/``."""

from dataclasses import asdict, dataclass
from typing import Any

from cytocurve import datasets
from cytocurve.config import ProjectPaths
from cytocurve.study.dataset import local_datasets


@dataclass(frozen=True)
class KnownDataset:
    """A dataset that ``cytocurve data add`` can read."""

    title: str
    licence: str


@dataclass(frozen=True)
class DatasetList:
    """Datasets that can be added, by name, and the names of those in ``data/``."""

    known: dict[str, KnownDataset]
    here: list[str]

    def to_json(self) -> dict[str, Any]:
        """The record as JSON."""
        return asdict(self)


def list_datasets(project: ProjectPaths) -> DatasetList:
    """List the datasets that can be added, and those in ``data/``."""
    loaded = [datasets.load(name) for name in datasets.names()]
    return DatasetList({item.name: KnownDataset(item.title, item.licence) for item in loaded}, local_datasets(project))
