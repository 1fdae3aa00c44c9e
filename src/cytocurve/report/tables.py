"""The numbers of a report as CSV tables, one per topic, for spreadsheets and other programs."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cytocurve.core.answers import Answers, ArmAnswers, PairComparison, to_json
from cytocurve.core.data.spreadsheets import escaped
from cytocurve.report.predictive import of_arm

Row = dict[str, Any]


def tables(answers: Answers) -> dict[str, str]:
    """The tables of a study's answers, by name, as CSV text; tables without rows are omitted.

    Lists of numbers are written to a single field, separated by spaces; undefined numbers are empty fields.
    """
    rows = {name: list(table(answers)) for name, table in _TABLES.items()}
    return {name: _csv(table) for name, table in rows.items() if table}


def _by_arm(rows: Callable[[ArmAnswers], Iterable[Row]]) -> Callable[[Answers], Iterator[Row]]:
    """The rows of every arm, with its name in the first column."""

    def every(answers: Answers) -> Iterator[Row]:
        return ({"arm": name} | row for name, arm in answers.arms.items() for row in rows(arm))

    return every


def _sized(record: Any) -> Row:
    """A record's fields, with its training size first."""
    return {"size": record.size} | to_json(record)


def _curves(arm: ArmAnswers) -> Iterator[Row]:
    return ({"metric": metric} | _sized(point) for metric, points in arm.curves.items() for point in points)


def _areas(arm: ArmAnswers) -> Iterator[Row]:
    return ({"metric": metric} | to_json(summary) for metric, summary in arm.area.items())


def _questions(arm: ArmAnswers) -> Iterator[Row]:
    for question, curves in arm.questions.items():
        for metric, points in curves.items():
            yield from ({"question": question, "metric": metric} | _sized(point) for point in points)


def _by_threshold(curves: Mapping[str, Sequence[Any]], across: str) -> Iterator[Row]:
    """One row per class, training size and position on the axis ``across``."""
    for label, points in curves.items():
        for point in points:
            for values in zip(point.grid, point.mean, point.low, point.high, strict=True):
                place = {"class": label, "size": point.size}
                yield place | dict(zip((across, "mean", "low", "high"), values, strict=True))


def _confusion(arm: ArmAnswers) -> Iterator[Row]:
    for point in arm.confusion:
        for true, shares, sds, images in zip(arm.classes, point.percent, point.sd, point.images, strict=True):
            for given, percent, sd in zip(arm.classes, shares, sds, strict=True):
                place = {"size": point.size, "true_class": true, "given_class": given}
                yield place | {"percent": percent, "sd": sd, "images": images}


def _class_wise(arm: ArmAnswers) -> Iterator[Row]:
    return ({"size": point.size} | _flat(to_json(row)) for point in arm.class_wise for row in point.rows)


def _over_seeds(arm: ArmAnswers) -> Iterator[Row]:
    for point in arm.over_seeds:
        yield from ({"size": point.size, "metric": name} | to_json(spread) for name, spread in point.metrics.items())


def _calibration(arm: ArmAnswers) -> Iterator[Row]:
    for point in arm.calibration:
        yield _flat({"size": point.size, "brier": to_json(point.brier), "ece": to_json(point.ece)})


def _reliability(arm: ArmAnswers) -> Iterator[Row]:
    return ({"size": point.size} | to_json(row) for point in arm.calibration for row in point.bins)


def _comparison(pair: PairComparison) -> Row:
    """The comparison, with what would settle it in fields of their own."""
    row = pair.published()
    return _flat(row | {"settling": row["settling"] or {}})


def _of_plan(name: str) -> Callable[[ArmAnswers], Iterator[Row]]:
    def rows(arm: ArmAnswers) -> Iterator[Row]:
        return ({"metric": arm.plan.metric} | to_json(row) for row in getattr(arm.plan, name))

    return rows


def _targets(arm: ArmAnswers) -> Iterator[Row]:
    for target in arm.plan.targets:
        row = {name: value for name, value in to_json(target).items() if name not in {"chances", "labels"}}
        counts = to_json(target.labels) if target.labels else {}
        classes = {f"labels_{name}": number for name, number in counts.get("classes", {}).items()}
        kinds = ("training", "validation", "total", "patients")
        yield {"metric": arm.plan.metric} | row | {f"labels_{kind}": counts.get(kind) for kind in kinds} | classes


def _chances(arm: ArmAnswers) -> Iterator[Row]:
    for target in arm.plan.targets:
        for point, chance in zip(arm.plan.forecast, target.chances, strict=True):
            yield {"metric": arm.plan.metric, "target": target.target, "size": point.size, "probability": chance}


_TABLES: Mapping[str, Callable[[Answers], Iterable[Row]]] = {
    "curves": _by_arm(_curves),
    "areas": _by_arm(_areas),
    "questions": _by_arm(_questions),
    "predictive_values": lambda answers: (
        {"arm": name} | to_json(row) for name, arm in answers.arms.items() for row in of_arm(answers, arm)
    ),
    "roc": _by_arm(lambda arm: _by_threshold(arm.roc, "false_positive_rate")),
    "precision_recall": _by_arm(lambda arm: _by_threshold(arm.precision_recall, "recall")),
    "confusion": _by_arm(_confusion),
    "class_wise": _by_arm(_class_wise),
    "over_seeds": _by_arm(_over_seeds),
    "subjects": _by_arm(lambda arm: (_flat(to_json(row)) for row in arm.subjects or ())),
    "calibration": _by_arm(_calibration),
    "reliability": _by_arm(_reliability),
    "examples": _by_arm(lambda arm: (_flat(to_json(row)) for row in arm.examples)),
    "forecast": _by_arm(_of_plan("forecast")),
    "targets": _by_arm(_targets),
    "chances": _by_arm(_chances),
    "next_images": _by_arm(_of_plan("next")),
    "backtest": _by_arm(_of_plan("backtest")),
    "families": _by_arm(_of_plan("families")),
    "comparisons": lambda answers: (_comparison(row) for row in answers.comparisons),
    "not_comparable": lambda answers: map(to_json, answers.not_comparable),
}


def _flat(row: Mapping[str, Any]) -> Row:
    """Mappings in a row become separate fields, such as ``precision_mean``."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}_{inner}": number for inner, number in value.items()}
        else:
            flat[name] = value
    return flat


def _csv(rows: Sequence[Row]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    sink = io.StringIO()
    writer = csv.DictWriter(sink, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _field(value) for name, value in row.items()})
    return sink.getvalue()


def _field(value: Any) -> Any:
    value = " ".join(map(str, value)) if isinstance(value, list) else value
    return escaped(value) if isinstance(value, str) else value
