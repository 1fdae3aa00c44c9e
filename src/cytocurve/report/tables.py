"""The numbers of a report as tables, one a subject, for spreadsheets and other programs."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = dict[str, Any]


def tables(answers: Mapping[str, Any]) -> dict[str, str]:
    """The tables of a study's answers, by name, as CSV text; those without a row are left out.

    Lists of numbers stand in one field, with blanks between; an undefined number is an empty field.
    """
    found = {name: list(rows(answers)) for name, rows in _TABLES.items()}
    return {name: _csv(rows) for name, rows in found.items() if rows}


def _curves(answers: Mapping[str, Any]) -> Iterator[Row]:
    for arm, of in answers["arms"].items():
        for metric, points in of["curves"].items():
            yield from ({"arm": arm, "metric": metric} | point for point in points)


def _areas(answers: Mapping[str, Any]) -> Iterator[Row]:
    for arm, of in answers["arms"].items():
        yield from ({"arm": arm, "metric": metric} | area for metric, area in of["area"].items())


def _questions(answers: Mapping[str, Any]) -> Iterator[Row]:
    for arm, of in answers["arms"].items():
        for question, curves in of["questions"].items():
            for metric, points in curves.items():
                yield from ({"arm": arm, "question": question, "metric": metric} | point for point in points)


def _by_class(name: str, across: str) -> Any:
    """Curves of curves: a row for each arm, class, training size and place on the axis ``across``."""

    def rows(answers: Mapping[str, Any]) -> Iterator[Row]:
        for arm, of in answers["arms"].items():
            for label, points in of[name].items():
                for point in points:
                    place = {"arm": arm, "class": label, "size": point["size"]}
                    for values in zip(point["grid"], point["mean"], point["low"], point["high"], strict=True):
                        yield place | dict(zip((across, "mean", "low", "high"), values, strict=True))

    return rows


def _confusion(answers: Mapping[str, Any]) -> Iterator[Row]:
    for arm, of in answers["arms"].items():
        names = of["classes"]
        for point in of["confusion"]:
            for true, shares, sds, images in zip(names, point["percent"], point["sd"], point["images"], strict=True):
                for given, percent, sd in zip(names, shares, sds, strict=True):
                    place = {"arm": arm, "size": point["size"], "true_class": true, "given_class": given}
                    yield place | {"percent": percent, "sd": sd, "images": images}


def _rows_of(name: str, inner: str | None = None) -> Any:
    """A row for each arm and training size, or for each entry that a training size has under ``inner``."""

    def rows(answers: Mapping[str, Any]) -> Iterator[Row]:
        for arm, of in answers["arms"].items():
            for point in of[name] or ():
                entries = point[inner] if inner else [{k: v for k, v in point.items() if k != "size"}]
                yield from (_flat({"arm": arm, "size": point["size"]} | entry) for entry in entries)

    return rows


def _over_seeds(answers: Mapping[str, Any]) -> Iterator[Row]:
    for arm, of in answers["arms"].items():
        for point in of["over_seeds"]:
            for metric, values in point["metrics"].items():
                yield {"arm": arm, "size": point["size"], "metric": metric} | values


def _calibration(answers: Mapping[str, Any]) -> Iterator[Row]:
    for arm, of in answers["arms"].items():
        for point in of["calibration"]:
            yield _flat({"arm": arm} | {name: point[name] for name in ("size", "brier", "ece")})


def _of_plan(name: str) -> Any:
    def rows(answers: Mapping[str, Any]) -> Iterator[Row]:
        for arm, of in answers["arms"].items():
            yield from ({"arm": arm, "metric": of["plan"]["metric"]} | row for row in of["plan"].get(name) or ())

    return rows


_TABLES: Mapping[str, Any] = {
    "curves": _curves,
    "areas": _areas,
    "questions": _questions,
    "roc": _by_class("roc", "false_positive_rate"),
    "precision_recall": _by_class("precision_recall", "recall"),
    "confusion": _confusion,
    "class_wise": _rows_of("class_wise", "rows"),
    "over_seeds": _over_seeds,
    "subjects": _rows_of("subjects"),
    "calibration": _calibration,
    "reliability": _rows_of("calibration", "bins"),
    "examples": lambda answers: (
        _flat({"arm": arm} | row) for arm, of in answers["arms"].items() for row in of["examples"]
    ),
    "forecast": _of_plan("forecast"),
    "targets": _of_plan("targets"),
    "next_images": _of_plan("next"),
    "backtest": _of_plan("backtest"),
    "families": _of_plan("families"),
    "comparisons": lambda answers: answers["comparisons"],
    "not_comparable": lambda answers: answers["not_comparable"],
}


def _flat(row: Mapping[str, Any]) -> Row:
    """Mappings in a row become fields of their own: ``precision_mean`` and so on."""
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
    return " ".join(map(str, value)) if isinstance(value, list) else value
