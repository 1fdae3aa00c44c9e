"""The settings printed by data add define a working study."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

from cytocurve.config import ProjectPaths
from cytocurve.workflows.data_add import copy_dataset
from cytocurve.workflows.data_start import as_yaml, settings
from cytocurve.workflows.stages.catalog import catalog
from cytocurve.workflows.stages.split import SplitSummary, split
from cytocurve.yaml_files import read_yaml
from tests.datasets.dataset_makers import save
from tests.projects import cytocurve, write_params


def pasted(root: Path, text: str) -> None:
    """Replace the settings in ``params.yaml`` by those of a printed block."""
    content = read_yaml(root / "params.yaml") | YAML(typ="safe", pure=True).load(io.StringIO(text))
    with (root / "params.yaml").open("w") as file:
        YAML().dump(content, file)


def studied(root: Path, name: str, source: Path) -> tuple[dict[str, Any], SplitSummary]:
    """Add a dataset, paste the printed settings, catalog and split."""
    write_params(root)
    project = ProjectPaths(root)
    outcome = copy_dataset(project, name, source, "mine", lambda done, total: None)
    given = settings(project, "mine", next(iter(outcome.labels)))
    pasted(root, as_yaml(given))
    catalog(project, lambda done, total: None)
    (summary,) = split(project).values()
    return given, summary


def make_classes(root: Path, counts: Mapping[str, int]) -> None:
    for number, (label, count) in enumerate(counts.items()):
        for seed in range(count):
            save(root / label / f"{label}{seed}.png", 1000 * number + seed)


@pytest.mark.parametrize("name", ["off", "1", "01", "null", "1e3", "2020-01-01", "yes", "größe", "a: b", "it's", "0x1"])
def test_class_names_that_yaml_misreads_are_quoted(name: str, tmp_path: Path) -> None:
    make_classes(tmp_path / "cells", {name: 6, "other": 6})
    given, summary = studied(tmp_path, "folder", tmp_path / "cells")
    assert given["task"] == {"positive": [name], "negative": ["other"]}
    assert summary.images == 12
    assert [*YAML(typ="safe", pure=True).load(as_yaml({"labels": [name]}))["labels"]] == [name]


@pytest.mark.parametrize(
    ("counts", "folds"),
    [({"a": 3, "b": 3}, 3), ({"a": 8, "b": 30}, 4), ({"a": 22, "b": 21}, 10), ({"a": 9, "b": 12, "c": 4, "d": 30}, 3)],
)
def test_folds_and_sizes_fit_the_images(counts: dict[str, int], folds: int, tmp_path: Path) -> None:
    """Every size can be balanced: no class runs out of training images."""
    make_classes(tmp_path / "cells", counts)
    given, summary = studied(tmp_path, "folder", tmp_path / "cells")
    assert given["folds"] == summary.folds == folds
    split_table = pd.read_parquet(ProjectPaths(tmp_path).split("folder"))
    for size in given["sizes"]:
        used = split_table[(split_table["subset"] == "train") & (split_table["rank"] < size)]
        assert used.groupby(["fold", "class"]).size().nunique() == 1


def test_identical_images_are_counted_once(tmp_path: Path) -> None:
    make_classes(tmp_path / "cells", {"a": 5, "b": 5})
    for label in ("a", "b"):
        for number in range(20):
            content = (tmp_path / "cells" / label / f"{label}0.png").read_bytes()
            (tmp_path / "cells" / label / f"copy{number}.png").write_bytes(content)
    assert studied(tmp_path, "folder", tmp_path / "cells")[1].images == 10


@pytest.mark.parametrize(("patients", "expected"), [(6, "patient"), (1, "stratified")])
def test_patient_split_is_suggested_if_there_are_enough_patients(patients: int, expected: str, tmp_path: Path) -> None:
    make_classes(tmp_path / "cells", {"a": 24, "b": 24})
    rows = [
        {"image": f"{label}/{label}{seed}.png", "label": label, "patient": f"P{seed % patients}"}
        for label in ("a", "b")
        for seed in range(24)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "cells" / "cells.csv", index=False)
    given, _ = studied(tmp_path, "table", tmp_path / "cells" / "cells.csv")
    assert given["split"] == expected
    assert len(given["sizes"]) >= 5


def test_class_of_healthy_cells_becomes_the_negative_class(tmp_path: Path) -> None:
    make_classes(tmp_path / "cells", {"healthy_cells": 6, "ill": 6})
    given, _ = studied(tmp_path, "folder", tmp_path / "cells")
    assert given["task"] == {"positive": ["ill"], "negative": ["healthy_cells"]}


def test_too_few_images_give_no_settings(tmp_path: Path) -> None:
    make_classes(tmp_path / "cells", {"a": 2, "b": 6})
    write_params(tmp_path)
    copy_dataset(ProjectPaths(tmp_path), "folder", tmp_path / "cells", "mine", lambda done, total: None)
    assert settings(ProjectPaths(tmp_path), "mine", "folder") == {}


@pytest.mark.slow
def test_printed_block_runs_in_a_new_study(tmp_path: Path) -> None:
    """The output lists ten of the skipped files and then the block alone."""
    study = tmp_path / "study"
    make_classes(tmp_path / "cells", {"off": 6, "01": 6})
    for number in range(30):
        (tmp_path / "cells" / "off" / f"{number:02}.txt").touch()
    assert cytocurve(tmp_path, "init", "study").returncode == 0
    added = cytocurve(study, "data", "add", "folder", str(tmp_path / "cells"), "--as", "1e3")
    assert added.returncode == 0, added.stderr
    assert "30 files: not an image suffix" in added.stdout
    assert "off/09.txt and 20 more" in added.stdout
    pasted(study, added.stdout.partition("then dvc repro\n")[2])
    for command in ("catalog", "split"):
        done = cytocurve(study, command)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_adding_the_dataset_of_the_study_prints_no_other_settings(tmp_path: Path) -> None:
    study = tmp_path / "study"
    assert cytocurve(tmp_path, "init", "study").returncode == 0
    make_classes(tmp_path / "cells", {"a": 6, "b": 6})
    pasted(study, "dataset: mine\n")
    added = cytocurve(study, "data", "add", "folder", str(tmp_path / "cells"), "--as", "mine")
    assert added.stdout.endswith("params.yaml already names this dataset. Next: dvc repro\n")
