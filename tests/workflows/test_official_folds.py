"""A study on official folds that lack a class: it trains, and what cannot be scored is left out and counted."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cytocurve.core.data.assignment import OFFICIAL
from tests.projects import cytocurve, make_project

FOLDS = ("berlin", "london", "paris", "rome")


def study(root: Path, **changes: Any) -> Path:
    """Forty cells in four official folds; london has light cells only."""
    make_project(root, split="predefined", folds=4, sizes=[4, 8], **changes)
    path = root / "data" / "toy" / "labels" / "folder.csv"
    table = pd.read_csv(path)
    table["fold"] = [
        FOLDS[number % 4] if label == "light" else FOLDS[number % 3 and number % 3 + 1]
        for number, label in enumerate(table["label"])
    ]
    table.to_csv(path, index=False)
    for command in ("catalog", "split", "audit"):
        done = cytocurve(root, command)
        assert done.returncode == 0, done.stderr
    return root


def test_official_folds_that_lack_a_class_are_accepted_and_named(tmp_path: Path) -> None:
    root = study(tmp_path)
    shown = cytocurve(root, "split").stdout
    assert "Official folds without test images of a class: london: no positive" in shown
    assert "Official folds without validation images of a class: berlin: no positive" in shown
    summary = json.loads(cytocurve(root, "split", "--json").stdout)["folder"]
    assert summary["fold_names"] == list(FOLDS)
    assert [fold["fold"] for fold in summary["lacking"]] == ["london", "berlin"]
    split = pd.read_parquet(root / "build" / "split" / "folder.parquet")
    assert split.groupby("fold")[OFFICIAL].unique().map(list).tolist() == [[name] for name in FOLDS]
    found = json.loads((root / "reports" / "audit.json").read_text())["findings"]
    assert "london: no positive" in next(row for row in found if row["id"] == "folds-without-class")["sentence"]


def test_official_folds_need_three_images_of_a_class_and_not_one_in_each_fold(tmp_path: Path) -> None:
    root = study(tmp_path)
    path = root / "data" / "toy" / "labels" / "folder.csv"
    table = pd.read_csv(path)
    rare = table[table["label"] == "dark"].index
    table.assign(label=table["label"].drop(rare[3:])).to_csv(path, index=False)
    for command in ("catalog", "split"):
        done = cytocurve(root, command)
        assert done.returncode == 0, done.stderr
    table.assign(label=table["label"].drop(rare[2:])).to_csv(path, index=False)
    assert cytocurve(root, "catalog").returncode == 0
    refused = cytocurve(root, "split")
    assert refused.returncode == 2
    assert "positive: 2 images" in refused.stderr
    assert "Lower folds" not in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize("task", [{"positive": ["dark"], "negative": ["light"]}, "multiclass"])
def test_scores_of_a_fold_without_a_class_are_left_out_and_counted(tmp_path: Path, task: Any) -> None:
    root = study(tmp_path, task=task)
    done = cytocurve(root, "sweep", "--executor", "serial")
    assert done.returncode == 0, done.stderr
    done = cytocurve(root, "evaluate")
    assert done.returncode == 0, done.stderr
    answers = json.loads((root / "reports" / "answers.json").read_text())
    arm = answers["arms"][answers["chosen"]]
    point = arm["curves"]["roc_auc"][-1]
    assert (point["n"], point["undefined"]) == (3, 1)
    assert (arm["curves"]["accuracy"][-1]["n"], arm["curves"]["accuracy"][-1]["undefined"]) == (4, 0)
    assert arm["confusion"][-1]["undefined"] == [1, 0] if task == "multiclass" else [0, 1]
    assert answers["fold_names"] == list(FOLDS)
    page = (root / "reports" / "report.html").read_text()
    assert "london: no" in page
