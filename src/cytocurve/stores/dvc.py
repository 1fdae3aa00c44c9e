"""DVC, through its stable interfaces: the command line and, for reading, ``dvc.api``."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cytocurve.config import ProjectPaths
from cytocurve.errors import CytocurveError, InputError
from cytocurve.files import exclusive, scratch_files
from cytocurve.redaction import without_secrets
from cytocurve.yaml_files import read_yaml

NOT_CODE = (":!dvc.lock", ":!reports", ":!holdout.jsonl")
"""What git tracks of a project that is neither code nor settings."""

REMEDIES = {
    "rwlock": "make sure that no DVC command is running, remove .dvc/tmp/rwlock, which a crash has damaged",
    "Unable to acquire lock": "wait until the other DVC command has finished",
    "is not a git repository": "run git init, since DVC needs a git repository",
    "is busy": "wait until the other DVC command has finished",
}
"""What helps against an error of DVC, by a part of its message."""


def track_data(project: ProjectPaths) -> None:
    """Record the current contents of ``data/`` in ``data.dvc``; raises ``CytocurveError`` with DVC's message.

    First, removes the temporary files that killed commands have left there, which may contain withdrawn records.
    """
    with exclusive(project.files_lock):  # all writers hold it
        for folder in (*project.data.glob("[!.]*"), *project.data.glob("[!.]*/labels")):
            for scratch in scratch_files(folder) if folder.is_dir() else ():
                scratch.unlink()
        _dvc(project.root, "add", "data")


def is_recorded(root: Path) -> bool:
    """Whether ``data.dvc`` records the current contents of ``data/``; False if there is no such file."""
    return (root / "data.dvc").is_file() and _run(root, "status", "--quiet", "data.dvc").returncode == 0


def repair(files: Sequence[Path], command: str) -> str:
    """How to get damaged outputs of stages again: by the command, once damaged copies in DVC's cache are removed.

    DVC trusts its cache, and would restore them as they are.
    """
    copies = [copy for file in files if (copy := _damaged_copy(file.absolute())) is not None]
    if not copies:
        return command
    damaged = ", ".join(str(path) for path in [*copies, *files])
    return f"remove {damaged}, since the copy in DVC's cache is damaged too; then {command}"


def _damaged_copy(file: Path) -> Path | None:
    """The copy in DVC's default cache of what ``dvc.lock`` records for a file, if the copy is not what is recorded."""
    root = next((folder for folder in file.parents if (folder / "dvc.lock").is_file()), None)
    if root is None:
        return None
    cache = root / ".dvc" / "cache" / "files" / "md5"
    try:
        stages = read_yaml(root / "dvc.lock")["stages"].values()
        hashes = {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", ())}
        recorded = hashes.get(file.relative_to(root).as_posix()) or _in_folder(cache, root, file, hashes)
        copy = cache / recorded[:2] / recorded[2:]
        content = copy.read_bytes()
    except (InputError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return None if hashlib.md5(content, usedforsecurity=False).hexdigest() == recorded else copy


def _in_folder(cache: Path, root: Path, file: Path, hashes: Mapping[str, str]) -> str:
    """The recorded hash of a file in a folder that is an output as a whole."""
    folder = next(folder for folder in file.parents if folder == root or str(folder.relative_to(root)) in hashes)
    listed = hashes[folder.relative_to(root).as_posix()]
    entries = json.loads((cache / listed[:2] / listed[2:]).read_bytes())
    return {entry["relpath"]: str(entry["md5"]) for entry in entries}[file.relative_to(folder).as_posix()]


def takes_over_links(root: Path) -> bool:
    """Whether DVC may use hard links to its cache, which makes every file with the same inode read-only."""
    done = _run(root, "config", "cache.type")
    return done.returncode == 0 and "hardlink" in done.stdout


def data_hash(root: Path) -> str | None:
    """The hash of ``data/`` that ``data.dvc`` records (36 characters, ``<md5>.dir``); None if it is not tracked."""
    path = root / "data.dvc"
    try:
        return str(read_yaml(path)["outs"][0]["md5"]) if path.is_file() else None
    except (KeyError, IndexError, TypeError):
        raise InputError(f"{path}: does not record any data", next_step="dvc add data") from None


def commit(root: Path) -> str | None:
    """The commit of the current code and settings, with ``+changed`` if tracked files differ; None outside git."""
    head = _git(root, "rev-parse", "HEAD")
    if head is None:
        return None
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *NOT_CODE)
    return f"{head}+changed" if changed else head


class Revision:
    """Read-only access to the project at another git revision, from git, DVC's cache or its remote."""

    def __init__(self, root: Path, name: str) -> None:
        """Raises ``InputError`` if git does not know the revision, or the folder is not under git and DVC."""
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException

        self._name = name
        try:
            self._files = DVCFileSystem(str(root), rev=name)
            self._files.ls("/", detail=False)
        except (DvcException, OSError) as error:
            raise InputError(
                f"revision {name!r} cannot be read: {without_secrets(str(error))}", hint="git log --all lists revisions"
            ) from error

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder of the project, sorted; none if there is no such folder."""
        try:
            return sorted(path.rpartition("/")[2] for path in self._files.ls(folder, detail=False))
        except FileNotFoundError:
            return []

    def read(self, path: str) -> bytes:
        """A file's bytes; raises ``InputError`` if they are not available."""
        from dvc.exceptions import DvcException

        try:
            return bytes(self._files.read_bytes(path))
        except (DvcException, OSError) as error:
            raise InputError(
                f"{path} of revision {self._name!r} is neither in DVC's cache nor in a remote: "
                f"{without_secrets(str(error))}",
                next_step=f"dvc fetch --all-commits, or git checkout {self._name} && dvc repro",
            ) from error


def _dvc(root: Path, *arguments: str) -> None:
    done = _run(root, *arguments)
    if done.returncode:
        reason = without_secrets((done.stderr.strip() or done.stdout.strip()).removeprefix("ERROR: "))
        command = f"dvc {' '.join(arguments)}"
        remedy = next((step for part, step in REMEDIES.items() if part in reason), "fix the problem")
        raise CytocurveError(
            f"{command} failed: {reason}", next_step=f"{remedy}, then run the same command again, or {command}"
        )


def _run(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=root,
        env={**os.environ, "DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
