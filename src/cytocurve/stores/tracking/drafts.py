"""Runs as MLflow stores them, created through MLflow's client."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import Metric, Param
    from mlflow.tracking import MlflowClient

Point = tuple[str, float, int, int]
"""A metric's name, value, time (epoch milliseconds) and step."""


@dataclass(frozen=True)
class Data:
    """A dataset as MLflow stores it; a digest has at most 36 characters."""

    name: str
    digest: str
    source: str


@dataclass(frozen=True)
class Draft:
    """A finished run to create; ``started`` and ``ended`` are epoch milliseconds, and all metric values are finite."""

    name: str
    started: int
    ended: int
    tags: Mapping[str, str]
    params: Mapping[str, str]
    points: Sequence[Point]
    data: Data | None


def create(client: "MlflowClient", experiment: str, draft: Draft) -> None:
    """Create the run; its status becomes FINISHED after everything else is stored."""
    entry = client.create_run(experiment, draft.started, dict(draft.tags), draft.name)
    complete(client, entry.info.run_id, draft)


def complete(client: "MlflowClient", run_id: str, draft: Draft) -> None:
    """Complete an existing run: log everything that may be missing and mark it as FINISHED."""
    log(client, run_id, draft.params, draft.points, draft.data)
    client.set_terminated(run_id, "FINISHED", draft.ended)


def log(
    client: "MlflowClient", run_id: str, params: Mapping[str, str], points: Sequence[Point], data: Data | None
) -> None:
    """Log parameters, metrics and the dataset; existing entries are not duplicated."""
    from mlflow.entities import Metric, Param

    metrics = [Metric(*point) for point in points]
    for some_metrics, some_params in _batches(metrics, [Param(*item) for item in params.items()]):
        client.log_batch(run_id, some_metrics, some_params, synchronous=True)
    if data:
        _log_data(client, run_id, data)


def _batches(
    metrics: "Sequence[Metric]", params: "Sequence[Param]"
) -> "Iterator[tuple[Sequence[Metric], Sequence[Param]]]":
    """Split into as few calls as MLflow allows: at most 100 parameters and 1,000 entries in total per call."""
    for number in range(max(math.ceil(len(metrics) / 900), math.ceil(len(params) / 100))):
        yield metrics[number * 900 : (number + 1) * 900], params[number * 100 : (number + 1) * 100]


def _log_data(client: "MlflowClient", run_id: str, data: Data) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.exceptions import MlflowException

    dataset = Dataset(data.name, data.digest, source_type="dvc", source=data.source)
    inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])]
    try:
        client.log_inputs(run_id, inputs)
    except MlflowException as error:
        if error.error_code != "BAD_REQUEST":
            raise
        client.log_inputs(run_id, inputs)  # another machine inserted the same row; it exists now
