"""Versions in run keys follow what code does, not how it is laid out."""

from pathlib import Path

import numpy as np
import pytest

from cytocurve.models import architectures, augmentation, engines, fingerprint

SOURCE = '''"""Doc."""
def f(x):
    """What it does."""
    return x + 1  # why
'''


def digest(tmp_path: Path, source: str) -> str:
    (tmp_path / "code.py").write_text(source)
    return fingerprint.of_files(tmp_path / "code.py")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # why", ""),
        ("What it does.", "What it did."),
        ('"""Doc."""\n', ""),
        ("x + 1", "(x   + 1)"),
        ("\ndef", "\n\n\ndef"),
    ],
)
def test_comments_docstrings_and_layout_change_no_version(tmp_path: Path, old: str, new: str) -> None:
    assert digest(tmp_path, SOURCE) == digest(tmp_path, SOURCE.replace(old, new))


def test_another_statement_changes_the_version(tmp_path: Path) -> None:
    assert digest(tmp_path, SOURCE) != digest(tmp_path, SOURCE.replace("+ 1", "+ 2"))


def test_every_architecture_policy_and_engine_has_a_version() -> None:
    assert all(architectures.version(name) for name in architectures.names())
    assert all(engines.version(name) for name in engines.ENGINES)
    assert all(augmentation.version(name) for name, policy in augmentation.POLICIES.items() if policy.draw)


def test_another_policy_changes_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = augmentation.version("flip_rotate")
    flips = augmentation.Policy(
        lambda rng, n, _: rng.choice([-1.0, 1.0], (n, 1, 1)) * np.eye(2, 3), augmentation.FillSettings
    )
    monkeypatch.setattr(augmentation, "POLICIES", {**augmentation.POLICIES, "turn": flips})
    assert augmentation.version("flip_rotate") == before
    assert augmentation.version("turn") not in {"", before}
