"""``cytocurve compare``: whether arms really differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from cytocurve.cli.shared import current_project, json_option, show, table


@click.command()
@click.argument("arms", nargs=-1)
@click.option("--metric", default="roc_auc", show_default=True, help="The score to compare by.")
@click.option("--size", "at", multiple=True, metavar="N", help="A training size, or area; all by default. Repeatable.")
@click.option("--judge", metavar="VERSION", help="Score all arms by the labels of this version of one of them.")
@click.option("--independent", is_flag=True, help="Compare independent seeds instead of folds.")
@json_option
def compare(
    arms: tuple[str, ...], metric: str, at: tuple[str, ...], judge: str | None, independent: bool, json_output: bool
) -> int:
    """Test whether ARMS differ, pair by pair.

    At each training size and on the area under the learning curve, paired by fold and seed: the mean difference with
    its 95 % interval, the corrected resampled t-test and Wilcoxon's signed-rank test, adjusted by Holm's method for all
    requested comparisons. By default all arms of the study. ARM is one of params.yaml, REVISION:ARM is read from
    another commit's results, mlflow:EXPERIMENT:ARM from the tracking store. Exit code 1: no pair is comparable.

    \b
    cytocurve compare sequential-none-expert sequential-flip_rotate-expert
    cytocurve compare HEAD~1:sequential-none-expert sequential-none-expert --size 200 --size area
    cytocurve compare mlflow:starter/blast:sequential-none-expert sequential-none-expert --metric f1 --json
    cytocurve compare sequential-none-expert sequential-none-expert2 --judge expert2
    """
    answer = current_project().compare(*arms, metric=metric, at=at, judge=judge, independent=independent)
    show(json_output, answer, lambda: "\n".join(_report(answer)))
    return 0 if answer.get("comparisons") or answer.get("seed_comparisons") else 1


def _report(answer: Mapping[str, Any]) -> Iterator[str]:
    means = {arm["name"]: arm["means"] for arm in answer["arms"]}
    for (a, b), rows in _by_pair(answer.get("comparisons", [])).items():
        yield f"{answer['metric']} by training images, a = {a}, b = {b}"
        yield from _paired(rows, means[a], means[b])
        if alone := [size for size in (means[a] | means[b]) if (size in means[a]) != (size in means[b])]:
            yield f"Only one arm has results {_places(alone)}."
        yield from _verdicts(a, b, rows)
        yield ""
    for (a, b), rows in _by_pair(answer.get("seed_comparisons", [])).items():
        yield f"{answer['metric']} by training images over independent seeds, a = {a}, b = {b}; p that a is better"
        yield from _over_seeds(rows)
        yield from _verdicts(a, b, rows)
        yield ""
    for pair in answer["not_comparable"]:
        yield f"Not comparable: {pair['a']} and {pair['b']}. {pair['reason']}"
    if answer["not_comparable"] and len(versions := {arm["labels"] for arm in answer["arms"]}) > 1:
        yield f"--judge scores all arms by the labels of one version: {' or '.join(sorted(versions))}."


def _by_pair(comparisons: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    pairs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in comparisons:
        pairs.setdefault((row["a"], row["b"]), []).append(row)
    return pairs


def _paired(rows: Sequence[Mapping[str, Any]], a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[str]:
    header = ["", "a", "b", "a - b", "95 % interval", "p", "Holm", "p rank", "Holm", "folds"]
    yield from table(
        header,
        [
            [
                row["at"],
                *(_number(means[row["at"]], ".3f") for means in (a, b)),
                _number(row["difference"], "+.3f"),
                "[{}, {}]".format(*(_number(row[end], "+.3f") for end in ("ci_low", "ci_high"))),
                *(_number(row[p], ".4f") for p in ("p_t", "p_t_holm", "p_wilcoxon", "p_wilcoxon_holm")),
                row["folds"],
            ]
            for row in rows
        ],
    )
    if undefined := [row["at"] for row in rows if row["p_t"] is None]:
        places = _places(undefined)
        yield f"No test {places}: fewer than two folds have scores of both, or all folds differ by the same."


def _over_seeds(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from table(
        ["", "a", "b", "p", "Holm", "seeds", "folds"],
        [
            [
                row["at"],
                *(f"{_number(row[f'mean_{arm}'], '.3f')} ± {_number(row[f'sd_{arm}'], '.3f')}" for arm in ("a", "b")),
                *(_number(row[p], ".4f") for p in ("p_mann_whitney", "p_mann_whitney_holm")),
                f"{row['seeds_a']} and {row['seeds_b']}",
                row["folds"],
            ]
            for row in rows
        ],
    )
    yield "This comparison is about retraining on the same images; it does not generalize to other images."


def _verdicts(a: str, b: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Where which arm is better, in words."""
    where: dict[str, list[str]] = {}
    for row in rows:
        where.setdefault(row["verdict"], []).append(row["at"])
    for name, verdict in ((a, "a is better"), (b, "b is better")):
        if verdict in where:
            yield f"{name} is better {_places(where[verdict])} (5 % level, all requested comparisons taken together)."
    if unshown := where.get("no difference shown"):
        yield f"No difference shown {_places(unshown)}; this does not mean that there is none."


def _places(names: Sequence[str]) -> str:
    sizes = [name for name in names if name != "area"]
    at = [f"at {', '.join(sizes)}"] if sizes else []
    return " and ".join([*at, *(["on the area under the curve"] if "area" in names else [])])


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
