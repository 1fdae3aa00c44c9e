"""The ledger in a folder: its layout, and the runs that earlier versions stored."""

import hashlib
import json
import os
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from cytocurve.errors import CytocurveError
from cytocurve.stores.ledger.local import LocalLedger
from cytocurve.study.lineage import sightings
from tests.stores.ledger.ledger_makers import KEY, finished


def npz(*positional: object, **named: object) -> bytes:
    file = BytesIO()
    np.savez(file, *positional, **named)  # type: ignore[arg-type]
    return file.getvalue()


IDENTITY = "07" * 32

FORMAT_1_RECIPE = {
    "architecture": "sequential", "architecture_settings": {"filters": [3, 4], "dense": [6]},
    "architecture_version": "5b1f0e3c9a7d", "augmentation": "none", "augmentation_settings": {},
    "augmentation_version": "c2d94e1a08bf", "image_size": 24, "outputs": 2, "batch_size": 5, "optimizer": "rmsprop",
    "learning_rate": 0.001, "max_epochs": 4, "patience": 2, "class_weights": None, "engine": "native",
    "engine_version": "numpy 2.1.0+code-0123456789ab",
}  # fmt: skip


def write_format_1(root: Path) -> None:
    """A run as versions with run keys of format 1 stored it, made by hand."""
    folder = root / "runs" / KEY[:2] / KEY
    folder.mkdir(parents=True)
    probabilities = np.array([[0.25, 0.75]], np.float32)
    identity = np.full((1, 32), 7, np.uint8)
    files = {
        "predictions.npz": npz(
            p_validation=probabilities, p_test=probabilities, images_train=identity, images_test=identity
        ),
        "weights.npz": npz(np.ones((2, 2), np.float32)),
    }
    record = {
        "key": KEY,
        "description": {
            "arm": "sequential-none-folder", "fold": 1, "size": 4, "seed": 0, "recipe": FORMAT_1_RECIPE
        },
        "losses": [0.7, 0.6],
        "validation_losses": [0.8, 0.7],
        "provenance": {"seconds": 1.5, "cpu_seconds": 1.25},
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "run.json").write_text(json.dumps(record, indent=1))


def test_format_1_run_stays_readable(tmp_path: Path) -> None:
    write_format_1(tmp_path)
    ledger = LocalLedger(tmp_path)
    run, weights = ledger.get(KEY), ledger.weights(KEY)
    assert run is not None
    assert weights is not None
    assert (run.losses, run.description["recipe"]["engine"]) == ((0.7, 0.6), "native")
    assert run.predictions["test"].tolist() == [[0.25, 0.75]]
    assert weights[0].shape == (2, 2)
    assert ledger.provenance(KEY)["cpu_seconds"] == 1.25


def test_format_1_run_is_found_by_the_images_it_used(tmp_path: Path) -> None:
    write_format_1(tmp_path)
    seen, damaged = sightings(LocalLedger(tmp_path), [IDENTITY], lambda done, total: None)
    assert damaged == []
    assert [(one.subset, one.arm, one.fold, one.size) for one in seen] == [
        ("train", "sequential-none-folder", 1, 4),
        ("test", "sequential-none-folder", 1, 4),
    ]


def test_add_leaves_only_the_run(tmp_path: Path) -> None:
    ledger = LocalLedger(tmp_path)
    ledger.add(finished(), [])
    ledger.add(finished(), [])
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {f"runs/ab/{KEY}/{name}" for name in ("run.json", "predictions.npz", "weights.npz")}


def test_failed_add_leaves_nothing_behind(tmp_path: Path) -> None:
    ledger = LocalLedger(tmp_path)
    (tmp_path / "runs").write_text("a file where the runs should be")
    with pytest.raises(CytocurveError, match="cannot be written: Not a directory"):
        ledger.add(finished(), [])
    assert list((tmp_path / "scratch").iterdir()) == []


def test_check_writable_removes_only_scratch_files_older_than_a_day(tmp_path: Path) -> None:
    ledger = LocalLedger(tmp_path)
    for name, age in (("killed", 90_000), ("writing", 60)):
        folder = tmp_path / "scratch" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
        os.utime(folder, (time.time() - age,) * 2)
    ledger.check_writable()
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["writing"]
