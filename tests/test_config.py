"""``params.yaml`` is validated before anything runs, and every offending key is named."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from cytocurve.config import ProjectPaths, validate_params
from cytocurve.core.runs import Arm
from cytocurve.errors import InputError
from cytocurve.models import augmentation
from cytocurve.models.architectures.sequential import SequentialSettings
from cytocurve.models.class_weights import class_weights
from cytocurve.study.dataset import read_origin
from cytocurve.study.design import check_arms, recipe
from cytocurve.study.presets import studies, use
from cytocurve.yaml_files import read_yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture
def content() -> dict[str, Any]:
    loaded: dict[str, Any] = read_yaml(ROOT / "params.yaml")
    return loaded


def offenders(content: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        validate_params(content, "params.yaml")
    assert caught.value.exit_code == 2
    return caught.value.offenders


def test_committed_study_is_valid_and_its_arms_can_be_trained() -> None:
    params = ProjectPaths(ROOT).params()
    check_arms(params)
    assert len(params.arms) == len(params.architectures) * len(params.augmentations) * len(params.labels)


def test_every_invalid_key_and_value_is_listed_with_the_input(content: dict[str, Any]) -> None:
    content["fold"] = 10
    content["training"]["batch_sise"] = 5
    content["training"]["optimizer"] = "sgd"
    content["sizes"] = [20, 10]
    content["folds"] = "ten"
    content["labels"] = ["expert", "expert"]
    del content["image_size"]
    result = offenders(content)
    assert len(result) == 7
    text = "\n".join(result)
    assert "fold: unknown key; did you mean 'folds'?" in text
    assert "training.batch_sise: unknown key; did you mean 'batch_size'?" in text
    assert "training.optimizer" in text
    assert "'sgd'" in text
    assert "sizes: must be strictly increasing, got" in text
    assert "got 'ten'" in text
    assert "listed twice: expert" in text
    assert "image_size: missing" in text


def test_names_that_are_not_valid_in_file_names_are_rejected(content: dict[str, Any]) -> None:
    content["dataset"] = "../elsewhere"
    assert "dataset" in offenders(content)[0]


def test_arm_without_settings_has_the_defaults_of_its_families(content: dict[str, Any]) -> None:
    given = recipe(validate_params(content, "params.yaml"), Arm("sequential", "none", "expert"), ("a", "b"))
    del content["settings"]
    assert recipe(validate_params(content, "params.yaml"), Arm("sequential", "none", "expert"), ("a", "b")) == given


def test_unknown_architectures_policies_and_settings_are_listed_together(content: dict[str, Any]) -> None:
    content["architectures"] = ["sequentiel", "sequential"]
    content["augmentations"] = ["flip_rotat"]
    content["settings"] = {"sequentiel": {}, "flip_rotat": {}, "sequential": {"filter": [4], "dense": 0}}
    with pytest.raises(InputError) as caught:
        check_arms(validate_params(content, "params.yaml"))
    text = "\n".join(caught.value.offenders)
    assert len(caught.value.offenders) == 4
    assert "'sequentiel' is unknown; did you mean 'sequential'?" in text
    assert "'flip_rotat' is unknown; did you mean 'flip_rotate'?" in text
    assert "settings.sequential.filter: unknown key; did you mean 'filters'?" in text
    assert "settings.sequential.dense" in text


def test_image_size_too_small_for_the_network_is_rejected_with_the_minimum(content: dict[str, Any]) -> None:
    content["image_size"] = 100
    with pytest.raises(InputError) as caught:
        check_arms(validate_params(content, "params.yaml"))
    (line,) = caught.value.offenders
    assert "at least 190 pixels per side, got 100; fewer layers in settings.sequential" in line


def test_params_yaml_has_the_default_settings_of_every_policy() -> None:
    given = ProjectPaths(ROOT).params().settings
    for name in augmentation.names():
        assert given[name] == augmentation.load(name).settings().model_dump()


def test_yaml_that_cannot_be_parsed_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("dataset: [starter\nfolds: 10\n")
    with pytest.raises(InputError, match=r"params.yaml: not valid YAML: .*line"):
        read_yaml(path)


def test_duplicate_key_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("folds: 5\nfolds: 10\n")
    with pytest.raises(InputError, match="duplicate key"):
        read_yaml(path)


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {b: [1, *a]}\n", "&a [{b: *a}]\n"])
def test_alias_to_what_contains_it_is_rejected_in_every_file(tmp_path: Path, text: str) -> None:
    for name in ("params.yaml", "dataset.yaml"):
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=r"params.yaml: an alias .* contains it"):
        ProjectPaths(tmp_path).params()
    _, (problem,) = read_origin(tmp_path / "dataset.yaml", "shown/dataset.yaml")
    assert problem.startswith("shown/dataset.yaml: an alias")


def test_aliases_that_expand_to_too_many_entries_are_rejected(tmp_path: Path) -> None:
    lines = [f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]" for before, after in pairwise("abcdefghi")]
    (tmp_path / "params.yaml").write_text("\n".join(["a: &a [1]", *lines]))
    with pytest.raises(InputError, match="expand to more than 1,000,000 entries"):
        read_yaml(tmp_path / "params.yaml")


def test_alias_to_another_list_is_read_like_the_list(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("a: &a [1]\nb: [*a, *a]\n")
    assert read_yaml(tmp_path / "params.yaml") == {"a": [1], "b": [[1], [1]]}


def test_label_in_two_classes_is_rejected(content: dict[str, Any]) -> None:
    content["task"] = {"positive": ["blast", "other"], "negative": ["blast"]}
    (line,) = offenders(content)
    assert line.startswith("task: each label belongs to one class; listed twice: blast")


@pytest.mark.parametrize("key", ["folds", "sample_per_class", "min_class_size"])
def test_absurdly_large_numbers_are_rejected(content: dict[str, Any], key: str) -> None:
    content[key] = content["training"]["patience"] = 10**20
    assert [line.partition(":")[0] for line in offenders(content)] == [key, "training.patience"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"filters": [10**20]}, "settings.sequential.filters.0: must be at most 65536"),
        ({"dense": [10**9]}, "settings.sequential.dense.0: must be at most 1000000"),
        ({"dense": [10**6, 10**6]}, "the network would have 1,000,"),
        ({"filters": [60_000, 1]}, "values in the output of a layer for one image"),
    ],
)
def test_network_that_no_machine_can_train_is_rejected(
    content: dict[str, Any], settings: dict[str, Any], problem: str
) -> None:
    content["settings"]["sequential"] |= settings
    with pytest.raises(InputError) as caught:
        check_arms(validate_params(content, "params.yaml"))
    assert caught.value.exit_code == 2
    assert problem in caught.value.offenders[0]


def test_missing_params_yaml_says_where_to_run() -> None:
    with pytest.raises(InputError, match="top folder"):
        ProjectPaths(Path("nowhere")).params()


def test_every_study_is_a_valid_change_to_params(tmp_path: Path) -> None:
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    for name in studies(ProjectPaths(ROOT)):
        (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
        changed = use(ProjectPaths(tmp_path), name)
        written = YAML(typ="safe").load((tmp_path / "params.yaml").read_text())
        for key, value in changed.items():
            assert written[key] == ({**written[key], **value} if isinstance(value, dict) else value)
        assert "# label versions" in (tmp_path / "params.yaml").read_text()


def test_unknown_study_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="schouten-all-binary"):
        use(ProjectPaths(ROOT), "schouten")


def test_environment_overrides_ledger_and_tracking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = ProjectPaths(tmp_path)
    monkeypatch.delenv("CYTOCURVE_LEDGER", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert project.ledger_url == str(tmp_path / "ledger")
    assert project.tracking_uri == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    monkeypatch.setenv("CYTOCURVE_LEDGER", str(tmp_path / "shared"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert project.ledger_url == str(tmp_path / "shared")
    assert project.tracking_uri == "http://127.0.0.1:5000"


EXPERIMENTS = Path(".dvc", "tmp", "exps")


@pytest.mark.parametrize("clone", [EXPERIMENTS / "standalone" / "tmp1", EXPERIMENTS / "tmp1"])
@pytest.mark.parametrize("dvc_root", ["", "sub"])
@pytest.mark.parametrize("below", ["", "sub/study"])
def test_experiment_in_a_temporary_folder_uses_the_stores_of_the_project(
    tmp_path: Path, clone: Path, dvc_root: str, below: str
) -> None:
    """Wherever the project lies below the root of DVC, and that below the root of git."""
    copy = tmp_path / dvc_root / clone
    for repository in (tmp_path, copy):
        (repository / ".git").mkdir(parents=True)
    experiment, project = ProjectPaths(copy / dvc_root / below), ProjectPaths(tmp_path / dvc_root / below)
    experiment.root.mkdir(parents=True, exist_ok=True)
    project.root.mkdir(parents=True, exist_ok=True)
    for name in ("home", "ledger_url", "tracking_uri", "state", "tracking_lock"):
        assert getattr(experiment, name) == getattr(project, name)
    assert project.home == project.root
    assert experiment.params_file == copy / dvc_root / below / "params.yaml"


def test_relative_stores_stay_in_the_project_during_an_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYTOCURVE_LEDGER", "../shared")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlruns/mlflow.db")
    root = tmp_path / EXPERIMENTS / "tmp1"
    (root / ".git").mkdir(parents=True)
    assert ProjectPaths(root).ledger_url == f"{tmp_path}/../shared"
    assert ProjectPaths(root).tracking_uri == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert ProjectPaths(tmp_path).tracking_uri == "sqlite:///mlruns/mlflow.db"


def test_stores_of_an_experiment_are_found_through_dvc_root_if_dvc_tmp_is_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "study"
    (project / ".dvc").mkdir(parents=True)
    (tmp_path / "scratch").mkdir()
    (project / ".dvc" / "tmp").symlink_to(tmp_path / "scratch")
    root = project / EXPERIMENTS / "standalone" / "tmp1"
    (root / ".git").mkdir(parents=True)
    monkeypatch.setenv("DVC_ROOT", str(project))
    assert ProjectPaths(root).home == project
    assert ProjectPaths(tmp_path).home == tmp_path


@pytest.mark.parametrize("weights", ["balance", {"positive": 0}, {"positive": "much"}, 3])
def test_class_weights_are_balanced_or_positive_numbers(content: dict[str, Any], weights: object) -> None:
    content["training"]["class_weights"] = weights
    assert all(line.startswith("training.class_weights") for line in offenders(content))


def test_weights_and_rates_that_round_to_zero_or_infinity_in_float32_are_rejected(
    content: dict[str, Any],
) -> None:
    content["training"] |= {"class_weights": {"positive": 1e300, "negative": 1e-300}, "learning_rate": 1e-300}
    given = "".join(offenders(content))
    for key in ("training.class_weights.positive", "training.class_weights.negative", "training.learning_rate"):
        assert f"{key}: " in given


def test_class_weights_for_classes_outside_the_task_are_all_listed(content: dict[str, Any]) -> None:
    content["training"]["class_weights"] = {"positiv": 2.0, "blast": 1.0, "negative": 1.0}
    with pytest.raises(InputError) as caught:
        recipe(validate_params(content, "params.yaml"), Arm("sequential", "none", "expert"), ["negative", "positive"])
    assert [line.split("'")[1] for line in caught.value.offenders] == ["positiv", "blast", "positive"]
    assert caught.value.exit_code == 2


def test_class_weights_are_in_class_order(content: dict[str, Any]) -> None:
    content["training"]["class_weights"] = {"positive": 2.0, "negative": 0.5}
    params = validate_params(content, "params.yaml")
    result = recipe(params, Arm("sequential", "none", "expert"), ["negative", "positive"])
    assert result.protocol.settings["class_weights"] == [0.5, 2.0]


def test_balanced_weights_give_every_class_the_same_total_and_absent_classes_one() -> None:
    classes = np.array([0, 0, 0, 2])
    weights = class_weights("balanced", classes, 3)
    assert weights is not None
    np.testing.assert_allclose(weights, [4 / 6, 1, 4 / 2])
    assert class_weights(None, classes, 3) is None
    stated = class_weights((1.0, 2.0, 3.0), classes, 3)
    np.testing.assert_array_equal(np.asarray(stated), [1, 2, 3])


def test_single_number_of_dense_units_means_one_layer() -> None:
    assert SequentialSettings.model_validate({"dense": 7}).dense == [7]
    assert SequentialSettings(dense=[]).dense == []


@pytest.mark.parametrize("typed", ["1", "01", "1e3", "null", "true", "2020-01-01", "0x1F"])
def test_names_that_yaml_misreads_must_be_quoted_as_typed(typed: str, tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text = text.replace("task: blast", f"task: {{positive: [{typed}], negative: [dark]}}").replace(
        "[expert]", f"[{typed}]"
    )
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        ProjectPaths(tmp_path).params()
    assert len(caught.value.offenders) == 2
    assert all(line.endswith(f"write it in quotes: '{typed}'") for line in caught.value.offenders)


def test_names_that_yaml_1_2_reads_as_text_need_no_quotes(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text = text.replace("task: blast", "task: {positive: [off, yes], negative: [no]}")
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert ProjectPaths(tmp_path).params().task == {"positive": ["off", "yes"], "negative": ["no"]}


def test_messages_about_settings_use_the_terms_of_this_project(content: dict[str, Any]) -> None:
    content |= {"labels": [], "dataset": "../up", "folds": "ten", "sizes": 10, "split": "group", "image_size": 4}
    content |= {"task": 3, "training": [], "settings": {1: {}}, "split_seed": 1.5}
    text = "\n".join(offenders(content))
    for phrase in ("Input should", "should match", "Field required", "not permitted", "valid"):
        assert phrase not in text
    assert "labels: at least 1 is needed, got []" in text
    assert "task: blast, atypical, multiclass, or {positive: [labels], negative: [labels]} is needed, got 3" in text
    assert "write it in quotes: '1'" in text
    assert text.count("task:") == 1


def test_unknown_architecture_without_settings_gets_a_suggestion(content: dict[str, Any]) -> None:
    content["architectures"] = ["sequentiel"]
    with pytest.raises(InputError) as caught:
        check_arms(validate_params(content, "params.yaml"))
    assert caught.value.offenders == ("architectures: 'sequentiel' is unknown; did you mean 'sequential'?",)


def test_hint_lists_the_families_of_the_problems(content: dict[str, Any]) -> None:
    content["training"] |= {"engine": "nativ", "protocol": "early"}
    with pytest.raises(InputError) as caught:
        check_arms(validate_params(content, "params.yaml"))
    assert "Engines: auto, " in caught.value.hint
    assert "Protocols: early_stopping." in caught.value.hint
    assert "Architectures" not in caught.value.hint
