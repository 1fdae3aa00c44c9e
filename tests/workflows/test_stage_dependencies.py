"""Each stage of ``dvc.yaml`` depends on the statements of exactly the code that it can reach."""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cytocurve.workflows.stages.code import SHOWING, WITHOUT, excluded, stage_digests
from cytocurve.workflows.stages.settings import USED
from cytocurve.yaml_files import read_yaml
from tests.projects import ROOT, make_project, run

STAGES = sorted(WITHOUT)
DEFINITION: dict[str, Any] = read_yaml(ROOT / "dvc.yaml")["stages"]


@cache
def digests() -> dict[str, dict[str, str]]:
    return stage_digests()


def test_every_stage_of_dvc_yaml_has_a_closure() -> None:
    assert sorted(DEFINITION) == sorted([*STAGES, "code"])


@pytest.mark.parametrize("stage", sorted({*USED, "sweep"}))
def test_stage_depends_on_its_own_settings_and_on_no_other(stage: str) -> None:
    files = [path for path in DEFINITION[stage]["deps"] if path.startswith("build/settings")]
    arm = "${item.architecture}-${item.augmentation}-${item.labels}"
    assert files == [f"build/settings/sweep/{arm}.json" if stage == "sweep" else f"build/settings/{stage}.json"]
    assert "params" not in DEFINITION[stage], "DVC would demand settings that have a default"


@pytest.mark.parametrize("stage", STAGES)
def test_stage_depends_only_on_its_own_code(stage: str) -> None:
    code = [path for path in DEFINITION[stage]["deps"] if path.startswith(("build/code", "src"))]
    assert code == [f"build/code/{stage}"]


IMPORT_EACH = """
import importlib, json, sys
imported = {}
for stage in sys.argv[1:]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "cytocurve"]:
        del sys.modules[name]
    importlib.import_module(f"cytocurve.workflows.stages.{stage}")
    imported[stage] = [name for name in sys.modules if name.startswith("cytocurve.")]
print(json.dumps(imported))
"""


@cache
def imported() -> dict[str, list[str]]:
    """What Python imports from cytocurve for each stage."""
    done = subprocess.run([sys.executable, "-c", IMPORT_EACH, *STAGES], capture_output=True, text=True, check=True)
    modules: dict[str, list[str]] = json.loads(done.stdout)
    return modules


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_closure_of_a_stage_contains_every_module_that_python_imports_for_it(stage: str) -> None:
    assert set(imported()[stage]) - set(SHOWING) <= set(digests()[stage])


def test_exclusions_name_modules_that_exist() -> None:
    folder = ROOT / "src"
    for rule in {rule for stage in STAGES for rule in excluded(stage)}:
        path = folder.joinpath(*rule.removesuffix(".*").split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), rule


REACHES = [
    ("catalog", "ingest.decoding", True),
    ("catalog", "datasets.folder", True),
    ("catalog", "datasets.starter.painter", False),
    ("sweep", "models.kernels.convolution", True),
    ("sweep", "models.engines.keras", True),
    ("sweep", "models.architectures.sequential", True),
    ("sweep", "training.worker", True),
    ("sweep", "report.page", False),
    ("evaluate", "study.design", True),
    ("evaluate", "core.planner.forecasting", True),
    ("evaluate", "datasets.starter", False),
    ("evaluate", "datasets.starter.painter", False),
    ("register", "models.engines.native", True),
    ("register", "stores.tracking.registry", True),
]


@pytest.mark.parametrize(("stage", "module", "expected"), REACHES)
def test_closure_reaches_only_modules_that_affect_the_stage(stage: str, module: str, expected: bool) -> None:
    assert (f"cytocurve.{module}" in digests()[stage]) == expected


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the package, to edit."""
    shutil.copytree(ROOT / "src" / "cytocurve", tmp_path / "cytocurve", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "cytocurve"


def stale(sources: Path, module: str, appended: str) -> set[str]:
    """The stages whose code changes when a line is appended to a file."""
    with (sources / module).open("a") as file:
        file.write(appended)
    return {stage for stage, changed in stage_digests(sources).items() if changed != digests()[stage]}


def test_edit_of_the_study_makes_evaluate_stale(sources: Path) -> None:
    assert {"evaluate", "register", "sweep"} <= stale(sources, "study/design.py", "CHANGED = 1\n")


def test_edit_of_the_starter_painter_makes_no_stage_stale(sources: Path) -> None:
    assert stale(sources, "datasets/starter/painter.py", "STROKE = 1\n") == set()


def test_edit_of_a_comment_makes_no_stage_stale(sources: Path) -> None:
    assert stale(sources, "core/runs.py", "# why\n") == set()


def test_edit_of_the_page_makes_only_evaluate_stale(sources: Path) -> None:
    assert stale(sources, "report/assets/page.css", "p { margin: 0 }\n") == {"evaluate"}


def test_edit_of_the_progress_bar_makes_no_stage_stale(sources: Path) -> None:
    assert stale(sources, "progress.py", "WIDTH = 1\n") == set()


def test_edit_of_a_command_makes_no_stage_stale(sources: Path) -> None:
    assert stale(sources, "cli/stages.py", "CHANGED = 1\n") == set()


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed distribution that adds an architecture, a dataset, and a member that is named like ours."""
    package = tmp_path / f"of_{tmp_path.name}"  # where a module is located is looked up once per process
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "layers.py").write_text("DEPTH = 2\n")
    (package / "network.py").write_text(
        f"from {package.name} import layers\nfrom cytocurve.report.palette import COLORS\nARCHITECTURE = layers.DEPTH\n"
    )
    (package / "smears.py").write_text("DATASET = None\n")
    info = tmp_path / "clinic-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: clinic\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[cytocurve]\narchitectures.deep = {package.name}.network\ndatasets.smears = {package.name}.smears\n"
        f"datasets.pbc = {package.name}.layers\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return package


def test_plug_ins_are_in_the_closures_of_the_stages_that_look_them_up(plug_in: Path) -> None:
    """With all that they import; a member that is named like ours is never looked up."""
    found = {stage: set(lines) - set(digests()[stage]) for stage, lines in stage_digests().items()}
    network, layers, smears = (f"{plug_in.name}.{name}" for name in ("network", "layers", "smears"))
    assert {network, layers, "cytocurve.report.palette"} <= found["sweep"]
    assert found["catalog"] == {smears}
    assert found["audit"] == {network, layers, "cytocurve.report.palette"}
    assert not any(smears in names for stage, names in found.items() if stage != "catalog")


def test_edit_of_a_plug_in_makes_the_stages_stale_that_look_it_up(plug_in: Path) -> None:
    before = stage_digests()

    def stale_after(module: str, appended: str) -> set[str]:
        with (plug_in / module).open("a") as file:
            file.write(appended)
        return {stage for stage, lines in stage_digests().items() if lines != before[stage]}

    assert stale_after("smears.py", "# why\n") == set()
    assert stale_after("smears.py", "CHANGED = 1\n") == {"catalog"}
    assert {"catalog", "sweep", "register"} <= stale_after("layers.py", "CHANGED = 1\n")


@pytest.mark.slow
def test_dvc_reruns_only_the_stages_whose_statements_changed(tmp_path: Path) -> None:
    root = make_project(tmp_path)

    def dvc(*arguments: str) -> str:
        done = run(root, "dvc", *arguments, PYTHONPATH=str(root / "src"))
        assert done.returncode == 0, done.stderr
        return done.stdout

    dvc("repro", "catalog")
    lock = (root / "dvc.lock").read_bytes()
    assert "up to date" in dvc("repro", "catalog")
    assert (root / "dvc.lock").read_bytes() == lock
    assert "up to date" in dvc("status", "--with-deps", "catalog")

    decoding = root / "src/cytocurve/ingest/decoding.py"
    decoding.write_text(decoding.read_text() + "# why\n")
    assert "Running stage 'catalog'" not in dvc("repro", "catalog")
    assert "up to date" in dvc("status", "--with-deps", "catalog")

    decoding.write_text(decoding.read_text() + "CHANGED = 1\n")
    assert "src/cytocurve" in dvc("status", "--with-deps", "catalog")
    assert "Running stage 'catalog'" in dvc("repro", "catalog")
