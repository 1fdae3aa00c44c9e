"""The command line: fast help, one message and an exit code for every invalid input, numbers as JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects import ROOT, SMALL, cytocurve, make_project, run, write_params

STAGES = ("settings", "catalog", "split", "audit", "sweep", "evaluate", "register")
TRAIN_NOTHING = (
    "cli", "workflows.stages.audit", "workflows.stages.catalog", "workflows.stages.evaluate",
    "workflows.stages.settings", "workflows.stages.split", "workflows.data_info", "workflows.inventory",
    "workflows.labels", "workflows.review", "workflows.data_trace", "workflows.data_withdraw", "study.design",
)  # fmt: skip


def test_help_appears_within_a_second_and_shows_an_example() -> None:
    """One second of CPU time, since wall time depends on the load of the machine."""
    before = os.times()
    done = run(ROOT, "cytocurve", "--help")
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1
    assert done.returncode == 0
    assert "dvc repro" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        "data add",
        "data info",
        "data trace",
        "data withdraw",
        "labels diff",
        "labels agreement",
        "labels import",
        "labels merge",
        "labels review",
        "audit",
        "sweep",
        "publish",
        "study use",
    ],
)
def test_help_of_a_command_with_arguments_has_an_example(command: str) -> None:
    assert f"cytocurve {command} " in cytocurve(ROOT, *command.split(), "--help").stdout.partition("Options:")[0]


@pytest.mark.slow
def test_commands_that_train_nothing_load_no_tensorflow() -> None:
    code = "import importlib, sys\n"
    code += f"for name in {TRAIN_NOTHING}:\n"
    code += "    importlib.import_module(f'cytocurve.{name}')\n"
    code += "    assert not {'tensorflow', 'keras'} & set(sys.modules), name"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "command", [["sweeep"], ["sweep", "--workers", "0"], ["data", "add"], ["data", "add", "pbd", "x"]]
)
def test_wrong_usage_exits_with_2(tmp_path: Path, command: list[str]) -> None:
    write_params(tmp_path)
    assert cytocurve(tmp_path, *command).returncode == 2


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_lists_all_invalid_keys_of_params_and_writes_nothing(tmp_path: Path, stage: str) -> None:
    write_params(tmp_path, fold=3, training={**SMALL["training"], "batchsize": 5})
    done = cytocurve(tmp_path, stage)
    assert done.returncode == 2
    assert "fold: unknown key; did you mean 'folds'?" in done.stderr
    assert "training.batchsize: unknown key; did you mean 'batch_size'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize("stage", [*STAGES[1:], "challenger"])
def test_stage_run_too_early_names_what_to_run_first(tmp_path: Path, stage: str) -> None:
    write_params(tmp_path)
    done = cytocurve(tmp_path, stage)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "dvc repro" in done.stderr or "cytocurve data add" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_message_outside_a_project_says_where_to_go(tmp_path: Path) -> None:
    done = cytocurve(tmp_path, "split")
    assert done.returncode == 2
    assert "params.yaml: no such file" in done.stderr


@pytest.mark.slow
def test_all_problems_of_the_data_are_in_one_message_before_anything_is_written(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    images, labels = root / "data/toy/images/dark", root / "data/toy/labels/folder.csv"
    broken = sorted(images.glob("*.png"))[0]
    broken.write_bytes(broken.read_bytes()[:200])
    rows = labels.read_text().splitlines()
    removed = rows.pop()
    labels.write_text("\n".join([*rows, rows[1], "dark/nowhere.png,dark,P1"]) + "\n")
    done = cytocurve(root, "catalog")
    assert done.returncode == 2
    for offender in (broken.name, removed.split(",")[0], rows[1].split(",")[0], "dark/nowhere.png"):
        assert offender in done.stderr
    assert "Traceback" not in done.stderr
    assert not (root / "build").exists()


@pytest.mark.slow
def test_too_few_images_for_folds_or_sizes_are_reported_with_the_counts(tmp_path: Path) -> None:
    root = make_project(tmp_path, sizes=[4, 8, 30, 40])
    assert cytocurve(root, "catalog").returncode == 0
    done = cytocurve(root, "split")
    assert done.returncode == 2
    assert "leaves 20 images" in done.stderr
    assert "- 30\n  - 40" in done.stderr
    write_params(root, folds=25, sizes=[4])
    done = cytocurve(root, "split")
    assert done.returncode == 2
    assert "negative: 20 images" in done.stderr
    assert "positive: 20 images" in done.stderr
    write_params(root, sample_per_class=2, sizes=[4])
    done = cytocurve(root, "split")
    assert done.returncode == 2
    assert "negative: 2 images" in done.stderr
    write_params(root, task={"positive": ["dark", "blue"], "negative": ["lihgt"]})
    done = cytocurve(root, "split")
    assert done.returncode == 2
    assert "'blue' occurs in no image" in done.stderr
    assert "'lihgt' occurs in no image" in done.stderr
    assert not (root / "build/split").exists()


@pytest.mark.slow
def test_dvc_repro_runs_all_stages_and_a_change_reruns_only_what_it_affects(tmp_path: Path) -> None:
    root = make_project(tmp_path, augmentations=["none", "flip_rotate"])
    first = run(root, "dvc", "repro")
    assert first.returncode == 0, first.stderr
    assert (root / "reports/report.html").stat().st_size > 10_000
    metrics = json.loads((root / "reports/metrics.json").read_text())
    assert set(metrics["arms"]) == {"sequential-none-folder", "sequential-flip_rotate-folder"}
    assert json.loads((root / "reports/model.json").read_text())["model"] == "toy-dark-vs-light"

    lock = (root / "dvc.lock").read_bytes()
    assert "up to date" in run(root, "dvc", "repro").stdout
    assert run(root, "dvc", "repro", "--force").returncode == 0
    assert (root / "dvc.lock").read_bytes() == lock, "a repeated computation gives the same bytes"

    settings = {**SMALL["settings"], "flip_rotate": {"fill": "constant"}}
    write_params(root, augmentations=["none", "flip_rotate"], settings=settings)
    ran = stages_run(run(root, "dvc", "repro", "evaluate").stdout)
    assert ran == ["settings", "sweep@sequential-flip_rotate-folder", "evaluate"]

    other = root / "data/toy/labels/again.csv"
    other.write_text((root / "data/toy/labels/folder.csv").read_text())
    ran = stages_run(run(root, "dvc", "repro", "evaluate").stdout)
    assert ran == ["catalog", "split", "audit", "evaluate"], "a label version that no arm uses trains nothing"


def stages_run(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["settings", "catalog", "split", "audit", "sweep", "publish", "evaluate"])
def test_every_command_that_reports_numbers_prints_them_as_json(swept: Path, stage: str) -> None:
    done = cytocurve(swept, stage, "--json")
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), dict)


@pytest.mark.slow
def test_output_of_mlflow_and_tensorflow_is_not_mixed_into_json(swept: Path) -> None:
    """Run the command that loads both in a separate process, where their native code writes to the same output."""
    done = run(swept, "cytocurve", "register", "--json")
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), dict)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_project(tmp_path_factory.mktemp("swept"))
    for stage in ("catalog", "split", "sweep"):
        assert cytocurve(root, stage).returncode == 0
    return root
