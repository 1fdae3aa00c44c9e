"""What hypothesis does in all tests, and the starter's images."""

from pathlib import Path

import pytest
from hypothesis import settings

from cytocurve.datasets import starter

# How long an example takes depends on what else the machine does.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the starter, drawn once: that takes seconds."""
    folder = tmp_path_factory.mktemp("starter")
    calls: list[tuple[int, int]] = []
    starter.draw(folder, lambda done, total: calls.append((done, total)))
    assert calls == [(done, 260) for done in range(1, 261)]
    return folder
