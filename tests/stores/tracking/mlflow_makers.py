"""Arms with small random runs in a ledger, and a real tracking server, for the tests of the tracking store."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from cytocurve.core.runs import Arm, digest
from cytocurve.stores.ledger import Finished, Ledger
from cytocurve.stores.tracking.experiments import ArmRuns, PublishedRun

DATA_HASH = f"{hashlib.md5(b'data', usedforsecurity=False).hexdigest()}.dir"
SIZES = (10, 20, 50)
STARTED = 1_700_000_000.0


def make_arm(
    ledger: Ledger,
    augmentation: str = "none",
    folds: int = 2,
    sizes: Sequence[int] = SIZES,
    epochs: int = 3,
    complete: bool = True,
) -> ArmRuns:
    """An arm of folds x sizes runs; made again, it has the same keys, and the ledger's runs are kept."""
    arm = Arm("sequential", augmentation, "expert")
    runs = [_make_run(ledger, arm, fold, size, epochs) for fold in range(folds) for size in sizes]
    curves = {
        metric: {size: float(np.mean([run.metrics[metric] for run in runs if run.size == size])) for size in sizes}
        for metric in ("roc_auc", "f1")
    }
    settings = {"optimizer": "rmsprop", "dense": 32}
    return ArmRuns(
        arm, "starter", "blast", DATA_HASH, digest(arm.name), settings, "c0ffee", runs, curves if complete else None
    )


def _make_run(ledger: Ledger, arm: Arm, fold: int, size: int, epochs: int) -> PublishedRun:
    key = digest([arm.name, fold, size])
    random = np.random.default_rng(int(key[:8], 16))
    losses = np.exp(-np.arange(epochs) / epochs) + random.normal(0, 0.02, epochs)
    started = STARTED + 100 * fold + size
    finished = Finished(
        key=key,
        description={"fold": fold, "size": size},
        losses=tuple(losses.tolist()),
        validation_losses=tuple((losses * 1.1).tolist()),
        predictions={"test": random.random((4, 2)).astype(np.float32)},
        images={"test": random.integers(0, 256, (4, 32), dtype=np.uint8)},
        provenance={"started": started, "finished": started + 60},
    )
    if key not in ledger:
        ledger.add(finished, [random.random((2, 2))])
    best = 0.95 if arm.augmentation == "none" else 0.99
    score = best - 0.4 / np.sqrt(size) * (1 + random.random() / 10)
    metrics = {"roc_auc": float(score), "f1": float(score - 0.05), "mcc": float("nan")}
    return PublishedRun(key, fold, size, 0, metrics, partial(ledger.get, key))


def local_uri(folder: Path) -> str:
    """The URI of a project's own store."""
    return f"sqlite:///{folder}/mlruns/mlflow.db"


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def tracking_server(folder: Path, port: int) -> Iterator[str]:
    """A real tracking server with a separate store in that folder; yields its URI."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/server.db",
        "--artifacts-destination",
        str(folder / "store"),
    ]
    with running(command, {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}, f"http://127.0.0.1:{port}") as uri:
        yield uri


@contextmanager
def running(command: list[str], environment: dict[str, str], uri: str) -> Iterator[str]:
    """A server process that answers at ``uri``; stopped with all of its children afterwards."""
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "default"}
    process = subprocess.Popen(
        command,
        env={**os.environ, **quiet, **environment},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_healthy(uri, process)
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait_until_healthy(uri: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"{uri}/health", timeout=2):  # noqa: S310 (http on 127.0.0.1)
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
