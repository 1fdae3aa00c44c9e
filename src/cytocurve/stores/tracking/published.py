"""Read an arm's runs and scores back from the tracking store."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cytocurve.errors import InputError
from cytocurve.stores.tracking.experiments import ARM, ARM_KEY, LABELS, PARENT, RUN_KEY, TESTS

if TYPE_CHECKING:
    from mlflow.entities import Run as Entry
    from mlflow.tracking import MlflowClient

_PAGE = 1000


@dataclass(frozen=True)
class PublishedArm:
    """A parent run: name and label version of its arm, and the digest of its tests (None in old versions).

    ``runs`` has one dictionary per finished run: ``fold, size, seed`` and, by name, the ``scores`` that are defined.
    """

    arm: str
    labels: str
    tests: str | None
    runs: list[dict[str, Any]]


def published_arm(client: "MlflowClient", experiment: str, name: str) -> PublishedArm:
    """The arm with that name or parent run id; raises ``InputError`` unless there is exactly one."""
    entry = client.get_experiment_by_name(experiment)
    if entry is None:
        known = sorted(other.name for other in client.search_experiments() if other.name != "Default")
        raise InputError(f"MLflow has no experiment {experiment!r}", hint=f"Experiments: {', '.join(known) or 'none'}")
    parents = list(_runs(client, entry.experiment_id, f"tags.`{ARM_KEY}` LIKE '%'"))
    named = [parent for parent in parents if name in (parent.data.tags[ARM], parent.info.run_id)]
    # A study that is extended, for example by more seeds, moves its runs to a new parent and leaves an empty one.
    filled = {parent.info.run_id: (parent, runs) for parent in named if (runs := _finished(client, parent))}
    if len(filled) != 1:
        raise _not_one(experiment, name, [parent for parent, _ in filled.values()] or named, parents)
    ((parent, runs),) = filled.values()
    tags = parent.data.tags
    return PublishedArm(tags[ARM], tags[LABELS], tags.get(TESTS), runs)


def published_keys(client: "MlflowClient", dataset: str) -> set[str]:
    """The run keys of all runs in the experiments of a dataset, whatever their task; deleted runs do not count."""
    experiments = [entry for entry in client.search_experiments() if entry.name.startswith(f"{dataset}/")]
    return {
        run.data.tags[RUN_KEY]
        for entry in experiments
        for run in _runs(client, entry.experiment_id, f"tags.`{RUN_KEY}` LIKE '%'")
    }


def _finished(client: "MlflowClient", parent: "Entry") -> list[dict[str, Any]]:
    children = _runs(client, parent.info.experiment_id, f"tags.`{PARENT}` = '{parent.info.run_id}'")
    return [_run(child) for child in children if child.info.status == "FINISHED"]


def _runs(client: "MlflowClient", experiment: str, wanted: str) -> "Iterator[Entry]":
    token: str | None = None
    while token is None or token:
        page = client.search_runs([experiment], wanted, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token or ""


def _run(entry: "Entry") -> dict[str, Any]:
    scores = {
        name.removeprefix("test_"): value for name, value in entry.data.metrics.items() if name.startswith("test_")
    }
    return {name: int(entry.data.params[name]) for name in ("fold", "size", "seed")} | {"scores": scores}


def _not_one(experiment: str, name: str, named: "list[Entry]", parents: "list[Entry]") -> InputError:
    """The error for a name that matches no parent with finished runs, or several."""
    if not named:
        arms = ", ".join(sorted({parent.data.tags[ARM] for parent in parents})) or "none"
        return InputError(f"MLflow's experiment {experiment!r} has no arm {name!r}", hint=f"Arms: {arms}")
    if len(named) == 1:
        return InputError(f"MLflow has no finished runs of {name!r}", next_step="cytocurve publish")
    choices = [f"mlflow:{experiment}:{parent.info.run_id}  ({_describe(parent)})" for parent in named]
    return InputError(f"MLflow has {name!r} from several studies; use one of these names:", choices)


def _describe(entry: "Entry") -> str:
    started = datetime.fromtimestamp(entry.info.start_time / 1000, UTC)
    commit, data = (entry.data.tags.get(tag, "unknown") for tag in ("mlflow.source.git.commit", "cytocurve.data"))
    return f"started {started:%Y-%m-%d %H:%M} UTC, commit {commit[:7]}, data {data}"
