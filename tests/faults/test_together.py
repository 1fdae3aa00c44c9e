"""Two concurrent commands give the same result as running them one after the other."""

import json
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from cytocurve.config import ProjectPaths
from cytocurve.files import exclusive
from cytocurve.workflows.stages.catalog import catalog
from tests.datasets.dataset_makers import silent
from tests.faults.harness import LONG, start, together
from tests.projects import cytocurve, make_project, run, write_toy

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> ProjectPaths:
    paths = ProjectPaths(make_project(tmp_path / "project"))
    catalog(paths, silent)
    return paths


def assert_dvc_recorded_everything(project: ProjectPaths) -> None:
    assert run(project.root, "dvc", "status", "--quiet", "data.dvc").returncode == 0


def withdrawal(patient: str) -> list[str]:
    return ["cytocurve", "data", "withdraw", "--patient", patient, "--reason", "consent withdrawn"]


def list_of_all(project: ProjectPaths, name: str) -> str:
    table = pd.read_csv(project.data / "toy/labels/folder.csv")
    table[["image", "label"]].to_csv(project.root / name, index=False)
    return name


def labels_import(file: str, name: str) -> list[str]:
    return ["cytocurve", "labels", "import", file, "--as", name, "--annotator", "Dr A", "--base", "folder"]


def test_concurrent_withdrawals_of_two_patients_are_both_recorded(project: ProjectPaths) -> None:
    done = together(project.root, withdrawal("P1"), withdrawal("P2"))
    assert [process.returncode for process in done] == [0, 0], [process.stderr for process in done]
    assert set(pd.read_csv(project.data / "toy/withdrawn.csv")["patient"]) == {"P1", "P2"}
    assert not {"P1", "P2"} & set(pd.read_csv(project.data / "toy/labels/folder.csv")["patient"])
    assert_dvc_recorded_everything(project)


def test_concurrent_imports_of_two_versions_are_both_recorded(project: ProjectPaths) -> None:
    file = list_of_all(project, "list.csv")
    done = together(project.root, labels_import(file, "second"), labels_import(file, "third"))
    assert [process.returncode for process in done] == [0, 0], [process.stderr for process in done]
    assert {path.stem for path in (project.data / "toy/labels").iterdir()} == {"folder", "second", "third"}
    assert_dvc_recorded_everything(project)


def test_import_concurrent_with_a_withdrawal_keeps_no_row_of_the_patient(project: ProjectPaths) -> None:
    """The patient is removed from a version imported first; an import that comes second is rejected."""
    file = list_of_all(project, "list.csv")
    taken_out, imported = together(project.root, withdrawal("P1"), labels_import(file, "second"))
    assert (taken_out.returncode, imported.returncode) in {(0, 0), (0, 2)}, imported.stderr
    for table in map(pd.read_csv, (project.data / "toy/labels").glob("*.csv")):
        assert all((project.data / "toy/images" / image).is_file() for image in table["image"])
    assert_dvc_recorded_everything(project)


def test_concurrent_adds_of_two_datasets_are_both_recorded(project: ProjectPaths, tmp_path: Path) -> None:
    write_toy(tmp_path / "upstream", cells=4)
    adding = ["cytocurve", "data", "add", "folder", str(tmp_path / "upstream/images"), "--as"]
    done = together(project.root, [*adding, "one"], [*adding, "two"])
    assert [process.returncode for process in done] == [0, 0], [process.stderr for process in done]
    assert {path.name for path in project.data.iterdir()} == {"toy", "one", "two"}
    assert_dvc_recorded_everything(project)


def test_concurrent_uses_of_two_studies_both_change_the_parameters(project: ProjectPaths) -> None:
    studies = {
        "small": "sizes: [4, 8]\n",
        "fewer": "folds: 5\n",
        "once": "seeds: [7]\n",
        "still": "min_class_size: 6\n",
    }
    (project.root / "studies").mkdir()
    for name, settings in studies.items():
        (project.root / f"studies/{name}.yaml").write_text(f"# A study\n{settings}")
    done = together(project.root, *(["cytocurve", "study", "use", name] for name in studies))
    assert [process.returncode for process in done] == [0] * len(studies), [process.stderr for process in done]
    params = YAML(typ="safe").load(project.params_file.read_text())
    assert (params["sizes"], params["folds"], params["seeds"]) == ([4, 8], 5, [7])


def test_runs_shared_by_two_arms_are_trained_once_by_concurrent_sweeps(tmp_path: Path) -> None:
    """A variant with the settings of its family has the same run keys under another name."""
    few = {"filters": [3, 4], "dense": [6]}
    settings = {"sequential": few, "same": {"base": "sequential", **few}, "none": {}}
    root = make_project(tmp_path / "project", architectures=["sequential", "same"], settings=settings, sizes=[4, 8])
    for stage in ("catalog", "split"):
        assert cytocurve(root, stage).returncode == 0
    arms = ("sequential-none-folder", "same-none-folder")
    done = together(root, *(["cytocurve", "sweep", arm, "--json"] for arm in arms))
    assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]
    outcomes = [json.loads(each.stdout)[arm] for arm, each in zip(arms, done, strict=True)]
    assert sum(outcome["trained"] for outcome in outcomes) == 8
    assert sum(outcome["found"] for outcome in outcomes) == 8
    assert len({pd.read_parquet(root / f"results/{arm}.parquet")["run_key"].sum() for arm in arms}) == 1
    assert not list(root.glob(".cytocurve/locks/ledger/runs/*"))


def test_command_that_waits_for_a_lock_says_so(project: ProjectPaths) -> None:
    (project.root / "studies").mkdir()
    (project.root / "studies/small.yaml").write_text("# A study\nsizes: [4, 8]\n")
    with exclusive(project.files_lock):
        waiting = start(project.root, ["cytocurve", "study", "use", "small"])
        assert waiting.stderr is not None
        assert "waiting for it to finish" in waiting.stderr.readline()
    assert waiting.communicate(timeout=LONG)[0].startswith("params.yaml:")
    assert waiting.returncode == 0
