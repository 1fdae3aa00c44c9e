"""The stages of ``dvc.yaml``, and ``publish``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from cytocurve.cli.shared import current_project, json_option, listed, named, show
from cytocurve.text import counted, first_few

if TYPE_CHECKING:
    from cytocurve.core.answers import Answers
    from cytocurve.workflows.stages.catalog import CatalogReport
    from cytocurve.workflows.stages.challenger import ChallengerOutcome
    from cytocurve.workflows.stages.register import RegisterOutcome
    from cytocurve.workflows.stages.split import SplitSummary

SHOWN = 10
"""Number of unbalanced training sizes and of folds without a class printed; --json lists all of them."""


@click.command()
@json_option
def settings(json_output: bool) -> None:
    """Stage: validate params.yaml -> build/settings/.

    Writes the settings that each stage uses, with defaults filled in.

    \b
    cytocurve settings --json     print the settings that each stage uses
    """
    resolved = current_project().settings()
    show(json_output, resolved, lambda: f"params.yaml is valid: {counted(len(resolved['sweep']), 'arm')}")


@click.command()
@json_option
def catalog(json_output: bool) -> None:
    """Stage: decode images, check labels -> build/catalog.parquet.

    \b
    cytocurve catalog --json      print counts, duplicates and conflicting labels
    """
    report = current_project().catalog()
    show(json_output, report.to_json(), lambda: "\n".join(_catalog(report)))


def _catalog(report: "CatalogReport") -> Iterator[str]:
    yield f"{report.kept:,} of {counted(report.images, 'image')} distinct"
    for version, phrases in report.left_out.items():
        yield f"Ignored in data/{report.dataset}/labels/{version}.csv: {', '.join(phrases)}"


@click.command()
@json_option
def split(json_output: bool) -> None:
    """Stage: folds and nested training sets -> build/split/.

    Controlled by split, folds, sizes, holdout, grow_by and duplicates in params.yaml; all label versions share the
    folds. For each version, prints the number of images, the size of the smallest training set, and the range of each
    class across test folds.

    \b
    dvc repro split               also runs the stages it depends on
    cytocurve split --json        also print each test fold, and why images are excluded
    """
    summaries = current_project().split()
    show(
        json_output,
        {labels: summary.to_json() for labels, summary in summaries.items()},
        lambda: "\n".join([*(_split(labels, summary) for labels, summary in summaries.items()), *_held(summaries)]),
    )


def _held(summaries: "dict[str, SplitSummary]") -> Iterator[str]:
    """The holdout, which all label versions share."""
    held = next(iter(summaries.values())).holdout
    if held:
        yield (
            f"Locked away as holdout: {counted(sum(held.values()), 'image')} ({named(held)}). Only cytocurve validate "
            "--holdout reads them"
        )


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}–{high}"


def _split(labels: str, summary: "SplitSummary") -> str:
    counts = {name: [fold.get(name, 0) for fold in summary.test_folds] for name in summary.classes}
    ranges = ", ".join(f"{name} {_range(per_fold)} of {sum(per_fold)}" for name, per_fold in counts.items())
    excluded = f"; {counted(summary.left_out.images, 'labeled image')} excluded" if summary.left_out.images else ""
    return (
        f"{labels}: {summary.images} images in {summary.folds} folds, training sets of at least "
        f"{summary.training_images}; per test fold: {ranges}{excluded}{_unbalanced(summary)}{_lacking(summary)}"
    )


def _unbalanced(summary: "SplitSummary") -> str:
    if not summary.unbalanced:
        return ""
    shown = first_few([size.described for size in summary.unbalanced], SHOWN)
    return f"\n  These training sizes cannot be balanced, because a class has too few images: {shown}"


def _lacking(summary: "SplitSummary") -> str:
    lines = []
    for subset in dict.fromkeys(fold.subset for fold in summary.lacking):
        shown = first_few([fold.described for fold in summary.lacking if fold.subset == subset], SHOWN)
        lines.append(f"\n  Official folds without {subset} images of a class: {shown}")
    return "".join(lines)


@click.command()
@click.argument("arms", nargs=-1)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Number of worker processes, each with one thread.",
)
@click.option(
    "--executor",
    type=click.Choice(["processes", "serial"]),
    default="processes",
    show_default=True,
    help="serial runs in this process, for debugging.",
)
@json_option
def sweep(arms: tuple[str, ...], workers: int, executor: str, json_output: bool) -> None:
    """Stage: train ARMS (default: all) -> results/, MLflow.

    Skips runs that are already in the ledger, and publishes finished runs to MLflow. Trains nothing if the audit fails.

    \b
    cytocurve sweep sequential-none-expert --workers 4
    """
    outcomes = {arm: outcome.to_json() for arm, outcome in current_project().sweep(arms, workers, executor).items()}
    show(json_output, outcomes, lambda: "\n".join(f"{arm}: {_swept(row)}" for arm, row in outcomes.items()))


def _swept(outcome: Mapping[str, Any]) -> str:
    return listed(
        {name: count for name, count in outcome.items() if not name.endswith("seconds") and count is not None}
    )


@click.command()
@click.argument("arms", nargs=-1)
@json_option
def publish(arms: tuple[str, ...], json_output: bool) -> None:
    """Publish finished runs of ARMS (default: all) to MLflow.

    Safe to repeat: existing runs are not duplicated.

    \b
    MLFLOW_TRACKING_URI=http://mlflow.example.org cytocurve publish
    """
    outcomes = {arm: asdict(published) for arm, published in current_project().publish(arms).items()}
    show(json_output, outcomes, lambda: "\n".join(f"{arm}: {_published(row)}" for arm, row in outcomes.items()))


def _published(outcome: Mapping[str, Any]) -> str:
    counts = f"{outcome['created']} new in MLflow, {outcome['present']} already there"
    lost = f", {outcome['lost']} missing from the ledger" if outcome["lost"] else ""
    return f"{counts}{lost} ({outcome['seconds']:.1f} s); run id {outcome['run_id']}"


@click.command()
@json_option
def evaluate(json_output: bool) -> None:
    """Stage: answers, figures and the page -> reports/.

    \b
    cytocurve evaluate --json     print every metric of the study
    """
    from cytocurve.report.metrics import metrics

    answers = current_project().evaluate()
    show(json_output, metrics(answers), lambda: "\n".join([*_curves(answers), "Open reports/report.html"]))


def _curves(answers: "Answers") -> Iterator[str]:
    from cytocurve.report.formatting import score
    from cytocurve.report.wording import no_interval

    for arm, results in answers.arms.items():
        yield f"{arm}: ROC-AUC by training images"
        for point in results.curves["roc_auc"]:
            if point.mean is not None:
                ends = f"[{score(point.ci_low)}, {score(point.ci_high)}]"
                within = ends if point.ci_low is not None else f"no interval: {no_interval(point)}"
                yield f"  {point.size:>6}  {score(point.mean)} ± {score(point.sd)}  {within}"


@click.command()
@json_option
def register(json_output: bool) -> None:
    """Stage: register the best arm's model as challenger.

    The arm is chosen by validation scores only. A model that is already registered gets no second version. In an
    experiment (`dvc exp run`), the alias challenger is not moved.

    \b
    cytocurve register --json     print the model, its version, its arm and its member runs
    """
    outcome = current_project().register()
    show(json_output, outcome.to_json(), lambda: _registered(outcome))


def _registered(outcome: "RegisterOutcome") -> str:
    its_score = (
        "\nIts networks have together seen every image of the study, so the study's score is that of single networks. "
        "To score the model on other images: cytocurve validate --dataset NAME"
    )
    registered = f"{outcome.model}: {outcome.arm} is version {outcome.version}"
    if outcome.challenger:
        return f"{registered}, the challenger{its_score}"
    return f"{registered}; the alias challenger stays where it is, because this is an experiment"


@click.command()
@json_option
def challenger(json_output: bool) -> None:
    """Stage: move the alias challenger to the present model.

    Does nothing if it is there already. In an experiment (`dvc exp run`), the alias stays, and the next `dvc repro`
    moves it if the results are still there.

    \b
    cytocurve challenger          print which version it is
    """
    outcome = current_project().challenger()
    show(json_output, outcome.to_json(), lambda: _challenger(outcome))


def _challenger(outcome: "ChallengerOutcome") -> str:
    if outcome.version is None:
        return f"{outcome.model}: to make this experiment's model the challenger: dvc exp apply NAME && dvc repro"
    return f"{outcome.model}: version {outcome.version} is the challenger"
