"""Component versions cover all code that can change a result."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cytocurve.closure import imports, statements
from cytocurve.models import architectures, augmentation, engines, fingerprint, preparation, protocols
from tests.projects import ROOT, SMALL

FAMILIES = (architectures, augmentation, protocols, engines)

CANNOT_CHANGE_A_RESULT = {
    "cytocurve": "the release number",
    "cytocurve.closure": "computes digests of code",
    "cytocurve.core.runs": "names runs; random numbers come from core.entropy",
    "cytocurve.errors": "messages",
    "cytocurve.files": "checksums and atomic writes",
    "cytocurve.ingest.limits": "rejects images but does not change them",
    "cytocurve.models.architectures": "lookup of families",
    "cytocurve.models.augmentation": "lookup of policies",
    "cytocurve.models.engines": "lookup of engines",
    "cytocurve.models.fingerprint": "computes the versions themselves",
    "cytocurve.models.protocols": "lookup of protocols",
    "cytocurve.models.settings": "validates settings; their values are in the key",
    "cytocurve.redaction": "hides passwords in messages",
    "cytocurve.registry": "lookup",
    "cytocurve.stores.ledger": "stores results; its contract suite checks that they read back unchanged",
    "cytocurve.training.executors": "lookup of executors",
    "cytocurve.training.executors.processes": "starts worker processes",
    "cytocurve.training.features": "stores vectors of features; its tests check that they read back unchanged",
    "cytocurve.training.kernel_files": "drops damaged kernels, which are recompiled from the same source",
    "cytocurve.training.preparation": "stores prepared images; its tests check that they read back unchanged",
    "cytocurve.training.worker": "passes the run to an engine and the result to the ledger",
}
"""Modules that a worker executes but no version covers, with the reason."""


ENTRIES = ("cytocurve.training.worker", "cytocurve.training.preparation", "cytocurve.training.features")
"""What worker processes call, and what makes the files that they read."""


def members() -> Iterator[str]:
    for family in FAMILIES:
        yield from (module for name in family.names() for module in family.sources(name))


def executed() -> set[str]:
    """All modules of cytocurve that a worker may execute, including their packages."""
    modules = set(fingerprint.closure(*ENTRIES, *members()))
    waiting = {*modules, *fingerprint.INERT}
    waiting |= {name for inert in fingerprint.INERT for name in imports(inert, file_of(inert))}
    packages = {".".join(name.split(".")[:depth]) for name in waiting for depth in range(1, name.count(".") + 2)}
    return {name for name in packages if name.startswith("cytocurve") and has_code(name)}


def file_of(module: str) -> Path:
    place = ROOT.joinpath("src", *module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), place)


def has_code(module: str) -> bool:
    """Whether a name is a module with more than a docstring."""
    file = file_of(module)
    return file.is_file() and bool(statements(file.read_text(encoding="utf-8")))


def test_every_module_executed_by_a_worker_is_in_a_version_or_cannot_change_a_result() -> None:
    covered = {*members(), *preparation.sources()}
    assert executed() - covered <= CANNOT_CHANGE_A_RESULT.keys()


def test_modules_that_cannot_change_a_result_are_all_executed() -> None:
    assert CANNOT_CHANGE_A_RESULT.keys() <= executed()


def test_kernels_are_in_the_version_of_the_native_engine_only() -> None:
    assert "cytocurve.models.kernels.dense" in engines.sources("native")
    assert "cytocurve.models.kernels.dense" not in engines.sources("keras")


SCRIPT = """
import json, sys
from cytocurve.config import validate_params
from cytocurve.core.runs import Arm, Images, Run
from cytocurve.models.preparation import preparation
from cytocurve.study.design import recipe
from cytocurve.training.preparation import shared_pixels
from pathlib import Path
keys, images = {}, Images((), ())
for engine in ("native", "keras"):
    for policy in ("none", "flip_rotate"):
        content = json.loads(sys.argv[1])
        content["training"]["engine"] = engine
        made = recipe(validate_params(content, "p"), Arm("sequential", policy, "folder"), ["negative", "positive"])
        keys[f"{engine} {policy}"] = Run(made, 2, 0, images, images, images).key
keys["pixels"] = shared_pixels(Path(sys.argv[2]), [], [], preparation({"size": 24}), lambda *_: None).name
print(json.dumps(keys))
"""
ALL = {"native none", "native flip_rotate", "keras none", "keras flip_rotate"}


def identities(source: Path, scratch: Path) -> dict[str, str]:
    """The keys of four runs that differ in engine and policy, and the name of the file of prepared pixels."""
    content = json.dumps({**SMALL, "image_size": 24})
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, content, str(scratch)],
        env={"PYTHONPATH": str(source), "PATH": "", "HOME": str(scratch)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    keys: dict[str, str] = json.loads(done.stdout)
    return keys


@cache
def unchanged(scratch: Path) -> dict[str, str]:
    return identities(ROOT / "src", scratch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("models/preparation.py", "BILINEAR", "NEAREST", {*ALL, "pixels"}),
        ("ingest/decoding.py", 'image.convert("RGB")', 'image.convert("L").convert("RGB")', {*ALL, "pixels"}),
        ("models/protocols/early_stopping.py", "validation_loss < self.best", "validation_loss <= self.best", ALL),
        ("models/transforms.py", "+ 0.5", "+ 0.4", {"native flip_rotate", "keras flip_rotate"}),
        ("models/kernels/dense.py", "probabilities[i] /= total", "probabilities[i] *= 1 / total",
         {"native none", "native flip_rotate"}),
        ("models/engines/keras.py", "PREDICTION_BATCH = 25", "PREDICTION_BATCH = 24",
         {"keras none", "keras flip_rotate"}),
        ("models/architectures/another.py", None,
         "from cytocurve.models.architectures.sequential import ARCHITECTURE", set()),
        ("models/fit.py", '"""The training loop, shared by all engines."""', "# A loop.", set()),
    ],
    ids=lambda value: value if isinstance(value, str) and value.endswith(".py") else "",
)  # fmt: skip
def test_keys_change_only_with_the_code_executed_by_a_run(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, file: str, old: str | None, new: str, changed: set[str]
) -> None:
    source, scratch = tmp_path / "src", tmp_path_factory.getbasetemp() / "scratch"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "report"))
    path = source / "cytocurve" / file
    before = "" if old is None else path.read_text(encoding="utf-8")
    assert old is None or old in before
    path.write_text(new if old is None else before.replace(old, new), encoding="utf-8")
    there, here = unchanged(scratch), identities(source, scratch)
    assert {name for name in there if there[name] != here[name]} == changed
