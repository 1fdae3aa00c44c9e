"""Small real projects for tests that run the real command line."""

import atexit
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from ruamel.yaml import YAML

from cytocurve.cli import main
from tests.makers import copy_tracking_store

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

SMALL: Mapping[str, Any] = {
    "dataset": "toy",
    "task": {"positive": ["dark"], "negative": ["light"]},
    "sample_per_class": None,
    "min_class_size": 5,
    "rare": "drop",
    "labels": ["folder"],
    "architectures": ["sequential"],
    "augmentations": ["none"],
    "folds": 4,
    "sizes": [4, 8, 16],
    "seeds": [0],
    "split": "stratified",
    "split_seed": 0,
    "holdout": None,
    "grow_by": "images",
    "duplicates": "drop",
    "leakage": "warn",
    "image_size": 24,
    "training": {
        "batch_size": 5,
        "optimizer": "rmsprop",
        "learning_rate": 0.001,
        "max_epochs": 4,
        "patience": 2,
        "engine": "auto",
    },
    "settings": {"sequential": {"filters": [3, 4], "dense": 6}, "none": {}, "flip_rotate": {"fill": "nearest"}},
}


def draw_cell(seed: int, dark: bool, size: int = 24) -> Image.Image:
    """A dark or light disc on a noisy background."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(180, 255, (size, size, 3))
    rows, columns = np.mgrid[:size, :size] - rng.integers(8, size - 8, 2)[:, None, None]
    disc = rows**2 + columns**2 < 36
    pixels[disc] = pixels[disc] - (120 if dark else 40)
    return Image.fromarray(pixels.astype(np.uint8))


def write_toy(folder: Path, cells: int = 40) -> None:
    """A dataset of tiny cells below ``folder``, half of them dark, as ``cytocurve data add`` would have laid it out."""
    rows = []
    for number in range(cells):
        label = "dark" if number % 2 else "light"
        name = f"{label}/cell{number:03d}.png"
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_cell(number, label == "dark").save(path)
        rows.append({"image": name, "label": label, "patient": f"P{number % 7}"})
    (folder / "labels").mkdir()
    pd.DataFrame(rows).sort_values("image").to_csv(folder / "labels" / "folder.csv", index=False)


def make_project(root: Path, **changes: Any) -> Path:
    """A project with the toy dataset and these changes of ``SMALL``, under git and DVC like a clone."""
    shutil.copytree(_bare_project(), root, dirs_exist_ok=True)
    write_params(root, **changes)
    commit(root, "study")
    return root


@cache
def _bare_project() -> Path:
    """The starting point of all projects, made once per process and not yet committed."""
    root = Path(tempfile.mkdtemp(prefix="cytocurve-project-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    copy_tracking_store(root / "mlruns")
    write_params(root)
    write_toy(root / "data" / "toy")
    for command in (["git", "init", "-q", "-b", "main"], ["dvc", "init", "-q", "-f"]):
        run(root, *command).check_returncode()
    shutil.copytree(ROOT / ".dvc" / "plots", root / ".dvc" / "plots")  # dvc init -f empties .dvc
    run(root, "dvc", "add", "-q", "data").check_returncode()
    return root


def commit(root: Path, message: str) -> None:
    """Commit all that git does not ignore."""
    run(root, "git", "add", "-A").check_returncode()
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    run(root, "git", *identity, "commit", "-qm", message).check_returncode()


def write_params(root: Path, **changes: Any) -> None:
    """Write ``params.yaml``: ``SMALL`` with these changes."""
    with (root / "params.yaml").open("w") as file:
        YAML().dump({**SMALL, **changes}, file)


def environment(**changes: str) -> dict[str, str]:
    """The environment of a user who has the project's environment active and nothing of MLflow or cytocurve set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "CYTOCURVE_", "DVC_"))}
    path = f"{BIN}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "DVC_NO_ANALYTICS": "1", **changes}


def run(root: Path, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a project; exit code and output are the caller's to judge."""
    return subprocess.run(
        command, cwd=root, env=environment(**variables), capture_output=True, text=True, timeout=600, check=False
    )


def cytocurve(root: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Call the command line in a project as its script does, in this process: a script of its own imports for seconds.

    ``run(root, "cytocurve", ...)`` starts the script.
    """
    output, errors = io.StringIO(), io.StringIO()
    with (
        chdir(root),
        patch.dict(os.environ, environment(**variables), clear=True),
        patch.object(sys, "argv", ["cytocurve", *arguments]),
        redirect_stdout(output),
        redirect_stderr(errors),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    assert isinstance(ended.value.code, int)
    return subprocess.CompletedProcess(arguments, ended.value.code, output.getvalue(), errors.getvalue())
