"""The stages of ``dvc.yaml``, and ``publish``."""

from collections.abc import Callable
from typing import Any

import click

from cytocurve.cli.shared import arms_named, as_json, current_project, show


@click.command()
@as_json
def catalog(machine: bool) -> None:
    """Stage: decode images, check labels -> build/catalog.parquet.

    \b
    cytocurve catalog --json      counts, duplicates and conflicting labels
    """
    from cytocurve.progress import Bars
    from cytocurve.workflows.stages.catalog import catalog as run

    bars = Bars()
    try:
        figures = run(current_project(), bars("catalog", "images"))
    finally:
        bars.close()
    show(machine, figures, lambda: f"{figures['kept']} of {figures['images']} images are distinct")


@click.command()
@as_json
def split(machine: bool) -> None:
    """Stage: folds and nested training sets -> build/split/.

    In params.yaml split, folds, sizes, grow_by and duplicates say how; all label versions share the folds. Prints, for
    each, the images that take part, the least that a fold trains on, and the spread of each class over test folds.

    \b
    dvc repro split               with the catalog that it needs
    cytocurve split --json        also each test fold, and why images are left out
    """
    from cytocurve.workflows.stages.split import split as run

    figures = run(current_project())
    show(machine, figures, lambda: "\n".join(_drawn(labels, figure) for labels, figure in figures.items()))


def _drawn(labels: str, figure: dict[str, Any]) -> str:
    counts = {name: [fold.get(name, 0) for fold in figure["test_folds"]] for name in figure["classes"]}
    spread = ", ".join(f"{name} {min(held)}–{max(held)} of {sum(held)}" for name, held in counts.items())
    left_out = figure["left_out"]["images"]
    return (
        f"{labels}: {figure['images']} images in {figure['folds']} folds, at least {figure['training_images']} to "
        f"train on; a test fold holds {spread}" + (f"; {left_out} labelled images take no part" if left_out else "")
    )


@click.command()
@click.argument("arms", nargs=-1)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes, one thread each.")
@click.option(
    "--executor",
    type=click.Choice(["processes", "serial"]),
    default="processes",
    show_default=True,
    help="serial: in this process, for a debugger.",
)
@as_json
def sweep(arms: tuple[str, ...], workers: int, executor: str, machine: bool) -> None:
    """Stage: train ARMS (default: all) -> results/, MLflow.

    Runs that the ledger holds are taken from it; finished ones are published.

    \b
    cytocurve sweep sequential-none-expert --workers 4
    """
    from cytocurve.study.design import design_arm
    from cytocurve.training.executors import EXECUTORS

    project = current_project()
    plans = [design_arm(project, project.params(), arm) for arm in arms_named(arms)]
    _audited(project)
    figures = {plan.arm.name: _sweep(project, plan, lambda: EXECUTORS[executor](workers)) for plan in plans}
    show(machine, figures, lambda: "\n".join(f"{arm}: {_counts(figure)}" for arm, figure in figures.items()))


def _audited(project: Any) -> None:
    """Raise what the audit refuses, where ``params.yaml`` lets it: a sweep may be run without the stage before it."""
    from cytocurve.workflows.stages.audit import audit

    params = project.params()
    if "fail" in (params.duplicates, params.leakage) and (refusal := audit(project).refusal):
        raise refusal


def _sweep(project: Any, plan: Any, executor: Callable[[], Any]) -> dict[str, Any]:
    from cytocurve.progress import Bars, RunBar
    from cytocurve.training.publisher import Publisher
    from cytocurve.workflows.stages.sweep import sweep as run

    bar, bars = RunBar(plan.arm.name, plan.runs), Bars()
    publisher = Publisher(project, plan, bar.say)

    def report(finished: Any) -> None:
        bar(finished)
        publisher.now_and_then(finished)

    try:
        figures = run(project, plan, executor, bar.say, bars("decoding", "images"), report)
    finally:
        bars.close()
        bar.close()
    return figures | publisher.finish()


def _counts(figures: dict[str, Any]) -> str:
    return ", ".join(f"{what.replace('_', ' ')} {count}" for what, count in figures.items())


@click.command()
@click.argument("arms", nargs=-1)
@as_json
def publish(arms: tuple[str, ...], machine: bool) -> None:
    """Bring MLflow up to date with the runs of ARMS.

    All arms by default. Safe to repeat.

    \b
    MLFLOW_TRACKING_URI=http://mlflow.example.org cytocurve publish
    """
    from dataclasses import asdict

    from cytocurve.progress import Bars
    from cytocurve.study.design import design_arm
    from cytocurve.training.publisher import publish as run

    project, bars = current_project(), Bars()
    plans = [design_arm(project, project.params(), arm) for arm in arms_named(arms)]
    try:
        figures = {plan.arm.name: asdict(run(project, plan, bars(plan.arm.name, "runs"))) for plan in plans}
    finally:
        bars.close()
    show(machine, figures, lambda: "\n".join(f"{arm}: {_counts(figure)}" for arm, figure in figures.items()))


@click.command()
@as_json
def evaluate(machine: bool) -> None:
    """Stage: answers, figures and the page -> reports/.

    \b
    cytocurve evaluate --json     every figure of the study
    """
    from cytocurve.progress import Bars
    from cytocurve.workflows.stages.evaluate import evaluate as run

    bars = Bars()
    try:
        figures = run(current_project(), bars("evaluating", "arms"))
    finally:
        bars.close()
    show(machine, figures, lambda: _curves(figures))


def _curves(figures: dict[str, Any]) -> str:
    lines = []
    for arm, metrics in figures["arms"].items():
        lines.append(f"{arm}: ROC-AUC by training images")
        lines += [
            f"  {size:>6}  {point['mean']:.3f} ± {point['sd']:.3f}  [{point['ci_low']:.3f}, {point['ci_high']:.3f}]"
            for size, point in metrics["roc_auc"].items()
            if point["mean"] is not None
        ]
    return "\n".join([*lines, "Look at reports/report.html"])


@click.command()
@as_json
def register(machine: bool) -> None:
    """Stage: register the best arm's model as challenger.

    The arm is chosen by validation scores alone.

    \b
    cytocurve register --json     the model, its arm and the runs behind it
    """
    from cytocurve.workflows.stages.register import register as run

    figures = run(current_project())
    show(machine, figures, lambda: f"{figures['model']}: {figures['arm']} is the challenger")
