"""A network classifies any image file like the images of its study: preparation is part of the model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from cytocurve.config import ProjectPaths
from cytocurve.core.runs import Component
from cytocurve.errors import InputError
from cytocurve.models.predictor import predictor
from cytocurve.models.preparation import preparation
from cytocurve.stores.ledger import open_ledger
from cytocurve.study.design import ArmDesign, design_arm
from cytocurve.training.networks import of_runs, of_version
from cytocurve.training.publisher import flat_params
from tests.projects import cytocurve, draw_cell, make_project


def untrained(images: Any, training: bool) -> Any:
    """A model whose probabilities are the mean brightness of its uint8 images."""
    bright = np.asarray(images).mean(axis=(1, 2, 3)) / 255
    return np.stack([1 - bright, bright], axis=1)


ABOUT = {"preparation": vars(preparation({"size": 20}).component), "classes": ["negative", "positive"]}


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
@pytest.mark.parametrize("shape", [(20, 20), (31, 20), (7, 50)], ids=str)
def test_images_of_any_kind_and_size_get_probabilities(mode: str, shape: tuple[int, int], tmp_path: Path) -> None:
    image = draw_cell(1, dark=True, size=60).resize(shape).convert(mode)
    image.save(tmp_path / "cell.png")
    given = predictor(untrained, ABOUT)
    assert given.probabilities([image]).shape == (1, 2)
    assert given.probabilities([tmp_path / "cell.png"]).dtype == np.float32


def test_image_and_its_file_are_prepared_alike(tmp_path: Path) -> None:
    image = draw_cell(1, dark=True, size=33)
    image.save(tmp_path / "cell.png")
    small = preparation({"size": 20})
    np.testing.assert_array_equal(small.prepare(image), small.prepare(tmp_path / "cell.png"))
    assert small.prepare(image).shape == (20, 20, 3)


def test_empty_list_of_images_gives_no_probabilities() -> None:
    assert predictor(untrained, ABOUT).probabilities([]).shape == (0, 2)


def test_undecodable_files_are_all_listed(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not an image")
    with pytest.raises(InputError) as caught:
        predictor(untrained, ABOUT).probabilities([tmp_path / "text.png", tmp_path / "none.png"])
    assert len(caught.value.offenders) == 2


def test_model_with_another_preparation_version_is_reported() -> None:
    preparation = ABOUT["preparation"]
    assert isinstance(preparation, dict)
    about = {**ABOUT, "preparation": {**preparation, "version": "older"}}
    assert predictor(untrained, ABOUT).prepared_as_trained
    assert not predictor(untrained, about).prepared_as_trained


def test_model_with_an_unknown_preparation_is_rejected() -> None:
    with pytest.raises(InputError, match="segmented"):
        predictor(untrained, {**ABOUT, "preparation": vars(Component("segmented", "1", {}))})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectPaths:
    """A finished study whose images are scaled, its model registered."""
    root = make_project(tmp_path_factory.mktemp("study"), sizes=[8], image_size=18)
    for command in (["catalog"], ["split"], ["sweep", "--executor", "serial"], ["register"]):
        done = cytocurve(root, *command)
        assert done.returncode == 0, done.stderr
    return ProjectPaths(root)


@pytest.fixture(scope="module")
def design(project: ProjectPaths) -> ArmDesign:
    params = project.params()
    return design_arm(project, params, params.arms[0])


def files(project: ProjectPaths, design: ArmDesign, rows: Any) -> list[Path]:
    return [project.data / "toy" / "images" / design.images[row] for row in rows]


@pytest.mark.slow
def test_network_of_a_run_reproduces_its_stored_test_predictions_from_files(
    project: ProjectPaths, design: ArmDesign
) -> None:
    ledger = open_ledger(project.ledger_url)
    for planned in design.runs:
        stored = ledger.get(planned.key)
        assert stored is not None
        judged = of_runs(ledger, design, [planned]).probabilities(files(project, design, planned.rows["test"]))
        np.testing.assert_allclose(judged, stored.predictions["test"], atol=1e-5)


@pytest.mark.slow
def test_network_of_a_run_reproduces_its_stored_training_predictions_and_scores(
    project: ProjectPaths, design: ArmDesign
) -> None:
    ledger, runs = open_ledger(project.ledger_url), pd.read_parquet(project.results(design.arm)).set_index("run_key")
    for planned in design.runs:
        stored = ledger.get(planned.key)
        assert stored is not None
        rows = planned.rows["train"]
        judged = of_runs(ledger, design, [planned]).probabilities(files(project, design, rows))
        np.testing.assert_allclose(judged, stored.predictions["train"], atol=1e-5)
        found = roc_auc_score(np.array(design.classes)[rows], stored.predictions["train"][:, 1])
        assert runs.loc[planned.key, "training_roc_auc"] == pytest.approx(found)


@pytest.mark.slow
def test_registered_version_gives_the_mean_of_its_members_from_files(project: ProjectPaths, design: ArmDesign) -> None:
    judge = of_version(project, "toy-dark-vs-light", 1)
    assert judge.prepared_as_trained
    assert judge.classes == design.class_names
    paths = files(project, design, range(10))
    ledger = open_ledger(project.ledger_url)
    members = [of_runs(ledger, design, [planned]).probabilities(paths) for planned in design.runs]
    np.testing.assert_allclose(judge.probabilities(paths), np.mean(members, axis=0), atol=1e-6)
    foreign = Image.new("RGB", (300, 200), (200, 10, 10))
    assert judge.probabilities([foreign]).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_registered_version_is_tagged_with_its_preparation(project: ProjectPaths) -> None:
    from mlflow.tracking import MlflowClient

    tags = MlflowClient(project.tracking_uri).get_model_version("toy-dark-vs-light", "1").tags
    assert Component(**json.loads(tags["cytocurve.preparation"])) == preparation({"size": 18}).component


@pytest.mark.slow
def test_published_runs_state_every_setting_under_its_own_name(project: ProjectPaths, design: ArmDesign) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(project.tracking_uri)
    experiment = client.get_experiment_by_name("toy/dark-vs-light")
    assert experiment is not None
    for run in client.search_runs([experiment.experiment_id]):
        assert {name: str(value) for name, value in flat_params(design).items()}.items() <= run.data.params.items()
        assert run.data.params["optimizer"] == "rmsprop"
        assert run.data.params["filters"] == "[3, 4]"
        assert run.data.params["image_size"] == "18"
        assert run.data.params["engine"] == "native"


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_images_with_other_than_8_bits_per_channel_are_rejected(tmp_path: Path, mode: str) -> None:
    """Decoding them to 8 bits would clip them to plain white or black."""
    image = Image.new(mode, (30, 30), 200)
    file = tmp_path / "deep.tif"
    image.save(file)
    for given in (image, file, str(file)):
        with pytest.raises(InputError) as caught:
            predictor(untrained, ABOUT).probabilities([given])
        assert "8 bits per channel" in caught.value.offenders[0]
