"""Validated settings from ``params.yaml``, and the paths of a project."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from ruamel.yaml import YAML

from cytocurve.core.data.spelling import same_form
from cytocurve.core.data.taxonomy import BINARY, Task, named_task, stated_task, stated_task_name
from cytocurve.core.runs import Arm
from cytocurve.errors import InputError
from cytocurve.files import local_path
from cytocurve.setting_errors import describe
from cytocurve.yaml_files import read_yaml

LONGEST_NAME = 100
"""Maximum characters of a name, which is part of file names."""

LONGEST_ARM = 200
"""Maximum characters of an arm's name: file systems allow 255, and those of its files are longer."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.]*$", max_length=LONGEST_NAME)]
"""Used in the names of files, stages and experiments; an arm's name joins three of them with ``-``."""


EXPERIMENTS = Path(".dvc", "tmp", "exps")
"""The folder of DVC's experiments in a project."""

Weight = Annotated[float, Field(ge=1e-6, le=1e6, allow_inf_nan=False)]
"""The weight of a class in training, bounded so that it is neither zero nor infinite in single precision."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Training(_Model):
    """Training settings shared by all runs."""

    batch_size: int = Field(5, ge=1, le=100_000)
    protocol: Name = "early_stopping"
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"
    learning_rate: float = Field(1e-3, ge=1e-9, le=10, allow_inf_nan=False)
    max_epochs: int = Field(500, ge=1, le=1_000_000)
    patience: int = Field(50, ge=1, le=1_000_000)
    class_weights: Literal["balanced"] | dict[str, Weight] | None = None
    engine: Name = "auto"


class Params(_Model):
    """The contents of ``params.yaml``."""

    dataset: Name
    task: str | dict[Name, Annotated[list[str], Field(min_length=1)]]
    sample_per_class: int | None = Field(None, ge=1, le=100_000_000)
    min_class_size: int = Field(5, ge=1, le=100_000_000)
    rare: Literal["drop", "merge"] = "drop"
    labels: list[Name] = Field(min_length=1)
    architectures: list[Name] = Field(min_length=1)
    augmentations: list[Name] = Field(min_length=1)
    folds: int = Field(10, ge=3, le=100_000)
    sizes: list[Annotated[int, Field(ge=2, le=100_000_000)]] = Field(min_length=1)
    seeds: list[Annotated[int, Field(ge=0, lt=2**31)]] = Field(default=[0], min_length=1)
    split: Literal["stratified", "patient", "predefined"] = "stratified"
    split_seed: int = Field(0, ge=0, lt=2**31)
    holdout: float | None = Field(None, ge=0, le=0.5, allow_inf_nan=False)
    grow_by: Literal["images", "patients"] = "images"
    duplicates: Literal["drop", "group", "fail"] = "drop"
    leakage: Literal["fail", "warn"] = "warn"
    image_size: int = Field(ge=8, le=4096)
    training: Training = Training()
    settings: dict[Name, dict[str, Any]] = {}

    @field_validator("labels", "architectures", "augmentations", "seeds")
    @classmethod
    def _distinct(cls, values: list[Any]) -> list[Any]:
        repeated = sorted({value for value in values if values.count(value) > 1})
        if repeated:
            raise ValueError(f"listed twice: {', '.join(map(str, repeated))}")
        return values

    @field_validator("task")
    @classmethod
    def _two_classes(cls, task: Any) -> Any:
        if not isinstance(task, str):
            if len(task) < 2:
                raise ValueError("at least two classes are needed")
            if set(task) & set(BINARY) and set(task) != set(BINARY):
                raise ValueError("a binary task has exactly the classes positive and negative")
            labels = [label for listed in task.values() for label in listed]
            if repeated := sorted({label for label in labels if labels.count(label) > 1}):
                raise ValueError(f"each label belongs to one class; listed twice: {', '.join(repeated)}")
        return task

    @field_validator("sizes")
    @classmethod
    def _increasing(cls, sizes: list[int]) -> list[int]:
        if sizes != sorted(set(sizes)):
            raise ValueError("must be strictly increasing")
        return sizes

    @property
    def arms(self) -> list[Arm]:
        """All arms of the study."""
        return [Arm(a, p, v) for a in self.architectures for p in self.augmentations for v in self.labels]

    def family_of(self, name: str) -> Any:
        """The family (architecture or policy) of a name in ``architectures`` or ``augmentations``.

        A variant names its family as ``base`` in its entry below ``settings``; any other name is itself a family, which
        needs no entry.
        """
        return self.settings.get(name, {}).get("base", name)

    def settings_of(self, name: str) -> dict[str, Any]:
        """The settings given for a family or variant; the family's defaults apply to all others."""
        return {key: value for key, value in self.settings.get(name, {}).items() if key != "base"}

    @property
    def task_name(self) -> str:
        """The task's name in the tracking store and the registry."""
        return self.task if isinstance(self.task, str) else stated_task_name(self.task)

    def task_of(self, counts: Mapping[str, int]) -> Task:
        """The task on a label version with these counts of images per label; raises ``InputError``."""
        if isinstance(self.task, str):
            return named_task(self.task, counts, self.min_class_size, self.rare)
        return stated_task(self.task, counts)


@dataclass(frozen=True)
class ProjectPaths:
    """The folders of a project, all below its root; ``elsewhere`` has the results if not ``results/``."""

    root: Path
    elsewhere: Path | None = None

    @property
    def params_file(self) -> Path:
        """The current study."""
        return self.root / "params.yaml"

    @property
    def data(self) -> Path:
        """All datasets; tracked by DVC as ``data.dvc``."""
        return self.root / "data"

    @property
    def catalog(self) -> Path:
        """The table of images and labels."""
        return self.root / "build" / "catalog.parquet"

    def split(self, labels: str) -> Path:
        """The split of one label version."""
        return self.root / "build" / "split" / f"{labels}.parquet"

    @property
    def split_settings(self) -> Path:
        """The settings that the splits were drawn with."""
        return self.root / "build" / "split" / "settings.json"

    @property
    def holdout(self) -> Path:
        """The images that ``split`` locks away; in a folder of its own, since a label version may be called holdout."""
        return self.root / "build" / "split" / "holdout" / "images.parquet"

    @property
    def _results(self) -> Path:
        return self.elsewhere or self.root / "results"

    def results(self, arm: Arm) -> Path:
        """The runs of an arm with their scores."""
        return self._results / f"{arm.name}.parquet"

    def predictions(self, arm: Arm) -> Path:
        """The predictions of an arm for validation and test images."""
        return self._results / f"{arm.name}.predictions.parquet"

    def losses(self, arm: Arm) -> Path:
        """The training and validation losses of an arm's runs, by epoch."""
        return self._results / f"{arm.name}.losses.parquet"

    @property
    def pixels(self) -> Path:
        """Cache of decoded images, shared by workers; safe to delete."""
        return self.root / "build" / "pixels"

    @property
    def features(self) -> Path:
        """The folder of feature vectors of prepared images, which sweeps reuse."""
        return self.root / "build" / "features"

    @property
    def reports(self) -> Path:
        """Metrics, figures and the page."""
        return self.root / "reports"

    @property
    def answers(self) -> Path:
        """All computed answers, for the page and for other programs."""
        return self.reports / "answers.json"

    @property
    def challenger(self) -> Path:
        """The model that the alias ``challenger`` was last moved to by a stage; not restored by DVC or git."""
        return self.reports / "challenger.json"

    @property
    def home(self) -> Path:
        """The folder of the ledger and the tracking store: the root, resolved.

        In a folder of ``dvc exp run --temp`` or ``--queue``, which DVC deletes after the experiment, it is the root of
        the project that started the experiment.
        """
        return _started_from(self.root.resolve()) or self.root.resolve()

    @property
    def in_experiment(self) -> bool:
        """Whether this is part of a ``dvc exp run``: DVC can discard its files, but not what it did elsewhere."""
        return bool(os.environ.get("DVC_EXP_BASELINE_REV")) or self.home != self.root.resolve()

    @property
    def ledger_url(self) -> str:
        """URL of the ledger; set ``CYTOCURVE_LEDGER`` to move it, for example to share it between clones."""
        url = os.environ.get("CYTOCURVE_LEDGER", "").strip() or str(self.home / "ledger")
        return self._outlasting(url)

    @property
    def state(self) -> Path:
        """State shared by running commands, such as locks; safe to delete while none is running.

        This is ``.cytocurve/`` next to the ledger, by default in the project: clones that share a ledger on disk share
        this folder, so that their sweeps wait for each other. If the ledger's parent folder is not writable, or the
        ledger is not on disk, the project has its own, and two clones may train the same run twice.
        """
        ledger = local_path(self.ledger_url)
        folder = self.home if ledger is None else ledger.resolve().parent
        existing = next(path for path in (folder, *folder.resolve().parents) if path.is_dir())
        return (folder if os.access(existing, os.W_OK) else self.home) / ".cytocurve"

    @property
    def locks(self) -> Path:
        """Locks of the commands that use the ledger."""
        ledger = local_path(self.ledger_url)
        return self.state / "locks" / ("remote" if ledger is None else ledger.name)

    @property
    def files_lock(self) -> Path:
        """Held while a command changes ``data/``, ``data.dvc``, ``params.yaml`` or a table of decisions.

        It does not move with the ledger.
        """
        return self.root / ".cytocurve" / "files.lock"

    @property
    def settings_lock(self) -> Path:
        """Held while ``build/settings/`` is written."""
        return self.root / ".cytocurve" / "settings.lock"

    @property
    def looks(self) -> Path:
        """The record of all looks at the holdout, kept in git; it belongs to the project, not to an experiment."""
        return self.home / "holdout.jsonl"

    @property
    def looks_lock(self) -> Path:
        """Held while a look is recorded."""
        return self.home / ".cytocurve" / "looks.lock"

    @property
    def unfinished_look(self) -> Path:
        """The look whose validation has not been written yet; deleting it makes its repetition another look."""
        return self.home / ".cytocurve" / "look.json"

    @property
    def tracking_uri(self) -> str:
        """``MLFLOW_TRACKING_URI``, or the local store below ``mlruns/``."""
        uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip() or f"sqlite:///{self.home}/mlruns/mlflow.db"
        return self._outlasting(uri)

    @property
    def tracking_lock(self) -> Path:
        """Held by the process on this machine that publishes to a tracking server."""
        return self.locks / "tracking.lock"

    def _outlasting(self, url: str) -> str:
        """The URL of a store; in a folder of an experiment, a relative path starts from the project's root."""
        path = local_path(url)
        if path is None or path.is_absolute() or self.home == self.root.resolve():
            return url
        return f"{'sqlite:///' if url.startswith('sqlite:///') else ''}{self.home / path}"

    def params(self) -> Params:
        """The validated ``params.yaml``; raises ``InputError`` listing every offending key."""
        return validate_params(read_yaml(self.params_file), self.params_file.name, self._as_written)

    def _as_written(self) -> Any:
        """The contents of ``params.yaml`` with every scalar as it was typed."""
        with self.params_file.open(encoding="utf-8") as file:
            return YAML(typ="base", pure=True).load(file)


def _started_from(root: Path) -> Path | None:
    """The root of the project that started the experiment in whose temporary folder ``root`` is; None elsewhere.

    Such a folder is ``.dvc/tmp/exps/[standalone/]<name>`` of the project, and contains a clone of its git repository.
    ``.dvc/tmp`` may be a link to another disk, but while DVC runs a stage, ``DVC_ROOT`` names the project.
    """
    by_path = [folder.parents[2] for folder in root.parents if folder.parts[-3:] == EXPERIMENTS.parts]
    stated = os.environ.get("DVC_ROOT")
    for project in [*by_path, *([Path(stated).resolve()] if stated else [])]:
        experiments = (project / EXPERIMENTS).resolve()
        if root.is_relative_to(experiments):
            clone = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
            repository = next((folder for folder in (project, *project.parents) if (folder / ".git").exists()), project)
            if clone.is_relative_to(experiments):
                return repository / root.relative_to(clone)
    return None


def validate_params(content: Any, name: str, as_written: Callable[[], Any] | None = None) -> Params:
    """Validate the contents of the file ``name``; raises ``InputError`` listing every offending key.

    ``as_written`` reads the same contents with every scalar as it was typed, such as ``01`` for 1.
    """
    if not isinstance(content, dict):
        raise InputError(f"{name}: expected a mapping of settings, got {type(content).__name__}")
    try:
        params = Params.model_validate(_in_one_form(content))
    except ValidationError as error:
        written = as_written() if as_written else content
        raise InputError(
            f"{name}: these settings cannot be used:", describe(error.errors(), Params, written)
        ) from error
    if long := [name for arm in params.arms if len(name := arm.name) > LONGEST_ARM]:
        raise InputError(
            f"{name}: the names of these arms, <architecture>-<augmentation>-<label version>, have more than "
            f"{LONGEST_ARM} characters:",
            long,
            next_step="choose shorter names of variants or label versions",
        )
    return params


def _in_one_form(value: Any) -> Any:
    """The value with all texts in the Unicode form (NFC) in which labels are read from tables."""
    if isinstance(value, str):
        return same_form(value)
    if isinstance(value, dict):
        return {_in_one_form(key): _in_one_form(inner) for key, inner in value.items()}
    return [_in_one_form(inner) for inner in value] if isinstance(value, list) else value
