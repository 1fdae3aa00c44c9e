"""From the labels of any dataset to the classes of a trained network."""

from collections.abc import Iterable, Mapping, Sequence

from cytocurve.core.data.taxonomy import BINARY, CELL_TYPES, NAMED_TASKS, parent_of


def classes_of(
    labels: Iterable[str], classes: Sequence[str], task: str | Mapping[str, Sequence[str]], rare: str
) -> dict[str, str]:
    """The class of each of these labels that belongs to one, by the definition of a study's task.

    ``classes`` are those of the network. A task that lists its labels has no others. ``blast`` and ``atypical`` are
    defined for all of the taxonomy, also for cell types that the study did not have. In a multiclass task, a label is
    its own class or, if ``rare`` is ``merge``, belongs to the closest wider type that is a class.
    """
    found = {label: _class_of(label, classes, task, rare) for label in labels}
    return {label: name for label, name in found.items() if name is not None and name in classes}


def _class_of(label: str, classes: Sequence[str], task: str | Mapping[str, Sequence[str]], rare: str) -> str | None:
    if not isinstance(task, str):
        return next((name for name, labels in task.items() if label in labels), None)
    if task in NAMED_TASKS and task != "multiclass":
        return BINARY[int(getattr(CELL_TYPES[label], task))] if label in CELL_TYPES else None
    name: str | None = label
    while rare == "merge" and name and name not in classes:
        name = parent_of(name)
    return name
