"""The results of a study, as its sweeps wrote them: a table of runs an arm, and their predictions."""

from collections.abc import Collection, Sequence

import pandas as pd

from cytocurve.config import Project
from cytocurve.core.metrics import METRICS
from cytocurve.core.runs import Arm
from cytocurve.errors import InputError

NEXT_STEP = "dvc repro"
COLUMNS = ("fold", "size", "seed", "run_key", *METRICS)
_WORDS = ["run_key", "image", "subset", "label"]


def read_runs(project: Project, arms: Sequence[Arm]) -> dict[str, pd.DataFrame]:
    """Runs by the name of their arm: ``fold, size, seed, run_key`` and a column a metric.

    Raises ``InputError`` listing every arm's file that is missing or cannot be used.
    """
    results, offenders = {}, []
    for arm in arms:
        file = project.results(arm)
        name = file.relative_to(project.root)
        try:
            results[arm.name] = pd.read_parquet(file)
        except FileNotFoundError:
            offenders.append(f"{name}: no such file")
        except (OSError, ValueError) as error:
            offenders.append(f"{name}: not a Parquet file: {error}")
        else:
            missing = [column for column in COLUMNS if column not in results[arm.name]]
            offenders += [f"{name}: no column {column}" for column in missing]
            if results[arm.name].empty:
                offenders.append(f"{name}: no runs")
    if offenders:
        raise InputError("These results cannot be used:", offenders, f"Run  {NEXT_STEP}  to compute what is missing.")
    return results


def read_predictions(project: Project, arm: Arm, subset: str, run_keys: Collection[str] = ()) -> pd.DataFrame:
    """An arm's predictions for a subset: ``run_key, image, label`` as categories, and a column ``p_<class>`` a class.

    Of the runs with these keys, where any are named. Raises ``InputError`` where the file is missing or damaged.
    """
    file = project.predictions(arm)
    wanted = [("subset", "==", subset), *([("run_key", "in", set(run_keys))] if run_keys else [])]
    try:
        table = pd.read_parquet(file, filters=wanted, read_dictionary=_WORDS)
        return table.drop(columns="subset").astype(dict.fromkeys(("run_key", "image", "label"), "category"))
    except FileNotFoundError:
        raise InputError(f"{file}: no such file yet", hint=f"Next: {NEXT_STEP}") from None
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{file}: not the predictions of an arm: {error}", hint=f"Next: {NEXT_STEP}") from error
