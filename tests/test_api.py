"""``cytocurve.Project``: every command as a method, under the rules that the command line meets."""

import doctest
import inspect
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import cytocurve
from cytocurve import api
from cytocurve.api import Project, base, data, labels, results, stages
from cytocurve.cli import cli
from cytocurve.errors import CytocurveError, InputError
from cytocurve.progress import Silent
from cytocurve.stores.tracking.connection import connected
from tests.projects import ROOT, environment, make_project, run
from tests.projects import cytocurve as command

ARM = "sequential-none-folder"
PARTS: tuple[ModuleType, ...] = (api, base, stages, results, data, labels)
PUBLIC = [
    (name, method) for name, method in inspect.getmembers(Project, inspect.isfunction) if not name.startswith("_")
]
NOT_METHODS = {"ui": "ui_server", "data trace": "trace", "data withdraw": "withdraw"}


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a user who has set nothing of MLflow and cytocurve."""
    for name in ("MLFLOW_TRACKING_URI", "CYTOCURVE_LEDGER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that ran up to ``evaluate``, by the methods of ``Project``, with a second label version."""
    root = make_project(tmp_path_factory.mktemp("finished"))
    study = Project(root, Silent())
    study.catalog()
    study.split()
    study.audit()
    study.sweep()
    study.evaluate()
    table = pd.read_csv(root / "data/toy/labels/folder.csv")
    table.loc[table["image"] == "light/cell000.png", "label"] = "dark"
    table.to_csv(root / "data/toy/labels/second.csv", index=False)
    study.catalog()
    return root


@pytest.fixture
def project(finished: Path, tmp_path: Path, clean: None) -> Project:
    """A copy of the finished study that tests may change."""
    root = tmp_path / "study"
    shutil.copytree(finished, root, symlinks=True)
    return Project(root, Silent())


def prepared(root: Path) -> Project:
    study = Project(root, Silent())
    study.catalog()
    study.split()
    return study


@pytest.mark.slow
@pytest.mark.parametrize("policy", [{"leakage": "fail"}, {"duplicates": "fail"}])
def test_sweep_refused_by_the_audit_raises_what_the_command_line_prints_and_trains_nothing(
    tmp_path: Path, clean: None, policy: dict[str, str]
) -> None:
    root = make_project(tmp_path, **policy)
    copy = root / "data/toy/images/dark/copy.png"
    shutil.copyfile(root / "data/toy/images/dark/cell001.png", copy)
    table = root / "data/toy/labels/folder.csv"
    table.write_text(table.read_text() + "dark/copy.png,dark,P6\n")
    study = prepared(root)
    with pytest.raises(CytocurveError, match="Audit failed; nothing was trained") as refused:
        study.sweep()
    assert refused.value.exit_code == 1
    assert not any((root / "results").glob("*"))
    assert not list((root / "ledger").rglob("*.npz"))
    done = command(root, "sweep")
    assert done.returncode == 1
    assert done.stderr.endswith(f"error: {refused.value}\n")


@pytest.mark.slow
def test_sweep_with_a_custom_executor_is_gated_by_the_audit(tmp_path: Path, clean: None) -> None:
    """Like that of a cluster: it is never created."""
    study = prepared(make_project(tmp_path, leakage="fail"))

    def cluster() -> None:
        pytest.fail("an executor was made")

    with pytest.raises(CytocurveError, match="leakage: fail"):
        study.sweep(executor=cluster)  # type: ignore[arg-type]


@pytest.mark.slow
def test_sweep_publishes_to_mlflow(project: Project) -> None:
    shutil.rmtree(project.paths.root / "mlruns")
    (project.paths.root / "mlruns").mkdir()
    outcome = project.sweep()[ARM]
    assert (outcome.found, outcome.trained, outcome.published) == (12, 0, 12)
    with connected(project.paths.tracking_uri, project.paths.tracking_lock) as client:
        (experiment,) = client.search_experiments(filter_string="name = 'toy/dark-vs-light'")
        runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 12 + 1, "a run each, and their parent"


def test_sweep_rejects_invalid_arguments(tmp_path: Path) -> None:
    study = Project(tmp_path, Silent())
    with pytest.raises(InputError, match="at least 1"):
        study.sweep(workers=0)
    with pytest.raises(InputError, match="executor 'dask' is unknown"):
        study.sweep(executor="dask")


def commands(group: object = cli, prefix: str = "") -> Iterator[str]:
    for name, result in getattr(group, "commands", {}).items():
        if hasattr(result, "commands"):
            yield from commands(result, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("name", sorted(commands()))
def test_project_has_a_method_for_every_command(name: str) -> None:
    assert hasattr(Project, NOT_METHODS.get(name, name.replace(" ", "_")))


@pytest.mark.parametrize(("name", "method"), PUBLIC)
def test_project_documents_each_method_with_an_example(name: str, method: object) -> None:
    text, signature = inspect.getdoc(method) or "", inspect.signature(method)  # type: ignore[arg-type]
    assert "Returns:" in text
    assert ">>> " in text.partition("Example:")[2], name
    arguments = [argument for argument in signature.parameters if argument != "self"]
    assert all(f"    {argument}: " in text.partition("Args:")[2] for argument in arguments), name


EXAMPLES = [
    example for part in PARTS for example in doctest.DocTestFinder(exclude_empty=True).find(part) if example.examples
]


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_project_examples_print_the_documented_output(example: doctest.DocTest, project: Project) -> None:
    if example.name.endswith(("labels_import", "labels_merge", "labels_diff", "labels_agreement")):
        assert (project.paths.data / "toy/labels/second.csv").is_file()
    if example.name.endswith("data_list"):
        (project.paths.data / "toy/labels/second.csv").unlink()
    example.globs["project"] = project
    output: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=output.append, clear_globs=False)
    assert not runner.failures, "".join(output)


@pytest.mark.slow
def test_figure_displays_itself_and_is_saved_as_svg_or_pdf(project: Project, tmp_path: Path) -> None:
    figure = project.figure("curves", width_mm=120)
    assert figure._repr_svg_() == figure.svg
    assert "<svg" in figure.svg
    assert figure.save(tmp_path / "curves.svg").read_text() == figure.svg
    assert figure.save(tmp_path / "curves.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(InputError, match=r"\.svg or \.pdf"):
        figure.save(tmp_path / "curves.png")
    with pytest.raises(InputError, match="did you mean 'curves'"):
        project.figure("curve")


@pytest.mark.slow
def test_runs_and_predictions_agree(project: Project) -> None:
    runs, tested = project.runs(), project.predictions("test")
    assert set(tested["run_key"]) == set(runs["run_key"])
    with pytest.raises(InputError, match="subset 'train' is unknown"):
        project.predictions("train")


def test_trace_needs_an_image_or_a_patient(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="either an image or a patient"):
        Project(tmp_path).trace()


def test_import_of_cytocurve_loads_nothing_heavy() -> None:
    code = "import sys, cytocurve; assert not {'pandas', 'numpy', 'pydantic', 'cytocurve.api'} & set(sys.modules)"
    code += "; assert cytocurve.Project and callable(cytocurve.load_answers)"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())


def test_import_of_an_unknown_name_raises_attribute_error() -> None:
    assert {"Project", "load_answers"} <= set(dir(cytocurve))
    with pytest.raises(AttributeError, match="no attribute 'Projekt'"):
        _ = cytocurve.Projekt


def test_module_is_the_command_line() -> None:
    done = run(ROOT, sys.executable, "-m", "cytocurve", "--version")
    assert (done.returncode, done.stdout.strip()) == (0, cytocurve.__version__)
