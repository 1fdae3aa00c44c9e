"""What a worker does: train one run and store it in the ledger."""

import os
import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.runs import Images, PlannedRun
from cytocurve.models import architectures, augmentation, engines
from cytocurve.models.class_weights import class_weights
from cytocurve.stores.ledger import Finished, open_ledger
from cytocurve.training import kernel_files


@dataclass(frozen=True)
class Assignment:
    """A run for a worker: the URL of the ledger, the file of the shared pixels, and what the run is."""

    ledger: str
    pixels: Path
    arm: str
    classes: tuple[int, ...]
    planned: PlannedRun
    commit: str | None


def train_run(assignment: Assignment) -> None:
    """Train the run and store it, unless another worker has."""
    ledger, planned = open_ledger(assignment.ledger), assignment.planned
    if ledger.check(planned.key) == "whole":
        return
    ledger.quarantine(planned.key)
    started, cpu = time.time(), time.process_time()
    with kernel_files.checked():
        trained = engines.train(planned.run.recipe.engine, job(assignment))
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
            "recipe": asdict(planned.run.recipe),
        },
        losses=trained.losses,
        validation_losses=trained.validation_losses,
        predictions=trained.predictions,
        images={name: identity_bytes(getattr(planned.run, name)) for name in ("train", "validation", "test")},
        provenance=timings | {"commit": assignment.commit} | environment(),
    )
    ledger.add(record, trained.weights)


def job(assignment: Assignment) -> engines.Job:
    """The run as an engine takes it."""
    planned, recipe = assignment.planned, assignment.planned.run.recipe
    architecture = architectures.load(recipe.architecture)
    policy = augmentation.POLICIES[recipe.augmentation]
    return engines.Job(
        architecture=architecture,
        architecture_settings=architecture.settings.model_validate(recipe.architecture_settings),
        policy=policy,
        policy_settings=policy.settings.model_validate(recipe.augmentation_settings),
        images=np.load(assignment.pixels, mmap_mode="r"),
        classes=np.array(assignment.classes, dtype=np.int32),
        train=planned.rows["train"],
        validation=planned.rows["validation"],
        test=planned.rows["test"],
        outputs=recipe.outputs,
        batch_size=recipe.batch_size,
        optimizer=recipe.optimizer,
        learning_rate=recipe.learning_rate,
        max_epochs=recipe.max_epochs,
        patience=recipe.patience,
        entropy=planned.run.entropy,
        class_weights=class_weights(recipe.class_weights, np.array(planned.run.train.classes), recipe.outputs),
    )


def identity_bytes(images: Images) -> NDArray[np.uint8]:
    """The images' identities as uint8 (images, 32)."""
    joined = bytes.fromhex("".join(images.identities))
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)


def environment() -> dict[str, Any]:
    """The host, the interpreter and the packages that compute."""
    packages = {}
    for name in ("cytocurve", "keras", "numba", "numpy", "tensorflow", "tensorflow-cpu"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"host": platform.node(), "machine": platform.machine(), "python": platform.python_version(),
            "pid": os.getpid(), "packages": packages}  # fmt: skip
