"""The stage ``evaluate``: from every run's scores to curves, saturation sizes, figures and the report."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cytocurve.config import Params, Project, read_yaml
from cytocurve.core.curves import Curve, Summary, summarise
from cytocurve.core.metrics import METRICS
from cytocurve.core.relabelling import Relabelling, relabellings
from cytocurve.core.runs import digest
from cytocurve.core.saturation import saturation
from cytocurve.errors import InputError
from cytocurve.report import charts, page
from cytocurve.stores.dvc import data_hash
from cytocurve.stores.files import write_text
from cytocurve.stores.tables import read_parquet
from cytocurve.study.choice import best_arm, validation_scores
from cytocurve.study.plan import check_split

LEADING = "roc_auc"
"""The metric that the figures show and that saturation is judged by; the first of ``METRICS``."""

PLOTTED = (LEADING, "f1")

FIGURES = ("mean", "sd", "median", "q1", "q3", "ci_low", "ci_high", "n")
"""Of each summary, what stands in ``metrics.json``."""

FOLDS = {
    "stratified": (
        "Folds are drawn by image: cells of one patient may stand in training and test, so that a score for new "
        "patients may be lower."
    ),
    "patient": "Folds are drawn by patient: no patient stands on two sides of a fold.",
    "predefined": "Folds are those of the dataset's authors; the audit tells whether a patient or picture is in two.",
}
"""What a reader must know of each kind of ``split``."""

_COLUMNS = ("fold", "size", "seed", "run_key", *METRICS)


def evaluate(project: Project) -> dict[str, Any]:
    """Write metrics, plots, figures and page below ``reports/``, and return the contents of ``metrics.json``.

    Raises ``InputError`` listing every arm's results that are missing or cannot be used.
    """
    params = project.params()
    check_split(project, params)
    results = _read(project, params)
    curves = {arm: {metric: _curve(runs, metric) for metric in METRICS} for arm, runs in results.items()}
    chosen = best_arm(validation_scores(project, params.sizes[-1]), params)
    saturated = {arm: saturation(by_metric[LEADING]) for arm, by_metric in curves.items()}
    study = page.Study(
        dataset=params.dataset,
        task=params.task_name,
        curves={
            arm: {metric: summarise(curve) for metric, curve in by_metric.items()} for arm, by_metric in curves.items()
        },
        saturation={arm: found.size for arm, found in saturated.items()},
        chosen=chosen,
        gain=saturated[chosen].gain,
        notes=_notes(project, params),
        provenance=_provenance(project, results),
        audit=_audit(project, params),
        relabellings=_relabellings(project, params, results),
        versions=params.labels,
    )
    metrics = _metrics(study)
    write_text(project.reports / "metrics.json", _json(metrics))
    write_text(project.reports / "summary.json", _json(_summary(metrics["arms"])))
    for metric in PLOTTED:
        write_text(project.reports / "plots" / f"{metric}.json", _json(_plot(metrics["arms"], metric)))
    _draw(project, study, results)
    return metrics


def _read(project: Project, params: Params) -> dict[str, pd.DataFrame]:
    results, offenders = {}, []
    for arm in params.arms:
        file = project.results(arm)
        name = file.relative_to(project.root)
        try:
            results[arm.name] = pd.read_parquet(file)
        except FileNotFoundError:
            offenders.append(f"{name}: no such file")
        except (OSError, ValueError) as error:
            offenders.append(f"{name}: not a Parquet file: {error}")
        else:
            missing = [column for column in _COLUMNS if column not in results[arm.name]]
            offenders += [f"{name}: no column {column}" for column in missing]
            if results[arm.name].empty:
                offenders.append(f"{name}: no runs")
    if offenders:
        raise InputError("These results cannot be evaluated:", offenders, "Run  dvc repro  to compute what is missing.")
    return results


def _relabellings(project: Project, params: Params, results: Mapping[str, pd.DataFrame]) -> list[Relabelling]:
    if len(params.labels) == 1:
        return []
    predictions = {arm.name: read_parquet(project.predictions(arm), "dvc repro") for arm in params.arms}
    return relabellings(params.arms, results, predictions, LEADING)


def _notes(project: Project, params: Params) -> list[str]:
    """What limits the figures: the origin of the images, the images that stop a training, patients across folds."""
    origin = project.data / params.dataset / "dataset.yaml"
    title = [str(read_yaml(origin)["title"]).rstrip(".")] if origin.is_file() else []
    predictions = pd.read_parquet(project.predictions(params.arms[0]), columns=["run_key", "subset"])
    validation = predictions[predictions["subset"] == "validation"].groupby("run_key").size().mean()
    stopping = (
        f"Besides its training images, every run uses about {validation:.0f} labelled validation images to decide when "
        "to stop and which weights to keep."
    )
    return [*(f"The images: {line}." for line in title), stopping, FOLDS[params.split]]


def _audit(project: Project, params: Params) -> dict[str, Any] | None:
    """What the stage ``audit`` found on these labels and this task; None where it was not run on them."""
    file = project.reports / "audit.json"
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        of = (found["dataset"], found["task"], found["labels"])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise InputError("reports/audit.json: not what cytocurve audit writes", hint="Next: dvc repro audit") from error
    return found if of == (params.dataset, params.task_name, params.labels) else None


def _summary(arms: Mapping[str, Any]) -> dict[str, Any]:
    """A few figures an arm, for ``dvc metrics``: the means of ``PLOTTED`` at the largest size, and saturation."""
    return {
        arm: {metric: list(by_metric[metric].values())[-1]["mean"] for metric in PLOTTED}
        | {"saturation_size": by_metric["saturation_size"]}
        for arm, by_metric in arms.items()
    }


def _curve(runs: pd.DataFrame, metric: str) -> Curve:
    return Curve.of(*(runs[column].tolist() for column in ("fold", "seed", "size", metric)))


def _provenance(project: Project, results: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    runs = pd.concat(results.values())
    return {
        "data (DVC hash)": data_hash(project.root) or "not tracked by DVC",
        "runs": f"{len(runs):,}, in {runs['fold'].nunique()} folds",
        "seeds": ", ".join(str(seed) for seed in sorted(set(runs["seed"]))),
        "runs (SHA-256 over their keys)": digest(sorted(runs["run_key"])),
    }


def _metrics(study: page.Study) -> dict[str, Any]:
    arms = {
        arm: {
            **{
                metric: {str(size): _rounded(point) for size, point in curve.items()}
                for metric, curve in by_metric.items()
            },
            "saturation_size": study.saturation[arm],
        }
        for arm, by_metric in study.curves.items()
    }
    comparisons = [
        {
            **{name: value for name, value in vars(found).items() if name != "differences"},
            "differences": {str(size): _rounded(point) for size, point in found.differences.items()},
        }
        for found in study.relabellings
    ]
    return {"dataset": study.dataset, "task": study.task, "arms": arms, "comparisons": comparisons, "plan": {}}


def _rounded(point: Summary) -> dict[str, float | None]:
    values = {name: getattr(point, name) for name in FIGURES}
    return {name: None if value != value else round(value, 6) for name, value in values.items()}


def _plot(arms: Mapping[str, Any], metric: str) -> list[dict[str, Any]]:
    return [
        {"arm": arm, "size": int(size)} | {name: point[name] for name in ("mean", "ci_low", "ci_high")}
        for arm, by_metric in arms.items()
        for size, point in by_metric[metric].items()
    ]


def _draw(project: Project, study: page.Study, results: Mapping[str, pd.DataFrame]) -> None:
    title = page.title_of(LEADING)
    curves = charts.learning_curves(
        {arm: by_metric[LEADING] for arm, by_metric in study.curves.items()}, study.saturation, title
    )
    scores = {arm: _by_size(runs, LEADING) for arm, runs in results.items()}
    boxplot = charts.box_plots(scores, title)
    write_text(project.reports / "figures" / "curves.svg", curves)
    write_text(project.reports / "figures" / "boxplot.svg", boxplot)
    write_text(project.reports / "report.html", page.render(study, curves, boxplot))


def _by_size(runs: pd.DataFrame, metric: str) -> dict[int, list[float]]:
    ordered = runs.sort_values(["fold", "seed"])
    return {size: ordered.loc[ordered["size"] == size, metric].tolist() for size in sorted(set(runs["size"]))}


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
