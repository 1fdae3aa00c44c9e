"""The alias ``challenger`` in the model registry."""

from typing import TYPE_CHECKING

from cytocurve.config import ProjectPaths
from cytocurve.stores.tracking.connection import ask
from cytocurve.stores.tracking.model_files import remove_unnamed
from cytocurve.stores.tracking.registry import Notes, annotate, move_alias, version_of

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


def challenge(
    project: ProjectPaths, model: str, model_key: str, notes: Notes | None = None, experiment: str | None = None
) -> int | None:
    """Move the alias to the version with this key, except in an experiment; returns it, None if there is none.

    A version whose files are missing or damaged does not count. With the alias, the version gets the present ``notes``.
    What interrupted uploads left in MLflow's ``experiment`` is removed.

    Raises ``ServiceError`` if the registry cannot be reached.
    """

    def move(client: "MlflowClient") -> int | None:
        number = version_of(client, model, model_key)
        if number is not None and not project.in_experiment:
            if notes:
                annotate(client, model, number, notes)
            move_alias(client, model, number)
        if experiment is not None:
            remove_unnamed(client, experiment)
        return number

    return ask(project.tracking_uri, project.tracking_lock, move)
