"""Versions in run keys depend on statements, not on layout."""

import sys
from pathlib import Path

import pytest

from cytocurve.models import architectures, augmentation, engines, fingerprint, preparation, protocols

SOURCE = '''"""Doc."""
def f(x):
    """What it does."""
    return x + 1  # why


class WideSettings:
    """Settings."""

    width: int = 3
'''


def digest(tmp_path: Path, source: str) -> str:
    file = tmp_path / f"code{len(list(tmp_path.iterdir()))}.py"
    file.write_text(source)
    return fingerprint.of_sources({"code": file})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # why", ""),
        ("What it does.", "What it did."),
        ('"""Doc."""\n', ""),
        ("x + 1", "(x   + 1)"),
        ("\n\n\nclass", "\n\n\n\n\nclass"),
        ("    width: int = 3\n", "    width: int = 3\n    depth: int = 2\n"),
    ],
)
def test_version_ignores_comments_docstrings_layout_and_new_settings(tmp_path: Path, old: str, new: str) -> None:
    assert old in SOURCE
    assert digest(tmp_path, SOURCE) == digest(tmp_path, SOURCE.replace(old, new))


def test_version_changes_with_a_statement(tmp_path: Path) -> None:
    assert digest(tmp_path, SOURCE) != digest(tmp_path, SOURCE.replace("+ 1", "+ 2"))


def test_closure_follows_imports_inside_functions_but_not_into_other_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "closed"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.py").write_text("import numpy\nfrom . import b\n")
    (package / "b.py").write_text(
        "def f():\n    from closed.c import x\n    from cytocurve.core.entropy import entropy\n"
    )
    (package / "c.py").write_text("x = 1\n")
    (package / "d.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert set(fingerprint.closure("closed.a")) == {"closed.a", "closed.b", "closed.c", "cytocurve.core.entropy"}
    assert set(fingerprint.closure("closed.a", without=["closed.b"])) == {"closed.a"}


def test_version_of_a_plug_in_changes_with_its_module_and_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one_file_plug_in.py").write_text("x = 1\n")
    package = tmp_path / "packaged_plug_in"
    package.mkdir()
    (package / "__init__.py").write_text("RATE = 1\n")
    (package / "network.py").write_text("from packaged_plug_in import RATE\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert set(fingerprint.closure("one_file_plug_in")) == {"one_file_plug_in"}
    assert set(fingerprint.closure("packaged_plug_in.network")) == {"packaged_plug_in", "packaged_plug_in.network"}


FAMILIES = {"architectures": architectures, "augmentation": augmentation, "protocols": protocols, "engines": engines}


@pytest.mark.parametrize("family", FAMILIES)
def test_members_of_a_family_have_distinct_versions(family: str) -> None:
    module = FAMILIES[family]
    versions = [module.version(name) for name in module.names()]
    assert all(versions)
    assert len(set(versions)) == len(versions)


def test_version_of_the_preparation_covers_decoding() -> None:
    assert {"cytocurve.ingest.decoding", "cytocurve.models.preparation"} <= preparation.sources().keys()
