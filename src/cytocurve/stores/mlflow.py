"""Finished runs in MLflow: found by their run key or created, so that publishing again completes and never repeats.

An arm is a parent run, each of its runs a child. A child becomes FINISHED after everything else of it is logged: one
that a killed process left behind is still RUNNING and is completed by the next :func:`publish`.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cytocurve.core.runs import Arm

if TYPE_CHECKING:
    from mlflow.entities import Metric, Param
    from mlflow.entities import Run as Entry
    from mlflow.tracking import MlflowClient

RUN_KEY, ARM_KEY, PARENT = "cytocurve.run_key", "cytocurve.arm_key", "mlflow.parentRunId"
PAGE = 100


class History(Protocol):
    """What is read of a finished run: losses an epoch, and ``started``, ``finished`` (epoch seconds), ``commit``."""

    @property
    def losses(self) -> tuple[float, ...]:
        """Training loss, one an epoch."""

    @property
    def validation_losses(self) -> tuple[float, ...]:
        """Validation loss, one an epoch."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Times, packages, host and commit."""


@dataclass(frozen=True)
class PublishedRun:
    """A run to publish; ``load`` is called only where MLflow lacks the run, and gives None where the ledger lost it."""

    key: str
    fold: int
    size: int
    seed: int
    metrics: Mapping[str, float]
    load: Callable[[], History | None]


@dataclass(frozen=True)
class ArmRuns:
    """An arm's finished runs.

    ``data_hash`` is the DVC hash of the data (``<md5>.dir``) where known; ``arm_key`` identifies the parent: a hash of
    everything that the arm's runs share, training sizes excepted. ``params`` stand on the parent and on every child.
    ``curves`` maps a metric to the mean at each training size; None until the arm is complete.
    """

    arm: Arm
    dataset: str
    task: str
    data_hash: str | None
    arm_key: str
    params: Mapping[str, Any]
    commit: str | None
    runs: Sequence[PublishedRun]
    curves: Mapping[str, Mapping[int, float]] | None


@dataclass(frozen=True)
class Published:
    """What a publish did: runs created or completed, already there, lost in the ledger; the parent's MLflow run id."""

    created: int
    present: int
    lost: int
    seconds: float
    run_id: str


def publish(client: "MlflowClient", arm: ArmRuns, progress: Callable[[int, int], object] | None = None) -> Published:
    """Bring MLflow up to date with an arm's runs; ``progress`` is called with runs done and runs in all.

    Two publishers of one arm on two machines may both create a run; the second to end, or the next, deletes one.
    """
    began = time.monotonic()
    created = lost = 0
    experiment = _experiment(client, f"{arm.dataset}/{arm.task}")
    known = _settled(client, _entries(client, experiment, arm.arm), finished_only=False)
    parent = known.get(arm.arm_key) or _create_parent(client, experiment, arm)
    ends: dict[int, int] = {}
    for done, run in enumerate(arm.runs, start=1):
        entry = known.get(run.key)
        if entry and entry.info.status == "FINISHED":
            _adopt(client, parent, entry)
            ends[run.size] = max(entry.info.end_time or entry.info.start_time, ends.get(run.size, 0))
        elif history := run.load():
            ends[run.size] = max(_publish_run(client, parent, arm, run, entry, history), ends.get(run.size, 0))
            created += 1
        else:
            lost += 1
        if progress:
            progress(done, len(arm.runs))
    _finish_parent(client, parent, arm, ends, complete=arm.curves is not None and not lost)
    if created:
        parent = _reconcile(client, parent, arm)
    seconds = time.monotonic() - began
    return Published(created, len(arm.runs) - created - lost, lost, seconds, parent.info.run_id)


def _reconcile(client: "MlflowClient", parent: "Entry", arm: ArmRuns) -> "Entry":
    """Settle what another machine published meanwhile; the parent that is kept."""
    from mlflow.exceptions import MlflowException

    try:
        known = _settled(client, _entries(client, parent.info.experiment_id, arm.arm), finished_only=True)
        parent = known.get(arm.arm_key, parent)
        for run in arm.runs:
            if entry := known.get(run.key):
                _adopt(client, parent, entry)
    except MlflowException:  # both settle at once; all is published, and the next publish settles the rest
        return parent
    return parent


def _publish_run(
    client: "MlflowClient", parent: "Entry", arm: ArmRuns, run: PublishedRun, entry: "Entry | None", history: History
) -> int:
    """Create or complete a child; its end in epoch milliseconds."""
    undefined = sorted(f"test_{name}" for name, value in run.metrics.items() if not math.isfinite(value))
    if entry is None:
        tags = {**_tags(arm, history.provenance.get("commit") or arm.commit), RUN_KEY: run.key}
        tags |= {PARENT: parent.info.run_id} | ({"cytocurve.undefined": ", ".join(undefined)} if undefined else {})
        name = f"fold {run.fold}, n={run.size}, seed {run.seed}"
        started = _milliseconds(history.provenance.get("started"))
        entry = client.create_run(parent.info.experiment_id, started, tags, name)
    else:
        _adopt(client, parent, entry)
    end = _milliseconds(history.provenance.get("finished")) or entry.info.start_time
    points = [(f"test_{name}", value, 0) for name, value in run.metrics.items()]
    points.append(("epochs", float(len(history.losses)), 0))
    for name, losses in (("loss", history.losses), ("validation_loss", history.validation_losses)):
        points += [(name, loss, epoch) for epoch, loss in enumerate(losses, start=1)]
    shared = {**arm.params, "fold": run.fold, "size": run.size, "seed": run.seed}
    _log(client, entry, arm, shared, [(*point, end) for point in points])
    client.set_terminated(entry.info.run_id, "FINISHED", end)
    return end


def _create_parent(client: "MlflowClient", experiment: str, arm: ArmRuns) -> "Entry":
    tags = {**_tags(arm, arm.commit), ARM_KEY: arm.arm_key}
    return client.create_run(experiment, tags=tags, run_name=arm.arm.name)


def _finish_parent(
    client: "MlflowClient", parent: "Entry", arm: ArmRuns, ends: Mapping[int, int], *, complete: bool
) -> None:
    """Log the curves over training sizes; a point's time is the end of the last run of that size, so it never moves."""
    points = [
        (name, mean, size, ends.get(size) or parent.info.start_time)
        for name, curve in (arm.curves or {}).items()
        for size, mean in curve.items()
    ]
    _log(client, parent, arm, arm.params, points)
    if complete:
        end = max(parent.info.start_time, *ends.values())
        client.set_terminated(parent.info.run_id, "FINISHED", end)
    elif parent.info.status == "FINISHED":
        client.update_run(parent.info.run_id, "RUNNING")


def _log(
    client: "MlflowClient",
    entry: "Entry",
    arm: ArmRuns,
    params: Mapping[str, Any],
    points: Sequence[tuple[str, float, int, int]],
) -> None:
    """Log parameters, metrics (name, value, step, epoch milliseconds; finite ones only) and the dataset."""
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
    from mlflow.exceptions import MlflowException

    names = {"architecture": arm.arm.architecture, "augmentation": arm.arm.augmentation, "labels": arm.arm.labels}
    texts = [Param(name, str(value)) for name, value in (names | dict(params)).items()]
    metrics = [Metric(name, value, at, step) for name, value, step, at in points if math.isfinite(value)]
    for some_metrics, some_params in _batches(metrics, texts):
        client.log_batch(entry.info.run_id, some_metrics, some_params, synchronous=True)
    if arm.data_hash:
        dataset = Dataset(arm.dataset, arm.data_hash, source_type="dvc", source=f"data/{arm.dataset}")
        inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])]
        try:
            client.log_inputs(entry.info.run_id, inputs)
        except MlflowException as error:
            if error.error_code != "BAD_REQUEST":
                raise
            client.log_inputs(entry.info.run_id, inputs)  # another machine inserted the same row; now it is found


def _batches(
    metrics: "Sequence[Metric]", params: "Sequence[Param]"
) -> "Iterator[tuple[Sequence[Metric], Sequence[Param]]]":
    """As few calls as MLflow's limits allow: 100 parameters and 1,000 entries in all."""
    for number in range(max(math.ceil(len(metrics) / 900), math.ceil(len(params) / 100))):
        yield metrics[number * 900 : (number + 1) * 900], params[number * 100 : (number + 1) * 100]


def _tags(arm: ArmRuns, commit: str | None) -> dict[str, str]:
    tags = {
        "cytocurve.arm": arm.arm.name,
        "cytocurve.labels": arm.arm.labels,
        "cytocurve.data": arm.data_hash,
        "mlflow.source.name": "cytocurve",
        "mlflow.source.git.commit": commit,
    }
    return {name: value for name, value in tags.items() if value}


def _adopt(client: "MlflowClient", parent: "Entry", entry: "Entry") -> None:
    """Put a run that an earlier parent of this arm published below the present one."""
    if entry.data.tags.get(PARENT) != parent.info.run_id:
        client.set_tag(entry.info.run_id, PARENT, parent.info.run_id)


def _entries(client: "MlflowClient", experiment: str, arm: Arm) -> "list[Entry]":
    """All of an arm's runs in MLflow, parents included."""
    entries: dict[str, Entry] = {}  # by id: a page may repeat a run while another machine publishes
    token: str | None = None
    while token is None or token:
        found = client.search_runs(
            [experiment], f"tags.`cytocurve.arm` = '{arm.name}'", max_results=PAGE, page_token=token
        )
        entries |= {entry.info.run_id: entry for entry in found}
        token = found.token or ""
    return list(entries.values())


def _settled(client: "MlflowClient", entries: "Sequence[Entry]", *, finished_only: bool) -> "dict[str, Entry]":
    """The oldest run of each key, the others deleted.

    Machines that publish at once agree on the oldest by start time and id. One that has just published leaves
    RUNNING ones alone (``finished_only``): another machine may be logging to them, and settles them itself.
    """
    kept: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: (entry.info.start_time, entry.info.run_id)):
        key = entry.data.tags.get(RUN_KEY) or entry.data.tags.get(ARM_KEY) or entry.info.run_id
        if kept.setdefault(key, entry) is not entry and (not finished_only or entry.info.status == "FINISHED"):
            client.delete_run(entry.info.run_id)
    return kept


def _experiment(client: "MlflowClient", name: str) -> str:
    """The id of the experiment of that name, created where there is none."""
    from mlflow.exceptions import MlflowException

    if found := client.get_experiment_by_name(name):
        return str(found.experiment_id)
    database = client.tracking_uri.removeprefix("sqlite:///")
    local = database != client.tracking_uri
    artifacts = (Path(database).resolve().parent / "artifacts" / name).as_uri() if local else None
    try:
        return client.create_experiment(name, artifacts)
    except MlflowException:
        if found := client.get_experiment_by_name(name):  # another machine was faster
            return str(found.experiment_id)
        raise


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)
