"""What a study consists of: the runs of an arm, derived from ``params.yaml`` and the arm's split."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from cytocurve.config import Params, ProjectPaths, describe
from cytocurve.core.runs import Arm, Images, PlannedRun, Recipe, Rows, Run, digest
from cytocurve.errors import InputError
from cytocurve.models import architectures, augmentation, engines
from cytocurve.stores.tables import read_parquet
from cytocurve.text import check_known

SPLIT_SETTINGS = (
    "dataset", "task", "sample_per_class", "min_class_size", "rare", "labels", "folds", "split", "split_seed",
    "grow_by", "duplicates",
)  # fmt: skip
SPLIT_NEXT = "dvc repro split"


@dataclass(frozen=True)
class ArmPlan:
    """An arm's images and runs; ``images``, ``identities`` and ``classes`` (indices) have one entry an image."""

    dataset: str
    task: str
    arm: Arm
    recipe: Recipe
    class_names: tuple[str, ...]
    images: tuple[str, ...]
    identities: tuple[str, ...]
    classes: tuple[int, ...]
    runs: tuple[PlannedRun, ...]

    @property
    def key(self) -> str:
        """What all runs of the arm share, training sizes excepted: adding sizes goes on with the same arm."""
        folds = [[r.fold, r.seed, r.run.validation.identities, r.run.test.identities] for r in self.runs]
        return digest([self.arm.name, digest(vars(self.recipe)), sorted({digest(fold) for fold in folds})])


def check_arms(params: Params, name: str = "params.yaml") -> None:
    """Raise one ``InputError`` listing every architecture, augmentation and setting that cannot be used."""
    known = architectures.names()
    problems = check_known("architectures:", params.architectures, known)
    problems += check_known("augmentations:", params.augmentations, list(augmentation.POLICIES))
    for architecture in set(params.architectures) & set(known):
        family = architectures.load(architecture)
        settings, found = _settings(family.settings, params, architecture)
        problems += found
        if settings is not None and params.image_size < (least := family.minimum_size(settings)):
            problems.append(
                f"image_size: {architecture} needs at least {least} pixels a side, got {params.image_size}; "
                f"with fewer layers in settings.{architecture} it needs less"
            )
        engine = params.training.engine
        if engine != "auto" and not engines.serves(engine, architecture, params.training.optimizer):
            problems.append(f"training.engine: {engine} does not train {architecture}; auto takes one that does")
    for policy in set(params.augmentations) & set(augmentation.POLICIES):
        problems += _settings(augmentation.POLICIES[policy].settings, params, policy)[1]
    if problems:
        raise InputError(
            f"{name}: these arms cannot be trained:",
            sorted(problems),
            f"Architectures: {', '.join(known)}. Augmentations: {', '.join(augmentation.POLICIES)}.",
        )


def _settings(model: type[BaseModel], params: Params, name: str) -> tuple[BaseModel | None, list[str]]:
    try:
        return model.model_validate(params.settings[name]), []
    except ValidationError as error:
        known = ", ".join(model.model_fields) or "none"
        return None, [f"settings.{name}.{line} (settings: {known})" for line in describe(error.errors(), model)]


def class_weights(params: Params, class_names: Sequence[str]) -> str | tuple[float, ...] | None:
    """``training.class_weights``, one a class in order if stated; raises ``InputError`` listing all offenders."""
    given = params.training.class_weights
    if not isinstance(given, Mapping):
        return given
    problems = check_known("training.class_weights:", list(given), list(class_names))
    problems += [f"training.class_weights: {name!r} has no weight" for name in class_names if name not in given]
    if problems:
        raise InputError(
            "params.yaml: these class weights cannot be used:", problems, f"Classes: {', '.join(class_names)}."
        )
    return tuple(given[name] for name in class_names)


def recipe(params: Params, arm: Arm, class_names: Sequence[str]) -> Recipe:
    """How the runs of an arm are trained; raises ``InputError``."""
    training = params.training
    engine = engines.resolve(training.engine, arm.architecture, training.optimizer)
    architecture = architectures.load(arm.architecture).settings.model_validate(params.settings[arm.architecture])
    policy = augmentation.POLICIES[arm.augmentation].settings.model_validate(params.settings[arm.augmentation])
    return Recipe(
        architecture=arm.architecture,
        architecture_settings=architecture.model_dump(),
        architecture_version=architectures.version(arm.architecture),
        augmentation=arm.augmentation,
        augmentation_settings=policy.model_dump(),
        augmentation_version=augmentation.version(arm.augmentation),
        image_size=params.image_size,
        outputs=len(class_names),
        batch_size=training.batch_size,
        optimizer=training.optimizer,
        learning_rate=training.learning_rate,
        max_epochs=training.max_epochs,
        patience=training.patience,
        class_weights=class_weights(params, class_names),
        engine=engine,
        engine_version=engines.version(engine),
    )


def plan_arm(project: ProjectPaths, params: Params, arm: Arm) -> ArmPlan:
    """The runs of an arm in the order fold, size, seed; raises ``InputError``."""
    check_arms(params)
    split = read_split(project, params, arm.labels)
    images = split.drop_duplicates("image").sort_values("image", ignore_index=True)
    names = dict(zip(images["class"].tolist(), images["label"].tolist(), strict=True))
    split["row"] = split["image"].map({image: row for row, image in enumerate(images["image"])})
    class_names = tuple(names[number] for number in sorted(names))
    shared = recipe(params, arm, class_names)
    identities, classes = tuple(images["pixel_sha256"]), tuple(images["class"].tolist())
    runs: list[PlannedRun] = []
    for fold, part in split.sort_values("rank").groupby("fold"):
        rows = {str(subset): group["row"].to_numpy() for subset, group in part.groupby("subset")}
        check_sizes(params.sizes, len(rows["train"]))
        runs += _runs_of_fold(int(str(fold)), rows, params, shared, lambda r: _images(r, identities, classes))
    return ArmPlan(
        dataset=params.dataset,
        task=params.task_name,
        arm=arm,
        recipe=shared,
        class_names=class_names,
        images=tuple(images["image"]),
        identities=identities,
        classes=classes,
        runs=tuple(runs),
    )


def _runs_of_fold(
    fold: int, rows: Rows, params: Params, shared: Recipe, images_of: Callable[[NDArray[np.intp]], Images]
) -> Iterator[PlannedRun]:
    validation, test = images_of(rows["validation"]), images_of(rows["test"])
    for size in params.sizes:
        chosen = {**rows, "train": rows["train"][:size]}
        train = images_of(chosen["train"])
        for seed in params.seeds:
            yield PlannedRun(fold, size, seed, Run(shared, seed, train, validation, test), chosen)


def _images(rows: NDArray[np.intp], identities: tuple[str, ...], classes: tuple[int, ...]) -> Images:
    return Images(tuple(identities[row] for row in rows), tuple(classes[row] for row in rows))


def read_split(project: ProjectPaths, params: Params, labels: str) -> pd.DataFrame:
    """The split of a label version: columns ``fold, subset, rank, image, pixel_sha256, label, class``.

    Raises ``InputError`` where it is missing, damaged, or was drawn for another study.
    """
    check_split(project, params)
    return read_parquet(project.split(labels), SPLIT_NEXT)


def check_split(project: ProjectPaths, params: Params) -> None:
    """Raise ``InputError`` listing the settings that differ from those that the splits were drawn with.

    DVC draws them anew after a change; a stage that is run by hand would give another study's figures this one's name.
    """
    if not project.split_settings.is_file():
        return
    wanted = split_settings(params)
    try:
        drawn = dict(json.loads(project.split_settings.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(f"{project.split_settings}: damaged", next_step=f"{SPLIT_NEXT}") from error
    differing = [
        f"{key}: {drawn.get(key)!r} there, {wanted[key]!r} in params.yaml"
        for key in wanted
        if drawn.get(key) != wanted[key]
    ]
    if differing:
        raise InputError("build/split was drawn for another study:", differing, next_step=f"{SPLIT_NEXT}, or dvc repro")


def split_settings(params: Params) -> dict[str, Any]:
    """What determines the splits, as JSON has it; training sizes only have to fit."""
    grouped = params.duplicates == "group"
    return params.model_dump(mode="json", include=set(SPLIT_SETTINGS)) | {"duplicates": "group" if grouped else "drop"}


def check_sizes(sizes: list[int], available: int) -> None:
    """Raise ``InputError`` listing the training sizes that are larger than the images left for training."""
    too_large = [str(size) for size in sizes if size > available]
    if too_large:
        raise InputError(
            f"sizes: a fold leaves {available} images for training; these sizes need more:",
            too_large,
            "Lower sizes in params.yaml, or add images.",
        )
