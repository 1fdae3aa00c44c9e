"""``cytocurve data trace``: find every run, curve and registered model that used an image or a patient."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.data.spelling import same_form
from cytocurve.errors import InputError
from cytocurve.stores.ledger import open_ledger
from cytocurve.stores.tables import read_parquet
from cytocurve.stores.tracking.connection import ask, check_uri
from cytocurve.stores.tracking.published import published_keys
from cytocurve.stores.tracking.registry import registered_versions
from cytocurve.study.dataset import read_catalog
from cytocurve.study.lineage import Sighting, sightings
from cytocurve.text import check_known, some


@dataclass(frozen=True)
class TracedImage:
    """An image of the catalog; ``withdrawn`` is the reason, None if it was not withdrawn."""

    image: str
    patient: str | None
    pixel_sha256: str
    withdrawn: str | None


@dataclass(frozen=True)
class TracedRun:
    """A run that used an image in its ``subset``; ``present`` if it belongs to the current results."""

    image: str
    subset: str
    run_key: str
    arm: str
    fold: int
    size: int
    seed: int
    present: bool


@dataclass(frozen=True)
class TracedCurve:
    """An arm with runs that used the images: the training sizes of these runs by the images' subset."""

    arm: str
    present: bool
    sizes: dict[str, list[int]]


@dataclass(frozen=True)
class TracedModel:
    """A registered model version; ``members`` maps its runs to the subsets in which they used the images."""

    model: str
    version: str
    aliases: list[str]
    members: dict[str, list[str]]


@dataclass(frozen=True)
class UnsearchedRun:
    """A run of the dataset that the ledger does not contain; ``found_in`` names the places that mention it."""

    run_key: str
    found_in: list[str]


@dataclass(frozen=True)
class Trace:
    """The traced images and what used them; the images used by ``damaged_runs`` and ``unsearched_runs`` are unknown."""

    images: list[TracedImage]
    runs: list[TracedRun]
    curves: list[TracedCurve]
    models: list[TracedModel]
    damaged_runs: list[str]
    unsearched_runs: list[UnsearchedRun]

    @property
    def complete(self) -> bool:
        """Whether all known runs could be searched: only then is a run that is not listed free of the images."""
        return not self.damaged_runs and not self.unsearched_runs

    def to_json(self) -> dict[str, Any]:
        """The record as JSON, with ``complete``; a curve's sizes are merged into its other keys."""
        curves = [{"arm": curve.arm, "present": curve.present, **curve.sizes} for curve in self.curves]
        return asdict(self) | {"curves": curves, "complete": self.complete}


def trace(project: ProjectPaths, image: str | None, patient: str | None, progress: Callable[[int, int], None]) -> Trace:
    """Find the runs, curves and models that used an image, or any image of a patient, including withdrawn ones.

    Searches the whole ledger, and names the runs of the dataset that it lacks but results, MLflow or the registry have.
    Raises ``InputError`` for an unknown image or patient, and
    ``ServiceError`` if the tracking store cannot be reached, since a partial answer would be misleading.
    """
    if (image is None) == (patient is None):
        raise InputError("Specify either an image or a patient")
    check_uri(project.tracking_uri)  # before the ledger is searched
    catalog = read_catalog(project)
    rows = _images(catalog, image) if image is not None else _patient(catalog, patient or "")
    names = dict(zip(rows["pixel_sha256"], rows["image"], strict=True))
    ledger = open_ledger(project.ledger_url)
    seen, damaged = sightings(ledger, names.keys(), progress)
    present = _present(project)
    versions, published = ask(
        project.tracking_uri,
        project.tracking_lock,
        lambda client: (registered_versions(client), published_keys(client, project.params().dataset)),
    )
    return Trace(
        images=_traced(rows[["image", "patient", "pixel_sha256", "withdrawn"]]),
        runs=[_run(sighting, names, present) for sighting in seen],
        curves=_curves(seen, present),
        models=_models(seen, versions),
        damaged_runs=damaged,
        unsearched_runs=_unsearched(
            {
                **{f"results/{path.name}": _keys(path) for path in _result_files(project)},
                "MLflow": published,
                **{
                    f"model {version.name} version {version.number}": version.members
                    for version in versions
                    if version.name.startswith(f"{project.params().dataset}-")
                },
            },
            set(ledger.keys()),
        ),
    )


def _traced(rows: pd.DataFrame) -> list[TracedImage]:
    plain = rows.astype("object").where(rows.notna(), None)
    return [TracedImage(*row) for row in plain.itertuples(index=False, name=None)]


def _images(catalog: pd.DataFrame, image: str) -> pd.DataFrame:
    """The row of an image by its name below ``images``, or by a unique suffix of its path, in any Unicode form."""
    image, names = same_form(image), catalog["image"].map(same_form)
    rows = catalog[names == image]
    if rows.empty:
        matches = [f"/{name}".endswith(f"/{image}") or image.endswith(f"/{name}") for name in names]
        rows = catalog[matches]
    if len(rows) == 1:
        return rows
    if len(rows):
        raise InputError(f"image {image!r} is ambiguous:", rows["image"].tolist(), next_step="use one of these names")
    raise InputError(check_known("image", [image], names.tolist())[0], hint="Does it belong to another dataset?")


def _patient(catalog: pd.DataFrame, patient: str) -> pd.DataFrame:
    patient = same_form(patient)
    rows = catalog[catalog["patient"].map(same_form, na_action="ignore") == patient]
    if rows.empty:
        known = sorted(catalog["patient"].dropna().unique())
        raise InputError(
            check_known("patient", [patient], known)[0],
            hint=f"Patients: {some(known)}" if known else "No label version of this dataset has patients.",
        )
    return rows


def _present(project: ProjectPaths) -> set[str]:
    """Run keys in the current results of the study's arms."""
    paths = [project.results(arm) for arm in project.params().arms]
    return {key for path in paths if path.is_file() for key in _keys(path)}


def _keys(path: Path) -> list[str]:
    return [str(key) for key in read_parquet(path, "dvc repro")["run_key"]]


def _result_files(project: ProjectPaths) -> list[Path]:
    """The results of all arms, also of those that are no longer in ``params.yaml``."""
    files = (project.root / "results").glob("*.parquet")
    return sorted(path for path in files if not path.name.endswith((".predictions.parquet", ".losses.parquet")))


def _unsearched(mentioned: Mapping[str, Iterable[str]], searched: Collection[str]) -> list[UnsearchedRun]:
    """The runs that some place mentions and the ledger lacks, sorted by key."""
    places: dict[str, list[str]] = defaultdict(list)
    for place, keys in mentioned.items():
        for key in set(keys).difference(searched):
            places[key].append(place)
    return [UnsearchedRun(key, found_in) for key, found_in in sorted(places.items())]


def _run(sighting: Sighting, names: dict[str, str], present: Collection[str]) -> TracedRun:
    values = asdict(sighting)
    return TracedRun(image=names[values.pop("identity")], **values, present=sighting.run_key in present)


def _curves(seen: Sequence[Sighting], present: Collection[str]) -> list[TracedCurve]:
    """One entry per arm, current runs before earlier ones."""
    sizes: dict[tuple[bool, str], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for sighting in seen:
        sizes[sighting.run_key not in present, sighting.arm][sighting.subset].add(sighting.size)
    return [
        TracedCurve(arm, not earlier, {subset: sorted(by_size) for subset, by_size in sorted(subsets.items())})
        for (earlier, arm), subsets in sorted(sizes.items())
    ]


def _models(seen: Sequence[Sighting], versions: Sequence[Any]) -> list[TracedModel]:
    """Registered versions with a member among these runs."""
    roles: dict[str, set[str]] = defaultdict(set)
    for sighting in seen:
        roles[sighting.run_key].add(sighting.subset)
    return [
        TracedModel(
            model=version.name,
            version=version.number,
            aliases=list(version.aliases),
            members={key: sorted(roles[key]) for key in version.members if key in roles},
        )
        for version in versions
        if roles.keys() & set(version.members)
    ]
