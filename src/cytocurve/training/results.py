"""From finished runs to the tables of an arm's results: runs with scores, predictions, and losses per epoch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.runs import PlannedRun
from cytocurve.core.statistics.metrics import score
from cytocurve.errors import CytocurveError
from cytocurve.redaction import shown
from cytocurve.stores.ledger import Finished
from cytocurve.stores.tables import write_parquet
from cytocurve.study.design import ArmDesign


@dataclass(frozen=True, eq=False)
class ResultTables:
    """The tables of an arm: ``runs`` with their scores, ``predictions``, and ``losses`` (``run_key, epoch, …``)."""

    runs: pd.DataFrame
    predictions: pd.DataFrame
    losses: pd.DataFrame


def write_results(project: ProjectPaths, design: ArmDesign, finished: Mapping[str, Finished | None]) -> None:
    """Write the tables of an arm with all of its runs, deterministically."""
    for planned in design.runs:
        if finished[planned.key] is None:
            raise CytocurveError(
                f"{shown(project.ledger_url)}: run {planned.key} is damaged although it was just written",
                next_step="check the disk, then rerun the command",
            )
    write_tables(project, design, result_tables(design, finished))


def write_tables(project: ProjectPaths, design: ArmDesign, tables: ResultTables) -> None:
    """Write the tables of an arm."""
    write_parquet(project.predictions(design.arm), tables.predictions)
    write_parquet(project.losses(design.arm), tables.losses)
    write_parquet(project.results(design.arm), tables.runs, design.about)


def result_tables(design: ArmDesign, finished: Mapping[str, Finished | None]) -> ResultTables:
    """The tables of the runs that are finished, of which there must be at least one."""
    rows, predictions, losses = [], [], []
    for planned in design.runs:
        run = finished.get(planned.key)
        if run is not None:
            rows.append(_row(design, planned, run))
            predictions += [prediction_rows(design, planned, run, subset) for subset in ("validation", "test")]
            losses.append(_losses(run))
    predicted, lost = (pd.concat(tables, ignore_index=True) for tables in (predictions, losses))
    return ResultTables(pd.DataFrame(rows), predicted, lost)


def scores(design: ArmDesign, planned: PlannedRun, run: Finished, subset: str = "test") -> dict[str, float]:
    """Every metric of a run on its test images, or those of another subset."""
    return score(np.array(design.classes)[planned.rows[subset]], run.predictions[subset])


def _training_scores(design: ArmDesign, planned: PlannedRun, run: Finished) -> dict[str, float]:
    """The scores of a run on the images it was trained on, NaN for runs of earlier versions."""
    found = scores(design, planned, run, "train") if "train" in run.predictions else {}
    return {f"training_{metric}": found.get(metric, np.nan) for metric in ("roc_auc", "accuracy")}


def _row(design: ArmDesign, planned: PlannedRun, run: Finished) -> dict[str, object]:
    return {
        "arm": design.arm.name,
        **vars(design.arm),
        "fold": planned.fold,
        "size": planned.size,
        "seed": planned.seed,
        "run_key": planned.key,
        "epochs": len(run.losses),
        **scores(design, planned, run),
        **_training_scores(design, planned, run),
    }


def prediction_rows(design: ArmDesign, planned: PlannedRun, run: Finished, subset: str) -> pd.DataFrame:
    """The predictions of a run for a subset: ``run_key, image, subset, label`` and a column ``p_<class>`` per class."""
    rows = planned.rows[subset]
    columns = {
        "run_key": planned.key,
        "image": [design.images[row] for row in rows],
        "subset": subset,
        "label": [design.class_names[design.classes[row]] for row in rows],
    }
    probabilities = {f"p_{name}": run.predictions[subset][:, i] for i, name in enumerate(design.class_names)}
    return pd.DataFrame(columns | probabilities)


def _losses(run: Finished) -> pd.DataFrame:
    columns = {"run_key": run.key, "epoch": np.arange(1, len(run.losses) + 1)}
    losses = {"loss": np.array(run.losses, float), "validation_loss": np.array(run.validation_losses, float)}
    return pd.DataFrame(columns | losses)
