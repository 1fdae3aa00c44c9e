"""What a worker process does: train one run and store it in the ledger."""

import logging
import os
import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from cytocurve.core.runs import KEY_FORMAT, Images, PlannedRun
from cytocurve.errors import InputError
from cytocurve.models import engines, recipes
from cytocurve.models.estimators import measured
from cytocurve.stores.ledger import Finished, open_ledger
from cytocurve.training import kernel_files

PACKAGES = (
    "cytocurve", "keras", "numba", "numpy", "scikit-image", "scikit-learn", "scipy", "tensorflow", "tensorflow-cpu",
)  # fmt: skip
"""Packages that compute; a run's record has their versions."""

LOG = logging.getLogger("cytocurve")


@dataclass(frozen=True)
class Assignment:
    """A run for a worker, with the URL of the ledger and the folder of locks.

    ``pixels`` is the file of prepared pixels; ``features`` that of their feature vectors, if the architecture has any.
    """

    ledger: str
    locks: Path
    pixels: Path
    arm: str
    classes: tuple[int, ...]
    planned: PlannedRun
    commit: str | None
    features: Path | None = None


def train_run(assignment: Assignment) -> bool:
    """Train the run and store it, unless the ledger already holds it; returns whether it was trained.

    A worker of another sweep that is training the same run is waited for: arms may share runs.
    """
    lock = assignment.locks / f"{assignment.planned.key}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        trained = _train(assignment)
        lock.unlink(missing_ok=True)  # whoever comes later finds the run in the ledger
    return trained


def _train(assignment: Assignment) -> bool:
    ledger, planned = open_ledger(assignment.ledger), assignment.planned
    if ledger.check(planned.key) == "whole":
        return False
    run = f"{assignment.arm}, fold {planned.fold}, size {planned.size}, seed {planned.seed}"
    if ledger.quarantine(planned.key):
        LOG.warning("%s: its damaged record is quarantined", run)
    if not assignment.pixels.is_file():
        raise InputError(
            f"{assignment.pixels}: removed while {assignment.arm} was being trained, as cytocurve data withdraw does; "
            "finished runs are kept",
            next_step="dvc repro",
        )
    LOG.info("%s: training", run)
    started, cpu = time.time(), time.process_time()
    with kernel_files.checked():
        images, classes = np.load(assignment.pixels, mmap_mode="r"), np.array(assignment.classes, dtype=np.int32)
        if assignment.features is not None:
            images = measured(images, np.load(assignment.features, mmap_mode="r"))
        engine, job = planned.run.recipe.engine.name, recipes.job(planned, images, classes)
        trained = engines.train(engine, job)
        on_training = engines.predict(engine, job, trained.weights, job.train)
    finished = time.time()
    timings = {"started": started, "finished": finished, "seconds": finished - started}
    timings["cpu_seconds"] = time.process_time() - cpu
    record = Finished(
        key=planned.key,
        description={
            "arm": assignment.arm,
            "fold": planned.fold,
            "size": planned.size,
            "seed": planned.seed,
            "format": KEY_FORMAT,
            "outputs": planned.run.outputs,
            "recipe": asdict(planned.run.recipe),
        },
        losses=trained.losses,
        validation_losses=trained.validation_losses,
        predictions={**trained.predictions, "train": on_training},
        images={name: identity_bytes(getattr(planned.run, name)) for name in ("train", "validation", "test")},
        provenance=timings | {"commit": assignment.commit} | environment(),
    )
    ledger.add(record, trained.weights)
    LOG.info("%s: finished after %d epochs, %.1f s", run, len(trained.losses), finished - started)
    return True


def identity_bytes(images: Images) -> NDArray[np.uint8]:
    """The identities of images as uint8 (images, 32)."""
    joined = bytes.fromhex("".join(images.identities))
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)


def environment() -> dict[str, Any]:
    """The host, the Python version, and the versions of packages that compute."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"host": platform.node(), "machine": platform.machine(), "python": platform.python_version(),
            "pid": os.getpid(), "packages": packages}  # fmt: skip
