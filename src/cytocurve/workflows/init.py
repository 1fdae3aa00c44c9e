"""``cytocurve init``: create a study directory that uses the installed cytocurve."""

import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from cytocurve.errors import CytocurveError, InputError
from cytocurve.files import SCRATCH, exclusive, scratch_files, write_text
from cytocurve.workflows.stages.code import LINK, link_package

FILES: Mapping[str, str] = {
    "README.md": "README.md",
    "params.yaml": "params.yaml",
    ".gitignore": "gitignore",
    ".dvcignore": "dvcignore",
    ".dvc/config": "dvc_config",
    ".dvc/.gitignore": "dvc_gitignore",
    ".dvc/plots/learning_curve.json": "learning_curve.json",
    ".dvc/plots/page.html": "plots_page.html",
    "dvc.yaml": "pipeline.yaml",
}
"""Template of each file. ``dvc.yaml`` is written last and marks the study as complete; its template has another name,
because DVC reads every ``dvc.yaml`` in a repository."""

ALLOWED = {".git", ".venv"}
"""What may already be in the directory."""

_LOCK = ".cytocurve/init.lock"
"""Held while a study is created."""


def init(folder: Path) -> list[str]:
    """Create a study in a new or empty directory; returns the names of the created files.

    Rerunning an interrupted call completes it; a study that is already complete and unchanged is left as it is, and the
    list is empty. The directory becomes a git repository unless it is already inside one.
    Raises ``InputError`` listing what is in the way, ``CytocurveError`` if git fails.
    """
    templates = {name: _template(source) for name, source in FILES.items()}
    try:
        _check_free(folder, templates)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be used: {error.strerror or error}", next_step="choose another directory"
        ) from error
    with exclusive(folder / _LOCK):
        _check_free(folder, templates)  # again, as another call may have changed it in the meantime
        created = [] if _is_complete(folder, templates) else list(templates)
        _git_init(folder)
        for name in created:
            if name == "dvc.yaml":
                link_package(folder)
            write_text(folder / name, templates[name])
        for name in (*templates, LINK):
            for scratch in scratch_files((folder / name).parent, Path(name).name):
                scratch.unlink()
    return created


def _template(name: str) -> str:
    return files("cytocurve").joinpath("templates", name).read_text(encoding="utf-8")


def _check_free(folder: Path, templates: Mapping[str, str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: not a directory")
    if _is_complete(folder, templates):
        return
    if (folder / "dvc.yaml").exists():
        raise InputError(f"{folder} already contains a study (dvc.yaml)", next_step="choose another directory")
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    blocking = [
        path.name for path in entries if path.name not in ALLOWED and not _left_by_init(path, folder, templates)
    ]
    if blocking:
        raise InputError(
            f"{folder}: the directory is not empty:",
            blocking,
            f"It may contain only {' and '.join(sorted(ALLOWED))}.",
            "choose a new or empty directory",
        )


def _is_complete(folder: Path, templates: Mapping[str, str]) -> bool:
    """Whether the directory contains all files of a new study, unchanged, and the link to this package."""
    return (folder / LINK).exists() and all(
        (folder / name).is_file() and (folder / name).read_bytes() == text.encode() for name, text in templates.items()
    )


def _left_by_init(path: Path, folder: Path, templates: Mapping[str, str]) -> bool:
    """Whether an interrupted call may have left everything at this path."""
    if path.is_dir() and not path.is_symlink():
        return all(_left_by_init(child, folder, templates) for child in path.iterdir())
    scratch = SCRATCH.fullmatch(path.name)
    name = path.with_name(scratch["name"] if scratch else path.name).relative_to(folder).as_posix()
    if path.is_symlink():
        return name == LINK
    if name == _LOCK:
        return True
    return name in templates and (
        bool(scratch) or path.read_text(encoding="utf-8", errors="replace") == templates[name]
    )


def _git_init(folder: Path) -> None:
    if shutil.which("git") is None:
        raise CytocurveError("git was not found, but a study is kept in a git repository", next_step="install git")
    repository = subprocess.run(
        ["git", "rev-parse", "--is-inside-work-tree"], cwd=folder, capture_output=True, check=False
    )
    if repository.returncode:
        done = subprocess.run(["git", "init", "--quiet"], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CytocurveError(f"git init failed in {folder}: {done.stderr.strip()}")
