"""The model registry: models logged to their arm's run, as versions of ``<dataset>-<task>`` with an alias."""

import contextlib
import io
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.errors import InputError, ServiceError
from cytocurve.stores.tracking.model_files import FILES, MODEL_KEY, damage, digest_of, wrong_with
from cytocurve.stores.tracking.pages import all_pages

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models import ModelSignature
    from mlflow.tracking import MlflowClient

LOG = logging.getLogger("cytocurve")

CHALLENGER = "challenger"
"""The alias of the version that the current results select."""

CHAMPION = "champion"
"""The alias of the version that was put into use."""

MEMBERS = "cytocurve.members"
"""The run keys of a model's networks, as a JSON list."""

CLASSES = "cytocurve.classes"
"""The names of a model's classes, in the order of its outputs, as a JSON list."""

OUT_OF_FOLD = "cytocurve.out_of_fold"
"""The study's test scores of a model's single networks, by metric, as JSON."""

CORRECTED = "cytocurve.corrected"
"""The leading one of these scores, corrected for the choice of the arm, as JSON; ``null`` if it is not."""


@dataclass(frozen=True)
class Version:
    """A registered model version, its aliases, the keys of its member runs, and its tags."""

    name: str
    number: int
    aliases: tuple[str, ...]
    members: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=dict)


def registered_versions(client: "MlflowClient") -> list[Version]:
    """All versions registered by cytocurve, sorted by name and number."""
    aliases = {
        model.name: {alias: int(number) for alias, number in model.aliases.items()}
        for model in all_pages(client.search_registered_models)
    }

    def aliases_of(name: str, number: int) -> tuple[str, ...]:
        return tuple(sorted(alias for alias, aliased in aliases.get(name, {}).items() if aliased == number))

    return sorted(
        (
            Version(
                entry.name,
                int(entry.version),
                aliases_of(entry.name, int(entry.version)),
                tuple(json.loads(entry.tags[MEMBERS])),
                dict(entry.tags),
            )
            for entry in all_pages(client.search_model_versions)
            if MEMBERS in entry.tags
        ),
        key=lambda version: (version.name, version.number),
    )


@dataclass(frozen=True)
class Notes:
    """What a version says about itself and may say differently later: a description, and tags."""

    description: str
    tags: Mapping[str, str]


def annotate(client: "MlflowClient", name: str, number: int, notes: Notes) -> None:
    """Write a version's notes; nothing is written that it has already."""
    entry = client.get_model_version(name, str(number))
    if notes.description and entry.description != notes.description:
        client.update_model_version(name, str(number), notes.description)
    for key, value in notes.tags.items():
        if entry.tags.get(key) != value:
            client.set_model_version_tag(name, str(number), key, value)


@dataclass(frozen=True)
class PackedModel:
    """A model that is not Keras's: ``write`` puts its files into a folder, and the module ``loader`` reads them.

    MLflow's pyfunc flavor calls ``_load_pyfunc`` of that module, which must be installed. ``outputs`` is the number of
    classes; ``libraries`` are the packages that the model computes with.
    """

    write: Callable[[Path], None]
    loader: str
    outputs: int
    libraries: tuple[str, ...]


def register(
    client: "MlflowClient",
    build: Callable[[], Any],
    name: str,
    model_key: str,
    run_id: str,
    sample: NDArray[Any],
    tags: Mapping[str, str],
    alias: str | None = CHALLENGER,
    metadata: Mapping[str, Any] | None = None,
    notes: Notes | None = None,
) -> int:
    """Register a Keras model or a ``PackedModel`` and move the alias, if any, to it; returns the version number.

    ``model_key`` identifies the model: an existing version with this key is reused unless its files are missing or
    damaged, otherwise ``build`` is called.
    An existing version keeps its ``tags``; it gets the present ``notes`` if it gets the alias.
    ``sample`` is an input batch, (images, height, width, channels), stored as the input example; ``metadata`` (JSON
    values) is stored with the model. Raises ``ServiceError`` if the model cannot be stored.
    """
    try:
        with global_store(client.tracking_uri):
            present = version_of(client, name, model_key)
            for entry in () if present else _versions(client, name, model_key):
                wrong = damage(client, entry)
                LOG.warning("%s, version %s: %s; registering its model again", name, entry.version, wrong)
            number = present or _create(client, build(), name, model_key, run_id, sample, tags, metadata)
        if notes is not None and (alias or not present):
            annotate(client, name, number, notes)
        if alias:
            move_alias(client, name, number, alias)
    except OSError as error:  # from files and uploads; MLflow raises its own exceptions otherwise
        raise ServiceError(
            f"The model {name} could not be stored: {error}",
            hint="It is safe to register again: existing parts are reused.",
        ) from error
    return number


def version_of(client: "MlflowClient", name: str, model_key: str) -> int | None:
    """The number of the first version with this key whose files are intact, None if there is none."""
    versions = _versions(client, name, model_key)
    return next((int(entry.version) for entry in versions if not damage(client, entry)), None)


def _versions(client: "MlflowClient", name: str, model_key: str) -> "Sequence[ModelVersion]":
    """The versions with this key, the first one first."""
    versions = client.search_model_versions(f"name = '{name}' and tags.`{MODEL_KEY}` = '{model_key}'")
    return sorted(versions, key=lambda entry: int(entry.version))


def move_alias(client: "MlflowClient", name: str, number: int, alias: str = CHALLENGER) -> None:
    """Point the alias to an existing version, unless it points there already."""
    if str(client.get_registered_model(name).aliases.get(alias)) != str(number):
        client.set_registered_model_alias(name, alias, str(number))


def _create(
    client: "MlflowClient",
    model: Any,
    name: str,
    model_key: str,
    run_id: str,
    sample: NDArray[Any],
    tags: Mapping[str, str],
    metadata: Mapping[str, Any] | None,
) -> int:
    from mlflow.entities import LoggedModelStatus
    from mlflow.exceptions import MlflowException

    run = client.get_run(run_id)
    # Otherwise MLflow would create a logged model in the active experiment of this process.
    logged = client.create_logged_model(
        run.info.experiment_id, "model", run_id, {MODEL_KEY: model_key}, run.data.params
    )
    try:
        files = _upload(client, model, logged, run_id, sample, metadata)
    except BaseException:
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED)
        raise
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {**tags, MODEL_KEY: model_key, FILES: files}
    created = client.create_model_version(name, f"models:/{logged.model_id}", run_id, tags, model_id=logged.model_id)
    return int(created.version)


@contextlib.contextmanager
def global_store(uri: str) -> Iterator[None]:
    """Set MLflow's global tracking URI, which is also an environment variable, and restore both."""
    import mlflow

    before: Any = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


def _upload(
    client: "MlflowClient",
    model: Any,
    logged: "LoggedModel",
    run_id: str,
    sample: NDArray[Any],
    metadata: Mapping[str, Any] | None,
) -> str:
    """Store the model's files as ``log_model`` of its flavor does; returns their digest.

    Unlike that function, do not reload the model to check the input example, which takes seven seconds and only logs
    failures.
    """
    import mlflow
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    about = Model(
        artifact_path=logged.artifact_location,
        model_uuid=logged.model_id,
        run_id=run_id,
        model_id=logged.model_id,
        metadata=dict(metadata) if metadata else None,
    )
    with TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
        folder = f"{scratch}/model"
        if isinstance(model, PackedModel):
            model.write(Path(scratch) / "members")
            mlflow.pyfunc.save_model(
                folder,
                loader_module=model.loader,
                data_path=f"{scratch}/members",
                mlflow_model=about,
                signature=_signature(model.outputs, sample),
                pip_requirements=requirements(model.libraries),
                input_example=sample,
            )
        else:
            mlflow.tensorflow.save_model(
                model,
                folder,
                mlflow_model=about,
                signature=_signature(model.output_shape[-1], sample),
                pip_requirements=requirements(),
                input_example=sample,
            )
        client.log_model_artifacts(logged.model_id, folder)
        return digest_of(Path(folder))


def download(client: "MlflowClient", name: str, number: int, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Download a version into a folder; returns that folder and the stored metadata.

    Raises ``InputError`` if the version does not exist, or if its files are missing or damaged.
    """
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model

    try:
        entry = client.get_model_version(name, str(number))
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise InputError(f"The registry has no version {number} of the model {name!r}") from error
    wrong = damage(client, entry)
    if not wrong:
        with global_store(client.tracking_uri):
            mlflow.artifacts.download_artifacts(
                f"models:/{name}/{number}", dst_path=str(folder), tracking_uri=client.tracking_uri
            )
        wrong = wrong_with(folder, entry.tags.get(FILES))
    if wrong:
        raise InputError(
            f"{name}, version {number}, cannot be used: {wrong}",
            next_step="restore the files from a backup; or cytocurve register, which stores the model of the present "
            "results again, as a new version",
        )
    return folder, dict(Model.load(str(next(folder.rglob("MLmodel")))).metadata or {})


def stored_metadata(client: "MlflowClient", name: str, number: int, folder: Path) -> dict[str, Any]:
    """The metadata stored with a version, without its network, which ``download`` also fetches."""
    import mlflow
    from mlflow.models import Model

    with global_store(client.tracking_uri):
        file = mlflow.artifacts.download_artifacts(
            f"models:/{name}/{number}/MLmodel", dst_path=str(folder), tracking_uri=client.tracking_uri
        )
    return dict(Model.load(file).metadata or {})


def requirements(packages: Sequence[str] = ("tensorflow-cpu", "tensorflow", "keras", "numpy")) -> list[str]:
    """The packages needed to load the model, at the current versions; MLflow would take ten seconds to infer them."""
    pinned = []
    for package in packages:
        try:
            pinned.append(f"{package}=={version(package)}")
        except PackageNotFoundError:
            continue
    return pinned


def _signature(outputs: int, sample: NDArray[Any]) -> "ModelSignature":
    """The signature: any number of images in; class probabilities, float32, (images, classes), out."""
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    images = TensorSpec(sample.dtype, (-1, *sample.shape[1:]))
    probabilities = TensorSpec(np.dtype(np.float32), (-1, outputs))
    return ModelSignature(inputs=Schema([images]), outputs=Schema([probabilities]))
