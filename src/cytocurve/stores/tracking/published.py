"""Reads an arm's runs and scores back from the tracking store."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cytocurve.errors import InputError
from cytocurve.stores.tracking.experiments import ARM, ARM_KEY, LABELS, PARENT, TESTS

if TYPE_CHECKING:
    from mlflow.entities import Run as Entry
    from mlflow.tracking import MlflowClient

_PAGE = 1000


@dataclass(frozen=True)
class PublishedArm:
    """A parent run: its arm's name and label version, the digest of its tests (None if published before there was one).

    ``runs`` has one dictionary per finished run: ``fold, size, seed`` and, by name, the ``scores`` that are defined.
    """

    arm: str
    labels: str
    tests: str | None
    runs: list[dict[str, Any]]


def published_arm(client: "MlflowClient", experiment: str, name: str) -> PublishedArm:
    """The arm of that name, or whose parent run has that id; raises ``InputError`` if there is none."""
    found = client.get_experiment_by_name(experiment)
    if found is None:
        known = sorted(each.name for each in client.search_experiments() if each.name != "Default")
        raise InputError(f"MLflow has no experiment {experiment!r}", hint=f"Experiments: {', '.join(known) or 'none'}")
    parents = list(_runs(client, found.experiment_id, f"tags.`{ARM_KEY}` LIKE '%'"))
    named = [each for each in parents if name in (each.data.tags[ARM], each.info.run_id)]
    # A study that goes on as another one, with more seeds say, takes its runs along and leaves an empty parent.
    filled = {each.info.run_id: (each, runs) for each in named if (runs := _finished(client, each))}
    if len(filled) != 1:
        raise _not_one(experiment, name, [each for each, _ in filled.values()] or named, parents)
    ((parent, runs),) = filled.values()
    tags = parent.data.tags
    return PublishedArm(tags[ARM], tags[LABELS], tags.get(TESTS), runs)


def _finished(client: "MlflowClient", parent: "Entry") -> list[dict[str, Any]]:
    children = _runs(client, parent.info.experiment_id, f"tags.`{PARENT}` = '{parent.info.run_id}'")
    return [_run(each) for each in children if each.info.status == "FINISHED"]


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
    """What is wrong with a name that no parent run with finished runs has, or several."""
    if not named:
        arms = ", ".join(sorted({each.data.tags[ARM] for each in parents})) or "none"
        return InputError(f"MLflow's experiment {experiment!r} has no arm {name!r}", hint=f"Arms: {arms}")
    if len(named) == 1:
        return InputError(f"MLflow has no finished run of {name!r}", next_step="cytocurve publish")
    choices = [f"mlflow:{experiment}:{parent.info.run_id}  ({_describe(parent)})" for parent in named]
    return InputError(f"MLflow has {name!r} from several studies; name one of these:", choices)


def _describe(entry: "Entry") -> str:
    begun = datetime.fromtimestamp(entry.info.start_time / 1000, UTC)
    commit, data = (entry.data.tags.get(tag, "unknown") for tag in ("mlflow.source.git.commit", "cytocurve.data"))
    return f"started {begun:%Y-%m-%d %H:%M} UTC, commit {commit[:7]}, data {data}"
