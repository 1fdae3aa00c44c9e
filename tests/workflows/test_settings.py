"""Stage ``settings``: what each stage uses of ``params.yaml``, defaults included."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cytocurve.config import Params, ProjectPaths, validate_params
from cytocurve.errors import InputError
from cytocurve.workflows.stages.settings import USED, USED_BY_SWEEP, resolve, settings
from tests.projects import SMALL, make_project, run, write_params

NEEDED: dict[str, Any] = {
    "dataset": "toy",
    "task": {"positive": ["dark"], "negative": ["light"]},
    "labels": ["folder"],
    "architectures": ["sequential"],
    "augmentations": ["none", "flip_rotate"],
    "sizes": [4, 8],
    "image_size": 190,
}
"""The settings that have no default."""

WRITTEN_OUT: dict[str, Any] = {
    "sample_per_class": None,
    "min_class_size": 5,
    "rare": "drop",
    "folds": 10,
    "seeds": [0],
    "split": "stratified",
    "split_seed": 0,
    "grow_by": "images",
    "duplicates": "drop",
    "leakage": "warn",
    "training": {"batch_size": 5, "learning_rate": 0.001, "class_weights": None, "engine": "auto"},
    "settings": {
        "sequential": {"filters": [4, 8, 8, 8, 16, 16], "dense": [32]},
        "none": {},
        "flip_rotate": {"fill": "nearest"},
        "flip_rotate_translate": {"translation": 0.1},
    },
}


def resolved(**content: Any) -> dict[str, Any]:
    return resolve(validate_params(content, "params.yaml"))


def test_settings_left_out_are_those_written_out_at_their_defaults() -> None:
    assert resolved(**NEEDED) == resolved(**NEEDED, **WRITTEN_OUT)


def test_every_setting_is_used_by_a_stage() -> None:
    used = {key for keys in USED.values() for key in keys} | {*USED_BY_SWEEP, "settings"}
    assert used == Params.model_fields.keys()


def test_settings_of_an_augmentation_concern_its_arms_only() -> None:
    before = resolved(**NEEDED)
    after = resolved(**NEEDED, settings={"flip_rotate": {"fill": "constant"}})
    changed = {arm for arm, given in after["sweep"].items() if given != before["sweep"][arm]}
    assert changed == {"sequential-flip_rotate-folder"}
    assert {**after, "sweep": None} == {**before, "sweep": None}


def test_entry_of_settings_with_an_unknown_name_is_rejected_with_a_suggestion() -> None:
    with pytest.raises(InputError) as caught:
        resolved(**NEEDED, settings={"sequentail": {"filters": [4]}})
    assert caught.value.offenders == ("settings: 'sequentail' is unknown; did you mean 'sequential'?",)


def test_misspelled_variant_gets_a_suggestion() -> None:
    variants = {"architectures": ["wid"], "settings": {"wide": {"base": "sequential"}}}
    with pytest.raises(InputError) as caught:
        resolved(**{**NEEDED, **variants})
    assert caught.value.offenders == ("architectures: 'wid' is unknown; did you mean 'wide'?",)


def test_files_of_arms_that_left_the_study_are_removed(tmp_path: Path) -> None:
    for augmentations in (["none", "flip_rotate"], ["none"]):
        write_params(tmp_path, augmentations=augmentations)
        settings(ProjectPaths(tmp_path))
    files = [path.relative_to(tmp_path / "build/settings").as_posix() for path in (tmp_path / "build").rglob("*.json")]
    assert sorted(files) == sorted([*(f"{stage}.json" for stage in USED), "sweep/sequential-none-folder.json"])


def test_concurrent_calls_of_settings_write_the_same_files(tmp_path: Path) -> None:
    write_params(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(settings, [ProjectPaths(tmp_path)] * 12))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert len([path for path in (tmp_path / "build").rglob("*") if path.is_file()]) == len(USED) + 1


@pytest.mark.slow
def test_dvc_needs_no_setting_that_has_a_default_and_reruns_nothing_when_one_is_written_out(tmp_path: Path) -> None:
    needed = NEEDED | {"sizes": [4, 6]}
    root = make_project(tmp_path)
    (root / "params.yaml").write_text(json.dumps(needed))

    def dvc(*arguments: str) -> str:
        done = run(root, "dvc", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Running stage 'split'" in dvc("repro", "split")
    assert "up to date" in dvc("status", "--with-deps", "split")
    (root / "params.yaml").write_text(json.dumps(needed | {"rare": "drop", "grow_by": "images", "settings": {}}))
    assert stages_run(dvc("repro", "split")) == ["settings"]
    (root / "params.yaml").write_text(json.dumps(needed | {"folds": 4}))
    assert stages_run(dvc("repro", "split")) == ["settings", "split"]

    changes = json.loads(dvc("params", "diff", "HEAD", "--json"))["params.yaml"]
    assert changes["sizes"] == {"old": str(SMALL["sizes"]), "new": "[4, 6]"}
    shown = json.loads(dvc("exp", "show", "--json"))[0]["data"]["params"]
    assert shown["params.yaml"]["data"]["folds"] == 4


def stages_run(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]
