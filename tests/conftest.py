"""Hypothesis settings for all tests, and the images of the starter dataset."""

import hashlib
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import PIL
import pytest
from filelock import FileLock
from hypothesis import settings

from cytocurve.datasets import starter

# How long an example takes depends on what else the machine does.
settings.register_profile("tests", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=25)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def unchanged_tracking_uri() -> Iterator[None]:
    """MLflow's global store is also an environment variable: if it stayed set, it would redirect all later tests."""
    before = os.environ.get("MLFLOW_TRACKING_URI")
    yield
    assert os.environ.get("MLFLOW_TRACKING_URI") == before


def draw_starter(folder: Path) -> None:
    """Draw the starter's images, and check the progress it reports."""
    folder.mkdir()
    calls: list[tuple[int, int]] = []
    starter.draw(folder, lambda done, total: calls.append((done, total)))
    assert calls == [(done, 260) for done in range(1, 261)]


def starter_key() -> str:
    """A digest of everything that determines the starter's images: its sources and the libraries it uses."""
    sources = sorted(Path(starter.__file__).parent.rglob("*.py"))
    libraries = (platform.python_version(), platform.machine(), np.__version__, pd.__version__, PIL.__version__)
    digest = hashlib.sha256(repr(libraries).encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@pytest.fixture(scope="session")
def drawn(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the starter, read only: drawn once per version of its code, since that takes 12 s."""
    cache = pytestconfig.cache
    root = cache.mkdir("cytocurve-starter") if cache else tmp_path_factory.mktemp("starter")
    folder = root / starter_key()
    with FileLock(root / "lock"):
        if not folder.is_dir():
            for other in root.iterdir():
                if other.is_dir():
                    shutil.rmtree(other)
            draw_starter(root / "unfinished")
            (root / "unfinished").rename(folder)
    return folder
