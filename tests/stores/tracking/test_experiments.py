"""Publishing to real stores: a local SQLite file and a tracking server in a separate process."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cytocurve.errors import InputError, ServiceError
from cytocurve.stores.ledger.local import LocalLedger
from cytocurve.stores.tracking.connection import connected, ui_command
from cytocurve.stores.tracking.experiments import RUN_KEY, ArmRuns, Published, publish
from tests.makers import copy_tracking_store
from tests.projects import ROOT
from tests.stores.tracking.mlflow_makers import (
    DATA_HASH,
    SIZES,
    STARTED,
    free_port,
    local_uri,
    make_arm,
    running,
    tracking_server,
)

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

pytestmark = pytest.mark.slow


@pytest.fixture
def ledger(tmp_path: Path) -> LocalLedger:
    return LocalLedger(tmp_path / "ledger")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with tracking_server(tmp_path_factory.mktemp("server"), free_port()) as uri:
        yield uri


def _publish(uri: str, arm: ArmRuns, folder: Path) -> Published:
    if uri == local_uri(folder) and not (folder / "mlruns").exists():
        copy_tracking_store(folder / "mlruns")
    with connected(uri, folder / "publish.lock") as client:
        return publish(client, arm)


def _runs(uri: str, folder: Path) -> "list[Run]":
    with connected(uri, folder / "publish.lock") as client:
        result = client.get_experiment_by_name("starter/blast")
        return list(client.search_runs([result.experiment_id], max_results=5000)) if result else []


def _check_complete(uri: str, folder: Path, arm: ArmRuns, epochs: int) -> None:
    """Check that each run of the arm and its parent exist once, finished, with every metric."""
    runs = [run for run in _runs(uri, folder) if run.data.tags["cytocurve.arm"] == arm.arm.name]
    keys = Counter(run.data.tags.get(RUN_KEY, "parent") for run in runs)
    assert keys == Counter(["parent", *(run.key for run in arm.runs)])
    assert {run.info.status for run in runs} == {"FINISHED"}
    with connected(uri, folder / "publish.lock") as client:
        for run in runs:
            if RUN_KEY in run.data.tags:
                assert {"test_roc_auc", "test_f1", "epochs", "loss", "validation_loss"} <= set(run.data.metrics)
                history = client.get_metric_history(run.info.run_id, "validation_loss")
                assert sorted(point.step for point in history) == list(range(1, epochs + 1))


def test_published_run_has_its_identity_curves_and_timings(ledger: LocalLedger, tmp_path: Path) -> None:
    """A child has the tags, parameters, losses per epoch, scores, data and times of its run."""
    arm = make_arm(ledger)
    _publish(local_uri(tmp_path), arm, tmp_path)
    runs = _runs(local_uri(tmp_path), tmp_path)
    (parent,) = (run for run in runs if RUN_KEY not in run.data.tags)
    (child,) = (run for run in runs if run.data.tags.get(RUN_KEY) == arm.runs[1].key)
    assert child.info.run_name == "sequential-none-expert, fold 0, n=20, seed 0"
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert child.data.tags["cytocurve.data"] == DATA_HASH
    assert child.data.tags["cytocurve.labels"] == "expert"
    assert child.data.tags["mlflow.source.git.commit"] == "c0ffee"
    assert child.data.params == {
        "architecture": "sequential",
        "augmentation": "none",
        "labels": "expert",
        "optimizer": "rmsprop",
        "dense": "32",
        "fold": "0",
        "size": "20",
        "seed": "0",
    }
    assert child.data.metrics["epochs"] == 3
    assert child.data.metrics["test_roc_auc"] == arm.runs[1].metrics["roc_auc"]
    assert (child.info.start_time, child.info.end_time) == ((STARTED + 20) * 1000, (STARTED + 80) * 1000)
    for run in (parent, child):
        assert run.inputs
        (data,) = run.inputs.dataset_inputs
        assert (data.dataset.name, data.dataset.digest) == ("starter", DATA_HASH)
        assert [(tag.key, tag.value) for tag in data.tags] == [("mlflow.data.context", "training")]


def test_parent_run_spans_the_first_start_to_the_last_end(ledger: LocalLedger, tmp_path: Path) -> None:
    _publish(local_uri(tmp_path), make_arm(ledger), tmp_path)
    runs = _runs(local_uri(tmp_path), tmp_path)
    (parent,) = (run for run in runs if RUN_KEY not in run.data.tags)
    children = [run.info for run in runs if RUN_KEY in run.data.tags]
    assert parent.info.start_time == min(child.start_time for child in children)
    assert parent.info.end_time == max(child.end_time for child in children)


def test_parent_run_of_an_earlier_version_with_zero_duration_gets_the_times_of_its_runs(
    ledger: LocalLedger, tmp_path: Path
) -> None:
    """Earlier versions created it, and ended it, after all of its runs."""
    arm = make_arm(ledger)
    late = int(time.time() * 1000)
    copy_tracking_store(tmp_path / "mlruns")
    with connected(local_uri(tmp_path), tmp_path / "publish.lock") as client:
        tags = {"cytocurve.arm": arm.arm.name, "cytocurve.arm_key": arm.arm_key}
        old = client.create_run(client.create_experiment("starter/blast"), late, tags, run_name=arm.arm.name)
        client.set_terminated(old.info.run_id, "FINISHED", late)
    for _ in range(2):
        assert _publish(local_uri(tmp_path), arm, tmp_path).run_id == old.info.run_id
        parent = next(run.info for run in _runs(local_uri(tmp_path), tmp_path) if RUN_KEY not in run.data.tags)
        assert (parent.start_time, parent.end_time) == ((STARTED + 10) * 1000, (STARTED + 210) * 1000)


def test_experiment_opens_in_the_model_training_view_unless_a_user_chose_another(
    ledger: LocalLedger, tmp_path: Path
) -> None:
    """An experiment that was created without the tag gets it at the next publish."""
    copy_tracking_store(tmp_path / "mlruns")
    kinds = []
    for kind in (None, "classification"):
        with connected(local_uri(tmp_path), tmp_path / "lock") as client:
            result = client.get_experiment_by_name("starter/blast")
            experiment = result.experiment_id if result else client.create_experiment("starter/blast")
            if kind:
                client.set_experiment_tag(experiment, "mlflow.experimentKind", kind)
        _publish(local_uri(tmp_path), make_arm(ledger), tmp_path)
        with connected(local_uri(tmp_path), tmp_path / "lock") as client:
            kinds.append(client.get_experiment(experiment).tags["mlflow.experimentKind"])
    assert kinds == ["custom_model_development", "classification"]


def test_run_from_a_dirty_working_tree_is_tagged_as_such(ledger: LocalLedger, tmp_path: Path) -> None:
    _publish(local_uri(tmp_path), dataclasses.replace(make_arm(ledger), commit="c0ffee+changed"), tmp_path)
    for run in _runs(local_uri(tmp_path), tmp_path):
        assert run.data.tags["mlflow.source.git.commit"] == "c0ffee"
        assert run.data.tags["cytocurve.uncommitted"] == "true"
        assert "uncommitted changes" in run.data.tags["mlflow.note.content"]


def test_run_named_by_an_earlier_version_is_renamed(ledger: LocalLedger, tmp_path: Path) -> None:
    arm = make_arm(ledger)
    _publish(local_uri(tmp_path), arm, tmp_path)
    child = next(run for run in _runs(local_uri(tmp_path), tmp_path) if RUN_KEY in run.data.tags)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        client.update_run(child.info.run_id, name="fold 0")
    _publish(local_uri(tmp_path), arm, tmp_path)
    names = {run.info.run_id: run.info.run_name for run in _runs(local_uri(tmp_path), tmp_path)}
    assert names[child.info.run_id] == child.info.run_name


def test_undefined_score_is_listed_but_not_logged(ledger: LocalLedger, tmp_path: Path) -> None:
    """NaN is not logged as a metric; a tag lists the undefined ones."""
    _publish(local_uri(tmp_path), make_arm(ledger), tmp_path)
    child = next(run for run in _runs(local_uri(tmp_path), tmp_path) if RUN_KEY in run.data.tags)
    assert "test_mcc" not in child.data.metrics
    assert child.data.tags["cytocurve.undefined"] == "test_mcc"


def test_parent_run_shows_the_learning_curve(ledger: LocalLedger, tmp_path: Path) -> None:
    """The parent's metrics have the training size as their step, so MLflow draws the curve over it."""
    arm = make_arm(ledger)
    assert arm.curves
    published = _publish(local_uri(tmp_path), arm, tmp_path)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        history = client.get_metric_history(published.run_id, "roc_auc")
    assert {point.step: point.value for point in history} == arm.curves["roc_auc"]
    assert len(history) == len(SIZES)


def test_publishing_again_changes_nothing(ledger: LocalLedger, tmp_path: Path) -> None:
    """Published twice, an arm is the same runs with the same contents, and no run is read from the ledger."""
    arm = make_arm(ledger)
    first = _publish(local_uri(tmp_path), arm, tmp_path)
    before = [run.to_dictionary() for run in _runs(local_uri(tmp_path), tmp_path)]
    arm = dataclasses.replace(arm, runs=[dataclasses.replace(run, load=pytest.fail) for run in arm.runs])
    second = _publish(local_uri(tmp_path), arm, tmp_path)
    assert (first.created, first.present, second.created, second.present) == (6, 0, 0, 6)
    assert first.run_id == second.run_id
    assert [run.to_dictionary() for run in _runs(local_uri(tmp_path), tmp_path)] == before
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        assert len(client.get_metric_history(first.run_id, "f1")) == len(SIZES)


def test_arm_stays_running_until_complete(ledger: LocalLedger, tmp_path: Path) -> None:
    """The parent is RUNNING while runs are missing, FINISHED with the last, and RUNNING again when the arm grows."""
    statuses = []
    for sizes, complete in (((10,), False), ((10, 20), True), ((10, 20, 50), False), ((10, 20, 50), True)):
        published = _publish(local_uri(tmp_path), make_arm(ledger, sizes=sizes, complete=complete), tmp_path)
        assert published.created + published.present == 2 * len(sizes)
        statuses += [run.info.status for run in _runs(local_uri(tmp_path), tmp_path) if RUN_KEY not in run.data.tags]
    assert statuses == ["RUNNING", "FINISHED", "RUNNING", "FINISHED"]
    _check_complete(local_uri(tmp_path), tmp_path, make_arm(ledger), 3)


def test_long_run_is_published_in_several_batches(ledger: LocalLedger, tmp_path: Path) -> None:
    """More metrics than MLflow accepts per call are all logged."""
    arm = make_arm(ledger, folds=1, sizes=(10,), epochs=1200)
    _publish(local_uri(tmp_path), arm, tmp_path)
    _check_complete(local_uri(tmp_path), tmp_path, arm, 1200)


def test_runs_beyond_the_first_page_are_found(ledger: LocalLedger, tmp_path: Path) -> None:
    """The listing goes on after its first page: nothing is created twice."""
    arm = make_arm(ledger, folds=35, epochs=1)
    assert _publish(local_uri(tmp_path), arm, tmp_path).created == 105
    assert _publish(local_uri(tmp_path), arm, tmp_path).created == 0


def test_duplicate_run_created_by_another_machine_is_deleted(ledger: LocalLedger, tmp_path: Path) -> None:
    """Of two MLflow runs of one key the older is kept, and of two parents the older with all children."""
    arm = make_arm(ledger)
    first = _publish(local_uri(tmp_path), arm, tmp_path)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        for run in _runs_of(client, first.run_id):
            client.create_run(run.info.experiment_id, run.info.start_time + 1, run.data.tags, run.info.run_name)
    assert len(_runs(local_uri(tmp_path), tmp_path)) == 14
    assert _publish(local_uri(tmp_path), arm, tmp_path).run_id == first.run_id
    _check_complete(local_uri(tmp_path), tmp_path, arm, 3)


def _runs_of(client: "MlflowClient", run_id: str) -> "list[Run]":
    return list(client.search_runs([client.get_run(run_id).info.experiment_id]))


def test_run_is_nested_under_the_arm_that_published_it_last(ledger: LocalLedger, tmp_path: Path) -> None:
    """An arm with another key that holds the same run adopts it instead of creating a second one."""
    arm = make_arm(ledger)
    first = _publish(local_uri(tmp_path), arm, tmp_path)
    second = _publish(local_uri(tmp_path), dataclasses.replace(arm, arm_key="other"), tmp_path)
    assert second.created == 0
    assert second.run_id != first.run_id
    parents = [run.data.tags.get("mlflow.parentRunId") for run in _runs(local_uri(tmp_path), tmp_path)]
    assert Counter(parents) == {None: 2, second.run_id: 6}


def test_run_missing_from_the_ledger_is_counted_and_skipped(ledger: LocalLedger, tmp_path: Path) -> None:
    """A damaged run is not published, and its arm is not called complete."""
    arm = make_arm(ledger)
    (ledger.folder(arm.runs[0].key) / "predictions.npz").write_bytes(b"damaged")
    published = _publish(local_uri(tmp_path), arm, tmp_path)
    assert (published.created, published.lost) == (5, 1)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        assert client.get_run(published.run_id).info.status == "RUNNING"
    ledger.quarantine(arm.runs[0].key)
    assert _publish(local_uri(tmp_path), make_arm(ledger), tmp_path).created == 1
    _check_complete(local_uri(tmp_path), tmp_path, arm, 3)


def test_run_without_timings_is_published(ledger: LocalLedger, tmp_path: Path) -> None:
    """Times are optional: without them a run counts from its publishing, and publishing again changes nothing."""
    arm = make_arm(ledger, folds=1, sizes=(10,))
    history = ledger.get(arm.runs[0].key)
    assert history
    bare = dataclasses.replace(history, provenance={})
    runs = [dataclasses.replace(arm.runs[0], load=lambda: bare)]
    arm = dataclasses.replace(arm, runs=runs, data_hash=None, commit=None)
    assert _publish(local_uri(tmp_path), arm, tmp_path).created == 1
    assert _publish(local_uri(tmp_path), arm, tmp_path).created == 0
    _check_complete(local_uri(tmp_path), tmp_path, arm, 3)


PUBLISHER = """
import os, signal, sys
from pathlib import Path
from cytocurve.stores.ledger.local import LocalLedger
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.experiments import publish
from tests.stores.tracking.mlflow_makers import make_arm

folder, uri, lock = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
arm = make_arm(LocalLedger(folder / "ledger"), sys.argv[4], folds=20, epochs=20)

def report(done, total):
    print(done, flush=True)

with connected(uri, lock) as client:
    publish(client, arm, report)
"""


def _publisher(folder: Path, uri: str = "", lock: str = "publish.lock") -> "subprocess.Popen[str]":
    """A process that publishes an arm of 60 runs and prints one line per run."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", textwrap.dedent(PUBLISHER), str(folder)]
    command += [uri or local_uri(folder), str(folder / lock), "flip_rotate" if uri else "none"]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize(("runs", "delay"), [(1, 0.0), (8, 0.013), (15, 0.031)])
def test_publishing_resumes_after_a_killed_publisher(
    ledger: LocalLedger, tmp_path: Path, runs: int, delay: float
) -> None:
    """Killed in the middle, publishing leaves nothing that the next publish does not complete."""
    arm = make_arm(ledger, folds=20, epochs=20)
    process = _publisher(tmp_path)
    assert process.stdout
    for _ in range(runs):
        assert process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert 0 < _publish(local_uri(tmp_path), arm, tmp_path).created <= 60 - runs
    _check_complete(local_uri(tmp_path), tmp_path, arm, 20)


def test_half_published_run_is_completed(ledger: LocalLedger, tmp_path: Path) -> None:
    """A run that was created and not logged to, or logged to and not finished, is completed in place."""
    arm = make_arm(ledger)
    _publish(local_uri(tmp_path), arm, tmp_path)
    children = [run for run in _runs(local_uri(tmp_path), tmp_path) if RUN_KEY in run.data.tags]
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        client.update_run(children[0].info.run_id, "RUNNING")
        client.delete_run(children[1].info.run_id)
        client.create_run(children[1].info.experiment_id, children[1].info.start_time, children[1].data.tags)
    assert _publish(local_uri(tmp_path), arm, tmp_path).created == 2
    assert children[0].info.run_id in {run.info.run_id for run in _runs(local_uri(tmp_path), tmp_path)}
    _check_complete(local_uri(tmp_path), tmp_path, arm, 3)


def test_concurrent_publishers_create_one_run_per_key(ledger: LocalLedger, tmp_path: Path) -> None:
    """Started together on a store that does not exist yet, both succeed, and every run exists once."""
    arm = make_arm(ledger, folds=20, epochs=20)
    processes = [_publisher(tmp_path) for _ in range(2)]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    _check_complete(local_uri(tmp_path), tmp_path, arm, 20)


def test_publishing_is_silent(tmp_path: Path) -> None:
    """Creating the store and publishing print nothing."""
    output, errors = _publisher(tmp_path).communicate()
    assert (output.splitlines(), errors) == ([str(number) for number in range(1, 61)], "")


def test_damaged_store_is_reported_immediately(ledger: LocalLedger, tmp_path: Path) -> None:
    """A file that is not a database gives an error with the next step, not a traceback."""
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "mlflow.db").write_bytes(b"no database " * 1000)
    began = time.monotonic()
    with pytest.raises(ServiceError, match=r"mlflow\.db could not be used: (?s:.*)cytocurve publish"):
        _publish(local_uri(tmp_path), make_arm(ledger), tmp_path)
    assert time.monotonic() - began < 15


def test_store_that_is_not_writable_is_reported(ledger: LocalLedger, tmp_path: Path) -> None:
    """If the store's folder cannot be created, the error names the store."""
    (tmp_path / "mlruns").write_text("a file where the folder should be")
    with pytest.raises(ServiceError, match="mlruns"):
        _publish(local_uri(tmp_path), make_arm(ledger), tmp_path)


@pytest.mark.parametrize("uri", ["mlruns", "file:///tmp/mlruns", "postgresql://user:secret@host/db", "sqlite://"])
def test_unsupported_kinds_of_stores_are_rejected(uri: str, tmp_path: Path) -> None:
    """Only a server and a SQLite file are stores; a password is not repeated."""
    with pytest.raises(InputError, match="MLFLOW_TRACKING_URI") as caught, connected(uri, tmp_path / "lock"):
        pass
    assert "secret" not in str(caught.value)


def test_unreachable_server_is_reported_quickly_and_without_its_password(tmp_path: Path) -> None:
    """An unreachable server fails within 15 seconds; the message contains its address, not its password."""
    port = free_port()
    began = time.monotonic()
    with (
        pytest.raises(ServiceError, match="cytocurve publish") as caught,
        connected(f"http://user:secret@127.0.0.1:{port}", tmp_path / "lock"),
    ):
        pass
    assert time.monotonic() - began < 15
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_schema_of_an_earlier_mlflow_is_migrated(ledger: LocalLedger, tmp_path: Path) -> None:
    """A store created by an earlier MLflow is silently upgraded to the current schema."""
    from alembic import command
    from mlflow.store.db import utils
    from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase

    uri = local_uri(tmp_path)
    (tmp_path / "mlruns").mkdir()
    engine = utils.create_sqlalchemy_engine(uri)  # type: ignore[no-untyped-call]
    InitialBase.metadata.create_all(engine)
    with engine.begin() as connection:
        config = utils._get_alembic_config(uri)  # type: ignore[no-untyped-call]
        config.attributes["connection"] = connection
        command.upgrade(config, "6953534de441")
    engine.dispose()
    assert _publish(local_uri(tmp_path), make_arm(ledger), tmp_path).created == 6


def test_server_accepts_the_same_runs_as_a_local_store(ledger: LocalLedger, tmp_path: Path, server: str) -> None:
    """Over HTTP, the same runs are stored once, however often they are published."""
    arm = make_arm(ledger)
    assert _publish(server, arm, tmp_path).created == 6
    assert _publish(server, arm, tmp_path).created == 0
    _check_complete(server, tmp_path, arm, 3)


def test_concurrent_machines_end_with_one_run_per_key(ledger: LocalLedger, tmp_path: Path, server: str) -> None:
    """Publishers that share no lock may both create a run; the next publish leaves one of each, below one parent."""
    processes = [_publisher(tmp_path, server, f"{number}.lock") for number in range(2)]
    outputs = [process.communicate() for process in processes]
    assert [errors for _, errors in outputs] == ["", ""]
    arm = make_arm(ledger, "flip_rotate", folds=20, epochs=20)
    published = _publish(server, arm, tmp_path)
    assert published.created == 0
    _check_complete(server, tmp_path, arm, 20)
    runs = [run for run in _runs(server, tmp_path) if run.data.tags["cytocurve.arm"] == arm.arm.name]
    parents = Counter(run.data.tags.get("mlflow.parentRunId") for run in runs)
    assert parents == {published.run_id: 60, None: 1}


def test_publishing_catches_up_after_a_server_was_down_or_died_midway(ledger: LocalLedger, tmp_path: Path) -> None:
    """Either is reported within 15 seconds; once the server is back, the next publish completes it exactly once."""
    arm, port = make_arm(ledger, folds=5), free_port()
    uri = f"http://127.0.0.1:{port}"
    stopped = [time.monotonic()]
    with pytest.raises(ServiceError, match=uri):
        _publish(uri, arm, tmp_path)
    assert time.monotonic() - stopped[0] < 15
    with ExitStack() as stack:
        stack.enter_context(tracking_server(tmp_path / "server", port))

        def stop_after_four(done: int, total: int) -> None:
            if done == 4:
                stack.close()
                stopped.append(time.monotonic())

        with pytest.raises(ServiceError, match=uri), connected(uri, tmp_path / "lock") as client:
            publish(client, arm, stop_after_four)
    assert time.monotonic() - stopped[1] < 15
    with tracking_server(tmp_path / "server", port):
        assert _publish(uri, arm, tmp_path).created == 11
        _check_complete(uri, tmp_path, arm, 3)


def test_local_store_has_its_own_pages(ledger: LocalLedger, tmp_path: Path) -> None:
    """The command serves MLflow's pages and the published runs on 127.0.0.1."""
    uri, port = local_uri(tmp_path), free_port()
    arm = make_arm(ledger)
    _publish(uri, arm, tmp_path)
    command, environment = ui_command(uri, tmp_path / "lock", port)
    assert environment["MLFLOW_LOGGING_LEVEL"] == "ERROR", "a server prints its errors"
    with running(command, environment, f"http://127.0.0.1:{port}") as pages:
        _check_complete(pages, tmp_path, arm, 3)


def test_port_in_use_is_named(tmp_path: Path) -> None:
    """The message names the port and the option that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"Port {port} (?s:.*)--port"):
            ui_command(local_uri(tmp_path), tmp_path / "lock", port)


def test_server_has_its_own_pages(tmp_path: Path) -> None:
    """With a server as the store, the answer is its address."""
    with pytest.raises(InputError, match=r"open http://mlflow\.example:5000 in a browser"):
        ui_command("http://mlflow.example:5000", tmp_path / "lock", 5000)
