"""Insert finished runs into a local store, one transaction per run.

MLflow's client takes about 40 ms of CPU time for a run with its losses, on cores that are needed for training;
inserting the same rows into its tables takes 5 ms. A contract test checks that both ways create the same run.
"""

import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from cytocurve.stores.tracking.drafts import Data, Draft

if TYPE_CHECKING:
    from mlflow.entities import Experiment
    from sqlalchemy.orm import Session

Rows = list[dict[str, Any]]


@contextmanager
def bulk_writer(tracking_uri: str, experiment: "Experiment") -> Iterator[Callable[[Draft], None]]:
    """A callable that adds a run to an experiment of a SQLite store; raises ``MlflowException`` on failure."""
    with _session(tracking_uri) as session:
        yield partial(_add, session, experiment, {})


def set_start(tracking_uri: str, run_id: str, started: int) -> None:
    """Set a run's start (epoch milliseconds), which MLflow's client cannot; raises ``MlflowException`` on failure."""
    from mlflow.store.tracking.dbmodels.models import SqlRun
    from sqlalchemy import update

    with _session(tracking_uri) as session, session.begin():
        session.execute(update(SqlRun).where(SqlRun.run_uuid == run_id).values(start_time=started))


@contextmanager
def _session(tracking_uri: str) -> "Iterator[Session]":
    from mlflow.exceptions import MlflowException
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

    engine = create_engine(tracking_uri)
    event.listen(engine, "connect", _prepare)
    try:
        with Session(engine) as session:
            yield session
    except SQLAlchemyError as error:
        raise MlflowException(str(error)) from error
    finally:
        engine.dispose()


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    """Wait for other writers, and sync the log only occasionally.

    After a crash of the machine the last runs may be missing; the next publish adds them again.
    """
    for pragma in ("foreign_keys = ON", "busy_timeout = 20000", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _add(session: "Session", experiment: "Experiment", datasets: dict[Data, str], draft: Draft) -> None:
    """Add a run; ``datasets`` remembers the ids of datasets between calls."""
    from mlflow.store.tracking.dbmodels import models
    from sqlalchemy import insert

    run_id, link = uuid.uuid4().hex, uuid.uuid4().hex
    tables: list[tuple[Any, Rows]] = [
        (models.SqlRun, [_run(run_id, experiment, draft)]),
        (models.SqlTag, _pairs(run_id, {**draft.tags, "mlflow.runName": draft.name})),
        (models.SqlParam, _pairs(run_id, draft.params)),
        (models.SqlMetric, [_metric(run_id, *point) for point in draft.points]),
        (models.SqlLatestMetric, _latest(run_id, draft)),
    ]
    with session.begin():
        if draft.data:
            dataset = datasets.get(draft.data) or _dataset(session, int(experiment.experiment_id), draft.data)
            tables += [
                (models.SqlInput, [_link(link, run_id, dataset)]),
                (models.SqlInputTag, [{"input_uuid": link, "name": "mlflow.data.context", "value": "training"}]),
            ]
        for table, rows in tables:
            if rows:
                session.execute(insert(table.__table__), rows)
    if draft.data:
        datasets[draft.data] = dataset


def _run(run_id: str, experiment: "Experiment", draft: Draft) -> dict[str, Any]:
    return {
        "run_uuid": run_id,
        "name": draft.name,
        "experiment_id": int(experiment.experiment_id),
        "user_id": "unknown",
        "status": "FINISHED",
        "start_time": draft.started,
        "end_time": draft.ended,
        "artifact_uri": f"{experiment.artifact_location}/{run_id}/artifacts",
        "source_type": "UNKNOWN",
        "source_name": "",
        "source_version": "",
        "entry_point_name": "",
    }


def _pairs(run_id: str, values: Mapping[str, str]) -> Rows:
    return [{"run_uuid": run_id, "key": key, "value": value} for key, value in values.items()]


def _metric(run_id: str, name: str, value: float, at: int, step: int) -> dict[str, Any]:
    return {"run_uuid": run_id, "key": name, "value": value, "timestamp": at, "step": step, "is_nan": False}


def _latest(run_id: str, draft: Draft) -> Rows:
    """The last point of each metric."""
    last = {point[0]: point for point in sorted(draft.points, key=lambda point: point[3])}
    return [_metric(run_id, *point) for point in last.values()]


def _dataset(session: "Session", experiment: int, data: Data) -> str:
    """The id of the experiment's dataset, added if it is new."""
    from mlflow.store.tracking.dbmodels.models import SqlDataset
    from sqlalchemy import select

    known = {"experiment_id": experiment, "name": data.name, "digest": data.digest}
    existing = session.scalar(select(SqlDataset.dataset_uuid).filter_by(**known))
    if existing:
        return str(existing)
    new = SqlDataset(**known, dataset_uuid=uuid.uuid4().hex, dataset_source_type="dvc", dataset_source=data.source)
    session.add(new)
    session.flush()
    return str(new.dataset_uuid)


def _link(link: str, run_id: str, dataset: str) -> dict[str, Any]:
    return {
        "input_uuid": link,
        "source_type": "DATASET",
        "source_id": dataset,
        "destination_type": "RUN",
        "destination_id": run_id,
    }
