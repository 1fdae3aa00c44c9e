"""Publish an arm's finished runs to MLflow. Runs are identified by run key, so that publishing is idempotent.

An arm is a parent run, and each of its runs is a child. A child becomes FINISHED after everything else is logged; a
child left behind by a killed process is still RUNNING, and the next :func:`publish` completes it.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cytocurve.core.runs import Arm
from cytocurve.stores.tracking.bulk import bulk_writer, set_start
from cytocurve.stores.tracking.drafts import Data, Draft, complete, create, log

if TYPE_CHECKING:
    from mlflow.entities import Experiment
    from mlflow.entities import Run as Entry
    from mlflow.tracking import MlflowClient

RUN_KEY, ARM_KEY, PARENT = "cytocurve.run_key", "cytocurve.arm_key", "mlflow.parentRunId"
ARM, LABELS, TESTS = "cytocurve.arm", "cytocurve.labels", "cytocurve.tests"
PAGE = 100
KIND, KIND_OF_MODELS = "mlflow.experimentKind", "custom_model_development"
"""The tag by which MLflow's pages open an experiment in the view for model training, not for GenAI."""
CHANGED = "+changed"
"""Follows a commit in provenance if tracked files differed from it."""


class History(Protocol):
    """The history of a finished run; ``provenance`` has ``started``, ``finished`` (epoch seconds) and ``commit``."""

    @property
    def losses(self) -> tuple[float, ...]:
        """Training loss, one per epoch."""

    @property
    def validation_losses(self) -> tuple[float, ...]:
        """Validation loss, one per epoch."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Times, packages, host and commit."""


@dataclass(frozen=True)
class PublishedRun:
    """A run to publish; ``load`` is called only if MLflow lacks the run, and returns None if the ledger lost it."""

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
    everything that the arm's runs share except training sizes. ``params`` are logged for the parent and every child.
    ``curves`` maps a metric to the mean at each training size; None until the arm is complete. ``tests`` is the digest
    of the test images with their folds and labels: arms are comparable if it is equal.
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
    tests: str | None = None


@dataclass(frozen=True)
class Published:
    """Counts of runs created or completed, already present, and lost from the ledger; the parent's MLflow run id."""

    created: int
    present: int
    lost: int
    seconds: float
    run_id: str


def publish(client: "MlflowClient", arm: ArmRuns, progress: Callable[[int, int], object] | None = None) -> Published:
    """Bring MLflow up to date with an arm's runs; ``progress`` is called with the number of runs done and their total.

    If two machines publish the same arm, both may create a run; the one that finishes last, or the next publish,
    deletes the duplicate.
    """
    began = time.monotonic()
    created = lost = 0
    experiment = _experiment(client, f"{arm.dataset}/{arm.task}")
    known = _settled(client, _entries(client, experiment.experiment_id, arm.arm), finished_only=False)
    parent = known.get(arm.arm_key) or _create_parent(client, experiment.experiment_id, arm, _start(arm, known))
    starts: list[int] = []
    ends: dict[int, int] = {}
    with _writer(client, experiment) as write:
        for done, run in enumerate(arm.runs, start=1):
            entry = known.get(run.key)
            if entry and entry.info.status == "FINISHED":
                _adopt(client, parent, entry)
                _rename(client, entry, _name(arm, run))
                starts.append(entry.info.start_time)
                ends[run.size] = max(entry.info.end_time or entry.info.start_time, ends.get(run.size, 0))
            elif history := run.load():
                draft = _draft(arm, parent, run, history, entry)
                if entry is None:
                    write(draft)
                else:
                    _adopt(client, parent, entry)
                    _rename(client, entry, draft.name)
                    complete(client, entry.info.run_id, draft)
                starts.append(draft.started)
                ends[run.size] = max(draft.ended, ends.get(run.size, 0))
                created += 1
            else:
                lost += 1
            if progress:
                progress(done, len(arm.runs))
    parent = _started(client, parent, starts)
    _finish_parent(client, parent, arm, ends, complete=arm.curves is not None and not lost)
    if created and not _is_local(client):  # a local store has only one publisher at a time
        parent = _reconcile(client, parent, arm)
    seconds = time.monotonic() - began
    return Published(created, len(arm.runs) - created - lost, lost, seconds, parent.info.run_id)


@contextmanager
def _writer(client: "MlflowClient", experiment: "Experiment") -> Iterator[Callable[[Draft], None]]:
    """A callable that adds a run to the tables of a local store, or through a server's API."""
    if _is_local(client):
        with bulk_writer(client.tracking_uri, experiment) as write:
            yield write
    else:
        yield partial(create, client, experiment.experiment_id)


def _is_local(client: "MlflowClient") -> bool:
    return str(client.tracking_uri).startswith("sqlite:")


def _reconcile(client: "MlflowClient", parent: "Entry", arm: ArmRuns) -> "Entry":
    """Remove duplicates that another machine published meanwhile; returns the parent that is kept."""
    from mlflow.exceptions import MlflowException

    try:
        known = _settled(client, _entries(client, parent.info.experiment_id, arm.arm), finished_only=True)
        parent = known.get(arm.arm_key, parent)
        for run in arm.runs:
            if entry := known.get(run.key):
                _adopt(client, parent, entry)
    except MlflowException:  # another machine is doing the same; the next publish removes the rest
        return parent
    return parent


def _draft(arm: ArmRuns, parent: "Entry", run: PublishedRun, history: History, entry: "Entry | None") -> Draft:
    """A child run; without recorded times, it starts when it is published or was created."""
    times = {name: int(seconds * 1000) for name in ("started", "finished") if (seconds := history.provenance.get(name))}
    started = entry.info.start_time if entry else times.get("started", int(time.time() * 1000))
    ended = times.get("finished", started)
    undefined = sorted(f"test_{name}" for name, value in run.metrics.items() if not math.isfinite(value))
    tags = {**_tags(arm, history.provenance.get("commit") or arm.commit), RUN_KEY: run.key, PARENT: parent.info.run_id}
    return Draft(
        name=_name(arm, run),
        started=started,
        ended=ended,
        tags=tags | ({"cytocurve.undefined": ", ".join(undefined)} if undefined else {}),
        params=_params(arm) | {"fold": str(run.fold), "size": str(run.size), "seed": str(run.seed)},
        points=[(name, value, ended, step) for name, value, step in _values(run, history) if math.isfinite(value)],
        data=_data(arm),
    )


def _name(arm: ArmRuns, run: PublishedRun) -> str:
    return f"{arm.arm.name}, fold {run.fold}, n={run.size}, seed {run.seed}"


def _rename(client: "MlflowClient", entry: "Entry", name: str) -> None:
    """Give a run of an earlier version, or of an arm with another name, its present name."""
    if entry.info.run_name != name:
        client.update_run(entry.info.run_id, name=name)


def _values(run: PublishedRun, history: History) -> Iterator[tuple[str, float, int]]:
    """Name, value and step of a child's metrics."""
    yield from ((f"test_{name}", value, 0) for name, value in run.metrics.items())
    yield "epochs", float(len(history.losses)), 0
    for name, losses in (("loss", history.losses), ("validation_loss", history.validation_losses)):
        yield from ((name, loss, epoch) for epoch, loss in enumerate(losses, start=1))


def _start(arm: ArmRuns, known: "Mapping[str, Entry]") -> int | None:
    """The earliest start of the runs, so that the parent lasts as long as they do."""
    published = [known[run.key].info.start_time for run in arm.runs if run.key in known]
    unpublished = [
        history.provenance.get("started") for run in arm.runs if run.key not in known and (history := run.load())
    ]
    return min([*published, *(int(seconds * 1000) for seconds in unpublished if seconds)], default=None)


def _started(client: "MlflowClient", parent: "Entry", starts: Sequence[int]) -> "Entry":
    """The parent, which starts no later than its runs; a server cannot change the start of an existing run."""
    if not _is_local(client) or parent.info.start_time <= min(starts, default=parent.info.start_time):
        return parent
    set_start(client.tracking_uri, parent.info.run_id, min(starts))
    return client.get_run(parent.info.run_id)


def _create_parent(client: "MlflowClient", experiment: str, arm: ArmRuns, started: int | None) -> "Entry":
    tags = {**_tags(arm, arm.commit), ARM_KEY: arm.arm_key}
    parent = client.create_run(experiment, started, tags, run_name=arm.arm.name)
    log(client, parent.info.run_id, _params(arm), [], _data(arm))
    return parent


def _finish_parent(
    client: "MlflowClient", parent: "Entry", arm: ArmRuns, ends: Mapping[int, int], *, complete: bool
) -> None:
    """Log the curves over training sizes; a point's timestamp is the end of its size's last run, so it is stable."""
    if arm.tests and parent.data.tags.get(TESTS) != arm.tests:
        client.set_tag(parent.info.run_id, TESTS, arm.tests)
    points = [
        (name, mean, ends.get(size) or parent.info.start_time, size)
        for name, curve in (arm.curves or {}).items()
        for size, mean in curve.items()
        if math.isfinite(mean)
    ]
    if points:
        log(client, parent.info.run_id, _params(arm), points, _data(arm))
    if complete:
        end = max(parent.info.start_time, *ends.values())
        client.set_terminated(parent.info.run_id, "FINISHED", end)
    elif parent.info.status == "FINISHED":
        client.update_run(parent.info.run_id, "RUNNING")


def _params(arm: ArmRuns) -> dict[str, str]:
    names = {"architecture": arm.arm.architecture, "augmentation": arm.arm.augmentation, "labels": arm.arm.labels}
    return {name: str(value) for name, value in (names | dict(arm.params)).items()}


def _data(arm: ArmRuns) -> Data | None:
    return Data(arm.dataset, arm.data_hash, f"data/{arm.dataset}") if arm.data_hash else None


def _tags(arm: ArmRuns, commit: str | None) -> dict[str, str]:
    tags = {
        ARM: arm.arm.name,
        LABELS: arm.arm.labels,
        TESTS: arm.tests,
        "cytocurve.data": arm.data_hash,
        "mlflow.source.name": "cytocurve",
        **_source(commit),
    }
    return {name: value for name, value in tags.items() if value}


def _source(commit: str | None) -> dict[str, str | None]:
    """The commit as MLflow expects it; tags and the description report uncommitted changes."""
    if not commit or not commit.endswith(CHANGED):
        return {"mlflow.source.git.commit": commit}
    clean = commit.removesuffix(CHANGED)
    return {
        "mlflow.source.git.commit": clean,
        "mlflow.source.git.dirty": "true",
        "cytocurve.uncommitted": "true",
        "mlflow.note.content": f"Trained with uncommitted changes: commit {clean} alone does not reproduce this run.",
    }


def _adopt(client: "MlflowClient", parent: "Entry", entry: "Entry") -> None:
    """Make a run that was published under another parent a child of this one."""
    if entry.data.tags.get(PARENT) != parent.info.run_id:
        client.set_tag(entry.info.run_id, PARENT, parent.info.run_id)


def _entries(client: "MlflowClient", experiment: str, arm: Arm) -> "list[Entry]":
    """All runs of an arm in MLflow, including parents."""
    entries: dict[str, Entry] = {}  # by id, since pages may repeat a run while another machine publishes
    token: str | None = None
    while token is None or token:
        page = client.search_runs(
            [experiment], f"tags.`cytocurve.arm` = '{arm.name}'", max_results=PAGE, page_token=token
        )
        entries |= {entry.info.run_id: entry for entry in page}
        token = page.token or ""
    return list(entries.values())


def _settled(client: "MlflowClient", entries: "Sequence[Entry]", *, finished_only: bool) -> "dict[str, Entry]":
    """The oldest run of each key; deletes the others.

    Start time and id decide, so that concurrent publishers agree. With ``finished_only``, RUNNING runs are not deleted,
    since another machine may still be logging to them.
    """
    kept: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: (entry.info.start_time, entry.info.run_id)):
        key = entry.data.tags.get(RUN_KEY) or entry.data.tags.get(ARM_KEY) or entry.info.run_id
        if kept.setdefault(key, entry) is not entry and (not finished_only or entry.info.status == "FINISHED"):
            client.delete_run(entry.info.run_id)
    return kept


def _experiment(client: "MlflowClient", name: str) -> "Experiment":
    """The experiment of that name, created if missing."""
    from mlflow.exceptions import MlflowException

    if existing := client.get_experiment_by_name(name):
        if KIND not in existing.tags:  # a kind that a person has chosen stays
            client.set_experiment_tag(existing.experiment_id, KIND, KIND_OF_MODELS)
        return existing
    database = Path(client.tracking_uri.removeprefix("sqlite:///"))
    artifacts = (database.resolve().parent / "artifacts" / name).as_uri() if _is_local(client) else None
    try:
        return client.get_experiment(client.create_experiment(name, artifacts, {KIND: KIND_OF_MODELS}))
    except MlflowException:
        if existing := client.get_experiment_by_name(name):  # another machine has just created it
            return existing
        raise
