"""The cache folder of compiled kernels, and kernels compiled for other processors."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cytocurve.models.kernels import jit
from tests.projects import ROOT


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    jit.folder.cache_clear()
    yield
    jit.folder.cache_clear()


def test_cache_folder_is_configurable_and_specific_to_kernels_and_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYTOCURVE_CACHE", str(tmp_path / "chosen"))
    assert jit.folder() == tmp_path / "chosen" / "kernels" / jit.key()
    assert jit.folder().is_dir()


def test_default_is_the_users_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CYTOCURVE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert jit.folder() == tmp_path / "cytocurve" / "kernels" / jit.key()


def test_temporary_folder_is_used_if_the_cache_is_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CYTOCURVE_CACHE", str(tmp_path / "file" / "below"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert jit.folder().is_relative_to(tmp_path)
    assert jit.folder().is_dir()


CHECK = "import pytest; tests = 'tests/models/engines/test_native.py'; "
CHECK += "options = ['-q', '-m', 'not slow', '-k', 'definition or gradient', tests]; "
CHECK += "raise SystemExit(pytest.main(options))"


def python(code: str, cache: Path, **variables: str) -> subprocess.Popen[str]:
    environment = os.environ | {"CYTOCURVE_CACHE": str(cache)} | variables
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


WIDE = "import numba; numba.config.CPU_FEATURES = '+avx512f'; from cytocurve.models.kernels import simd; "
WIDE += "numba.config.CPU_FEATURES = None; assert simd.LANES == 16; "


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "variables"),
    [
        pytest.param("", {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}, id="the plainest processor"),
        pytest.param(WIDE, {}, id="sixteen lanes"),
    ],
)
def test_kernels_for_other_processors_match_the_reference_implementation(
    before: str, variables: dict[str, str], tmp_path: Path
) -> None:
    process = python(before + CHECK, tmp_path, **variables)
    output = process.communicate()[0]
    assert process.returncode == 0, output
