"""The contract of every ledger backend: runs are kept intact, and reading changes nothing."""

import hashlib
import json
import multiprocessing
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from cytocurve.errors import CytocurveError
from cytocurve.stores.ledger import Ledger, open_ledger
from tests.stores.ledger.ledger_makers import KEY, WEIGHTS, Backend, backend, backends, finished

FILES = ("run.json", "predictions.npz", "weights.npz")
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(params=backends())
def tested(request: pytest.FixtureRequest) -> Backend:
    return backend(request.param)


@pytest.fixture
def ledger(tested: Backend, tmp_path: Path) -> Ledger:
    return open_ledger(tested.new_url(tmp_path))


def damage(tested: Backend, ledger: Ledger, name: str, kind: str) -> None:
    content = tested.read(ledger.url, KEY, name)
    changed = {"cut": content[: len(content) // 2], "flip": bytes([content[0] ^ 1]) + content[1:], "remove": None}
    tested.write(ledger.url, KEY, name, changed[kind])


def test_stored_run_is_read_back_unchanged(ledger: Ledger) -> None:
    ledger.add(finished(), WEIGHTS)
    result, weights = ledger.get(KEY), ledger.weights(KEY)
    assert result is not None
    np.testing.assert_equal(asdict(result), asdict(finished()))
    np.testing.assert_equal(weights, WEIGHTS)
    assert {values.dtype for values in result.predictions.values()} == {np.dtype(np.float32)}
    assert (KEY in ledger, ledger.keys(), ledger.check(KEY)) == (True, [KEY], "whole")
    assert ledger.provenance(KEY) == {"seconds": 1.5}


def test_missing_run_is_none_for_every_method(ledger: Ledger, tested: Backend) -> None:
    for _ in "new", "used":
        assert (ledger.get(KEY), ledger.weights(KEY), ledger.provenance(KEY)) == (None, None, {})
        assert (KEY in ledger, ledger.check(KEY), ledger.quarantine(KEY)) == (False, "absent", False)
        ledger.add(finished("cd" * 32), WEIGHTS)


def test_reading_a_missing_ledger_does_not_create_it(ledger: Ledger, tested: Backend, tmp_path: Path) -> None:
    assert (ledger.get(KEY), ledger.check(KEY), ledger.keys()) == (None, "absent", [])
    assert list(tmp_path.iterdir()) == []


def test_keys_are_sorted(ledger: Ledger) -> None:
    for start in ("cd", "ab", "ef"):
        ledger.add(finished(start * 32), [])
    assert ledger.keys() == ["ab" * 32, "cd" * 32, "ef" * 32]


def test_ledger_url_opens_the_same_ledger(ledger: Ledger) -> None:
    ledger.add(finished(), WEIGHTS)
    again = open_ledger(ledger.url)
    assert (again.url, again.keys()) == (ledger.url, [KEY])


def test_add_keeps_an_existing_run(ledger: Ledger) -> None:
    ledger.add(finished(value=0.25), WEIGHTS)
    ledger.add(finished(value=0.75), [])
    result = ledger.get(KEY)
    assert result is not None
    assert result.predictions["test"][0, 0] == 0.25


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["cut", "flip", "remove"])
def test_damaged_run_is_never_returned_and_reading_does_not_move_it(
    ledger: Ledger, tested: Backend, name: str, kind: str
) -> None:
    ledger.add(finished(), WEIGHTS)
    damage(tested, ledger, name, kind)
    before = tested.snapshot(ledger.url)
    assert (ledger.get(KEY), ledger.weights(KEY), ledger.check(KEY)) == (None, None, "damaged")
    ledger.provenance(KEY)
    ledger.keys()
    assert tested.snapshot(ledger.url) == before


@pytest.mark.parametrize("name", FILES)
def test_quarantine_frees_the_key_and_keeps_the_damaged_run(ledger: Ledger, tested: Backend, name: str) -> None:
    ledger.add(finished(), WEIGHTS)
    damage(tested, ledger, name, "remove")
    assert ledger.quarantine(KEY)
    assert (ledger.check(KEY), ledger.keys(), tested.quarantined(ledger.url)) == ("absent", [], 1)
    ledger.add(finished(), WEIGHTS)
    assert ledger.check(KEY) == "whole"


def test_quarantine_leaves_an_intact_run_alone(ledger: Ledger) -> None:
    ledger.add(finished(), WEIGHTS)
    assert not ledger.quarantine(KEY)
    assert ledger.check(KEY) == "whole"


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"key": 1}', b"null", b'{"sha256": {}}', b'{"sha256": 1}'])
def test_record_in_an_unknown_format_is_damaged(ledger: Ledger, tested: Backend, content: bytes) -> None:
    ledger.add(finished(), WEIGHTS)
    tested.write(ledger.url, KEY, "run.json", content)
    assert (ledger.get(KEY), ledger.check(KEY), ledger.provenance(KEY)) == (None, "damaged", {})


def test_record_with_an_edited_loss_is_damaged(ledger: Ledger, tested: Backend) -> None:
    ledger.add(finished(), WEIGHTS)
    record = json.loads(tested.read(ledger.url, KEY, "run.json"))
    tested.write(ledger.url, KEY, "run.json", json.dumps(record).encode())
    assert ledger.check(KEY) == "whole", "its layout does not matter"
    record["validation_losses"][0] = 0.1
    tested.write(ledger.url, KEY, "run.json", json.dumps(record).encode())
    assert (ledger.check(KEY), ledger.get(KEY), ledger.weights(KEY)) == ("damaged", None, None)


def test_record_of_an_earlier_version_without_a_checksum_is_intact(ledger: Ledger, tested: Backend) -> None:
    ledger.add(finished(), WEIGHTS)
    record = json.loads(tested.read(ledger.url, KEY, "run.json"))
    del record["sha256"]["run.json"]
    tested.write(ledger.url, KEY, "run.json", json.dumps(record).encode())
    assert ledger.check(KEY) == "whole"


@pytest.mark.parametrize("name", ["predictions.npz", "weights.npz"])
def test_objects_are_never_unpickled(ledger: Ledger, tested: Backend, name: str) -> None:
    ledger.add(finished(), WEIGHTS)
    objects, record = BytesIO(), json.loads(tested.read(ledger.url, KEY, "run.json"))
    np.savez(objects, p_test=np.array([{}], dtype=object))
    record["sha256"] |= {name: hashlib.sha256(objects.getvalue()).hexdigest()}
    del record["sha256"]["run.json"]
    tested.write(ledger.url, KEY, name, objects.getvalue())
    tested.write(ledger.url, KEY, "run.json", json.dumps(record).encode())
    assert (ledger.check(KEY), ledger.get(KEY), ledger.weights(KEY)) == ("damaged", None, None)


def test_run_stored_under_another_key_is_damaged(ledger: Ledger, tested: Backend) -> None:
    other = "cd" * 32
    ledger.add(finished(), WEIGHTS)
    ledger.add(finished(other), WEIGHTS)
    tested.write(ledger.url, KEY, "run.json", tested.read(ledger.url, other, "run.json"))
    assert ledger.check(KEY) == "damaged"


def add_at(url: str, start: float, value: float) -> None:
    time.sleep(max(0.0, start - time.time()))
    open_ledger(url).add(finished(value=value), WEIGHTS)


@pytest.mark.slow
def test_concurrent_add_by_two_processes_stores_one_intact_run(ledger: Ledger) -> None:
    start, values = time.time() + 3, (0.25, 0.75)
    with ProcessPoolExecutor(2, SPAWN) as pool:
        for adding in [pool.submit(add_at, ledger.url, start, value) for value in values]:
            adding.result()
    result = ledger.get(KEY)
    assert result is not None
    assert result.predictions["test"][0, 0] in values
    assert ledger.keys() == [KEY]


def write_forever(url: str) -> None:
    ledger = open_ledger(url)
    for number in range(1_000_000):
        ledger.add(finished(f"{number:064d}"), [np.zeros(50_000, np.float32)])


@pytest.mark.slow
def test_add_killed_at_any_time_leaves_only_intact_runs(tested: Backend, tmp_path: Path) -> None:
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        ledger = open_ledger(tested.new_url(folder))
        writer = SPAWN.Process(target=write_forever, args=(ledger.url,))
        writer.start()
        while len(ledger.keys()) < 5 + attempt:
            time.sleep(0.01)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        stored = ledger.keys()
        assert {ledger.check(key) for key in stored} == {"whole"}
        ledger.add(finished(), WEIGHTS)
        assert ledger.check(KEY) == "whole"


def test_check_writable_accepts_new_and_existing_ledgers(ledger: Ledger) -> None:
    ledger.check_writable()
    assert ledger.keys() == []
    ledger.add(finished(), WEIGHTS)
    ledger.check_writable()
    assert ledger.keys() == [KEY]


def test_check_writable_names_a_path_that_is_not_writable(tested: Backend, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CytocurveError, match="cannot be written"):
        open_ledger(tested.new_url(tmp_path / "file")).check_writable()
