"""``cytocurve data trace``: every run, curve and registered model that an image or a patient took part in."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.stores.ledger import open_ledger
from cytocurve.stores.tables import read_parquet
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.registry import registered_versions
from cytocurve.study.dataset import read_catalog
from cytocurve.study.lineage import Sighting, sightings
from cytocurve.text import check_known


def trace(
    project: ProjectPaths, image: str | None, patient: str | None, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """The ``images`` asked for, and the ``runs``, ``curves`` and ``models`` that saw them; withdrawn ones too.

    Runs come from the whole ledger, models from the tracking store; ``damaged_runs`` could not be read. A run or curve
    is ``present`` where it stands in the results of one of the study's arms. Raises ``InputError`` for an unknown
    image or patient, ``ServiceError`` where the tracking store cannot be asked: half an answer would mislead.
    """
    catalog = read_catalog(project)
    rows = _images(catalog, image) if image is not None else _patient(catalog, patient or "")
    names = dict(zip(rows["pixel_sha256"], rows["image"], strict=True))
    seen, damaged = sightings(open_ledger(project.ledger_url), names.keys(), progress)
    present = _present(project)
    with connected(project.tracking_uri, project.tracking_lock) as client:
        versions = registered_versions(client)
    return {
        "images": _plain(rows[["image", "patient", "pixel_sha256", "withdrawn"]]),
        "runs": [_run(sighting, names, present) for sighting in seen],
        "curves": _curves(seen, present),
        "models": _models(seen, versions),
        "damaged_runs": damaged,
    }


def _plain(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as records, None for what is not known."""
    plain = rows.astype("object").where(rows.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def _images(catalog: pd.DataFrame, image: str) -> pd.DataFrame:
    """The row of an image by its name below ``images``, or by the end of that or a path to it where that is unique."""
    rows = catalog[catalog["image"] == image]
    if rows.empty:
        ends = [f"/{name}".endswith(f"/{image}") or image.endswith(f"/{name}") for name in catalog["image"]]
        rows = catalog[ends]
    if len(rows) == 1:
        return rows
    if len(rows):
        raise InputError(f"image {image!r} is one of several:", rows["image"].tolist(), next_step="give one of these.")
    raise InputError(check_known("image", [image], catalog["image"].tolist())[0], hint="Is it of another dataset?")


def _patient(catalog: pd.DataFrame, patient: str) -> pd.DataFrame:
    rows = catalog[catalog["patient"] == patient]
    if rows.empty:
        known = sorted(catalog["patient"].dropna().unique())
        raise InputError(
            check_known("patient", [patient], known)[0],
            hint=f"Patients: {', '.join(known)}" if known else "No label version of this dataset knows patients.",
        )
    return rows


def _present(project: ProjectPaths) -> set[str]:
    """Keys of the runs in the results of the study's arms, of those that have results."""
    paths = [project.results(arm) for arm in project.params().arms]
    return {key for path in paths if path.is_file() for key in read_parquet(path, "dvc repro")["run_key"]}


def _run(sighting: Sighting, names: dict[str, str], present: Collection[str]) -> dict[str, Any]:
    told = asdict(sighting)
    return {"image": names[told.pop("identity")], **told, "present": sighting.run_key in present}


def _curves(seen: Sequence[Sighting], present: Collection[str]) -> list[dict[str, Any]]:
    """By arm, present runs before earlier ones: the training sizes of which runs saw the images, in each role."""
    sizes: dict[tuple[bool, str], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for sighting in seen:
        sizes[sighting.run_key not in present, sighting.arm][sighting.subset].add(sighting.size)
    return [
        {"arm": arm, "present": not earlier, **{subset: sorted(found) for subset, found in sorted(roles.items())}}
        for (earlier, arm), roles in sorted(sizes.items())
    ]


def _models(seen: Sequence[Sighting], versions: Sequence[Any]) -> list[dict[str, Any]]:
    """Registered versions with a member among the runs, and the roles that the images had in them."""
    roles: dict[str, set[str]] = defaultdict(set)
    for sighting in seen:
        roles[sighting.run_key].add(sighting.subset)
    return [
        {
            "model": version.name,
            "version": version.number,
            "aliases": list(version.aliases),
            "members": {key: sorted(roles[key]) for key in version.members if key in roles},
        }
        for version in versions
        if roles.keys() & set(version.members)
    ]
