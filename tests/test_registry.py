"""Families of parts find their members by themselves, plugins included."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cytocurve import registry
from cytocurve.errors import InputError

FAMILY = "cytocurve.datasets"

PROBE = """
from cytocurve import registry
print(registry.members("cytocurve.datasets"))
print(registry.load("cytocurve.datasets", "our_clinic", "DATASET"))
print(registry.module("cytocurve.datasets", "pbc").__name__)
"""


def install_plugin(folder: Path) -> None:
    """A distribution as installed by pip, with a new member and one named like a built-in."""
    (folder / "our_package.py").write_text('DATASET = "ours"\n')
    info = folder / "our_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[cytocurve]\ndatasets.our_clinic = our_package\ndatasets.pbc = our_package\narchitectures.x = our_package\n"
    )


def test_members_are_the_public_modules_of_the_package() -> None:
    assert {"folder", "pbc", "starter", "table"} <= set(registry.members(FAMILY))
    assert registry.members(FAMILY) == sorted(registry.members(FAMILY))
    assert not any(name.startswith("_") for name in registry.members(FAMILY))


def test_load_returns_the_attribute_of_a_member() -> None:
    assert registry.load(FAMILY, "pbc", "DATASET").name == "pbc"


def test_load_of_an_unknown_member_raises_key_error() -> None:
    with pytest.raises(KeyError, match="no_such_dataset"):
        registry.load(FAMILY, "no_such_dataset", "DATASET")


def test_plugins_add_members_but_cannot_replace_built_in_ones(tmp_path: Path) -> None:
    install_plugin(tmp_path)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    command, environment = [sys.executable, "-c", PROBE], {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    listed, plugin, built_in = done.stdout.splitlines()
    assert "'our_clinic'" in listed
    assert "'x'" not in listed
    assert plugin == "ours"
    assert built_in == "cytocurve.datasets.pbc"


def test_plugin_that_cannot_be_loaded_is_named() -> None:
    registry.register("datasets.broken", "no_such_module_at_all")
    registry.register("datasets.empty", "json")
    try:
        with pytest.raises(InputError, match="'broken' cannot be loaded"):
            registry.load(FAMILY, "broken", "DATASET")
        with pytest.raises(InputError, match="does not define DATASET"):
            registry.load(FAMILY, "empty", "DATASET")
    finally:
        registry._registered.clear()
        registry._modules.cache_clear()
