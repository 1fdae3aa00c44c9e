"""Registering real Keras models in a real local store."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow_makers import local_uri, make_arm

from cytocurve.errors import ServiceError
from cytocurve.stores.ledger import Ledger
from cytocurve.stores.mlflow import publish
from cytocurve.stores.registry import MODEL_KEY, register, requirements
from cytocurve.stores.tracking import connected

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
    arm = make_arm(Ledger(folder / "ledger"), folds=1, sizes=(10,))
    with connected(local_uri(folder), folder / "lock") as client:
        run_id = publish(client, arm).run_id
        return register(client, model, NAME, model_key, run_id, sample, {"cytocurve.arm": arm.arm.name}, alias)


def test_a_registered_model_predicts_what_the_keras_model_does(tmp_path: Path, model: Any, sample: Any) -> None:
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


def test_a_registered_model_is_traceable(tmp_path: Path, model: Any, sample: Any) -> None:
    """The version names its arm's run and its own key, and lies with the experiment's other files."""
    _register(tmp_path, model, sample)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        version = client.get_model_version_by_alias(NAME, "challenger")
        run = client.get_run(version.run_id or "")
        logged = client.get_logged_model((version.source or "").removeprefix("models:/"))
    assert run.data.tags["cytocurve.arm"] == "sequential-none-expert"
    assert run.info.status == "FINISHED"
    assert version.tags == {MODEL_KEY: "key", "cytocurve.arm": "sequential-none-expert"}
    assert logged.experiment_id == run.info.experiment_id
    assert logged.artifact_location.startswith((tmp_path / "mlruns" / "artifacts").as_uri())


def test_a_model_is_registered_once(tmp_path: Path, model: Any, sample: Any) -> None:
    """The same model keeps its version and only the alias moves; another model is a new version."""
    versions = [_register(tmp_path, model, sample, key) for key in ("first", "second", "first")]
    assert versions == [1, 2, 1]
    assert _register(tmp_path, model, sample, "second", alias="champion") == 2
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        assert int(client.get_model_version_by_alias(NAME, "challenger").version) == 1
        assert int(client.get_model_version_by_alias(NAME, "champion").version) == 2


def test_a_model_that_cannot_be_stored_is_told(tmp_path: Path, model: Any, sample: Any) -> None:
    """Where the folder of models cannot be written, the error names the model, and no version appears."""
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "artifacts").write_text("a file where the folder should be")
    with pytest.raises(ServiceError, match=NAME):
        _register(tmp_path, model, sample)
    (tmp_path / "mlruns" / "artifacts").unlink()
    assert _register(tmp_path, model, sample) == 1


def test_the_packages_that_load_a_model_are_pinned() -> None:
    """TensorFlow, Keras and NumPy stand there with the versions that made the model."""
    names = {requirement.partition("==")[0] for requirement in requirements()}
    assert {"keras", "numpy"} <= names
    assert names & {"tensorflow", "tensorflow-cpu"}
