"""Bulk inserts that bypass MLflow's client create the same runs as the client."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cytocurve.errors import ServiceError
from cytocurve.stores.tracking.bulk import bulk_writer
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.drafts import Data, Draft, create
from tests.stores.tracking.mlflow_makers import DATA_HASH, local_uri

pytestmark = pytest.mark.slow

DRAFT = Draft(
    name="fold 0, n=10, seed 0",
    started=1_700_000_000_123,
    ended=1_700_000_060_456,
    tags={"cytocurve.run_key": "0a", "cytocurve.arm": "sequential-none-expert"},
    params={"optimizer": "rmsprop", "size": "10"},
    points=[("epochs", 3.0, 5, 0), *(("loss", 1 / epoch, 5, epoch) for epoch in (1, 2, 3)), ("test_f1", 0.5, 5, 0)],
    data=Data("starter", DATA_HASH, "data/starter"),
)
BARE = Draft("bare", 1, 2, {}, {}, [], None)
TABLES = ("runs", "tags", "params", "metrics", "latest_metrics")


def _by_both_ways(folder: Path, draft: Draft) -> list[str]:
    """The ids of the two runs: by MLflow's client and by its tables."""
    with connected(local_uri(folder), folder / "lock") as client:
        experiment = client.get_experiment(client.create_experiment("both"))
        result: list[str] = []
        with bulk_writer(local_uri(folder), experiment) as write:
            by_client: Callable[[], None] = lambda: create(client, experiment.experiment_id, draft)  # noqa: E731
            for way in (by_client, lambda: write(draft)):
                way()
                runs = client.search_runs([experiment.experiment_id])
                result += [run.info.run_id for run in runs if run.info.run_id not in result]
    return result


def _rows(folder: Path, run_id: str) -> dict[str, Any]:
    """Everything about a run in the tables of the store, without its id."""
    with sqlite3.connect(folder / "mlruns" / "mlflow.db") as database:
        database.row_factory = sqlite3.Row
        rows: dict[str, Any] = {
            table: database.execute(f"SELECT * FROM {table} WHERE run_uuid = ?", [run_id]).fetchall()  # noqa: S608
            for table in TABLES
        }
        rows["inputs"] = database.execute(
            "SELECT i.source_type, i.destination_type, i.step, d.*, t.name AS tag, t.value FROM inputs i "
            "JOIN datasets d ON d.dataset_uuid = i.source_id JOIN input_tags t USING (input_uuid) "
            "WHERE destination_id = ?",
            [run_id],
        ).fetchall()
    return {
        table: sorted(str({key: str(row[key]).replace(run_id, "ID") for key in row.keys()}) for row in result)  # noqa: SIM118
        for table, result in rows.items()
    }


@pytest.mark.parametrize("draft", [DRAFT, BARE])
def test_bulk_insert_creates_the_same_run_as_the_client(draft: Draft, tmp_path: Path) -> None:
    """Every column of every table that a run touches is the same either way."""
    by_client, by_tables = _by_both_ways(tmp_path, draft)
    assert _rows(tmp_path, by_tables) == _rows(tmp_path, by_client)
    assert len(_rows(tmp_path, by_tables)["metrics"]) == len(draft.points)
    assert len(_rows(tmp_path, by_tables)["inputs"]) == bool(draft.data)


def test_run_rejected_by_the_store_is_reported_and_leaves_nothing(tmp_path: Path) -> None:
    """A run is stored completely or not at all: after an error, the store contains no part of it."""
    broken = Draft("broken", 1, 2, {"a": "b"}, {}, [("loss", 1.0, 5, 1)] * 2, None)
    with (
        pytest.raises(ServiceError, match="could not be used"),
        connected(local_uri(tmp_path), tmp_path / "lock") as client,
        bulk_writer(local_uri(tmp_path), client.get_experiment("0")) as write,
    ):
        write(broken)
    with connected(local_uri(tmp_path), tmp_path / "lock") as client:
        assert not client.search_runs(["0"])
