"""Where compiled kernels are kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cytocurve.models.kernels import jit


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    jit.folder.cache_clear()
    yield
    jit.folder.cache_clear()


def test_the_folder_can_be_chosen_and_is_that_of_the_kernels_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYTOCURVE_CACHE", str(tmp_path / "chosen"))
    assert jit.folder() == tmp_path / "chosen" / "kernels" / jit.source_key()
    assert jit.folder().is_dir()


def test_the_users_cache_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CYTOCURVE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert jit.folder() == tmp_path / "cytocurve" / "kernels" / jit.source_key()


def test_where_that_cannot_be_written_a_temporary_folder_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CYTOCURVE_CACHE", str(tmp_path / "file" / "below"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert jit.folder().is_relative_to(tmp_path)
    assert jit.folder().is_dir()
