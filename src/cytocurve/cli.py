"""The command line: parses, calls, prints, and maps errors to exit codes.

Stages are imported when they run, so that ``--help`` answers at once and nothing that trains no network loads
TensorFlow.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from cytocurve import __version__
from cytocurve.errors import CytocurveError, InputError

INTERRUPTED = 130

as_json = click.option("--json", "machine", is_flag=True, help="Print the figures as JSON.")


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 a check said no, 2 wrong usage or input, 3 a service is missing."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CytocurveError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted. What is finished is kept; the same command goes on from there.", err=True)
        sys.exit(INTERRUPTED)
    except OSError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    sys.exit(code or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """How many labelled blood cells are enough? Learning-curve studies with DVC, MLflow and Keras.

    \b
    dvc repro                     compute whatever changed, from images to a registered model
    cytocurve ui                  compare runs and curves in MLflow's pages
    cytocurve data add pbc PATH   bring in a dataset; then name it in params.yaml
    """


def _project() -> Any:
    from cytocurve.config import Project

    return Project(Path())


def _print(machine: bool, figures: Any, text: Callable[[], str]) -> None:
    click.echo(json.dumps(figures, indent=1) if machine else text())


def _arms(names: tuple[str, ...]) -> list[Any]:
    """The study's arms of these names, all of them if there are none; raises ``InputError``."""
    from cytocurve.config import check_known

    arms = {arm.name: arm for arm in _project().params().arms}
    unknown = check_known("arm", names, list(arms))
    if unknown:
        raise InputError("params.yaml does not state these arms:", unknown, f"Arms: {', '.join(arms)}")
    return [arms[name] for name in names or arms]


@cli.group()
def data() -> None:
    """Bring in datasets."""


@data.command("add")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--as", "as_name", metavar="DATASET", help="Name below data/; by default that of the dataset.")
@as_json
def data_add(name: str, path: Path | None, as_name: str | None, machine: bool) -> None:
    """Copy a dataset to data/ and let DVC track it.

    NAME is one of `cytocurve data list`; PATH is laid out as its upstream has it.

    \b
    cytocurve data add pbc ~/Downloads/PBC
    cytocurve data add folder ~/cells --as our_smears     a folder a class
    cytocurve data add starter                            the built-in synthetic dataset
    """
    from cytocurve.pipeline.data import add
    from cytocurve.progress import Bars
    from cytocurve.stores.dvc import track_data

    project, bars = _project(), Bars()
    project.params()  # DVC cannot record data beside a params.yaml that it cannot read
    try:
        figures = add(project, name, path, as_name, bars(f"{as_name or name}", "images"))
    finally:
        bars.close()
    track_data(Path())
    _print(machine, figures, lambda: _added(as_name or name, figures))


def _added(dataset: str, figures: dict[str, Any]) -> str:
    lines = [f"data/{dataset}: {figures['images']} images; recorded in data.dvc"]
    lines += [
        f"  label version {version}: " + ", ".join(f"{label} {count}" for label, count in counts.items())
        for version, counts in figures["labels"].items()
    ]
    lines += [f"  left out: {file}: {reason}" for file, reason in figures["skipped"].items()]
    lines.append(
        f"Next, in params.yaml: dataset: {dataset}, labels: [{next(iter(figures['labels']))}], "
        "and a task, folds and sizes that fit; then dvc repro"
    )
    return "\n".join(lines)


@data.command("list")
@as_json
def data_list(machine: bool) -> None:
    """List the datasets that can be added, and those that are here."""
    from cytocurve import datasets

    folder = _project().data
    here = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    known = [datasets.load(name) for name in datasets.names()]
    figures = {"known": {item.name: {"title": item.title, "licence": item.licence} for item in known}, "here": here}
    width = max(len(item.name) for item in known)
    lines = [f"{item.name:<{width}}  {item.title} ({item.licence})" for item in known]
    _print(machine, figures, lambda: "\n".join([*lines, f"In data/: {', '.join(here) or 'nothing yet'}"]))


@cli.command()
@as_json
def catalog(machine: bool) -> None:
    """Stage: decode images, check labels -> build/catalog.parquet.

    \b
    cytocurve catalog --json      counts, duplicates and conflicting labels
    """
    from cytocurve.pipeline.catalog import catalog as run
    from cytocurve.progress import Bars

    bars = Bars()
    try:
        figures = run(_project(), bars("catalog", "images"))
    finally:
        bars.close()
    _print(machine, figures, lambda: f"{figures['kept']} of {figures['images']} images are distinct")


@cli.command()
@as_json
def split(machine: bool) -> None:
    """Stage: folds and nested training sets -> build/split/.

    \b
    cytocurve split --json        images, folds and classes of each label version
    """
    from cytocurve.pipeline.split import split as run

    figures = run(_project())
    _print(machine, figures, lambda: "\n".join(f"{labels}: {figure}" for labels, figure in figures.items()))


@cli.command()
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
    from cytocurve.study.executors import EXECUTORS
    from cytocurve.study.plan import plan_arm

    project = _project()
    plans = [plan_arm(project, project.params(), arm) for arm in _arms(arms)]
    figures = {plan.arm.name: _sweep(project, plan, lambda: EXECUTORS[executor](workers)) for plan in plans}
    _print(machine, figures, lambda: "\n".join(f"{arm}: {_counts(figure)}" for arm, figure in figures.items()))


def _sweep(project: Any, plan: Any, executor: Callable[[], Any]) -> dict[str, Any]:
    from cytocurve.pipeline.sweep import sweep as run
    from cytocurve.progress import Bars, RunBar
    from cytocurve.study.publish import Publisher

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


@cli.command()
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
    from cytocurve.study.plan import plan_arm
    from cytocurve.study.publish import publish as run

    project, bars = _project(), Bars()
    plans = [plan_arm(project, project.params(), arm) for arm in _arms(arms)]
    try:
        figures = {plan.arm.name: asdict(run(project, plan, bars(plan.arm.name, "runs"))) for plan in plans}
    finally:
        bars.close()
    _print(machine, figures, lambda: "\n".join(f"{arm}: {_counts(figure)}" for arm, figure in figures.items()))


@cli.command()
@as_json
def evaluate(machine: bool) -> None:
    """Stage: curves, figures and the page -> reports/.

    \b
    cytocurve evaluate --json     every figure of the study
    """
    from cytocurve.pipeline.evaluate import evaluate as run

    figures = run(_project())
    _print(machine, figures, lambda: _curves(figures))


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


@cli.command()
@as_json
def register(machine: bool) -> None:
    """Stage: register the best arm's model as challenger.

    The arm is chosen by validation scores alone.

    \b
    cytocurve register --json     the model, its arm and the runs behind it
    """
    from cytocurve.pipeline.register import register as run

    figures = run(_project())
    _print(machine, figures, lambda: f"{figures['model']}: {figures['arm']} is the challenger")


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
def ui(port: int) -> None:
    """Open MLflow's pages on the local tracking store.

    \b
    cytocurve ui --port 5001      then open the link that it prints
    """
    from cytocurve.stores.tracking import curves_page, ui_command

    project = _project()
    command, environment = ui_command(project.tracking_uri, project.tracking_lock, port)
    params = project.params()
    page = curves_page(project.tracking_uri, project.tracking_lock, f"{params.dataset}/{params.task_name}")
    click.echo(f"Learning curves, overlaid: http://127.0.0.1:{port}/{page} (Ctrl+C ends it)", err=True)
    os.execve(command[0], command, os.environ | environment)


@cli.group()
def study() -> None:
    """Published experiments: short files of what differs from params.yaml."""


@study.command("list")
@as_json
def study_list(machine: bool) -> None:
    """List the studies of studies/."""
    from cytocurve.study.presets import studies

    figures = studies(_project())
    _print(machine, figures, lambda: "\n".join(f"{name}: {title}" for name, title in figures.items()))


@study.command("use")
@click.argument("name")
def study_use(name: str) -> None:
    """Write what the study NAME states into params.yaml, its comments kept.

    \b
    cytocurve study use schouten-all-binary && dvc repro
    """
    from cytocurve.study.presets import use

    changed = use(_project(), name)
    click.echo("\n".join(["params.yaml:", *(f"  {key}: {value}" for key, value in changed.items()), "Next: dvc repro"]))
