"""After any kill, the next call completes the work, retrains no finished run, and leaves one MLflow run per key."""

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.projects import BIN, environment, make_project, run

pytestmark = pytest.mark.slow

ARM = "sequential-none-folder"
RUNS = 4 * 3 * 4


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    root = make_project(
        tmp_path / "project",
        seeds=[0, 1, 2, 3],
        training={
            "batch_size": 5,
            "optimizer": "rmsprop",
            "learning_rate": 0.001,
            "max_epochs": 40,
            "patience": 40,
            "engine": "auto",
        },
    )
    for stage in ("catalog", "split"):
        assert run(root, "cytocurve", stage).returncode == 0
    yield root
    for process in psutil.process_iter(["cwd"]):
        if process.info["cwd"] == str(root):
            process.kill()


def start(root: Path, *command: str) -> "subprocess.Popen[bytes]":
    with (root / "log.txt").open("ab") as log:
        return subprocess.Popen(command, cwd=root, env=environment(), stdout=log, stderr=log)


def stored(root: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in root.glob("ledger/runs/*/*/run.json")}


def wait_for_runs(root: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 300
    while len(stored(root)) < count and process.poll() is None:
        assert time.monotonic() < deadline, (root / "log.txt").read_text()
        time.sleep(0.02)
    time.sleep(random.uniform(0, 0.3))  # noqa: S311  any moment will do


def workers(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def assert_one_finished_mlflow_run_a_key(root: Path) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{root}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("toy/dark-vs-light")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    keys = Counter(run.data.tags.get("cytocurve.run_key", "parent") for run in runs)
    assert len(keys) == RUNS + 1
    assert set(keys.values()) == {1}
    assert {run.info.status for run in runs} == {"FINISHED"}


def assert_kept(before: dict[str, bytes], root: Path) -> None:
    after = stored(root)
    assert before.items() <= after.items()
    assert len(after) == RUNS


def test_killed_sweep_resumes_where_it_stopped(project: Path) -> None:
    for count in (1, 10):
        sweep = start(project, str(BIN / "cytocurve"), "sweep", ARM)
        wait_for_runs(project, count, sweep)
        orphans = workers(sweep)
        sweep.send_signal(signal.SIGKILL)
        sweep.wait()
        _, alive = psutil.wait_procs(orphans, timeout=10)
        assert not alive, "workers end with their sweep"
    before = stored(project)
    assert run(project, "cytocurve", "sweep", ARM).returncode == 0
    assert_kept(before, project)
    assert_one_finished_mlflow_run_a_key(project)


@pytest.mark.parametrize("everyone", [True, False], ids=["in a terminal", "sent to the sweep alone"])
def test_interrupted_sweep_starts_no_further_training(project: Path, everyone: bool) -> None:
    sweep = start(project, str(BIN / "cytocurve"), "sweep", ARM)
    wait_for_runs(project, 2, sweep)
    before = stored(project)
    for process in [sweep, *workers(sweep)] if everyone else [sweep]:
        process.send_signal(signal.SIGINT)
    assert sweep.wait(timeout=300) == 130
    assert len(stored(project)) <= len(before) + 4
    assert "Interrupted" in (project / "log.txt").read_text()
    assert "Traceback" not in (project / "log.txt").read_text()
    assert run(project, "cytocurve", "sweep", ARM).returncode == 0
    assert_kept(before, project)
    assert_one_finished_mlflow_run_a_key(project)


def test_killed_worker_loses_no_finished_run(project: Path) -> None:
    sweep = start(project, str(BIN / "cytocurve"), "sweep", ARM)
    wait_for_runs(project, 3, sweep)
    before = stored(project)
    workers(sweep)[0].kill()
    assert sweep.wait(timeout=300) == 0, (project / "log.txt").read_text()
    assert "A worker process died" in (project / "log.txt").read_text()
    assert_kept(before, project)
    assert_one_finished_mlflow_run_a_key(project)


def test_killed_dvc_repro_is_completed_by_the_next(project: Path) -> None:
    repro = start(project, "dvc", "repro", f"sweep@{ARM}")
    wait_for_runs(project, 5, repro)
    repro.send_signal(signal.SIGKILL)
    repro.wait()
    before = stored(project)
    done = run(project, "dvc", "repro", f"sweep@{ARM}")
    assert done.returncode == 0, done.stderr
    assert_kept(before, project)
    assert_one_finished_mlflow_run_a_key(project)
    again = run(project, "dvc", "repro", f"sweep@{ARM}")
    assert "Data and pipelines are up to date" in again.stdout


def test_concurrent_sweeps_share_the_work(project: Path) -> None:
    sweeps = [start(project, str(BIN / "cytocurve"), "sweep", ARM) for _ in range(2)]
    assert [sweep.wait(timeout=300) for sweep in sweeps] == [0, 0]
    assert len(stored(project)) == RUNS
    assert_one_finished_mlflow_run_a_key(project)
