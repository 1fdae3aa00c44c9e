"""The files of registered models: whether they are intact, and those that no version names."""

import hashlib
import shutil
import time
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cytocurve.files import local_path, sha256
from cytocurve.stores.tracking.pages import all_pages

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.tracking import MlflowClient

MODEL_KEY = "cytocurve.model_key"

FILES = "cytocurve.files"
"""The SHA-256 of a model's files and their names, as ``digest_of`` computes it."""

ADDED_BY_MLFLOW = "registered_model_meta"
"""What MLflow adds to a downloaded model."""

UPLOAD_SECONDS = 24 * 3600
"""The age from which a model on a server that no version names has certainly not just been uploaded."""


def digest_of(folder: Path) -> str:
    """The SHA-256 (hex) of all files of a model and their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ADDED_BY_MLFLOW)
    lines = [f"{sha256(path)} {path.relative_to(folder).as_posix()}\n" for path in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def wrong_with(folder: Path, recorded: str | None) -> str:
    """Why the files of a model in a folder cannot be used; empty if they can.

    ``recorded`` is their digest at registration; versions of earlier releases have none.
    """
    networks = [path for pattern in ("*.keras", "*.npz") for path in folder.rglob(pattern)]
    if len(networks) != 1 or not (folder / "MLmodel").is_file():
        return "its files are missing"
    if recorded is not None:
        return "" if digest_of(folder) == recorded else "its files have changed since it was registered"
    try:
        with zipfile.ZipFile(networks[0]) as archive:
            return "" if archive.testzip() is None else "its files are damaged"
    except (zipfile.BadZipFile, OSError, ValueError):
        return "its files are damaged"


def damage(client: "MlflowClient", entry: "ModelVersion") -> str:
    """Why the files of a version cannot be used, as far as that is known without downloading them; else empty."""
    from mlflow.exceptions import MlflowException

    model = _model_named_by(entry)
    if not model:
        return ""
    try:
        logged = client.get_logged_model(model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return "its files have been deleted"
    folder = local_path(logged.artifact_location)
    if _is_local(client) and folder is not None:
        return f"{wrong}: {folder}" if (wrong := wrong_with(folder, entry.tags.get(FILES))) else ""
    if folder is None and not client.list_logged_model_artifacts(model):
        return f"its files are missing: {logged.artifact_location}"
    return ""


def remove_unnamed(client: "MlflowClient", experiment: str) -> None:
    """Remove the models of cytocurve in an experiment that no version names: uploads that were interrupted.

    On a server, recent ones stay, since another machine may be about to register them.
    """
    entry = client.get_experiment_by_name(experiment)
    if entry is None:
        return
    search = partial(client.search_logged_models, [entry.experiment_id])
    models: list[LoggedModel] = [model for model in all_pages(search) if MODEL_KEY in model.tags]
    named = {_model_named_by(version) for version in all_pages(client.search_model_versions)} if models else set()
    latest = time.time() * 1000 + (1 if _is_local(client) else -UPLOAD_SECONDS * 1000)
    for model in models:
        if model.model_id in named or model.last_updated_timestamp > latest:
            continue
        folder = local_path(model.artifact_location)
        if _is_local(client) and folder is not None and folder.resolve().is_relative_to(_home(client)):
            shutil.rmtree(folder.parent if folder.parent.name == model.model_id else folder, ignore_errors=True)
        client.delete_logged_model(model.model_id)


def _model_named_by(entry: "ModelVersion") -> str:
    """The id of the logged model of a version; empty if it is of another origin."""
    source = entry.source or ""
    return source.rsplit("/", 1)[-1] if source.startswith("models:/m-") else ""


def _is_local(client: "MlflowClient") -> bool:
    return str(client.tracking_uri).startswith("sqlite:")


def _home(client: "MlflowClient") -> Path:
    """The folder of a local store."""
    database = local_path(str(client.tracking_uri))
    assert database is not None
    return database.resolve().parent
