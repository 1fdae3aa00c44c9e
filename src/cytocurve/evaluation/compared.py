"""Arms to compare: from the current study, another git revision, or the tracking store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.comparison import ScoredArm, ScoredImages, ScoredOn
from cytocurve.core.statistics.contributions import contributions
from cytocurve.core.statistics.relabelling import RUN, judged
from cytocurve.core.statistics.review import probability_columns
from cytocurve.core.statistics.run_tables import wrong_predictions, wrong_runs
from cytocurve.errors import InputError
from cytocurve.stores.dvc import Revision
from cytocurve.stores.tables import parquet_from
from cytocurve.stores.tracking.connection import ask
from cytocurve.stores.tracking.published import PublishedArm, published_arm
from cytocurve.study.dataset import read_catalog
from cytocurve.study.design import check_split
from cytocurve.study.results import check_results, read_runs, read_tests
from cytocurve.text import check_known

FORMS = "An arm is ARM of params.yaml, REVISION:ARM of another commit, or mlflow:EXPERIMENT:ARM of the tracking store."


@dataclass(frozen=True)
class Tables:
    """An arm's runs with their scores, as a sweep writes them, and its predictions for test images."""

    name: str
    runs: pd.DataFrame
    predictions: pd.DataFrame

    @property
    def labels(self) -> str:
        """The arm's label version."""
        return str(self.runs["labels"].iloc[0])

    def scored(self, metric: str, patients: Mapping[str, str]) -> ScoredArm:
        """The arm by a metric, on its own labels; ``patients`` maps images to patients, where the patient is known."""
        scores = self.runs[RUN].assign(score=self.runs[metric])
        tested = images_tested(self.runs, self.predictions)
        images = scored_images(self.runs, self.predictions, tested, metric, patients)
        return ScoredArm(self.name, self.labels, scores, ScoredOn.on(tested), images)


def scored_images(
    runs: pd.DataFrame, predictions: pd.DataFrame, tested: pd.DataFrame, metric: str, patients: Mapping[str, str]
) -> ScoredImages:
    """What each of the images ``tested``, with the labels given there, contributes to the scores of these runs."""
    images = tested.sort_values("image", ignore_index=True)
    columns = probability_columns(predictions)
    names = [column.removeprefix("p_") for column in columns]
    classes = images["label"].map(names.index).to_numpy(np.intp)
    places = pd.Index(images["image"]).get_indexer(pd.Index(predictions["image"].astype(str)))
    probabilities = predictions[columns].to_numpy(np.float64)
    rows = predictions.reset_index(drop=True).groupby("run_key", observed=True).indices
    axes = [np.unique(runs[name], return_inverse=True) for name in ("seed", "size")]
    table = np.full((len(images), *(len(values) for values, _ in axes)), np.nan)
    for key, seed, size in zip(runs["run_key"], axes[0][1], axes[1][1], strict=True):
        at = rows[key]
        table[places[at], seed, size] = contributions(metric, classes[places[at]], probabilities[at])
    known = [patients.get(name) for name in images["image"]]
    units = [
        f"image {name}" if of is None else f"patient {of}" for name, of in zip(images["image"], known, strict=True)
    ]
    return ScoredImages(
        folds=np.unique(images["fold"], return_inverse=True)[1],
        classes=classes,
        units=np.unique(units, return_inverse=True)[1],
        contributions=table,
        by_patient=any(of is not None for of in known),
    )


def images_tested(runs: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """The test images of these runs and predictions: ``image, fold, label``, one row per image."""
    folds = predictions["run_key"].astype(str).map(runs.set_index("run_key")["fold"])
    images = predictions[["image", "label"]].assign(fold=folds).drop_duplicates(ignore_index=True)
    return images[["image", "fold", "label"]].astype({"image": str, "label": str})


def arms_to_compare(project: ProjectPaths, names: Sequence[str], metric: str, judge: str | None) -> list[ScoredArm]:
    """These arms by a metric, or all arms of the study if none is named; scored on label version ``judge``, if given.

    Raises ``InputError`` listing every name without results, and ``ServiceError`` if the tracking store fails.
    """
    names = names or [arm.name for arm in project.params().arms]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or len(names) < 2:
        raise InputError("A comparison takes two or more different arms.", [f"twice: {name}" for name in twice], FORMS)
    if not all(":" in name for name in names):
        check_results(project, [arm for arm in project.params().arms if arm.name in names])  # one message for all arms
    found: list[Tables | ScoredArm] = []
    problems: list[InputError] = []
    for name in names:
        try:
            found.append(_find(project, name, metric))
        except InputError as error:
            problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise InputError("These arms cannot be read:", [" ".join(str(each).split()) for each in problems], FORMS)
    patients = known_patients(project) if any(isinstance(each, Tables) for each in found) else {}
    return _scored(found, metric, patients) if judge is None else _judged(found, metric, judge, patients)


def known_patients(project: ProjectPaths) -> dict[str, str]:
    """The patients of the study's images by image, where they are known; empty without a catalog."""
    if not project.catalog.is_file():
        return {}
    known = read_catalog(project)[["image", "patient"]].dropna()
    return dict(zip(known["image"].tolist(), known["patient"].tolist(), strict=True))


def _find(project: ProjectPaths, name: str, metric: str) -> Tables | ScoredArm:
    source, _, arm = name.rpartition(":")
    store, _, experiment = source.partition(":")
    if not source:
        return _of_the_study(project, name)
    if store == "mlflow" and experiment:
        published = ask(
            project.tracking_uri, project.tracking_lock, lambda client: published_arm(client, experiment, arm)
        )
        return _of_the_store(name, published, metric)
    return _of_a_revision(project, name, source, arm, metric)


def _of_the_study(project: ProjectPaths, name: str) -> Tables:
    params = project.params()
    arms = {arm.name: arm for arm in params.arms}
    if unknown := check_known("arm", [name], list(arms)):
        raise InputError(f"{unknown[0]}; params.yaml defines {', '.join(arms)}")
    check_split(project, params)
    runs = read_runs(project, [arms[name]])
    return Tables(name, runs[name], read_tests(project, [arms[name]], runs)[name])


def _of_a_revision(project: ProjectPaths, name: str, revision: str, arm: str, metric: str) -> Tables:
    files = Revision(project.root, revision)
    suffix = ".predictions.parquet"
    arms = [each.removesuffix(suffix) for each in files.names("results") if each.endswith(suffix)]
    if unknown := check_known("arm", [arm], arms):
        raise InputError(f"revision {revision!r}: {unknown[0]}", hint=f"Arms there: {', '.join(arms) or 'none'}")
    paths = f"results/{arm}.parquet", f"results/{arm}{suffix}"
    runs, predictions = (parquet_from(files.read(path), f"{revision}:{path}") for path in paths)
    problems = wrong_runs(runs, arm, [metric]) or ([] if "subset" in predictions else ["no column subset"])
    if not problems:
        predictions = predictions[predictions["subset"] == "test"]
        problems = wrong_predictions(predictions, runs)
    if problems:
        raise InputError(f"{name}: these results cannot be compared:", problems)
    return Tables(name, runs, predictions)


def _of_the_store(name: str, arm: PublishedArm, metric: str) -> ScoredArm:
    if arm.tests is None:
        raise InputError(
            f"{name}: the tracking store does not record its test images; it was published by an older version of "
            "cytocurve",
            next_step="cytocurve publish, with the study of that arm in params.yaml",
        )
    runs = [{key: run[key] for key in RUN} | {"score": run["scores"].get(metric, float("nan"))} for run in arm.runs]
    return ScoredArm(name, arm.labels, pd.DataFrame(runs), ScoredOn(arm.tests))


def _scored(found: Sequence[Tables | ScoredArm], metric: str, patients: Mapping[str, str]) -> list[ScoredArm]:
    return [each.scored(metric, patients) if isinstance(each, Tables) else each for each in found]


def _judged(
    found: Sequence[Tables | ScoredArm], metric: str, judge: str, patients: Mapping[str, str]
) -> list[ScoredArm]:
    """The arms scored on the labels of the first arm with the label version ``judge``."""
    stored = [each.name for each in found if isinstance(each, ScoredArm)]
    if stored:
        raise InputError("Arms in the tracking store have no predictions to score on other labels:", stored)
    tables = [each for each in found if isinstance(each, Tables)]
    versions = {each.labels: each for each in reversed(tables)}
    if unknown := check_known("label version", [judge], list(versions)):
        raise InputError(f"--judge: {unknown[0]}", hint=f"The arms' label versions: {', '.join(versions)}")
    given = images_tested(versions[judge].runs, versions[judge].predictions).set_index("image")["label"]
    return [_by_other_labels(each, given, metric, judge, patients) for each in tables]


def _by_other_labels(
    arm: Tables, given: "pd.Series[str]", metric: str, judge: str, patients: Mapping[str, str]
) -> ScoredArm:
    scores = judged(arm.runs, arm.predictions, given, metric)
    if scores is None:
        raise InputError(f"{arm.name}: its test images have no labels in version {judge!r}, or its classes differ")
    tested = images_tested(arm.runs, arm.predictions)
    tested = tested.assign(label=tested["image"].map(given))
    images = scored_images(arm.runs, arm.predictions, tested, metric, patients)
    return ScoredArm(arm.name, judge, scores, ScoredOn.on(tested), images)
