"""Read the results written by sweeps: the runs of each arm, and their predictions."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.run_tables import wrong_predictions, wrong_runs
from cytocurve.errors import InputError
from cytocurve.stores.dvc import repair
from cytocurve.stores.tables import UNREADABLE, checked_table, read_about, read_parquet, what_is_wrong
from cytocurve.study.design import about_results

NEXT_STEP = "dvc repro"
_TEXT_COLUMNS = ["run_key", "image", "subset", "label"]


def read_runs(project: ProjectPaths, arms: Sequence[Arm]) -> dict[str, pd.DataFrame]:
    """The runs of each arm by name: ``fold, size, seed, run_key`` and one column per metric.

    Raises ``InputError`` listing all files that are missing, cannot be used, or are of other settings.
    """

    def read(path: Path) -> pd.DataFrame:
        return checked_table(path.read_bytes())

    tables = _read_each(project, arms, project.results, read, lambda table, arm: wrong_runs(table, arm.name))
    check_results(project, arms)
    return tables


def check_results(project: ProjectPaths, arms: Sequence[Arm]) -> None:
    """Raise ``InputError`` listing the arms whose results are of other settings or images than the present study.

    DVC trains again after a change; a stage run by hand would report the numbers of another study. Other code is no
    reason to refuse results: reading them must be possible after an upgrade. Missing and damaged files are left to
    their readers.
    """
    params = project.params()
    offenders = []
    for arm in arms:
        file = project.results(arm)
        try:
            made_of = read_about(file)
        except UNREADABLE:
            continue
        if problems := _differences(project, params, arm, made_of):
            offenders.append(f"{file.relative_to(project.root)}: {'; '.join(problems)}")
    if offenders:
        raise InputError(
            "These results are not those of the present study:",
            offenders,
            next_step="dvc repro, or cytocurve sweep",
        )


def _differences(project: ProjectPaths, params: Params, arm: Arm, made_of: Mapping[str, Any]) -> list[str]:
    if not made_of:
        return ["does not say what it is of, since an earlier version of cytocurve wrote it"]
    wanted = about_results(project, params, arm, made_of["classes"])
    before, now = _settings(made_of, arm), _settings(wanted, arm)
    problems = [
        f"{key}: {before.get(key, 'the default')} in the results, {now.get(key, 'the default')} in params.yaml"
        for key in dict.fromkeys([*before, *now])
        if before.get(key) != now.get(key)
    ]
    if not problems and "split" in wanted and wanted["split"] != made_of.get("split"):
        problems.append("its images, labels or folds are not those of build/split")
    return problems


def _settings(made_of: Mapping[str, Any], arm: Arm) -> dict[str, Any]:
    """Settings by their key in ``params.yaml``, without those at their default."""
    recipe = made_of["recipe"]
    below = {
        "architecture": f"settings.{arm.architecture}",
        "augmentation": f"settings.{arm.augmentation}",
        "protocol": "training",
    }
    return {
        **{key: made_of[key] for key in ("dataset", "sizes", "seeds")},
        "image_size": recipe["preparation"]["settings"].get("size"),
        **{f"{key}.{name}": value for part, key in below.items() for name, value in recipe[part]["settings"].items()},
        **{f"{below[part]}.base": recipe[part]["name"] for part in ("architecture", "augmentation")},
        **{f"training.{part}": recipe[part]["name"] for part in ("protocol", "engine")},
    }


def read_tests(project: ProjectPaths, arms: Sequence[Arm], runs: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Test predictions of the runs of each arm by name, as returned by ``read_predictions``.

    Raises ``InputError`` listing all files that are missing or cannot be used.
    """

    def read(path: Path) -> pd.DataFrame:
        return _read_predictions(path, "test")

    return _read_each(
        project, arms, project.predictions, read, lambda table, arm: wrong_predictions(table, runs[arm.name])
    )


def read_losses(project: ProjectPaths, arm: Arm, runs: pd.DataFrame) -> pd.DataFrame | None:
    """The losses of an arm's runs by epoch: ``run_key, epoch, loss, validation_loss``, sorted by epoch.

    None if the file is missing or does not have all of these runs: results of earlier versions have no losses. Raises
    ``InputError`` if the file is damaged.
    """
    if not project.losses(arm).is_file():
        return None
    losses = read_parquet(project.losses(arm), NEXT_STEP)
    complete = {"run_key", "epoch", "loss", "validation_loss"} <= set(losses) and set(runs["run_key"]) <= set(
        losses["run_key"]
    )
    return losses.sort_values(["run_key", "epoch"]) if complete else None


def read_predictions(project: ProjectPaths, arm: Arm, subset: str, run_keys: Collection[str] = ()) -> pd.DataFrame:
    """An arm's predictions for a subset: ``run_key, image, label`` as categories, and a column ``p_<class>`` per class.

    ``run_keys`` restricts them to these runs. Raises ``InputError`` if the file is missing or damaged.
    """
    tables = _read_each(
        project, [arm], project.predictions, lambda path: _read_predictions(path, subset, run_keys), lambda _, __: []
    )
    return tables[arm.name]


def validation_images(project: ProjectPaths, arm: Arm) -> float:
    """The mean number of labeled validation images of an arm's runs."""
    return float(read_predictions(project, arm, "validation")["run_key"].value_counts().mean())


def _read_predictions(path: Path, subset: str, run_keys: Collection[str] = ()) -> pd.DataFrame:
    wanted = [("subset", "==", subset), *([("run_key", "in", set(run_keys))] if run_keys else [])]
    table = checked_table(path.read_bytes(), filters=wanted, read_dictionary=_TEXT_COLUMNS)
    columns = [column for column in _TEXT_COLUMNS if column in table]
    return table.astype(dict.fromkeys(columns, "category")).drop(columns="subset")


def _read_each(
    project: ProjectPaths,
    arms: Sequence[Arm],
    file_of: Callable[[Arm], Path],
    read: Callable[[Path], pd.DataFrame],
    wrong: Callable[[pd.DataFrame, Arm], list[str]],
) -> dict[str, pd.DataFrame]:
    """One table per arm; raises ``InputError`` listing every problem."""
    tables, offenders, damaged = {}, [], []
    for arm in arms:
        file = file_of(arm)
        name = file.relative_to(project.root)
        try:
            if not file.is_file():
                raise FileNotFoundError
            tables[arm.name] = read(file)
            offenders += [f"{name}: {problem}" for problem in wrong(tables[arm.name], arm)]
        except FileNotFoundError:
            offenders.append(f"{name}: no such file")
        except UNREADABLE as error:
            offenders.append(f"{name}: {what_is_wrong(error)}")
            damaged.append(file)
    if offenders:
        raise InputError("These results cannot be used:", offenders, next_step=repair(damaged, NEXT_STEP))
    return tables
