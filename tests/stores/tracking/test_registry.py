"""Registering real Keras models in a real local store."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytocurve.errors import InputError, ServiceError
from cytocurve.files import local_path
from cytocurve.stores.ledger.local import LocalLedger
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.experiments import publish
from cytocurve.stores.tracking.model_files import FILES, MODEL_KEY, digest_of, remove_unnamed
from cytocurve.stores.tracking.registry import download, global_store, register, requirements
from tests.faults.harness import flipped
from tests.stores.tracking.mlflow_makers import local_uri, make_arm

pytestmark = pytest.mark.slow

NAME = "starter-blast"


@pytest.fixture(scope="module")
def model() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    return keras.Sequential([keras.Input((9, 9, 3)), *layers])


@pytest.fixture
def sample() -> Any:
    return np.random.default_rng(0).random((5, 9, 9, 3)).astype(np.float32)


def _register(folder: Path, model: Any, sample: Any, model_key: str = "key", alias: str = "challenger") -> int:
    arm = make_arm(LocalLedger(folder / "ledger"), folds=1, sizes=(10,))
    with connected(local_uri(folder), folder / "lock") as client:
        run_id = publish(client, arm).run_id
        return register(client, lambda: model, NAME, model_key, run_id, sample, {"cytocurve.arm": arm.arm.name}, alias)


def test_registered_model_predicts_the_same_as_the_keras_model(tmp_path: Path, model: Any, sample: Any) -> None:
    """Loaded by its alias in another process, with pickles forbidden, it gives the same probabilities."""
    assert _register(tmp_path, model, sample) == 1
    np.save(tmp_path / "sample.npy", sample)
    script = (
        "import mlflow, numpy, sys\n"
        f"mlflow.set_tracking_uri({local_uri(tmp_path)!r})\n"
        f"model = mlflow.pyfunc.load_model('models:/{NAME}@challenger')\n"
        "numpy.save(sys.argv[2], model.predict(numpy.load(sys.argv[1])))\n"
    )
    files = [str(tmp_path / "sample.npy"), str(tmp_path / "predicted.npy")]
    environment = {**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    subprocess.run([sys.executable, "-c", script, *files], env=environment, check=True)
    np.testing.assert_allclose(np.load(files[1]), model.predict(sample, verbose=0), rtol=1e-6)


def test_registered_model_is_traceable(tmp_path: Path, model: Any, sample: Any) -> None:
    """The version names its arm's run and its own key, and lies with the experiment's other files."""
    _register(tmp_path, model, sample)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        version = client.get_model_version_by_alias(NAME, "challenger")
        run = client.get_run(version.run_id or "")
        logged = client.get_logged_model((version.source or "").removeprefix("models:/"))
    assert run.data.tags["cytocurve.arm"] == "sequential-none-expert"
    assert run.info.status == "FINISHED"
    files = digest_of(Path(logged.artifact_location.removeprefix("file://")))
    assert version.tags == {MODEL_KEY: "key", FILES: files, "cytocurve.arm": "sequential-none-expert"}
    assert logged.experiment_id == run.info.experiment_id
    assert logged.artifact_location.startswith((tmp_path / "mlruns" / "artifacts").as_uri())


def test_model_is_registered_once(tmp_path: Path, model: Any, sample: Any) -> None:
    """The same model keeps its version and only the alias moves; another model is a new version."""
    versions = [_register(tmp_path, model, sample, key) for key in ("first", "second", "first")]
    assert versions == [1, 2, 1]
    assert _register(tmp_path, model, sample, "second", alias="champion") == 2
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        assert int(client.get_model_version_by_alias(NAME, "challenger").version) == 1
        assert int(client.get_model_version_by_alias(NAME, "champion").version) == 2


def test_registered_model_is_not_rebuilt(tmp_path: Path, model: Any, sample: Any) -> None:
    """The key of a model decides, before TensorFlow is needed."""
    _register(tmp_path, model, sample)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        assert register(client, pytest.fail, NAME, "key", "", sample, {}) == 1


def _stored(folder: Path, number: int = 1) -> Path:
    """The folder of a version's files."""
    with connected(local_uri(folder), folder / "lock") as client:
        source = client.get_model_version(NAME, str(number)).source or ""
        logged = client.get_logged_model(source.removeprefix("models:/"))
    files = local_path(logged.artifact_location)
    assert files is not None
    return files


def _download(folder: Path, number: int, target: Path) -> Path:
    with connected(local_uri(folder), folder / "lock") as client:
        return download(client, NAME, number, target)[0]


def _flip(files: Path) -> None:
    flipped(files / "data/model.keras", seed=1)


def _delete(files: Path) -> None:
    (files / "data/model.keras").unlink()


def _describe_otherwise(files: Path) -> None:
    (files / "MLmodel").write_text("{")


@pytest.mark.parametrize("spoil", [_flip, _delete, _describe_otherwise, shutil.rmtree])
def test_spoiled_version_cannot_be_downloaded_and_gets_a_successor(
    spoil: Callable[[Path], object], tmp_path: Path, model: Any, sample: Any, caplog: pytest.LogCaptureFixture
) -> None:
    _register(tmp_path, model, sample)
    assert _download(tmp_path, 1, tmp_path / "intact").is_dir()
    spoil(_stored(tmp_path))
    with pytest.raises(InputError, match=r"version 1, cannot be used: its files .*\nNext: restore"):
        _download(tmp_path, 1, tmp_path / "spoiled")
    assert _register(tmp_path, model, sample) == 2
    assert "version 1: its files" in caplog.text
    assert _register(tmp_path, model, sample) == 2
    assert _download(tmp_path, 2, tmp_path / "successor").is_dir()


def test_version_without_a_digest_is_tested_as_an_archive(tmp_path: Path, model: Any, sample: Any) -> None:
    """As one registered by an earlier release."""
    _register(tmp_path, model, sample)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        client.delete_model_version_tag(NAME, "1", FILES)
    assert _download(tmp_path, 1, tmp_path / "intact").is_dir()
    flipped(_stored(tmp_path) / "data/model.keras", seed=1)
    with pytest.raises(InputError, match="its files are damaged"):
        _download(tmp_path, 1, tmp_path / "spoiled")


def test_model_that_no_version_names_is_removed_and_one_that_a_version_names_stays(
    tmp_path: Path, model: Any, sample: Any
) -> None:
    """As after a kill between the upload and the registration."""
    _register(tmp_path, model, sample)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        (entry,) = client.search_experiments(filter_string="name = 'starter/blast'")
        orphan = client.create_logged_model(entry.experiment_id, "model", tags={MODEL_KEY: "other"})
        foreign = client.create_logged_model(entry.experiment_id, "theirs")
        files = Path(orphan.artifact_location.removeprefix("file://"))
        files.mkdir(parents=True)
        (files / "model.keras").write_text("weights")
        remove_unnamed(client, entry.name)
        left = {logged.model_id for logged in client.search_logged_models([entry.experiment_id])}
    assert not files.parent.exists()
    assert orphan.model_id not in left
    assert foreign.model_id in left
    assert len(left) == 2
    assert _download(tmp_path, 1, tmp_path / "intact").is_dir()


def test_store_of_a_copied_study_uses_its_own_files_and_the_original_stays_as_it_is(
    tmp_path: Path, model: Any, sample: Any
) -> None:
    original, copy = tmp_path / "original", tmp_path / "a copy #1 50%"
    original.mkdir()
    _register(original, model, sample)
    shutil.copytree(original, copy)
    before = sorted(original.rglob("*"))
    assert _stored(copy).is_relative_to(copy)
    assert [_register(copy, model, sample, key) for key in ("key", "other")] == [1, 2]
    flipped(_stored(copy) / "data/model.keras", seed=1)
    with pytest.raises(InputError, match="cannot be used"):
        _download(copy, 1, tmp_path / "spoiled")
    assert sorted(original.rglob("*")) == before
    assert _download(original, 1, tmp_path / "intact").is_dir()
    assert _download(copy, 2, tmp_path / "second").is_dir()


def test_stored_model_equals_what_mlflow_would_store(tmp_path: Path, model: Any, sample: Any) -> None:
    """The files of a version equal those of ``log_model``, and it is ready and linked to its run."""
    import mlflow

    _register(tmp_path, model, sample)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        version = client.get_model_version_by_alias(NAME, "challenger")
        ours = client.get_logged_model((version.source or "").removeprefix("models:/"))
        with global_store(local_uri(tmp_path)):
            signature = mlflow.models.get_model_info(f"models:/{ours.model_id}").signature
            theirs = client.create_logged_model(ours.experiment_id, "theirs", version.run_id)
            mlflow.tensorflow.log_model(
                model,
                name="theirs",
                run_id=version.run_id,
                model_id=theirs.model_id,
                signature=signature,
                pip_requirements=requirements(),
                input_example=sample,
            )
        theirs = client.get_logged_model(theirs.model_id)
        outputs = client.get_run(version.run_id or "").outputs
    assert (ours.status, theirs.status) == ("READY", "READY")
    assert outputs
    assert {output.model_id for output in outputs.model_outputs} == {ours.model_id, theirs.model_id}
    assert _files(ours) == _files(theirs)


def _files(logged: Any) -> dict[str, Any]:
    """The contents of a logged model's folder: descriptions without ids and times, otherwise file names."""
    root = Path(logged.artifact_location.removeprefix("file://"))
    result = {str(path.relative_to(root)): "" for path in root.rglob("*") if path.is_file()}
    lines = (root / "MLmodel").read_text().replace(logged.model_id, "ID").splitlines()
    return result | {"MLmodel": [line for line in lines if "utc_time" not in line and "size_bytes" not in line]}


def test_model_that_cannot_be_stored_is_reported(tmp_path: Path, model: Any, sample: Any) -> None:
    """If the folder of models is not writable, the error names the model, and no version appears."""
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "artifacts").write_text("a file where the folder should be")
    with pytest.raises(ServiceError, match=NAME):
        _register(tmp_path, model, sample)
    (tmp_path / "mlruns" / "artifacts").unlink()
    assert _register(tmp_path, model, sample) == 1


def test_packages_that_load_a_model_are_pinned() -> None:
    """TensorFlow, Keras and NumPy are listed with the versions that created the model."""
    names = {requirement.partition("==")[0] for requirement in requirements()}
    assert {"keras", "numpy"} <= names
    assert names & {"tensorflow", "tensorflow-cpu"}
