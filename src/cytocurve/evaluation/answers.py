"""All answers of a study, from its stored predictions.

They contain no clock time, duration, path or host, so that the same results give the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.answers import (
    Answers,
    Audit,
    Limits,
    NotComparable,
    PairComparison,
    Partial,
    Provenance,
    Relabelling,
    build,
    from_json,
)
from cytocurve.core.comparison import compare_paired
from cytocurve.core.runs import Arm, digest
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.core.statistics.relabelling import relabellings
from cytocurve.errors import InputError
from cytocurve.evaluation.arm_answers import arm_answers, arm_predictions, pictured
from cytocurve.evaluation.choice import choice
from cytocurve.evaluation.compared import Tables, images_tested
from cytocurve.evaluation.label_needs import label_needs
from cytocurve.report.titles import title_of
from cytocurve.stores.documents import read_json
from cytocurve.stores.dvc import data_hash
from cytocurve.study.dataset import read_catalog, read_origin
from cytocurve.study.results import check_results, read_losses, read_runs, read_tests, validation_images
from cytocurve.study.selection import best_arm, candidates, validated

LEADING = "roc_auc"
"""The metric used for charts, saturation and forecasts; the first of ``METRICS``."""

PACKAGES = ("cytocurve", "keras", "numba", "numpy", "pandas", "scikit-learn", "scipy")
"""The packages that the scores depend on."""

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Part:
    """The arms of a study that is still being trained, and what is missing."""

    arms: Sequence[Arm]
    missing: Partial


def answers(project: ProjectPaths, params: Params, progress: Progress, part: Part | None = None) -> Answers:
    """Every answer of the study, or of a part of it; numbers to six places, undefined ones None.

    Raises ``InputError`` listing every arm's results that are missing or cannot be used.
    """
    given = params.arms if part is None else list(part.arms)
    runs = read_runs(project, given)
    tests = read_tests(project, given, runs)
    catalog = read_catalog(project) if project.catalog.is_file() else pd.DataFrame(columns=["image", "patient"])
    patients = by_image(catalog, "patient")
    arms, scored, rows = {}, [], {}
    for done, arm in enumerate(given, start=1):
        predictions = arm_predictions(runs[arm.name], tests[arm.name], patients)
        labels = by_image(catalog, arm.labels)
        needs = label_needs(project, params, arm, patients)
        losses = read_losses(project, arm, runs[arm.name])
        arms[arm.name] = arm_answers(arm, runs[arm.name], predictions, labels, LEADING, needs, losses)
        rows[arm.name] = pictured(predictions)
        scored.append(Tables(arm.name, runs[arm.name], tests[arm.name]).scored(LEADING, patients))
        progress(done, len(given))
    sizes = sorted({int(size) for table in runs.values() for size in table["size"]})
    validations = validated(project, sizes[-1], given)
    among = candidates(params, given)
    chosen = best_arm({name: arm.score for name, arm in validations.items()}, params, given)
    classes = arms[chosen].classes
    comparisons, not_comparable = compare_paired(scored)
    return Answers(
        dataset=params.dataset,
        task=params.task_name,
        classes=classes,
        positive="positive" if "positive" in classes else None,
        metric=LEADING,
        metrics={metric: title_of(metric) for metric in METRICS},
        sizes=tuple(sizes),
        folds=len({fold for table in runs.values() for fold in table["fold"]}),
        fold_names=_fold_names(params, catalog, images_tested(runs[chosen], tests[chosen])),
        seeds=tuple(sorted({int(seed) for table in runs.values() for seed in table["seed"]})),
        versions=tuple(version for version in params.labels if version in {arm.labels for arm in given}),
        chosen=chosen,
        choice=choice(chosen, among, sizes[-1], runs, tests, validations) if len(among) > 1 else None,
        limits=_limits(project, params, given[0]),
        arms=arms,
        pictured=rows[chosen],
        comparisons=tuple(build(PairComparison, **vars(row), metric=LEADING) for row in comparisons),
        not_comparable=tuple(build(NotComparable, **vars(pair)) for pair in not_comparable),
        relabellings=_relabellings(given, runs, tests),
        audit=_audit(project, params),
        partial=None if part is None else part.missing,
        provenance=_provenance(project, runs),
    )


def read_answers(project: ProjectPaths) -> Answers:
    """The answers written by the stage ``evaluate``; raises ``InputError`` if there are none for this study."""
    file, next_step = project.answers, "dvc repro evaluate"
    if not file.is_file():
        raise InputError(
            f"{file}: no such file yet",
            hint="During a sweep, cytocurve report --partial shows the runs that have finished so far.",
            next_step=next_step,
        )
    value = read_json(file, next_step)
    try:
        stored = Answers.from_json(value)
    except ValueError as error:
        raise InputError(f"{file}: not written by this version of cytocurve", next_step=next_step) from error
    params = project.params()
    check_results(project, params.arms)
    study = (params.dataset, params.task_name, [arm.name for arm in params.arms])
    if study != (stored.dataset, stored.task, list(stored.arms)):
        raise InputError(f"{file}: answers for a different study than params.yaml defines", next_step=next_step)
    return stored


def by_image(catalog: pd.DataFrame, column: str) -> dict[str, str]:
    """The values of a column of the catalog by image, without images that have none."""
    if column not in catalog:
        return {}
    known = catalog[["image", column]].dropna()
    return dict(zip(known["image"].tolist(), known[column].tolist(), strict=True))


def _fold_names(params: Params, catalog: pd.DataFrame, tested: pd.DataFrame) -> tuple[str, ...]:
    """The official names of predefined folds, in order; empty for folds that were drawn."""
    official = by_image(catalog, "fold")
    if params.split != "predefined" or not set(tested["image"]) <= official.keys():
        return ()
    by_fold = tested.drop_duplicates("fold").sort_values("fold")["image"]
    return tuple(official[image] for image in by_fold)


def _relabellings(
    arms: Sequence[Arm], runs: Mapping[str, pd.DataFrame], predictions: Mapping[str, pd.DataFrame]
) -> tuple[Relabelling, ...]:
    return tuple(
        build(
            Relabelling,
            **{**vars(row), "differences": {size: vars(point) for size, point in row.differences.items()}},
        )
        for row in relabellings(arms, runs, predictions, LEADING)
    )


def _limits(project: ProjectPaths, params: Params, arm: Arm) -> Limits:
    origin, _ = read_origin(project.data / params.dataset / "dataset.yaml", "dataset.yaml")
    return build(
        Limits,
        split=params.split,
        validation_images=validation_images(project, arm),
        title=str(origin["title"]).rstrip(".") if origin.get("title") else None,
    )


def _audit(project: ProjectPaths, params: Params) -> Audit | None:
    """The outcome of the stage ``audit`` for these labels and this task; None if it did not run on them."""
    file, next_step = project.reports / "audit.json", "dvc repro audit"
    if not file.is_file():
        return None
    value = read_json(file, next_step)
    try:
        stored = from_json(Audit, value)
    except ValueError as error:
        raise InputError(f"{file}: not written by this version of cytocurve", next_step=next_step) from error
    study = (params.dataset, params.task_name, tuple(params.labels))
    return stored if study == (stored.dataset, stored.task, stored.labels) else None


def _provenance(project: ProjectPaths, results: Mapping[str, pd.DataFrame]) -> Provenance:
    runs = pd.concat(results.values())
    return Provenance(
        data=data_hash(project.root),
        runs=len(runs),
        run_keys=digest(sorted(runs["run_key"])),
        packages={name: version(name) for name in PACKAGES},
    )
