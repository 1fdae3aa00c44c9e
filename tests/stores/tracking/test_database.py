"""The file of the local store is created or upgraded completely or not at all, despite kills, full disks and damage."""

import logging
import os
import random
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from cytocurve.errors import ServiceError
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.database import prepare
from tests.makers import copy_tracking_store
from tests.stores.tracking.mlflow_makers import local_uri

pytestmark = pytest.mark.slow

EARLIER = "6953534de441"
"""A schema revision of an earlier MLflow."""


def store(folder: Path) -> Path:
    """A complete and empty store."""
    folder.mkdir(exist_ok=True)
    copy_tracking_store(folder / "mlruns")
    return folder / "mlruns" / "mlflow.db"


def half_made(folder: Path) -> Path:
    """A store whose tables are ahead of its revision, as a killed migration leaves it, so that it cannot run again."""
    database = store(folder)
    change(database, f"UPDATE alembic_version SET version_num = '{EARLIER}'")  # noqa: S608
    return database


def change(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def add_run(database: Path) -> None:
    change(database, "INSERT INTO runs (run_uuid, experiment_id) VALUES ('abc', 0)")


def old_store(database: Path) -> None:
    """A store as an earlier MLflow made it."""
    from alembic import command
    from mlflow.store.db import utils
    from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase

    database.parent.mkdir(exist_ok=True)
    engine = utils.create_sqlalchemy_engine(f"sqlite:///{database}")  # type: ignore[no-untyped-call]
    InitialBase.metadata.create_all(engine)
    with engine.begin() as connection:
        config = utils._get_alembic_config(str(engine.url))  # type: ignore[no-untyped-call]
        config.attributes["connection"] = connection
        command.upgrade(config, EARLIER)
    engine.dispose()


def contents(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def revision(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def current(tmp_path: Path) -> str:
    return revision(store(tmp_path / "another"))


def experiments(folder: Path) -> list[str]:
    with connected(local_uri(folder), folder / "lock") as client:
        return [entry.name for entry in client.search_experiments()]


def names(database: Path) -> set[str]:
    return {path.name for path in database.parent.iterdir()} - {f"mlflow.db{end}" for end in ("-wal", "-shm", ".lock")}


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from cytocurve.stores.tracking import database as module

database = Path(sys.argv[1])
moments = random.Random(7)
module._head(), module._expected()
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if not child:
        module.prepare(database)
        os._exit(0)
    time.sleep(moments.uniform(0, float(sys.argv[3])))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    tables, version = module._schema(database)
    assert version in {None, module._head(), "6953534de441"}, version
    assert version != module._head() or module._expected() <= tables
    assert version or not tables, tables
"""


@pytest.mark.parametrize("earlier", [False, True], ids=["made", "upgraded"])
def test_store_is_complete_or_unchanged_whenever_the_process_is_killed(tmp_path: Path, earlier: bool) -> None:
    database = tmp_path / "mlruns" / "mlflow.db"
    if earlier:
        old_store(database)
        add_run_of_old(database)
    script(KILLED, str(database), "8", "1.2")
    assert experiments(tmp_path) == ["Default"]
    assert names(database) == {"mlflow.db"}
    if earlier:
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("SELECT run_uuid FROM runs").fetchall() == [("abc",)]


def add_run_of_old(database: Path) -> None:
    change(
        database,
        "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (0, 'Default', 'active')",
        "INSERT INTO runs (run_uuid, experiment_id, lifecycle_stage) VALUES ('abc', 0, 'active')",
    )


def script(code: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), *arguments],
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


CONNECT = """
import sys
from pathlib import Path
from cytocurve.stores.tracking.connection import connected

with connected(sys.argv[1], Path("lock")) as client:
    assert [entry.name for entry in client.search_experiments()] == ["Default"]
"""


def test_concurrent_processes_replace_a_half_created_store_once(tmp_path: Path) -> None:
    database = half_made(tmp_path)
    command = [sys.executable, "-c", CONNECT, local_uri(tmp_path)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) for _ in range(2)]
    errors = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert names(database) == {"mlflow.db", "mlflow.db.incomplete-1"}


def test_half_created_store_without_runs_is_set_aside_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("cytocurve"), "propagate", True)
    database = half_made(tmp_path)
    assert experiments(tmp_path) == ["Default"]
    assert revision(database) == current(tmp_path)
    assert revision(database.with_name("mlflow.db.incomplete-1")) == EARLIER
    (message,) = caplog.messages
    assert str(database) in message
    assert "mlflow.db.incomplete-1" in message


@pytest.mark.parametrize(
    "statements",
    [["DELETE FROM alembic_version"], ["DROP TABLE alembic_version"], ["DROP TABLE latest_metrics"]],
    ids=["no revision", "no table of revisions", "a table is missing"],
)
def test_incomplete_store_without_runs_is_recreated(tmp_path: Path, statements: list[str]) -> None:
    database = store(tmp_path)
    change(database, *statements)
    assert experiments(tmp_path) == ["Default"]
    assert names(database) == {"mlflow.db", "mlflow.db.incomplete-1"}


def test_half_created_store_with_a_run_is_rejected_and_kept(tmp_path: Path) -> None:
    database = half_made(tmp_path)
    add_run(database)
    before = contents(database)
    with pytest.raises(ServiceError, match=r"schema cannot be upgraded(?s:.*)move the file away"):
        experiments(tmp_path)
    assert contents(database) == before
    assert names(database) == {"mlflow.db"}


def test_empty_file_becomes_a_store_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = tmp_path / "mlruns" / "mlflow.db"
    database.parent.mkdir()
    database.touch()
    assert experiments(tmp_path)
    assert "was an empty file; a new store was created" in caplog.text


def test_store_of_a_later_mlflow_is_rejected_even_if_empty(tmp_path: Path) -> None:
    database = store(tmp_path)
    change(database, "UPDATE alembic_version SET version_num = 'ffffffffffff'")
    with pytest.raises(ServiceError, match="ffffffffffff"):
        experiments(tmp_path)
    assert names(database) == {"mlflow.db"}


def test_old_store_in_use_by_another_program_is_not_upgraded(tmp_path: Path) -> None:
    database = tmp_path / "mlruns" / "mlflow.db"
    old_store(database)
    with closing(sqlite3.connect(database)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("SELECT count(*) FROM runs").fetchall()
        with pytest.raises(ServiceError, match="another program has the file open"):
            experiments(tmp_path)
        assert revision(database) == EARLIER
    assert experiments(tmp_path) == ["Default"]
    assert revision(database) == current(tmp_path)


def test_log_of_a_deleted_store_is_not_applied_to_its_successor(tmp_path: Path) -> None:
    database = store(tmp_path)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO runs (run_uuid, experiment_id) VALUES ('abc', 0)")
        connection.commit()
        log = (tmp_path / "mlruns" / "mlflow.db-wal").read_bytes()
    assert log
    database.unlink()
    database.with_name("mlflow.db-wal").write_bytes(log)
    assert experiments(tmp_path) == ["Default"]
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)


FULL = """
import resource, signal, sys
from pathlib import Path
from cytocurve.errors import ServiceError
from cytocurve.stores.tracking.connection import connected

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with connected(sys.argv[1], Path("lock")) as client:
        for number in range(100):
            client.create_experiment(f"{number} {'x' * 400}")
except ServiceError as error:
    print(error)
else:
    raise SystemExit("the disk was not full")
"""


@pytest.mark.parametrize("limit", [100_000, 1_000_000], ids=["while it is made", "while it is used"])
def test_full_disk_is_reported_and_nothing_is_lost(tmp_path: Path, limit: int) -> None:
    """A limit on the size of files fails as a full disk does: a write that does not fit is an error."""
    command = [sys.executable, "-c", FULL, local_uri(tmp_path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/mlruns/mlflow.db could not be used" in done.stdout
    assert done.stderr == ""
    assert "Default" in experiments(tmp_path)
    assert names(tmp_path / "mlruns" / "mlflow.db") == {"mlflow.db"}


@pytest.mark.parametrize("seed", range(12))
def test_damaged_store_is_unusable(tmp_path: Path, seed: int) -> None:
    """With flipped bytes or a missing end, the damage either has no effect or is reported as an error of the store."""
    database = store(tmp_path)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    content, dice = bytearray(database.read_bytes()), random.Random(seed)  # noqa: S311
    if seed % 3 == 0:
        del content[dice.randrange(1, len(content)) :]
    else:
        for _ in range(10 ** (seed % 4)):
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    database.write_bytes(content)
    message = ""
    try:
        experiments(tmp_path)
    except ServiceError as error:
        message = str(error)
    assert not message or str(database) in message


def test_default_store_is_prepared_once(tmp_path: Path) -> None:
    database = store(tmp_path)
    prepare(database)
    before = database.stat().st_ino
    prepare(database)
    assert database.stat().st_ino == before
