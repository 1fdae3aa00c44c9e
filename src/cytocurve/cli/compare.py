"""``cytocurve compare``: test whether arms differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from cytocurve.cli.shared import current_project, json_option, show, table
from cytocurve.text import counted

if TYPE_CHECKING:
    from cytocurve.core.answers import ComparisonAnswer, PairComparison, SeedComparison

Row = TypeVar("Row", "PairComparison", "SeedComparison")


@click.command()
@click.argument("arms", nargs=-1)
@click.option("--metric", default="roc_auc", show_default=True, help="The metric to compare by.")
@click.option("--size", "at", multiple=True, metavar="N", help="A training size, or area; repeatable. Default: all.")
@click.option(
    "--judge", metavar="VERSION", help="Score all arms by the labels of this version, which one of them must use."
)
@click.option("--independent", is_flag=True, help="Compare independent seeds instead of folds.")
@json_option
def compare(
    arms: tuple[str, ...], metric: str, at: tuple[str, ...], judge: str | None, independent: bool, json_output: bool
) -> int:
    """Compare ARMS pair by pair (default: all arms of the study).

    Prints, at each training size and for the area under the learning curve, the mean difference (second arm minus
    first) with its 95 % interval and the p-value that the verdict is based on, paired by image, fold and seed; beside
    it the corrected resampled t-test and Wilcoxon's signed-rank test over folds. All p-values also with Holm's
    correction over all requested comparisons. For a difference that is not shown, estimates how many more test images,
    folds or seeds would show it. ARM is an arm in params.yaml; REVISION:ARM takes the results of another commit,
    mlflow:EXPERIMENT:ARM those in the tracking store. Exits with 1 if no pair can be compared.

    \b
    cytocurve compare sequential-none-expert sequential-flip_rotate-expert
    cytocurve compare HEAD~1:sequential-none-expert sequential-none-expert --size 200 --size area
    cytocurve compare mlflow:starter/blast:sequential-none-expert sequential-none-expert --metric f1 --json
    cytocurve compare sequential-none-expert sequential-none-expert2 --judge expert2
    """
    answer = current_project().compare(*arms, metric=metric, at=at, judge=judge, independent=independent)
    show(json_output, answer.to_json(), lambda: "\n".join(_lines(answer)))
    return 0 if answer.comparisons or answer.seed_comparisons else 1


def _lines(answer: "ComparisonAnswer") -> Iterator[str]:
    means = {arm.name: arm.means for arm in answer.arms}
    for (a, b), rows in _by_pair(answer.comparisons).items():
        yield f"{answer.metric} by training images, a = {a}, b = {b}"
        yield from _paired(rows, means[a], means[b])
        if alone := [size for size in (*means[a], *means[b]) if (size in means[a]) != (size in means[b])]:
            yield f"Only one of the two has results {_places(alone)}."
        yield from _verdicts(a, b, rows)
        yield from _settling(rows, answer)
        yield ""
    for (a, b), seed_rows in _by_pair(answer.seed_comparisons).items():
        yield f"{answer.metric} by training images over independent seeds, a = {a}, b = {b}; p-value for a > b"
        yield from _over_seeds(seed_rows)
        yield from _verdicts(a, b, seed_rows)
        yield ""
    if 0 < len(answer.comparisons) < (answer.on_page or 0):
        yield (
            f"p-values are corrected for {counted(len(answer.comparisons), 'requested comparison')} only; the report "
            f"makes {answer.on_page}. If the choice was made after seeing results, they are too small and show nothing."
        )
    for pair in answer.not_comparable:
        yield f"Not comparable: {pair.a} and {pair.b}. {pair.reason}"
    if answer.not_comparable and len(versions := {arm.labels for arm in answer.arms}) > 1:
        yield f"Use --judge to score all arms by the labels of one version: {' or '.join(sorted(versions))}."


def _by_pair(rows: "Sequence[Row]") -> "dict[tuple[str, str], list[Row]]":
    pairs: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        pairs.setdefault((row.a, row.b), []).append(row)
    return pairs


def _paired(
    rows: "Sequence[PairComparison]", a: "Mapping[str, float | None]", b: "Mapping[str, float | None]"
) -> Iterator[str]:
    yield from table(
        ["", "a", "b", "b - a", "95 % interval", "p", "Holm", "p folds", "Holm", "p rank", "Holm", "folds"],
        [
            [
                row.at,
                *(_number(means[row.at], ".3f") for means in (a, b)),
                _number(row.difference, "+.3f"),
                f"[{_number(row.ci_low, '+.3f')}, {_number(row.ci_high, '+.3f')}]",
                *(_p_value(p) for p in (row.p, row.p_holm)),
                *(_p_value(p) for p in (row.p_t, row.p_t_holm, row.p_wilcoxon, row.p_wilcoxon_holm)),
                row.folds,
            ]
            for row in rows
        ],
    )
    if by_folds := [row.at for row in rows if row.test == "folds"]:
        yield (
            f"The verdict {_places(by_folds)} is that of the corrected t-test over folds alone. A test over images "
            "needs the predictions of both arms, two images (patients, if known) of each class in every fold, and a "
            "metric other than an operating point of the ROC curve."
        )
    if undefined := [row.at for row in rows if row.p is None]:
        places = _places(undefined)
        yield f"No test {places}: fewer than two folds have both arms, or the difference is the same in all folds."


def _settling(rows: "Sequence[PairComparison]", answer: "ComparisonAnswer") -> Iterator[str]:
    """What would show the differences that are not shown."""
    from cytocurve.report.wording import settling, unknown_seeds

    known = [row for row in rows if row.settling is not None]
    if not known:
        return
    yield "What would show it (estimates for 80 % power, if the true difference is the observed one, all else equal):"
    for row in known:
        yield f"  {_places([row.at])}, {_number(row.difference, '+.3f')}: {settling(row)}"
    if unknown := unknown_seeds(rows):
        yield f"  {unknown}"
    if (family := len(answer.comparisons)) > 1:
        less = "In a new study, deciding in advance on fewer comparisons, such as --size area alone, needs less."
        yield f"  These estimates are for {family} comparisons at once. {less}"


def _over_seeds(rows: "Sequence[SeedComparison]") -> Iterator[str]:
    yield from table(
        ["", "a", "b", "p", "Holm", "seeds", "folds"],
        [
            [
                row.at,
                f"{_number(row.mean_a, '.3f')} ± {_number(row.sd_a, '.3f')}",
                f"{_number(row.mean_b, '.3f')} ± {_number(row.sd_b, '.3f')}",
                *(_p_value(p) for p in (row.p_mann_whitney, row.p_mann_whitney_holm)),
                f"{row.seeds_a} and {row.seeds_b}",
                row.folds,
            ]
            for row in rows
        ],
    )
    yield "This compares retraining on the same images and does not generalize to other images."


def _verdicts(a: str, b: str, rows: "Sequence[PairComparison | SeedComparison]") -> Iterator[str]:
    where: dict[str, list[str]] = {}
    for row in rows:
        where.setdefault(row.verdict, []).append(row.at)
    for name, verdict in ((a, "a_better"), (b, "b_better")):
        if verdict in where:
            yield f"{name} is better {_places(where[verdict])} (5 % level, corrected for all requested comparisons)."
    if unshown := where.get("not_shown"):
        yield f"No significant difference {_places(unshown)}, which does not show that the arms are equal."


def _places(names: Sequence[str]) -> str:
    sizes = [name for name in names if name != "area"]
    at = [f"at {', '.join(sizes)}"] if sizes else []
    return " and ".join([*at, *(["on the area under the curve"] if "area" in names else [])])


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _p_value(value: float | None) -> str:
    return "<.0001" if value is not None and value < 0.0001 else _number(value, ".4f")
