"""Commands in odd environments, on damaged files and with odd names end with one message and the right exit code."""

import random
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from itertools import cycle
from pathlib import Path

import psutil
import pytest

from cytocurve.api import Project
from cytocurve.errors import InputError
from cytocurve.stores.tracking import connection
from cytocurve.training import publisher
from cytocurve.workflows.stages import register as register_stage
from tests.faults.harness import batch, hand_over, killed_after, moments, plain_user, signalled_when, slow_server
from tests.projects import cytocurve, draw_cell, make_project, run

pytestmark = pytest.mark.slow

ARM = "sequential-none-folder"
RUNS = 3
LONG = "n" * 300

Damage = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a finished sweep, to be copied."""
    root = make_project(tmp_path_factory.mktemp("trained") / "project", sizes=[4], folds=3)
    for command in (["catalog"], ["split"], ["audit"], ["sweep", "--executor", "serial"], ["evaluate"]):
        done = cytocurve(root, *command)
        assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def project(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "project", symlinks=True))


def files_below(root: Path) -> set[str]:
    return {str(path) for path in root.rglob("*") if path.is_file() and not path.name.endswith(".lock")}


def assert_refused(root: Path, code: int, *command: str, says: str = "", **variables: str) -> str:
    done = cytocurve(root, *command, **variables)
    message = done.stderr
    assert done.returncode == code, (command, variables, done.stdout, message)
    assert message.lower().count("error: ") == 1, (command, message)
    assert says in message, (command, message)
    assert "codec" not in message
    assert "[Errno" not in message
    assert len(message.splitlines()) <= 20
    return message


# Another user, and a bare environment


def test_plain_user_without_home_locale_and_temporary_folder_runs_study(project: Path, tmp_path: Path) -> None:
    """A dataset with names in other scripts, DVC, a new tracking store, a sweep of finished runs, and figures."""
    for name in ("results", "reports", "mlruns"):
        shutil.rmtree(project / name)
    cells = project / "Zellen"  # named relative to the project: access(2) ignores capabilities, so it fails above it
    for number, label in enumerate(["blästé", "白血球"] * 2):
        (cells / label).mkdir(parents=True, exist_ok=True)
        draw_cell(number, dark=number % 2 == 0).save(cells / label / f"Zöe{number}.png")
    unwritable = tmp_path / "unwritable"
    unwritable.mkdir(mode=0o555)
    hand_over(project)
    bare = {"HOME": None, "LANG": "C", "LC_ALL": "C", "TMPDIR": str(tmp_path / "none"), "USER": None, "LOGNAME": None}
    bare |= {"XDG_CACHE_HOME": str(unwritable), "XDG_CONFIG_HOME": str(unwritable)}
    commands = [
        ["data", "add", "folder", cells.name, "--as", "cells"],
        ["labels", "list", "--dataset", "cells"],
        ["audit"],
        ["sweep"],
        ["evaluate"],
    ]
    done = batch(project, commands, bare, umask=0o077)
    assert [each.returncode for each in done] == [0] * len(commands), [each.stderr for each in done]
    assert "白血球" in done[1].stdout
    assert f"found {RUNS}" in done[3].stdout
    assert f"published {RUNS}" in done[3].stdout
    assert "atplotlib" not in done[4].stderr
    assert (project / "reports/report.html").stat().st_mode & 0o077 == 0


def test_kernel_cache_of_plain_user_is_where_that_user_can_write(tmp_path: Path) -> None:
    for name in ("unwritable", "tmp"):
        (tmp_path / name).mkdir()
    hand_over(tmp_path / "tmp")
    (tmp_path / "unwritable").chmod(0o555)
    show = ["-c", "from cytocurve.models.kernels import jit; print(jit.folder())"]
    done = run(
        tmp_path, *plain_user(), "python", *show,
        XDG_CACHE_HOME=str(tmp_path / "unwritable"), TMPDIR=str(tmp_path / "tmp"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "tmp"))


def test_read_only_project_is_reported_in_one_message(project: Path) -> None:
    hand_over(project)
    for path in (project, *project.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    writing = [
        ["catalog"], ["split"], ["audit"], ["evaluate"], ["code"], ["figures"], ["labels", "review", ARM],
        ["data", "add", "folder", "data/toy/images", "--as", "mine"], ["init", "study"],
        ["data", "withdraw", "--patient", "P1", "--reason", "consent withdrawn"], ["publish"],
    ]  # fmt: skip
    reading = [["data", "info", "toy"], ["labels", "list"], ["data", "list"]]
    done = batch(project, [*writing, *reading], {"HOME": None})
    for each in done[: len(writing)]:
        assert each.returncode in (1, 2, 3), each
        assert each.stderr.count("error: ") == 1, each
        assert "ermission denied" in each.stderr, each
        assert not any(f".{suffix}." in each.stderr for suffix in ("parquet", "json", "svg")), "a scratch file"
    assert [each.returncode for each in done[len(writing) :]] == [0, 0, 0]


# Names and paths

ODD = ("/etc", "", "..", "a\nb", "toy/../toy", " ", "-x", "a/b")

NAMED = {
    "data info": ("data", "info", "--", "{}"),
    "data add": ("data", "add", "folder", "data/toy/images", "--as", "{}"),
    "data withdraw": ("data", "withdraw", "--patient", "P1", "--reason", "x", "--dataset", "{}"),
    "data trace": ("data", "trace", "--", "{}"),
    "labels list": ("labels", "list", "--dataset", "{}"),
    "labels diff": ("labels", "diff", "--", "{}", "folder"),
    "labels import": ("labels", "import", "data/toy/labels/folder.csv", "--as", "{}", "--annotator", "A"),
    "labels import --base": ("labels", "import", "data/toy/labels/folder.csv", "--as", "b", "--annotator", "A",
                             "--base", "{}"),
    "labels merge": ("labels", "merge", "folder", "folder", "--as", "{}"),
    "labels review": ("labels", "review", "--", "{}"),
    "sweep": ("sweep", "--", "{}"),
    "study use": ("study", "use", "--", "{}"),
    "compare": ("compare", "--", "{}", ARM),
    "compare, experiment": ("compare", "mlflow:{}:x", ARM),
    "compare, arm of an experiment": ("compare", "mlflow:toy/dark-vs-light:{}", ARM),
    "compare, arm of a commit": ("compare", "HEAD:{}", ARM),
}  # fmt: skip


def test_names_that_would_lead_elsewhere_are_refused(project: Path) -> None:
    before, others = files_below(project.parent), cycle(ODD)
    for words in NAMED.values():
        for name in ("../../etc", LONG, next(others)):
            assert_refused(project, 2, *(word.format(name) for word in words))
    assert files_below(project.parent) == before


def test_paths_that_are_too_long_are_refused(project: Path) -> None:
    for command in (
        ["init", LONG],
        ["data", "add", "folder", LONG, "--as", "mine"],
        ["data", "add", "table", f"{LONG}.csv", "--as", "mine"],
        ["labels", "list", "--root", LONG, "--dataset", "table"],
        ["labels", "import", f"{LONG}.csv", "--as", "b", "--annotator", "A"],
        ["audit", "--inventory", LONG],
    ):
        assert_refused(project, 2, *command, says="ile name too long")
    for variables in ({"CYTOCURVE_LEDGER": LONG}, {"CYTOCURVE_LEDGER": f"sqlite:///{LONG}"},
                      {"MLFLOW_TRACKING_URI": f"sqlite:///{LONG}"}):  # fmt: skip
        for verb in (["publish"], ["sweep", "--executor", "serial"], ["data", "trace", "cell003.png"]):
            assert_refused(project, 2, *verb, says="ile name too long", **variables)


def test_names_too_long_for_files_of_arms_are_refused_in_settings(project: Path) -> None:
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(params.replace("dataset: toy", f"dataset: {LONG}"))
    assert_refused(project, 2, "catalog", says="dataset: a name has at most 100 characters")
    wide, fine = "w" * 99, "f" * 99
    text = params.replace("sequential:", f"{wide}: {{base: sequential, filters: [3, 4], dense: 6}}\n  sequential:", 1)
    text = text.replace("- sequential\n", f"- {wide}\n").replace("- none\n", f"- {fine}\n")
    (project / "params.yaml").write_text(text.replace("none:", f"{fine}: {{base: none}}\n  none:", 1))
    assert_refused(project, 2, "sweep", says="have more than 200 characters")


def test_names_with_nul_are_refused_from_python(project: Path) -> None:
    study = Project(project)
    for call in (
        lambda name: study.data_info(name),
        lambda name: study.data_add("folder", project / "data/toy/images", as_name=name),
        lambda name: study.withdraw("P1", "x", dataset=name),
        lambda name: study.labels_list(name),
        lambda name: study.labels_merge(["folder", "folder"], name),
        lambda name: study.labels_review(name),
        lambda name: study.compare(f"mlflow:{name}:x", ARM),
        lambda name: study.study_use(name),
    ):
        with pytest.raises(InputError):
            call("toy\0x")


# Damaged files

NOISE = random.Random(0).randbytes(3000)  # noqa: S311

LABELS: dict[str, Damage] = {
    "NUL bytes": lambda b: b.replace(b"dark", b"da\0rk", 1),
    "Latin-1": lambda b: b.replace(b"dark", "därk".encode("latin-1"), 1),
    "UTF-16": lambda b: b.decode().encode("utf-16"),
    "truncated": lambda b: b[: len(b) // 2],
    "zeros at the end": lambda b: b + bytes(4096),
    "noise": lambda _: NOISE,
    "empty": lambda _: b"",
    "open quote": lambda b: b + b'"',
    "a long cell": lambda b: b + b"x" * 200_000,
}

DATASET: dict[str, Damage] = {
    "not YAML": lambda _: b"a: [",
    "a list": lambda _: b"- a\n",
    "no loader": lambda _: b"title: x\n",
    "unknown loader": lambda _: b"loader: " + b"x" * 10_000,
    "noise": lambda _: NOISE,
    "a tag": lambda _: b"!!python/object/apply:os.system [x]\n",
    "a key twice": lambda _: b"loader: folder\nloader: table\n",
}

BUILT: dict[str, Damage] = {
    "noise": lambda _: NOISE,
    "empty": lambda _: b"",
    "truncated": lambda b: b[: len(b) // 2],
    "a list": lambda _: b"[1]",
    "nested": lambda _: b"[" * 100_000,
    "Latin-1": lambda _: b'{"a": "\xe9"}',
}

READERS = {
    "build/catalog.parquet": [["split"], ["data", "trace", "cell003.png"]],
    "build/catalog.json": [["split"]],
    "build/split/folder.parquet": [["audit"], ["sweep", "--executor", "serial"]],
    "build/split/settings.json": [["sweep", "--executor", "serial"], ["evaluate"]],
    f"results/{ARM}.parquet": [["evaluate"]],
    "reports/answers.json": [["report"]],
    "params.yaml": [["catalog"]],
}


def damaged(path: Path, damage: Damage, check: Callable[[], object]) -> None:
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(damage(before or b""))
    check()
    path.unlink() if before is None else path.write_bytes(before)


def test_damaged_label_tables_are_refused_by_every_reader(project: Path) -> None:
    for damage in LABELS.values():

        def check() -> None:
            for command in (["catalog"], ["labels", "list"]):
                assert_refused(project, 2, *command, says="data/toy/labels/folder.csv")
            assert_refused(project, 2, "data", "withdraw", "--patient", "P2", "--reason", "x")

        damaged(project / "data/toy/labels/folder.csv", damage, check)
    latin = LABELS["Latin-1"]
    damaged(project / "data/toy/labels/folder.csv", latin, lambda: assert_refused(project, 2, "data", "info", "toy"))


def test_damaged_dataset_description_is_refused(project: Path) -> None:
    for damage in DATASET.values():

        def check() -> None:
            for command in (["catalog"], ["labels", "list"]):
                assert len(assert_refused(project, 2, *command, says="data/toy/dataset.yaml")) < 2000

        damaged(project / "data/toy/dataset.yaml", damage, check)


def test_damaged_files_of_stages_are_refused_by_those_that_read_them(project: Path) -> None:
    for name, commands in READERS.items():
        for number, damage in enumerate(BUILT.values()):

            def check(name: str = name, commands: list[list[str]] = commands[: None if number == 0 else 1]) -> None:
                for command in commands:
                    assert_refused(project, 2, *command, says=Path(name).name)

            damaged(project / name, damage, check)


def test_damaged_tracking_store_is_named_and_stops_nothing_else(project: Path) -> None:
    database = project / "mlruns/mlflow.db"
    with closing(sqlite3.connect(database)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    verbs = [["publish"], ["data", "trace", "cell003.png"], ["compare", f"mlflow:toy/dark-vs-light:{ARM}", ARM]]
    before = database.read_bytes()
    for damage in (NOISE, before[: len(before) // 2], NOISE[:100] + before[100:], b"text"):
        for verb in verbs:
            for side in database.parent.glob("mlflow.db-*"):
                side.unlink()
            database.write_bytes(damage)
            assert_refused(project, 3, *verb, says="cytocurve publish && cytocurve register")
    assert cytocurve(project, "evaluate").returncode == 0
    database.write_bytes(b"")
    done = cytocurve(project, "publish")
    assert f"{RUNS} new in MLflow" in done.stdout, "an empty file is a new store"


# Tracking servers

MALFORMED = (
    "http://user:s3cret@[::1", "http://u:s3cret@host:99999", "http://u:s3cret@host:port", "http://u:s3cret/x@host",
    "http://u:s3cret@a..b", "http://u:s3cret@%zz", "http://u:s3cret@*", f"http://u:s3cret@{LONG}", "ftp://u:s3cret@h",
    "postgresql://u:s3cret@h/db", "sqlite:///", "databricks",
)  # fmt: skip

ASKING = (
    ["evaluate"], ["publish"], ["register"], ["report"], ["data", "trace", "cell003.png"], ["ui"],
    ["compare", f"mlflow:toy/dark-vs-light:{ARM}", ARM], ["sweep", "--executor", "serial"],
)  # fmt: skip


def test_malformed_tracking_uris_are_refused_by_every_command_that_opens_the_store(project: Path) -> None:
    before = files_below(project)
    for number, uri in enumerate(MALFORMED):
        for verb in ASKING if number == 0 else ASKING[:2]:
            message = assert_refused(project, 2, *verb, says="", MLFLOW_TRACKING_URI=uri)
            assert "s3cret" not in message
            assert "evaluating" not in message, "before any work"
    assert files_below(project) == before


def test_malformed_settings_of_requests_are_refused(project: Path) -> None:
    for name in ("MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        variables = {name: "soon", "MLFLOW_TRACKING_URI": "http://127.0.0.1:1"}
        assert_refused(project, 2, "publish", says=name, **variables)


def test_server_that_is_healthy_and_then_slow_keeps_no_command_from_ending(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.tracking  # noqa: F401  importing it is not what is limited

    for module, name in ((connection, "ANSWER_SECONDS"), (publisher, "ANSWER_SECONDS"), (publisher, "PUBLISH_PER_RUN"),
                         (register_stage, "REGISTER_SECONDS")):  # fmt: skip
        monkeypatch.setattr(module, name, 10.0)
    verbs = [["publish"], ["register"], ["data", "trace", "cell003.png"],
             ["compare", f"mlflow:toy/dark-vs-light:{ARM}", ARM]]  # fmt: skip
    with slow_server(health=True) as uri:
        slow = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_HTTP_REQUEST_TIMEOUT": "1"}
        for verb in verbs:
            assert_refused(project, 3, *verb, says="did not answer completely within", **slow)
        swept = run(project, "cytocurve", "sweep", "--executor", "serial", **slow)
    assert swept.returncode == 0, swept.stderr
    assert "was not finished 6 s after training: the store is too slow" in swept.stderr


# Signals and kills


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_stopped_sweep_leaves_no_worker_and_resumes(number: signal.Signals, tmp_path: Path) -> None:
    training = {"batch_size": 5, "max_epochs": 60, "patience": 60}
    root = make_project(tmp_path / "project", sizes=[4, 8], folds=3, seeds=[0, 1, 2], training=training)
    assert [cytocurve(root, stage).returncode for stage in ("catalog", "split", "audit")] == [0, 0, 0]
    done, workers = signalled_when(root, ["cytocurve", "sweep"], "ledger/runs/*/*/run.json", number)
    assert done.returncode == 128 + number, done.stderr
    assert "Interrupted. Finished runs are kept." in done.stderr
    assert "Traceback" not in done.stderr
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    before = {path: path.read_bytes() for path in root.glob("ledger/runs/*/*/run.json")}
    assert before
    again = cytocurve(root, "sweep", "--executor", "serial")
    assert again.returncode == 0, again.stderr
    assert f"found {len(before)}," in again.stdout
    assert all(path.read_bytes() == content for path, content in before.items())


def test_stopped_data_add_is_finished_by_repeating_it(project: Path) -> None:
    command = ["data", "add", "folder", "data/toy/images", "--as", "mine"]
    done, started = signalled_when(project, ["cytocurve", *command], "data/mine", signal.SIGTERM)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not alive, "DVC ends too"
    again = cytocurve(project, *command)
    assert again.returncode == 0, again.stderr
    assert "already there" in again.stdout
    assert not list((project / "data").glob(".*"))
    assert run(project, "dvc", "status", "--quiet", "data.dvc").returncode == 0


def test_repeatedly_killed_repro_is_finished_without_training_twice(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project", sizes=[4, 8], folds=3)
    trained: dict[Path, bytes] = {}
    for seconds in moments(seed=12, count=3, longest=20):
        killed_after(root, ["dvc", "repro", "evaluate"], seconds)
        trained |= {path: path.read_bytes() for path in root.glob("ledger/runs/*/*/run.json") if path not in trained}
    done = run(root, "dvc", "repro", "evaluate")
    assert done.returncode == 0, done.stderr
    assert all(path.read_bytes() == content for path, content in trained.items())
    assert len(list(root.glob("ledger/runs/*/*/run.json"))) == 6
    with closing(sqlite3.connect(root / "mlruns/mlflow.db")) as store:
        keys = Counter(key for (key,) in store.execute("SELECT value FROM tags WHERE key = 'cytocurve.run_key'"))
    assert (len(keys), set(keys.values())) == (6, {1})
