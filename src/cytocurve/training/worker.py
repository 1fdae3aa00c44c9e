"""The task of a worker process: train one run and store it in the ledger."""

import os
import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.runs import KEY_FORMAT, Images, PlannedRun
from cytocurve.models import engines, recipes
from cytocurve.stores.ledger import Finished, open_ledger
from cytocurve.training import kernel_files


@dataclass(frozen=True)
class Assignment:
    """A run to train: the URL of the ledger, the file with prepared pixels, and the planned run."""

    ledger: str
    pixels: Path
    arm: str
    classes: tuple[int, ...]
    planned: PlannedRun
    commit: str | None


def train_run(assignment: Assignment) -> None:
    """Train the run and store it, unless another worker has already done so."""
    ledger, planned = open_ledger(assignment.ledger), assignment.planned
    if ledger.check(planned.key) == "whole":
        return
    ledger.quarantine(planned.key)
    started, cpu = time.time(), time.process_time()
    with kernel_files.checked():
        images, classes = np.load(assignment.pixels, mmap_mode="r"), np.array(assignment.classes, dtype=np.int32)
        trained = engines.train(planned.run.recipe.engine.name, recipes.job(planned, images, classes))
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
        predictions=trained.predictions,
        images={name: identity_bytes(getattr(planned.run, name)) for name in ("train", "validation", "test")},
        provenance=timings | {"commit": assignment.commit} | environment(),
    )
    ledger.add(record, trained.weights)


def identity_bytes(images: Images) -> NDArray[np.uint8]:
    """The images' identities as uint8 (images, 32)."""
    joined = bytes.fromhex("".join(images.identities))
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)


def environment() -> dict[str, Any]:
    """The host, the interpreter and the versions of numerical packages."""
    packages = {}
    for name in ("cytocurve", "keras", "numba", "numpy", "tensorflow", "tensorflow-cpu"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"host": platform.node(), "machine": platform.machine(), "python": platform.python_version(),
            "pid": os.getpid(), "packages": packages}  # fmt: skip
