"""Registered models: a Keras model logged to its arm's run, as a version of ``<dataset>-<task>`` under an alias."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.errors import ServiceError

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature
    from mlflow.tracking import MlflowClient

MODEL_KEY = "cytocurve.model_key"
MEMBERS = "cytocurve.members"
"""The run keys of a model's networks, as a JSON list."""


@dataclass(frozen=True)
class Version:
    """A registered model version, its aliases, and the keys of the runs whose networks it is made of."""

    name: str
    number: int
    aliases: tuple[str, ...]
    members: tuple[str, ...]


def registered_versions(client: "MlflowClient") -> list[Version]:
    """Every registered version that cytocurve made, by name and number."""
    aliases = {
        model.name: {alias: int(number) for alias, number in model.aliases.items()}
        for model in _all(client.search_registered_models)
    }

    def aliases_of(name: str, number: int) -> tuple[str, ...]:
        return tuple(sorted(alias for alias, aliased in aliases.get(name, {}).items() if aliased == number))

    return sorted(
        (
            Version(
                each.name,
                int(each.version),
                aliases_of(each.name, int(each.version)),
                tuple(json.loads(each.tags[MEMBERS])),
            )
            for each in _all(client.search_model_versions)
            if MEMBERS in each.tags
        ),
        key=lambda version: (version.name, version.number),
    )


def _all(search: Callable[..., Any]) -> Iterator[Any]:
    """What all pages of a search hold."""
    token = None
    while True:
        page = search(page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def register(
    client: "MlflowClient",
    build: Callable[[], Any],
    name: str,
    model_key: str,
    run_id: str,
    sample: NDArray[Any],
    tags: Mapping[str, str],
    alias: str = "challenger",
    metadata: Mapping[str, Any] | None = None,
) -> int:
    """Register a Keras model and move the alias to it; the number of the version.

    ``model_key`` identifies the model by what determines it: a version that has it is reused, and only where there is
    none is the model built. ``sample`` is a batch as the model takes it, (images, height, width, channels), and becomes
    the input example; ``metadata`` (JSON values) is stored in the model's own files. Raises
    ``ServiceError`` where the model cannot be stored.
    """
    try:
        number = _version_of(client, name, model_key) or _create(
            client, build(), name, model_key, run_id, sample, tags, metadata
        )
        client.set_registered_model_alias(name, alias, str(number))
    except OSError as error:  # files and uploads; other failures are MLflow's own
        raise ServiceError(
            f"The model {name} could not be stored: {error}",
            hint="Registering again is harmless: what is there is reused.",
        ) from error
    return number


def _version_of(client: "MlflowClient", name: str, model_key: str) -> int | None:
    found = client.search_model_versions(f"name = '{name}' and tags.`{MODEL_KEY}` = '{model_key}'")
    return min((int(each.version) for each in found), default=None)


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
    import mlflow
    from mlflow.entities import LoggedModelStatus
    from mlflow.exceptions import MlflowException

    mlflow.set_tracking_uri(client.tracking_uri)
    run = client.get_run(run_id)
    # Without a logged model of ours, MLflow makes one in the experiment that is active in this process.
    logged = client.create_logged_model(
        run.info.experiment_id, "model", run_id, {MODEL_KEY: model_key}, run.data.params
    )
    try:
        _upload(client, model, logged, run_id, sample, metadata)
    except BaseException:
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED)
        raise
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {**tags, MODEL_KEY: model_key}
    created = client.create_model_version(name, f"models:/{logged.model_id}", run_id, tags, model_id=logged.model_id)
    return int(created.version)


def _upload(
    client: "MlflowClient",
    model: Any,
    logged: "LoggedModel",
    run_id: str,
    sample: NDArray[Any],
    metadata: Mapping[str, Any] | None,
) -> None:
    """Store the model's files as ``mlflow.tensorflow.log_model`` does.

    That also loads the model once more to try the input example, for seven seconds of which it tells a failure nobody.
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
        mlflow.tensorflow.save_model(
            model,
            folder,
            mlflow_model=about,
            signature=_signature(model, sample),
            pip_requirements=requirements(),
            input_example=sample,
        )
        client.log_model_artifacts(logged.model_id, folder)


def download(client: "MlflowClient", name: str, number: int, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Fetch a version's files into a folder; the file of its Keras model, and the metadata stored with it."""
    import mlflow
    from mlflow.models import Model

    mlflow.set_tracking_uri(client.tracking_uri)
    mlflow.artifacts.download_artifacts(
        f"models:/{name}/{number}", dst_path=str(folder), tracking_uri=client.tracking_uri
    )
    (file,) = folder.rglob("*.keras")
    return file, dict(Model.load(str(next(folder.rglob("MLmodel")))).metadata or {})


def requirements() -> list[str]:
    """The packages that load the model, at the versions that made it; MLflow would take ten seconds to infer them."""
    pinned = []
    for package in ("tensorflow-cpu", "tensorflow", "keras", "numpy"):
        try:
            pinned.append(f"{package}=={version(package)}")
        except PackageNotFoundError:
            continue
    return pinned


def _signature(model: Any, sample: NDArray[Any]) -> "ModelSignature":
    """Any number of images in, class probabilities, float32, (images, classes) out."""
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    images = TensorSpec(sample.dtype, (-1, *sample.shape[1:]))
    probabilities = TensorSpec(np.dtype(np.float32), (-1, *model.output_shape[1:]))
    return ModelSignature(inputs=Schema([images]), outputs=Schema([probabilities]))
