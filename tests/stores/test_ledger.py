"""The ledger keeps finished runs whole."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from cytocurve.stores.ledger import Finished, Ledger

KEY = "ab" * 32


def finished(key: str = KEY, value: float = 0.5) -> Finished:
    probabilities = np.full((3, 2), value, np.float32)
    return Finished(
        key=key,
        description={"size": 10},
        losses=(0.7, 0.6),
        validation_losses=(0.8, 0.7),
        predictions={"validation": probabilities, "test": probabilities},
        images={"train": np.zeros((10, 32), np.uint8)},
        provenance={"seconds": 1.5},
    )


def test_a_run_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    weights = [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(3, np.float32)]
    ledger.add(finished(), weights)
    found = ledger.get(KEY)
    assert found is not None
    assert KEY in ledger
    assert (found.losses, found.validation_losses) == ((0.7, 0.6), (0.8, 0.7))
    assert (found.description, found.provenance) == ({"size": 10}, {"seconds": 1.5})
    np.testing.assert_array_equal(found.predictions["test"], finished().predictions["test"])
    stored = ledger.weights(KEY)
    assert stored is not None
    for each, given in zip(stored, weights, strict=True):
        np.testing.assert_array_equal(each, given)


def test_a_run_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert KEY not in Ledger(tmp_path)
    assert Ledger(tmp_path).get(KEY) is None


def test_the_first_of_two_writers_of_a_run_wins(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.add(finished(value=0.25), [])
    ledger.add(finished(value=0.75), [])
    found = ledger.get(KEY)
    assert found is not None
    assert found.predictions["test"][0, 0] == 0.25
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("name", ["predictions.npz", "weights.npz", "run.json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "remove"])
def test_a_damaged_run_is_moved_aside_and_counts_as_missing(tmp_path: Path, name: str, damage: str) -> None:
    ledger = Ledger(tmp_path)
    ledger.add(finished(), [np.zeros(3, np.float32)])
    path = ledger.folder(KEY) / name
    content = path.read_bytes()
    if damage == "remove":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert ledger.get(KEY) is None
    assert KEY not in ledger
    assert len(list((tmp_path / "damaged").iterdir())) == 1
    ledger.add(finished(), [])
    assert ledger.get(KEY) is not None


@pytest.mark.parametrize("content", ["[]", "{}", '{"key": 1}', "null", '{"sha256": {}}'])
def test_a_record_of_another_form_counts_as_damaged(tmp_path: Path, content: str) -> None:
    ledger = Ledger(tmp_path)
    ledger.add(finished(), [])
    (ledger.folder(KEY) / "run.json").write_text(content)
    assert ledger.get(KEY) is None
    assert KEY not in ledger


def test_damaged_weights_are_never_handed_out(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.add(finished(), [np.zeros(3, np.float32)])
    os.truncate(ledger.folder(KEY) / "weights.npz", 50)
    assert ledger.weights(KEY) is None
    assert KEY not in ledger


def test_a_run_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    (tmp_path / "runs").write_text("a file where the runs should be")
    with pytest.raises(OSError, match="runs"):
        ledger.add(finished(), [])
    assert list((tmp_path / "scratch").iterdir()) == []


def write_for_ever(root: str) -> None:
    ledger = Ledger(Path(root))
    for number in range(1_000_000):
        ledger.add(finished(f"{number:064d}"), [np.zeros(50_000, np.float32)])


def test_whatever_a_killed_writer_leaves_can_be_read_whole(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for attempt in range(3):
        writer = context.Process(target=write_for_ever, args=(str(tmp_path / str(attempt)),))
        writer.start()
        root = tmp_path / str(attempt)
        while len(list(root.glob("runs/*/*"))) < 5 + attempt:
            time.sleep(0.01)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        ledger = Ledger(root)
        stored = [path.name for path in root.glob("runs/*/*")]
        assert all(ledger.get(key) is not None for key in stored)
