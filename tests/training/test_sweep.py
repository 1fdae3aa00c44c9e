"""Same seed, same bytes; nothing is trained twice; training never waits for tracking."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.projects import cytocurve, make_project, write_params

pytestmark = pytest.mark.slow

ARM = "sequential-none-folder"


def prepare(root: Path, **changes: object) -> Path:
    make_project(root, **changes)
    for stage in ("catalog", "split"):
        done = cytocurve(root, stage)
        assert done.returncode == 0, done.stderr
    return root


def sweep(root: Path, *arguments: str, **variables: str) -> dict[str, dict[str, object]]:
    done = cytocurve(root, "sweep", *arguments, "--json", **variables)
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, dict[str, object]] = json.loads(done.stdout)
    return outcomes


def results(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((root / "results").glob("*.parquet"))}


def test_results_are_the_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    first, second = (prepare(tmp_path / name, augmentations=["none", "flip_rotate"]) for name in ("a", "b"))
    sweep(first, "--workers", "2")
    sweep(second, "--executor", "serial")
    assert len(results(first)) == 6
    assert results(first) == results(second)


def test_finished_run_is_never_retrained(tmp_path: Path) -> None:
    root = prepare(tmp_path)
    assert sweep(root)[ARM]["trained"] == 12
    assert sweep(root)[ARM]["trained"] == 0
    write_params(root, sizes=[4, 8, 12, 16])
    assert sweep(root)[ARM] | {"publish_seconds": 0, "publish_cpu_seconds": 0} == {
        "runs": 16,
        "found": 12,
        "trained": 4,
        "diverged": 0,
        "published": 16,
        "publish_seconds": 0,
        "publish_cpu_seconds": 0,
    }


def test_results_have_one_row_per_run_and_predictions_for_every_validation_and_test_image(tmp_path: Path) -> None:
    root = prepare(tmp_path)
    sweep(root)
    table = pd.read_parquet(root / "results" / f"{ARM}.parquet")
    assert table.columns[:9].tolist() == [
        "arm", "architecture", "augmentation", "labels", "fold", "size", "seed", "run_key", "epochs"
    ]  # fmt: skip
    assert table.groupby("size")["fold"].nunique().to_dict() == {4: 4, 8: 4, 16: 4}
    assert table["roc_auc"].between(0, 1).all()
    assert table["training_roc_auc"].between(0, 1).all()
    predictions = pd.read_parquet(root / "results" / f"{ARM}.predictions.parquet")
    assert predictions.columns.tolist() == ["run_key", "image", "subset", "label", "p_negative", "p_positive"]
    tested = predictions[predictions["subset"] == "test"].merge(table[["run_key", "size"]])
    assert tested.groupby("size")["image"].nunique().to_dict() == {4: 40, 8: 40, 16: 40}
    assert (predictions[["p_negative", "p_positive"]].sum(axis=1) - 1).abs().max() < 1e-5


def test_sweep_without_its_tracking_server_finishes_with_a_warning_and_publishing_catches_up(tmp_path: Path) -> None:
    root = prepare(tmp_path)
    done = cytocurve(root, "sweep", ARM, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert done.returncode == 0
    assert done.stderr.count("warning:") == 1
    assert "cytocurve publish" in done.stderr
    later = cytocurve(root, "publish", "--json")
    assert later.returncode == 0, later.stderr
    assert json.loads(later.stdout)[ARM]["created"] == 12


def test_publishing_to_an_unreachable_server_exits_with_3(tmp_path: Path) -> None:
    root = prepare(tmp_path)
    sweep(root)
    done = cytocurve(root, "publish", MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert done.returncode == 3
    assert "http://127.0.0.1:9" in done.stderr


def test_image_changed_since_the_catalog_is_rejected_before_training(tmp_path: Path) -> None:
    root = prepare(tmp_path)
    first, second = sorted((root / "data/toy/images/dark").glob("*.png"))[:2]
    first.write_bytes(second.read_bytes())
    done = cytocurve(root, "sweep")
    assert done.returncode == 2
    assert first.name in done.stderr
    assert "dvc repro" in done.stderr
    assert not (root / "results").exists()


def test_unknown_arm_is_rejected_with_the_arms_of_the_study(tmp_path: Path) -> None:
    root = prepare(tmp_path)
    done = cytocurve(root, "sweep", "sequential-non-folder")
    assert done.returncode == 2
    assert ARM in done.stderr


def test_diverged_runs_are_reported_and_counted(tmp_path: Path) -> None:
    weights = {"positive": 1e6, "negative": 1e6}
    training = {"batch_size": 1, "learning_rate": 10.0, "max_epochs": 2, "patience": 2, "class_weights": weights}
    deep = {"sequential": {"filters": [3, 4], "dense": [16] * 30}, "none": {}}
    root = prepare(tmp_path, sizes=[4], training=training, settings=deep)
    done = cytocurve(root, "sweep", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[ARM]["diverged"] == 4
    assert f"warning: 4 of 4 runs of {ARM} diverged" in done.stderr


def test_damaged_run_is_quarantined_with_a_warning_and_retrained(tmp_path: Path) -> None:
    root = prepare(tmp_path, sizes=[4])
    sweep(root)
    (damaged, *_) = sorted(root.glob("ledger/runs/*/*/weights.npz"))
    damaged.write_bytes(b"")
    done = cytocurve(root, "sweep", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[ARM]["trained"] == 1
    assert "1 damaged run quarantined" in done.stderr
    assert [path.name[:64] for path in root.glob("ledger/damaged/*")] == [damaged.parent.name]


def test_ledger_without_a_backend_is_rejected_before_training(tmp_path: Path) -> None:
    root = prepare(tmp_path)
    done = cytocurve(root, "sweep", CYTOCURVE_LEDGER="s3://bucket/ledger")
    assert done.returncode == 2
    assert "no backend serves s3:" in done.stderr
    assert not list(root.glob("s3*"))


def test_sweep_trains_into_a_ledger_of_another_backend(tmp_path: Path) -> None:
    root = prepare(tmp_path, sizes=[4])
    url = f"sqlite:///{tmp_path}/ledger.db"
    assert [sweep(root, CYTOCURVE_LEDGER=url)[ARM]["trained"] for _ in range(2)] == [4, 0]
    assert not (root / "ledger").exists()
