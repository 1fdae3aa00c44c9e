"""What only this computation knows of a study, and what a page tells beside its answers.

Files that DVC records hold no clock time, duration, path or host; the page may, so it is not one of them.
"""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.ingest.decoding import read_rgb
from cytocurve.report.review import picture
from cytocurve.report.tables import tables
from cytocurve.stores.dvc import commit
from cytocurve.stores.ledger import Ledger, open_ledger
from cytocurve.stores.tracking.links import links


def facts(project: ProjectPaths, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The commit, each arm's seconds of training, links to the tracking store, small pictures, the tables.

    ``seconds`` are of processor time, of the arms whose runs are all in the ledger; ``tracking`` is None where the
    tracking store cannot be reached or does not hold the study. Images that are no longer there have no picture.
    """
    params = project.params()
    images = {row["image"] for arm in answers["arms"].values() for row in arm["examples"]}
    keys = {
        arm.name: pd.read_parquet(project.results(arm), columns=["run_key"])["run_key"].tolist() for arm in params.arms
    }
    ledger = open_ledger(project.ledger_url)
    revision = commit(project.root)
    return {
        "commit": revision.partition("+")[0] if revision else None,
        "dirty": bool(revision and "+" in revision),
        "seconds": {arm: found for arm, of_arm in keys.items() if (found := _cpu_seconds(ledger, of_arm)) is not None},
        "tracking": links(
            project.tracking_uri,
            project.tracking_lock,
            f"{params.dataset}/{params.task_name}",
            {arm: of_arm[0] for arm, of_arm in keys.items()},
        ),
        "pictures": _pictures(project, images),
        "tables": [f"{name}.csv" for name in tables(answers)],
    }


def _cpu_seconds(ledger: Ledger, keys: Collection[str]) -> float | None:
    seconds = [ledger.provenance(key).get("cpu_seconds") for key in keys]
    return None if None in seconds else round(sum(second for second in seconds if second is not None), 1)


def _pictures(project: ProjectPaths, images: Collection[str]) -> dict[str, str]:
    folder = project.data / project.params().dataset / "images"
    pictures = {}
    for name in sorted(images):
        try:
            pictures[name] = picture(read_rgb(folder / name))
        except (OSError, ValueError):
            continue
    return pictures
