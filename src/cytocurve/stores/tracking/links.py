"""Links from the report to MLflow's pages."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from cytocurve.errors import ServiceError
from cytocurve.stores.tracking.connection import check_uri, connected
from cytocurve.stores.tracking.experiments import PARENT, RUN_KEY
from cytocurve.stores.tracking.limits import scaled, within

LOCAL = "http://127.0.0.1:5000"
"""The default address of ``cytocurve ui``."""


LIMIT_SECONDS = 60.0


def links(tracking_uri: str, lock: Path, experiment: str, run_keys: Mapping[str, str]) -> dict[str, Any] | None:
    """The pages of an experiment and of its arms: ``url`` of the server, and paths ``experiment`` and ``arms``.

    ``run_keys`` has the key of one run per arm, used to find the arm's parent run. None if the store does not exist or
    cannot be reached, or if it does not contain the experiment. Raises ``InputError`` if the URI is malformed.
    """
    check_uri(tracking_uri)
    return within(scaled(LIMIT_SECONDS), lambda: _links(tracking_uri, lock, experiment, run_keys))


def _links(tracking_uri: str, lock: Path, experiment: str, run_keys: Mapping[str, str]) -> dict[str, Any] | None:
    parts = urlsplit(tracking_uri)
    local = parts.scheme == "sqlite"
    if local and not Path(tracking_uri.removeprefix("sqlite:///")).is_file():
        return None
    with suppress(ServiceError), connected(tracking_uri, lock) as client:
        entry = client.get_experiment_by_name(experiment)
        if entry is None:
            return None
        page = f"/#/experiments/{entry.experiment_id}"
        arms = {}
        for arm, key in run_keys.items():
            runs = client.search_runs([entry.experiment_id], f"tags.`{RUN_KEY}` = '{key}'", max_results=1)
            if runs and (parent := runs[0].data.tags.get(PARENT)):
                arms[arm] = f"{page}/runs/{parent}"
        curves = quote("tags.`cytocurve.arm_key` LIKE '%'")
        return {
            "url": LOCAL if local else f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}",
            "experiment": f"{page}/runs?compareRunsMode=CHART&searchFilter={curves}",
            "arms": arms,
        }
    return None
