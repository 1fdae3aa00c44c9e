"""A ledger is opened by its URL, and its locks are next to it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.stores.ledger import open_ledger


def test_open_ledger_accepts_a_path_or_a_file_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    urls = ["a b", "./a b", str(tmp_path / "a b"), (tmp_path / "a b").as_uri()]
    assert {open_ledger(url).url for url in urls} == {str(tmp_path / "a b")}


@pytest.mark.parametrize("url", ["s3://bucket/ledger", "s3:/bucket", "S3://bucket", "local://x"])
def test_open_ledger_rejects_a_scheme_without_a_backend(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no backend") as caught:
        open_ledger(url)
    assert "sqlite://" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["file://server/share", "file://", "sqlite:///", "sqlite://x", "sqlite:x", "SQLITE:/abs/x", "file:rel"]
)
def test_open_ledger_rejects_a_url_without_a_local_path(url: str) -> None:
    with pytest.raises(InputError, match="expected"):
        open_ledger(url)


def project(root: Path, monkeypatch: pytest.MonkeyPatch, url: str | None = None) -> ProjectPaths:
    root.mkdir(exist_ok=True)
    if url is None:
        monkeypatch.delenv("CYTOCURVE_LEDGER", raising=False)
    else:
        monkeypatch.setenv("CYTOCURVE_LEDGER", url)
    return ProjectPaths(root)


def test_project_locks_are_in_the_state_folder_not_in_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = project(tmp_path / "clone", monkeypatch)
    assert paths.state == tmp_path / "clone" / ".cytocurve"
    assert paths.locks.is_relative_to(paths.state)
    assert paths.tracking_lock.is_relative_to(paths.locks)


def test_locks_of_a_shared_ledger_do_not_depend_on_how_it_is_addressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = project(tmp_path / "owner", monkeypatch).locks
    (tmp_path / "link").symlink_to(tmp_path / "owner")
    urls = [str(tmp_path / "owner" / "ledger"), (tmp_path / "owner" / "ledger").as_uri(), str(tmp_path / "link/ledger")]
    assert {project(tmp_path / "guest", monkeypatch, url).locks for url in urls} == {owner}


def test_locks_of_a_remote_ledger_are_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = project(tmp_path / "clone", monkeypatch, "s3://bucket/ledger")
    assert paths.locks.is_relative_to(tmp_path / "clone" / ".cytocurve")


HOLD = """
import sys
from pathlib import Path
from filelock import FileLock
from cytocurve.config import ProjectPaths
lock = ProjectPaths(Path(sys.argv[1])).locks / "arm.lock"
lock.parent.mkdir(parents=True)
with FileLock(lock):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_lock_held_by_one_clone_blocks_other_clones_that_share_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (project(tmp_path / name, monkeypatch, str(tmp_path / "shared")) for name in ("a", "b"))
    command = [sys.executable, "-c", HOLD, str(first.root)]
    holder = subprocess.Popen(command, env=dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Timeout):
        FileLock(second.locks / "arm.lock", timeout=0).acquire()
    holder.communicate()
    FileLock(second.locks / "arm.lock", timeout=0).acquire().lock.release()
