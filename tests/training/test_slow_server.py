"""A tracking server that sends a byte now and then does not keep a command from finishing."""

import time
from pathlib import Path
from threading import Event

import pytest

from cytocurve.api import Project
from cytocurve.errors import InputError, ServiceError
from cytocurve.stores.tracking import connection
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.limits import within
from cytocurve.training import publisher
from cytocurve.training.publisher import Publisher
from tests.faults.harness import slow_server
from tests.projects import cytocurve, make_project

pytestmark = pytest.mark.slow


def test_call_times_out_at_its_limit() -> None:
    assert within(5, lambda: 3) == 3
    assert within(0.1, lambda: time.sleep(2)) is None
    with pytest.raises(ValueError, match="invalid literal"):
        within(5, lambda: int("x"))


def test_server_that_trickles_bytes_counts_as_unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PROBE_SECONDS", 1.0)
    began = time.monotonic()
    with (
        slow_server() as uri,
        pytest.raises(ServiceError, match=r"not answered completely within 1 s"),
        connected(uri, tmp_path / "lock"),
    ):
        pass
    assert time.monotonic() - began < 30


def test_publishing_stops_at_its_time_limit_with_one_warning_for_all_arms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path / "project", sizes=[4], augmentations=["none", "flip_rotate"])
    assert [cytocurve(root, stage).returncode for stage in ("catalog", "split")] == [0, 0]
    monkeypatch.setattr(publisher, "PATIENCE_PER_RUN", 0.0)
    said: list[str] = []
    gave_up = Event()
    with slow_server() as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        project = Project(root)
        began = time.monotonic()
        outcomes = [
            Publisher(project.paths, design, said.append, gave_up, patience=1.0).finish()
            for design in project._designs([])
        ]
        monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert time.monotonic() - began < 20
    assert [outcome["published"] for outcome in outcomes] == [None, None]
    assert "was not finished 1 s after training" in said[0]
    assert "was skipped" in said[1]
    assert all("cytocurve publish" in message for message in said)


@pytest.mark.parametrize(
    "uri", ["http://user:se/cret@host", "http://user:se?cret@host", "http://[user:secret@host", "x"]
)
def test_malformed_uri_is_rejected_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    root = make_project(tmp_path / "project", sizes=[4])
    assert [cytocurve(root, stage).returncode for stage in ("catalog", "split")] == [0, 0]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    project = Project(root)
    (design,) = project._designs([])
    with pytest.raises(InputError, match="MLFLOW_TRACKING_URI") as caught:
        Publisher(project.paths, design, print)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert "cret" not in str(caught.value)


def test_blank_uri_means_the_local_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for blank in ("", "  ", "\t"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", blank)
        assert Project(tmp_path).paths.tracking_uri == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
        monkeypatch.delenv("MLFLOW_TRACKING_URI")
