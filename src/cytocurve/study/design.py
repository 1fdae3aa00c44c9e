"""The design of a study: the runs of each arm, derived from ``params.yaml`` and the arm's split."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.data.assignment import check_sizes
from cytocurve.core.data.spelling import same_form
from cytocurve.core.runs import Arm, Component, Images, PlannedRun, Recipe, Rows, Run, digest
from cytocurve.errors import InputError
from cytocurve.models import architectures, augmentation, engines, protocols
from cytocurve.models.preparation import preparation
from cytocurve.models.settings import defaults
from cytocurve.setting_errors import describe
from cytocurve.stores.documents import read_json
from cytocurve.stores.tables import read_parquet
from cytocurve.study import network_size
from cytocurve.study.dataset import withdrawn_images
from cytocurve.text import check_known

SPLIT_SETTINGS = (
    "dataset", "task", "sample_per_class", "min_class_size", "rare", "labels", "folds", "split", "split_seed",
    "grow_by", "duplicates", "holdout",
)  # fmt: skip
SPLIT_NEXT = "dvc repro split"
HOLDOUT_COLUMNS = ["image", "pixel_sha256", "patient", "class"]
SPLIT_COLUMNS = ("fold", "subset", "rank", "image", "pixel_sha256", "label", "class")


@dataclass(frozen=True)
class ArmDesign:
    """An arm's images and runs; ``images``, ``identities`` and ``classes`` (indices) have one entry per image.

    ``split`` is the digest of the split that they are from.
    """

    dataset: str
    task: str
    arm: Arm
    recipe: Recipe
    class_names: tuple[str, ...]
    images: tuple[str, ...]
    identities: tuple[str, ...]
    classes: tuple[int, ...]
    runs: tuple[PlannedRun, ...]
    split: str

    @property
    def about(self) -> dict[str, Any]:
        """What the arm's results are made of, as JSON values: settings and split, but not the versions of the code."""
        sizes, seeds = ({getattr(run, name) for run in self.runs} for name in ("size", "seed"))
        return _about(self.dataset, self.recipe, self.class_names, sizes, seeds) | {"split": self.split}

    @property
    def key(self) -> str:
        """A digest of what all runs share except training sizes, so that adding sizes extends the same arm."""
        folds = [[r.fold, r.seed, r.run.validation.identities, r.run.test.identities] for r in self.runs]
        return digest([self.arm.name, digest(asdict(self.recipe)), sorted({digest(fold) for fold in folds})])


def check_arms(params: Params, name: str = "params.yaml") -> None:
    """Raise one ``InputError`` listing every architecture, augmentation and setting that cannot be used."""
    architecture_names, policy_names = architectures.names(), augmentation.names()
    problems = _unknown_entries(params, [*architecture_names, *policy_names])
    problems += _wrong_variants(params, architecture_names, policy_names)
    problems += _unknown(params, "architectures", architecture_names)
    problems += _unknown(params, "augmentations", policy_names)
    problems += _wrong_training(params)
    for stated in params.architectures:
        if (family := params.family_of(stated)) in architecture_names:
            problems += _wrong_architecture(params, stated, family)
    for stated in params.augmentations:
        if (family := params.family_of(stated)) in policy_names:
            problems += _settings(augmentation.load(family).settings, params, stated)[1]
    if problems:
        raise InputError(
            f"{name}: these arms cannot be trained:",
            sorted(problems),
            _known_members(problems, architecture_names, policy_names),
        )


def _known_members(problems: Sequence[str], architecture_names: Sequence[str], policy_names: Sequence[str]) -> str:
    """The members of the families that the problems are about."""
    families = {
        "training.engine": f"Engines: {', '.join(['auto', *engines.names()])}.",
        "training.protocol": f"Protocols: {', '.join(protocols.names())}.",
    }
    hints = [hint for key, hint in families.items() if any(problem.startswith(key) for problem in problems)]
    if not all(problem.startswith(tuple(families)) for problem in problems):
        hints.append(f"Architectures: {', '.join(architecture_names)}. Augmentations: {', '.join(policy_names)}.")
    return " ".join(hints)


def _unknown(params: Params, key: str, known: Sequence[str]) -> list[str]:
    variants = _variants(params)
    stated = [name for name in getattr(params, key) if name not in variants]
    return check_known(f"{key}:", stated, [*known, *variants])


def _variants(params: Params) -> list[str]:
    return [name for name, entry in params.settings.items() if "base" in entry]


def _unknown_entries(params: Params, families: Sequence[str]) -> list[str]:
    """Entries below ``settings`` that are neither a family nor a variant; those in use are reported elsewhere."""
    used = {*_variants(params), *params.architectures, *params.augmentations}
    return check_known("settings:", [name for name in params.settings if name not in used], families)


def _wrong_variants(params: Params, architecture_names: Sequence[str], policy_names: Sequence[str]) -> list[str]:
    """One line per problem with the variants, which are entries below ``settings`` with a ``base``."""
    families, problems = [*architecture_names, *policy_names], []
    for name, entry in params.settings.items():
        if "base" not in entry:
            continue
        base, key = entry["base"], f"settings.{name}.base"
        if name in families:
            problems.append(f"settings.{name}: this is itself a family and cannot be a variant of {base!r}")
        elif not isinstance(base, str):
            problems.append(f"{key}: expected the name of an architecture or augmentation, got {base!r}")
        elif base not in families and base in params.settings:
            problems.append(f"{key}: {base!r} is not a family; a variant cannot be based on another variant")
        elif base not in families:
            problems += check_known(f"{key}:", [base], families)
        elif name in params.architectures and base not in architecture_names:
            problems.append(f"architectures: {name!r} is a variant of {base!r}, which is an augmentation")
        elif name in params.augmentations and base not in policy_names:
            problems.append(f"augmentations: {name!r} is a variant of {base!r}, which is an architecture")
    return problems


def _wrong_training(params: Params) -> list[str]:
    training = params.training
    problems = check_known("training.engine:", [training.engine], ["auto", *engines.names()])
    return problems + check_known("training.protocol:", [training.protocol], protocols.names())


def _wrong_architecture(params: Params, stated: str, family: str) -> list[str]:
    architecture = architectures.load(family)
    settings, problems = _settings(architecture.settings, params, stated)
    if settings is not None and params.image_size < (least := architecture.minimum_size(settings)):
        problems.append(
            f"image_size: {stated} needs at least {least} pixels per side, got {params.image_size}; "
            f"fewer layers in settings.{stated} need less"
        )
    elif settings is not None and architecture.stack is not None:
        outputs = 2 if isinstance(params.task, str) else len(params.task)
        problems += network_size.problems(stated, architecture.stack(settings), params.image_size, outputs)
    engine = params.training.engine
    if engine in engines.names() and not engines.serves(engine, family, params.training.optimizer):
        problems.append(f"training.engine: {engine} does not train {stated}; auto picks an engine that does")
    return problems


def _settings(model: type[BaseModel], params: Params, name: str) -> tuple[BaseModel | None, list[str]]:
    try:
        return model.model_validate(params.settings_of(name)), []
    except ValidationError as error:
        known = ", ".join(model.model_fields) or "none"
        return None, [f"settings.{name}.{line} (settings: {known})" for line in describe(error.errors(), model)]


def class_weights(params: Params, class_names: Sequence[str]) -> str | tuple[float, ...] | None:
    """``training.class_weights``, a mapping as one weight per class; raises ``InputError`` listing all offenders."""
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
    """The recipe of an arm's runs; raises ``InputError``."""
    training = params.training
    architecture, policy = params.family_of(arm.architecture), params.family_of(arm.augmentation)
    engine = engines.resolve(training.engine, architecture, training.optimizer)
    stated = training.model_dump(exclude={"engine", "protocol"}) | {"class_weights": class_weights(params, class_names)}
    return Recipe(
        architecture=_component(architectures, architecture, params.settings_of(arm.architecture)),
        preparation=preparation({"size": params.image_size}).component,
        augmentation=_component(augmentation, policy, params.settings_of(arm.augmentation)),
        protocol=_component(protocols, training.protocol, stated),
        engine=Component(engine, engines.version(engine), {}),
    )


def about_results(project: ProjectPaths, params: Params, arm: Arm, class_names: Sequence[str]) -> dict[str, Any]:
    """What results of an arm with these classes are made of by ``params.yaml`` and its split, as ``ArmDesign.about``.

    Without a split, as in a clone that has the results only, there is no entry ``split``. Raises ``InputError``.
    """
    check_arms(params)
    about = _about(params.dataset, recipe(params, arm, class_names), class_names, params.sizes, params.seeds)
    drawn = project.split(arm.labels).is_file()
    return about | ({"split": _digest_of(read_split(project, params, arm.labels))} if drawn else {})


def _digest_of(split: pd.DataFrame) -> str:
    """The digest of a split: the images and classes of every fold and subset, in order."""
    rows = split.sort_values(["fold", "subset", "rank"])
    return digest([rows[column].tolist() for column in ("fold", "subset", "image", "pixel_sha256", "label", "class")])


def _about(
    dataset: str, shared: Recipe, class_names: Sequence[str], sizes: Collection[int], seeds: Collection[int]
) -> dict[str, Any]:
    parts = {part: {"name": its["name"], "settings": its["settings"]} for part, its in asdict(shared).items()}
    stated = {"dataset": dataset, "sizes": sorted(sizes), "seeds": sorted(seeds)}
    about: dict[str, Any] = json.loads(json.dumps(stated | {"classes": list(class_names), "recipe": parts}))
    return about


def _component(family: Any, name: str, stated: Mapping[str, Any]) -> Component:
    """A component: a member of a family in ``models`` with these settings."""
    model = family.load(name).settings
    given = model.model_validate(stated).model_dump(mode="json")
    return Component.of(name, family.version(name), given, defaults(model))


def settings_of_arm(params: Params, arm: Arm) -> dict[str, Any]:
    """The family of the arm's architecture and of its augmentation policy, with all settings, defaults included.

    The values are those of JSON. Raises ``InputError`` if an arm of the study cannot be trained.
    """
    check_arms(params)
    parts = {"architecture": (architectures, arm.architecture), "augmentation": (augmentation, arm.augmentation)}
    return {part: _with_defaults(family, params, name) for part, (family, name) in parts.items()}


def _with_defaults(family: Any, params: Params, name: str) -> dict[str, Any]:
    member = params.family_of(name)
    given = family.load(member).settings.model_validate(params.settings_of(name))
    return {"family": member, "settings": given.model_dump(mode="json")}


def design_arm(project: ProjectPaths, params: Params, arm: Arm) -> ArmDesign:
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
        runs += _runs_of_fold(
            int(str(fold)), rows, params, (shared, len(names)), lambda r: _images(r, identities, classes)
        )
    return ArmDesign(
        dataset=params.dataset,
        task=params.task_name,
        arm=arm,
        recipe=shared,
        class_names=class_names,
        images=tuple(images["image"]),
        identities=identities,
        classes=classes,
        runs=tuple(runs),
        split=_digest_of(split),
    )


def _runs_of_fold(
    fold: int,
    rows: Rows,
    params: Params,
    shared: tuple[Recipe, int],
    images_of: Callable[[NDArray[np.intp]], Images],
) -> Iterator[PlannedRun]:
    validation, test = images_of(rows["validation"]), images_of(rows["test"])
    for size in params.sizes:
        chosen = {**rows, "train": rows["train"][:size]}
        train = images_of(chosen["train"])
        for seed in params.seeds:
            yield PlannedRun(fold, size, seed, Run(*shared, seed, train, validation, test), chosen)


def _images(rows: NDArray[np.intp], identities: tuple[str, ...], classes: tuple[int, ...]) -> Images:
    return Images(tuple(identities[row] for row in rows), tuple(classes[row] for row in rows))


def read_split(project: ProjectPaths, params: Params, labels: str) -> pd.DataFrame:
    """The split of a label version: columns ``fold, subset, rank, image, pixel_sha256, label, class``.

    Raises ``InputError`` if it is missing, damaged, was drawn with other settings or before images were withdrawn, or
    has an image in two subsets of a fold.
    """
    check_split(project, params)
    split = read_parquet(project.split(labels), SPLIT_NEXT)
    if missing := [column for column in SPLIT_COLUMNS if column not in split]:
        raise InputError(f"{project.split(labels)}: not a split; it lacks the columns", missing, next_step=SPLIT_NEXT)
    check_withdrawn(project, params.dataset, split["image"].unique(), str(project.split(labels)))
    shared = in_several_subsets(split, split["image"])
    if not shared and params.duplicates != "group":
        shared = in_several_subsets(split, split["pixel_sha256"])
    if shared:
        raise InputError(
            f"{project.split(labels)}: images are in several subsets of a fold:",
            shared,
            next_step=f"remove it, then {SPLIT_NEXT}",
        )
    return split


def in_several_subsets(split: pd.DataFrame, units: "pd.Series[str]") -> list[str]:
    """One line for each of these units (one per row, such as its image or patient) in several subsets of a fold."""
    placed = split[["fold", "subset"]].assign(unit=units).dropna().drop_duplicates()
    several = placed[placed.duplicated(["fold", "unit"], keep=False)]
    return [
        f"fold {fold}: {unit} is in {' and '.join(sorted(group['subset']))}"
        for (fold, unit), group in several.groupby(["fold", "unit"], sort=True)
    ]


def check_withdrawn(project: ProjectPaths, dataset: str, images: Collection[str], what: str) -> None:
    """Raise ``InputError`` listing those of these images that were withdrawn from the dataset."""
    gone = withdrawn_images(project, dataset)
    if gone and (left := sorted(image for image in images if same_form(image) in gone)):
        raise InputError(
            f"{what}: these images were withdrawn from data/{dataset} after it was made:", left, next_step="dvc repro"
        )


def held_out(project: ProjectPaths, params: Params) -> pd.DataFrame:
    """The images that ``split`` locked away: ``image, pixel_sha256, patient, class``; no rows without a holdout.

    Raises ``InputError`` as ``read_split`` does, also if ``params.yaml`` no longer sets the holdout that was drawn.
    """
    check_split(project, params)
    if not params.holdout:
        return pd.DataFrame(columns=HOLDOUT_COLUMNS, dtype="str")
    held = read_parquet(project.holdout, SPLIT_NEXT)
    if missing := [column for column in HOLDOUT_COLUMNS if column not in held]:
        raise InputError(f"{project.holdout}: not a holdout; it lacks the columns", missing, next_step=SPLIT_NEXT)
    return held


def check_split(project: ProjectPaths, params: Params) -> None:
    """Raise ``InputError`` listing the settings that changed after the splits were drawn.

    DVC redraws the splits after a change; a stage run by hand would report the numbers of another study.
    """
    folder = project.split_settings.parent
    if not project.split_settings.is_file() and not any(folder.rglob("*.parquet")):
        return  # nothing was drawn here, as in a clone that has the results only
    wanted = split_settings(params)
    drawn = read_json(project.split_settings, SPLIT_NEXT)
    differing = [
        f"{key}: {drawn.get(key)!r} in build/split, {wanted.get(key)!r} in params.yaml"
        for key in dict.fromkeys([*wanted, *drawn])
        if drawn.get(key) != wanted.get(key)
    ]
    if differing:
        raise InputError(
            "build/split was drawn with other settings:", differing, next_step=f"{SPLIT_NEXT}, or dvc repro"
        )


def split_settings(params: Params) -> dict[str, Any]:
    """The settings that determine the splits, as JSON values; training sizes do not affect them.

    No holdout is not among them, as in splits that were drawn before there was such a setting.
    """
    grouped = params.duplicates == "group"
    stated = set(SPLIT_SETTINGS) - ({"holdout"} if not params.holdout else set())
    return params.model_dump(mode="json", include=stated) | {"duplicates": "group" if grouped else "drop"}
