"""Cell types, and tasks: questions to a cell as sets of classes."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cytocurve.errors import InputError


@dataclass(frozen=True)
class CellType:
    """A label that experts give to a single cell, or a patient's diagnosis given to all of the patient's cells.

    ``blast`` and ``atypical`` follow Matek et al. 2019, Methods: blasts are the immature precursors whose
    count makes the diagnosis; atypical is every type that peripheral blood does not hold in health.
    """

    name: str
    blast: bool = False
    atypical: bool = False


CELL_TYPES: Mapping[str, CellType] = {
    cell.name: cell
    for cell in (
        CellType("ALL", blast=True, atypical=True),
        CellType("healthy"),
        CellType("lymphoblast", blast=True, atypical=True),
        CellType("lymphocyte_atypical", atypical=True),
        CellType("lymphocyte_typical"),
        CellType("lymphocyte"),
        CellType("monocyte"),
        CellType("basophil"),
        CellType("eosinophil"),
        CellType("neutrophil"),
        CellType("neutrophil_band"),
        CellType("neutrophil_segmented"),
        CellType("immature_granulocyte", atypical=True),
        CellType("promyelocyte", atypical=True),
        CellType("myelocyte", atypical=True),
        CellType("metamyelocyte", atypical=True),
        CellType("erythroblast", atypical=True),
        CellType("thrombocyte"),
    )
}

LONGEST_NAME = 100
NAMED_TASKS = ("blast", "atypical", "multiclass")


@dataclass(frozen=True)
class Task:
    """A question to a cell: ``classes`` in the order of the network's outputs, ``members`` from label to class index.

    A binary task has the classes ``negative`` and ``positive``, in this order. Labels outside ``members``
    take no part in the task.
    """

    name: str
    classes: tuple[str, ...]
    members: Mapping[str, int]

    @property
    def binary(self) -> bool:
        """Whether the task has a positive class."""
        return self.classes == ("negative", "positive")


def named_task(name: str, counts: Mapping[str, int], min_class_size: int) -> Task:
    """The task ``blast``, ``atypical`` or ``multiclass`` on a label version with these counts of images a label.

    ``multiclass`` leaves out labels with fewer than ``min_class_size`` images (Schouten et al. 2021,
    "Multiclass classifier": five). Raises ``InputError`` for an unknown task, and for labels of which the
    taxonomy does not say whether they are ``blast`` or ``atypical``.
    """
    if name == "multiclass":
        kept = sorted(label for label, count in counts.items() if count >= min_class_size)
        return Task(name, tuple(kept), {label: index for index, label in enumerate(kept)})
    if name not in NAMED_TASKS:
        raise InputError(
            f"task: unknown task {name!r}",
            hint=f"Named tasks: {', '.join(NAMED_TASKS)}. Or state classes: task: {{positive: [...], negative: [...]}}",
        )
    unknown = sorted(set(counts) - set(CELL_TYPES))
    if unknown:
        raise InputError(
            f"task {name!r} is not defined for these labels, which the taxonomy does not know:",
            unknown,
            "State the classes in params.yaml: task: {positive: [...], negative: [...]}",
        )
    positive = {label for label in counts if getattr(CELL_TYPES[label], name)}
    return Task(name, ("negative", "positive"), {label: int(label in positive) for label in counts})


def stated_task(positive: Sequence[str], negative: Sequence[str], known: Collection[str]) -> Task:
    """The binary task of these positive and negative labels; ``known`` are the labels that occur.

    Raises ``InputError`` listing labels that do not occur and labels on both sides.
    """
    stated = [*positive, *negative]
    offenders = [f"{label!r} occurs in no image" for label in sorted(set(stated) - set(known))]
    offenders += [
        f"{label!r} is stated twice" for label in sorted({label for label in stated if stated.count(label) > 1})
    ]
    if offenders:
        raise InputError(
            "task: these classes cannot be used:", offenders, f"Labels that occur: {', '.join(sorted(known))}"
        )
    members = dict.fromkeys(positive, 1) | dict.fromkeys(negative, 0)
    return Task(stated_task_name(positive, negative), ("negative", "positive"), members)


def stated_task_name(positive: Sequence[str], negative: Sequence[str]) -> str:
    """The name under which a stated task appears in the tracking store and the registry.

    Letters, digits and ``_.+-`` only, since it stands in paths and filters; a name that had others, or that is long,
    ends with a digest of the classes.
    """
    name = f"{'+'.join(sorted(positive))}-vs-{'+'.join(sorted(negative))}"
    plain = re.sub(r"[^A-Za-z0-9_.+-]", "_", name)[:LONGEST_NAME]
    if plain == name:
        return name
    return f"{plain}-{hashlib.sha256(json.dumps([sorted(positive), sorted(negative)]).encode()).hexdigest()[:8]}"
