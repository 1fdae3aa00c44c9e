"""``cytocurve ui``: serve MLflow's user interface for the local tracking store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cytocurve.config import ProjectPaths
from cytocurve.stores.tracking.connection import curves_page, ui_command


@dataclass(frozen=True)
class UiServer:
    """The command that starts the server, the environment variables it needs, and the URL of the learning curves."""

    command: Sequence[str]
    environment: Mapping[str, str]
    url: str


def ui_server(project: ProjectPaths, port: int) -> UiServer:
    """Prepare an MLflow server for this machine, without starting it.

    Raises ``InputError`` if the tracking store is a server, which has its own user interface, or if the port is in use.
    """
    command, environment = ui_command(project.tracking_uri, project.tracking_lock, port)
    params = project.params()
    page = curves_page(project.tracking_uri, project.tracking_lock, f"{params.dataset}/{params.task_name}")
    return UiServer(command, environment, f"http://127.0.0.1:{port}/{page}")
