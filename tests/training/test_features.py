"""Feature vectors are computed once per image, whatever happens to workers and files, and arms of estimators run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cytocurve.config import ProjectPaths
from cytocurve.core.runs import Component
from cytocurve.errors import CytocurveError
from cytocurve.models import architectures
from cytocurve.models.architectures import Features, Vector
from cytocurve.models.architectures.features_svm import FeaturesSvmSettings
from cytocurve.models.cell_features import cell_features
from cytocurve.models.packed import EstimatorEnsemble
from cytocurve.models.predictor import predictor
from cytocurve.models.preparation import preparation
from cytocurve.models.settings import NoSettings
from cytocurve.stores.ledger import open_ledger
from cytocurve.study.design import design_arm
from cytocurve.training.executors.processes import processes
from cytocurve.training.executors.serial import serial
from cytocurve.training.features import CHUNK, shared_features
from cytocurve.training.networks import of_runs, of_version
from tests.projects import BIN, cytocurve, draw_cell, environment, make_project, run, write_params, write_toy

COUNT = 2 * CHUNK + 5
SIZE = preparation({"size": 20})
IN_THIS_PROCESS = partial(serial, 1)
SVM = architectures.load("features_svm")
assert SVM.features is not None
CELLS: tuple[Features, Any] = SVM.features, FeaturesSvmSettings(side=20)


def identity(number: int) -> str:
    return f"{number:064x}"


def pixels_of(images: int = COUNT) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (images, 20, 20, 3), dtype=np.uint8)


class Count:
    """A progress that remembers its last call."""

    done, total = 0, 0

    def __call__(self, done: int, total: int) -> None:
        assert done > self.done
        self.done, self.total = done, total


def extracted(
    folder: Path,
    numbers: range = range(COUNT),
    what: tuple[Features, Any] = CELLS,
    executor: Callable[[], Executor] = IN_THIS_PROCESS,
) -> tuple[Path, int]:
    """The file of vectors of these images, and how many had to be computed."""
    pixels, progress = folder / f"pixels{len(numbers)}.npy", Count()
    np.save(pixels, pixels_of(200)[list(numbers)])
    names = [identity(number) for number in numbers]
    path = shared_features(folder / "features", pixels, names, SIZE, what, executor, progress)
    assert progress.done == progress.total
    return path, progress.total


def test_vectors_are_those_of_the_images_in_order(tmp_path: Path) -> None:
    path, computed = extracted(tmp_path)
    assert computed == COUNT
    expected = [cell_features(image, 20) for image in pixels_of()]
    np.testing.assert_array_equal(np.load(path), expected)


def test_finished_file_is_used_again(tmp_path: Path) -> None:
    path, _ = extracted(tmp_path)
    before = path.stat().st_mtime_ns
    assert extracted(tmp_path) == (path, 0)
    assert path.stat().st_mtime_ns == before


def test_only_new_images_are_computed(tmp_path: Path) -> None:
    extracted(tmp_path, range(COUNT))
    path, computed = extracted(tmp_path, range(3, COUNT + 4))
    assert computed == 4
    expected = [cell_features(image, 20) for image in pixels_of(200)[3 : COUNT + 4]]
    np.testing.assert_array_equal(np.load(path), expected)


def test_image_that_occurs_twice_is_computed_once(tmp_path: Path) -> None:
    np.save(tmp_path / "pixels.npy", pixels_of(3)[[0, 1, 0, 2]])
    names, progress = [identity(number) for number in (0, 1, 0, 2)], Count()
    path = shared_features(tmp_path, tmp_path / "pixels.npy", names, SIZE, CELLS, IN_THIS_PROCESS, progress)
    assert progress.total == 3
    np.testing.assert_array_equal(np.load(path)[0], np.load(path)[2])


def test_damaged_file_is_computed_again_and_others_are_kept(tmp_path: Path) -> None:
    path, _ = extracted(tmp_path)
    whole = path.read_bytes()
    (parts,) = (folder for folder in path.parent.iterdir() if folder.is_dir())
    damaged = max(parts.iterdir(), key=lambda part: part.stat().st_size)
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"elsewhere")
    path.write_bytes(whole[:-4] + b"\0\0\0\1")
    again, computed = extracted(tmp_path)
    assert (again.read_bytes(), computed) == (whole, CHUNK)


def test_settings_of_the_classifier_compute_nothing_again_and_those_of_the_features_do(tmp_path: Path) -> None:
    extracted(tmp_path)
    features, _ = CELLS
    assert extracted(tmp_path, what=(features, FeaturesSvmSettings(side=20, c=9.0, gamma=2.0)))[1] == 0
    assert extracted(tmp_path, what=(features, FeaturesSvmSettings(side=16)))[1] == COUNT


def infinite(image: NDArray[np.uint8]) -> Vector:
    return np.array([np.inf], np.float32)


def test_features_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CytocurveError, match="not finite") as caught:
        extracted(tmp_path, range(CHUNK), (Features(infinite), NoSettings()))
    assert len(caught.value.offenders) == CHUNK


@pytest.mark.slow
def test_processes_give_the_same_bytes_as_one_process(tmp_path: Path) -> None:
    for name in ("one", "many"):
        (tmp_path / name).mkdir()
    one, _ = extracted(tmp_path / "one")
    many, _ = extracted(tmp_path / "many", executor=partial(processes, 2))
    assert many.read_bytes() == one.read_bytes()


def deadly(image: NDArray[np.uint8]) -> Vector:
    """Kills its process at the first call."""
    mark = Path(os.environ["DEADLY"])
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return np.asarray(image.mean(axis=(0, 1)), np.float32)


def always_deadly(image: NDArray[np.uint8]) -> Vector:
    os.kill(os.getpid(), signal.SIGKILL)
    return np.zeros(1, np.float32)


@pytest.mark.slow
def test_killed_worker_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEADLY", str(tmp_path / "died"))
    path, computed = extracted(tmp_path, what=(Features(deadly), NoSettings()), executor=partial(processes, 2))
    assert (tmp_path / "died").exists()
    assert computed == COUNT
    np.testing.assert_array_equal(np.load(path), [deadly(image) for image in pixels_of()])


@pytest.mark.slow
def test_workers_that_always_die_end_the_sweep(tmp_path: Path) -> None:
    with pytest.raises(CytocurveError, match="died 3 times in a row"):
        extracted(tmp_path, what=(Features(always_deadly), NoSettings()), executor=partial(processes, 1))


MODEL = "toy-dark-vs-light"
ARM = "features_svm-none-folder"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of features alone, its model registered."""
    arms = {"architectures": ["features_svm"], "sizes": [4, 16], "image_size": 32}
    root = make_project(tmp_path_factory.mktemp("study"), **arms)
    for command in (["catalog"], ["split"], ["audit"], ["sweep", "--executor", "serial"], ["evaluate"], ["register"]):
        done = cytocurve(root, *command)
        assert done.returncode == 0, done.stderr
    return root


@pytest.mark.slow
def test_arm_of_features_is_swept_evaluated_and_registered(study: Path) -> None:
    metrics = json.loads((study / "reports" / "metrics.json").read_text())
    assert metrics["arms"][ARM]["roc_auc"]["16"]["mean"] > 0.9
    assert json.loads((study / "reports" / "model.json").read_text())["arm"] == ARM


@pytest.mark.slow
def test_registered_arm_of_features_predicts_as_its_runs_from_files(study: Path) -> None:
    project = ProjectPaths(study)
    design = design_arm(project, project.params(), project.params().arms[0])
    judge, ledger = of_version(project, MODEL, 1), open_ledger(project.ledger_url)
    assert judge.prepared_as_trained
    files = [project.data / "toy" / "images" / image for image in design.images[:12]]
    members = [run for run in design.runs if run.size == 16]
    each = [of_runs(ledger, design, [planned]).probabilities(files) for planned in members]
    np.testing.assert_allclose(judge.probabilities(files), np.mean(each, axis=0), atol=1e-6)
    stored = ledger.get(members[0].key)
    assert stored is not None
    tested = [project.data / "toy" / "images" / design.images[row] for row in members[0].rows["test"]]
    again = of_runs(ledger, design, members[:1]).probabilities(tested)
    np.testing.assert_allclose(again, stored.predictions["test"], atol=1e-6)


@pytest.mark.slow
def test_mlflow_loads_the_registered_arm_of_features_without_pickle(study: Path, tmp_path: Path) -> None:
    project = ProjectPaths(study)
    design = design_arm(project, project.params(), project.params().arms[0])
    files = [project.data / "toy" / "images" / image for image in design.images[:6]]
    prepared = np.stack([preparation({"size": 32}).prepare(file) for file in files])
    np.save(tmp_path / "prepared.npy", prepared)
    script = (
        "import mlflow, numpy, sys\n"
        f"mlflow.set_tracking_uri({project.tracking_uri!r})\n"
        f"model = mlflow.pyfunc.load_model('models:/{MODEL}@challenger')\n"
        "numpy.save(sys.argv[2], model.predict(numpy.load(sys.argv[1])))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    paths = [str(tmp_path / "prepared.npy"), str(tmp_path / "predicted.npy")]
    variables = environment(MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false", MLFLOW_DISABLE_TELEMETRY="true")
    subprocess.run([sys.executable, "-c", script, *paths], env=variables, check=True)
    predicted = np.load(paths[1])
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted, of_version(project, MODEL, 1).probabilities(files), atol=1e-6)


@pytest.mark.slow
def test_registered_arm_of_features_is_validated_on_another_dataset(study: Path, tmp_path: Path) -> None:
    root = tmp_path / "study"
    shutil.copytree(study, root, symlinks=True)
    write_toy(root / "data" / "other")
    for number, file in enumerate(sorted((root / "data" / "other" / "images").rglob("*.png"))):
        draw_cell(500 + number, file.parent.name == "dark").save(file)
    done = cytocurve(root, "validate", "--dataset", "other", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scores"]["roc_auc"]["value"] > 0.9


def test_model_of_other_code_is_reported() -> None:
    about = {"preparation": vars(SIZE.component), "classes": ["negative", "positive"]}
    for version, same in ((architectures.version("features_svm"), True), ("another", False)):
        model = EstimatorEnsemble(Component("features_svm", version, {}), 2, [])
        assert predictor(model, about).prepared_as_trained == same


@pytest.mark.slow
def test_augmented_arm_of_features_is_trained_on_changed_images(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "architectures": ["features_svm"],
        "augmentations": ["none", "flip_rotate"],
        "sizes": [8],
        "folds": 3,
    }
    root = make_project(tmp_path / "study", image_size=32, **changes)
    for command in (["catalog"], ["split"], ["audit"], ["sweep", "--executor", "serial"]):
        done = cytocurve(root, *command)
        assert done.returncode == 0, done.stderr
    first, second = (root / "results" / f"features_svm-{policy}-folder.parquet" for policy in changes["augmentations"])
    assert first.read_bytes() != second.read_bytes()
    write_params(root, image_size=12, **changes)
    refused = cytocurve(root, "sweep")
    assert refused.returncode == 2
    assert "features_svm needs at least 16 pixels per side" in refused.stderr


@pytest.mark.slow
def test_sweep_killed_while_computing_features_resumes(tmp_path: Path) -> None:
    root = make_project(tmp_path / "study", architectures=["features_svm"], sizes=[4], image_size=257)
    shutil.rmtree(root / "data" / "toy")
    write_toy(root / "data" / "toy", cells=96)
    for command in ("catalog", "split", "audit"):
        assert cytocurve(root, command).returncode == 0
    parts = partial(root.glob, "build/features/*/[!.]*.npz")
    sweeping = [str(BIN / "cytocurve"), "sweep", "--workers", "1"]
    with (root / "log.txt").open("wb") as log:
        sweep = subprocess.Popen(sweeping, cwd=root, env=environment(), stdout=log, stderr=log)
    deadline = time.monotonic() + 300
    while not list(parts()) and sweep.poll() is None:
        assert time.monotonic() < deadline, (root / "log.txt").read_text()
        time.sleep(0.01)
    sweep.kill()
    sweep.wait()
    before = {part: part.stat().st_mtime_ns for part in parts()}
    assert 0 < len(before) < 6, "killed before all chunks were finished"
    assert not list(root.glob("results/*.parquet"))
    done = run(root, "cytocurve", "sweep")
    assert done.returncode == 0, done.stderr
    after = {part: part.stat().st_mtime_ns for part in parts()}
    assert before.items() <= after.items()
    assert len(after) == 6
    assert list(root.glob("results/*.parquet"))
