"""Stage ``settings``: resolve ``params.yaml``, so that DVC re-runs exactly the stages whose settings changed.

DVC would compare keys as they are written, demand those that have a default, and re-run stages when a default is
written out. This stage depends on the whole file and writes one file per stage, ``build/settings/<stage>.json``, with
the validated settings that the stage uses, defaults included; a sweep has one per arm. Every other stage depends only
on its own file.
"""

import json
from collections.abc import Mapping
from typing import Any

from cytocurve.config import Params, ProjectPaths
from cytocurve.files import exclusive, write_text
from cytocurve.study.design import settings_of_arm

USED: Mapping[str, tuple[str, ...]] = {
    "catalog": ("dataset", "labels"),
    "split": (
        "task", "sample_per_class", "min_class_size", "rare", "labels", "folds", "sizes", "split", "split_seed",
        "holdout", "grow_by", "duplicates",
    ),
    "audit": ("dataset", "task", "labels", "folds", "sizes", "split", "duplicates", "leakage"),
    "evaluate": ("dataset", "task", "architectures", "augmentations", "labels", "split"),
    "register": ("dataset", "task", "architectures", "augmentations", "labels"),
}  # fmt: skip
"""The keys that each stage uses."""

USED_BY_SWEEP = ("dataset", "sizes", "seeds", "image_size", "training")
"""The keys that all arms use; each arm also depends on the settings of its architecture and augmentation."""


def settings(project: ProjectPaths) -> dict[str, Any]:
    """Write ``build/settings/<stage>.json`` and ``build/settings/sweep/<arm>.json``; returns their contents by stage.

    Raises ``InputError`` listing every setting that cannot be used.
    """
    resolve(project.params())  # before a folder for the lock is created
    with exclusive(project.settings_lock):  # removing what is left over would remove what another call is writing
        return _settings(project)


def _settings(project: ProjectPaths) -> dict[str, Any]:
    resolved = resolve(project.params())
    folder = project.root / "build" / "settings"
    files = {f"{stage}.json": contents for stage, contents in resolved.items() if stage != "sweep"}
    files |= {f"sweep/{arm}.json": contents for arm, contents in resolved["sweep"].items()}
    for name, contents in files.items():
        write_text(folder / name, json.dumps(contents, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    for left in [path for path in folder.rglob("*") if path.is_file()]:
        if left.relative_to(folder).as_posix() not in files:
            left.unlink()
    return resolved


def resolve(params: Params) -> dict[str, Any]:
    """The settings of each stage, and of each arm below ``sweep``, as JSON values; raises ``InputError``."""
    given = params.model_dump(mode="json")
    common = {key: given[key] for key in USED_BY_SWEEP}
    sweep = {arm.name: common | settings_of_arm(params, arm) for arm in params.arms}
    return {stage: {key: given[key] for key in keys} for stage, keys in USED.items()} | {"sweep": sweep}
