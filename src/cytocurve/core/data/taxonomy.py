"""Cell types, and tasks: questions about a cell as sets of classes."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cytocurve.errors import InputError


@dataclass(frozen=True)
class CellType:
    """A label that an expert assigns to a single cell, or a patient's diagnosis assigned to all of the patient's cells.

    ``blast`` and ``atypical`` follow Matek et al. 2019, Methods: blasts are the immature precursors whose
    count defines the diagnosis; atypical is every type not found in healthy peripheral blood. ``parent`` is the wider
    type that a rare one is merged into.
    """

    name: str
    blast: bool = False
    atypical: bool = False
    parent: str | None = None


CELL_TYPES: Mapping[str, CellType] = {
    cell.name: cell
    for cell in (
        CellType("ALL", blast=True, atypical=True),
        CellType("healthy"),
        CellType("lymphoblast", blast=True, atypical=True),
        CellType("lymphoid_precursor"),
        CellType("lymphocyte_atypical", atypical=True, parent="lymphocyte"),
        CellType("lymphocyte_typical", parent="lymphocyte"),
        CellType("lymphocyte"),
        CellType("monoblast", blast=True, atypical=True),
        CellType("monocyte"),
        CellType("basophil"),
        CellType("eosinophil"),
        CellType("neutrophil"),
        CellType("neutrophil_band", parent="neutrophil"),
        CellType("neutrophil_segmented", parent="neutrophil"),
        CellType("immature_granulocyte", atypical=True),
        CellType("myeloblast", blast=True, atypical=True),
        CellType("promyelocyte", atypical=True, parent="immature_granulocyte"),
        CellType("promyelocyte_bilobed", atypical=True, parent="promyelocyte"),
        CellType("myelocyte", atypical=True, parent="immature_granulocyte"),
        CellType("metamyelocyte", atypical=True, parent="immature_granulocyte"),
        CellType("erythroblast", atypical=True),
        CellType("smudge_cell"),
        CellType("thrombocyte"),
    )
}

MATEK: Mapping[str, str] = {
    "BAS": "basophil",
    "EBO": "erythroblast",
    "EOS": "eosinophil",
    "KSC": "smudge_cell",
    "LYA": "lymphocyte_atypical",
    "LYT": "lymphocyte_typical",
    "MMZ": "metamyelocyte",
    "MOB": "monoblast",
    "MON": "monocyte",
    "MYB": "myelocyte",
    "MYO": "myeloblast",
    "NGB": "neutrophil_band",
    "NGS": "neutrophil_segmented",
    "PMB": "promyelocyte_bilobed",
    "PMO": "promyelocyte",
}
"""The codes of AML-Cytomorphology_LMU, as its ``abbreviations.txt`` explains them."""

LONGEST_NAME = 100
NAMED_TASKS = ("blast", "atypical", "multiclass")
BINARY = ("negative", "positive")


@dataclass(frozen=True)
class Task:
    """A question about a cell: ``classes`` in the order of the network's outputs, ``members`` from label to index.

    A binary task has the classes ``negative`` and ``positive``, in this order. Images with labels not in ``members``
    are excluded.
    """

    name: str
    classes: tuple[str, ...]
    members: Mapping[str, int]

    @property
    def binary(self) -> bool:
        """Whether the task has a positive class."""
        return self.classes == BINARY


def named_task(name: str, counts: Mapping[str, int], min_class_size: int, rare: str = "drop") -> Task:
    """The task ``blast``, ``atypical`` or ``multiclass`` on a label version with these counts of images per label.

    ``multiclass`` needs ``min_class_size`` images per class (Schouten et al. 2021, "Multiclass classifier": five);
    rarer labels are dropped, or, if ``rare`` is ``merge``, merged into their ``parent`` as long as there is one
    (Matek et al. 2019, Methods). Raises ``InputError`` for an unknown task, and for labels not in the taxonomy.
    """
    if name == "multiclass":
        return _task(name, _classes(counts, min_class_size, rare))
    if name not in NAMED_TASKS:
        raise InputError(
            f"task: unknown task {name!r}",
            hint=f"Named tasks: {', '.join(NAMED_TASKS)}. "
            "Or define the classes: task: {positive: [...], negative: [...]}",
        )
    unknown = sorted(set(counts) - set(CELL_TYPES))
    if unknown:
        raise InputError(
            f"task {name!r} is not defined for these labels, which are not in the taxonomy:",
            unknown,
            "Define the classes in params.yaml: task: {positive: [...], negative: [...]}",
        )
    positive = {label for label in counts if getattr(CELL_TYPES[label], name)}
    return Task(name, BINARY, {label: int(label in positive) for label in counts})


def _classes(counts: Mapping[str, int], min_class_size: int, rare: str) -> dict[str, list[str]]:
    """The labels of each class that is large enough."""
    classes = {label: [label] for label in sorted(counts)}
    size = dict(counts)
    while rare == "merge":
        small = [name for name in classes if size[name] < min_class_size and parent_of(name)]
        if not small:
            break
        child = min(small, key=lambda name: (size[name], name))
        parent = parent_of(child) or ""
        classes[parent] = sorted([*classes.get(parent, []), *classes.pop(child)])
        size[parent] = size.get(parent, 0) + size.pop(child)
    return {name: labels for name, labels in classes.items() if size[name] >= min_class_size}


def parent_of(label: str) -> str | None:
    """The wider cell type of a label, None if there is none."""
    return CELL_TYPES[label].parent if label in CELL_TYPES else None


def stated_task(classes: Mapping[str, Sequence[str]], known: Collection[str]) -> Task:
    """The task of these classes, each a set of labels; ``known`` are the labels that occur.

    Raises ``InputError`` listing labels that do not occur and labels that are listed twice.
    """
    stated = [label for labels in classes.values() for label in labels]
    offenders = [f"{label!r} occurs in no image" for label in sorted(set(stated) - set(known))]
    offenders += [
        f"{label!r} is listed twice" for label in sorted({label for label in stated if stated.count(label) > 1})
    ]
    if offenders:
        raise InputError(
            "task: these classes cannot be used:", offenders, f"Labels that occur: {', '.join(sorted(known))}"
        )
    return _task(stated_task_name(classes), classes)


def _task(name: str, classes: Mapping[str, Sequence[str]]) -> Task:
    order = BINARY if set(classes) == set(BINARY) else tuple(sorted(classes))
    return Task(name, order, {label: order.index(given) for given, labels in classes.items() for label in labels})


def stated_task_name(classes: Mapping[str, Sequence[str]]) -> str:
    """The name under which a task defined by its classes appears in the tracking store and the registry.

    Letters, digits and ``_.+-`` only, since it is used in paths and filters; a name that had other characters, is long,
    or does not identify the labels ends with a digest of the classes.
    """
    sets = {name: sorted(labels) for name, labels in sorted(classes.items())}
    binary = set(classes) == set(BINARY)
    parts = ["+".join(sets[name]) for name in reversed(BINARY)] if binary else list(sets)
    name = "-vs-".join(parts)
    plain = re.sub(r"[^A-Za-z0-9_.+-]", "_", name)[:LONGEST_NAME]
    if plain == name and binary:
        return name
    described = [sets["positive"], sets["negative"]] if binary else sets
    return f"{plain}-{hashlib.sha256(json.dumps(described).encode()).hexdigest()[:8]}"
