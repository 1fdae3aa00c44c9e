"""The answers of a study: everything that its stored predictions tell, as one value for pages and programs.

Nothing in it is a clock time, a duration, a path or a host, so that the same results give the same bytes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from cytocurve.config import Params, ProjectPaths, read_yaml
from cytocurve.core.comparison import ScoredArm, compare_paired
from cytocurve.core.runs import digest
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.core.statistics.relabelling import relabellings
from cytocurve.errors import InputError
from cytocurve.evaluation.arm_answers import arm_answers, arm_predictions
from cytocurve.evaluation.compared import Tables
from cytocurve.evaluation.forecasts import figures_of, forecast_of
from cytocurve.report.titles import title_of
from cytocurve.stores.dvc import data_hash
from cytocurve.study.dataset import read_catalog
from cytocurve.study.results import read_predictions, read_runs, read_tests
from cytocurve.study.selection import best_arm, validation_scores

LEADING = "roc_auc"
"""The metric that the figures show and that saturation is judged by; the first of ``METRICS``."""

FOLDS = {
    "stratified": (
        "Folds are drawn by image: cells of one patient may stand in training and test, so that a score for new "
        "patients may be lower."
    ),
    "patient": "Folds are drawn by patient: no patient stands on two sides of a fold.",
    "predefined": "Folds are those of the dataset's authors; the audit tells whether a patient or picture is in two.",
}
"""What a reader must know of each kind of ``split``."""

PACKAGES = ("cytocurve", "keras", "numba", "numpy", "pandas", "scikit-learn", "scipy")
"""Those that the figures hang on."""

FORMAT = 1
"""Of the answers as they are written; the page of another one would lack something."""

Progress = Callable[[int, int], object]


def answers(project: ProjectPaths, params: Params, progress: Progress) -> dict[str, Any]:
    """Every answer of the study, as plain JSON values; numbers to six places, undefined ones None.

    Raises ``InputError`` listing every arm's results that are missing or cannot be used.
    """
    runs = read_runs(project, params.arms)
    tests = read_tests(project, params.arms, runs)
    catalog = read_catalog(project) if project.catalog.is_file() else pd.DataFrame(columns=["image", "patient"])
    patients = _known(catalog, "patient")
    arms, scored = {}, []
    for done, arm in enumerate(params.arms, start=1):
        told = arm_predictions(runs[arm.name], tests[arm.name], patients)
        arms[arm.name] = vars(arm) | arm_answers(runs[arm.name], told, _known(catalog, arm.labels), LEADING)
        scored.append(Tables(arm.name, runs[arm.name], told.rows).scored(LEADING))
        arms[arm.name]["plan"] = figures_of(forecast_of(runs[arm.name], LEADING), LEADING)
        progress(done, len(params.arms))
    chosen = best_arm(validation_scores(project, params.sizes[-1]), params)
    classes = arms[chosen]["classes"]
    found = {
        "format": FORMAT,
        "dataset": params.dataset,
        "task": params.task_name,
        "classes": classes,
        "positive": "positive" if "positive" in classes else None,
        "metric": LEADING,
        "metrics": {metric: title_of(metric) for metric in METRICS},
        "sizes": sorted({int(size) for table in runs.values() for size in table["size"]}),
        "folds": len({fold for table in runs.values() for fold in table["fold"]}),
        "seeds": sorted({seed for table in runs.values() for seed in table["seed"]}),
        "versions": params.labels,
        "chosen": chosen,
        "notes": _notes(project, params),
        "arms": arms,
        **_comparisons(scored),
        "relabellings": _relabellings(params, runs, tests),
        "audit": _audit(project, params),
        "provenance": _provenance(project, runs),
    }
    return {name: _plain(value) for name, value in found.items()}


def read_answers(project: ProjectPaths) -> dict[str, Any]:
    """The answers that the stage evaluate wrote; raises ``InputError`` where there are none, or they are another's."""
    file, next_step = project.answers, "dvc repro evaluate"
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        of = (found["dataset"], found["task"], list(found["arms"]))
        if found["format"] != FORMAT:
            raise ValueError(found["format"])
    except FileNotFoundError:
        raise InputError(f"{file}: no such file yet", next_step=f"{next_step}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{file}: not what this cytocurve evaluate writes", next_step=f"{next_step}") from error
    params = project.params()
    if of != (params.dataset, params.task_name, [arm.name for arm in params.arms]):
        raise InputError(f"{file}: of another study than params.yaml states", next_step=f"{next_step}")
    return found


def _known(catalog: pd.DataFrame, column: str) -> dict[str, str]:
    """What a column of the catalog says of each image, where it says anything."""
    if column not in catalog:
        return {}
    found = catalog[["image", column]].dropna()
    return dict(zip(found["image"].tolist(), found[column].tolist(), strict=True))


def _comparisons(arms: Sequence[ScoredArm]) -> dict[str, list[Any]]:
    """Every pair of arms, at each size and on the area; Holm's correction is for all of them."""
    found, refused = compare_paired(arms)
    return {
        "comparisons": [vars(row) | {"metric": LEADING} for row in found],
        "not_comparable": [vars(row) for row in refused],
    }


def _relabellings(
    params: Params, runs: Mapping[str, pd.DataFrame], predictions: Mapping[str, pd.DataFrame]
) -> list[Any]:
    return [
        {**vars(found), "differences": {str(size): asdict(point) for size, point in found.differences.items()}}
        for found in relabellings(params.arms, runs, predictions, LEADING)
    ]


def _notes(project: ProjectPaths, params: Params) -> list[str]:
    """What limits the figures: the origin of the images, the images that stop a training, patients across folds."""
    origin = project.data / params.dataset / "dataset.yaml"
    title = [str(read_yaml(origin)["title"]).rstrip(".")] if origin.is_file() else []
    validation = read_predictions(project, params.arms[0], "validation")["run_key"].value_counts().mean()
    stopping = (
        f"Besides its training images, every run uses about {validation:.0f} labelled validation images to decide when "
        "to stop and which weights to keep."
    )
    return [*(f"The images: {line}." for line in title), stopping, FOLDS[params.split]]


def _audit(project: ProjectPaths, params: Params) -> dict[str, Any] | None:
    """What the stage ``audit`` found on these labels and this task; None where it was not run on them."""
    file = project.reports / "audit.json"
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        of = (found["dataset"], found["task"], found["labels"])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise InputError("reports/audit.json: not what cytocurve audit writes", next_step="dvc repro audit") from error
    return found if of == (params.dataset, params.task_name, params.labels) else None


def _provenance(project: ProjectPaths, results: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    runs = pd.concat(results.values())
    return {
        "data": data_hash(project.root),
        "runs": len(runs),
        "run_keys": digest(sorted(runs["run_key"])),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it: arrays as lists, numbers to six places, NaN and infinity as None."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(vars(value))
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    return value
