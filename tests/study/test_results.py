"""The committed results match the committed pipeline and the promises of the starter dataset."""

import hashlib
import json
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.projects import ROOT

METRICS = ROOT / "reports" / "metrics.json"


@pytest.fixture
def arms() -> dict[str, Any]:
    figures = json.loads(METRICS.read_text())
    if (figures["dataset"], figures["task"]) != ("starter", "blast"):
        pytest.skip("this clone holds the figures of another study than the default one")
    result: dict[str, Any] = figures["arms"]
    return result


def test_recorded_metrics_match_the_pipeline() -> None:
    lock = YAML(typ="safe").load((ROOT / "dvc.lock").read_text())
    recorded = {out["path"]: out["md5"] for out in lock["stages"]["evaluate"]["outs"]}
    content = METRICS.read_bytes()
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == recorded["reports/metrics.json"]


def test_starter_is_hard_with_10_images_and_learned_with_200(arms: dict[str, Any]) -> None:
    curve = arms["sequential-none-expert"]["roc_auc"]
    assert curve["10"]["mean"] <= 0.85
    assert 0.93 <= curve["200"]["mean"] <= 0.99
