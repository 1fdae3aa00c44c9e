"""Answers of studies that never ran: probabilities drawn from a stated model, and every number computed from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.cbook import boxplot_stats
from numpy.typing import NDArray
from scipy import stats

from cytocurve.core.answers import FORMAT, Answers
from cytocurve.core.statistics.metrics import METRICS, score
from cytocurve.report.context import PageContext, TrackingLinks
from cytocurve.report.review import picture
from tests.datasets.dataset_makers import draw

Values = NDArray[np.float64]
TITLES = {
    "roc_auc": "ROC-AUC",
    "f1": "F1 (macro)",
    "f1_weighted": "F1 (weighted)",
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "sensitivity_at_specificity_90": "Sensitivity at 90 % specificity",
    "sensitivity_at_specificity_95": "Sensitivity at 95 % specificity",
    "specificity_at_sensitivity_90": "Specificity at 90 % sensitivity",
    "specificity_at_sensitivity_95": "Specificity at 95 % sensitivity",
}
GRID = np.linspace(0, 1, 101)
TARGETS = np.round(np.arange(0.7, 0.9951, 0.005), 3)
LEVELS = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Simulation:
    """Runs whose class evidence grows with the training size to a ceiling, each arm with its own rate."""

    arms: Sequence[tuple[str, str, str]]  # architecture, augmentation, labels
    sizes: Sequence[int]
    classes: Sequence[str] = ("negative", "positive")
    folds: int = 10
    seeds: Sequence[int] = (0,)
    images: int = 40  # a test fold
    patients: bool = False

    def runs(self, number: int, size: int) -> list[tuple[NDArray[np.int64], Values]]:
        """Labels and probabilities of every run of an arm at a size, fold by fold, seed by seed."""
        result = []
        for fold in range(self.folds):
            luck = np.random.default_rng(fold).normal(0, 0.25)
            labels = np.arange(self.images) % len(self.classes)
            for seed in self.seeds:
                random = np.random.default_rng([number, size, fold, seed])
                strength = max(1.9 + 0.3 * (number % 3) - 3.2 * size**-0.4 + luck, 0.1)
                logits = random.normal(0, 1, (self.images, len(self.classes)))
                logits[np.arange(self.images), labels] += strength
                odds = np.exp(logits)
                result.append((labels, odds / odds.sum(axis=1, keepdims=True)))
        return result


def answers_of(simulation: Simulation, **changes: Any) -> dict[str, Any]:
    """The answers of this study in JSON; ``changes`` replace entries of the outer mapping."""
    names = ["-".join(arm) for arm in simulation.arms]
    scores: dict[str, Values] = {}
    arms = {}
    for number, (name, arm) in enumerate(zip(names, simulation.arms, strict=True)):
        runs = {size: simulation.runs(number, size) for size in simulation.sizes}
        table = [[list(score(*run).values()) for run in runs[size]] for size in simulation.sizes]
        scores[name] = np.moveaxis(np.array(table), 1, 0)  # (runs, sizes, metrics)
        arms[name] = _arm(simulation, arm, runs, scores[name])
    versions = list(dict.fromkeys(arm[2] for arm in simulation.arms))
    answers = {
        "format": FORMAT,
        "dataset": "toy",
        "task": "blast" if len(simulation.classes) == 2 else "multiclass",
        "classes": list(simulation.classes),
        "positive": "positive" if len(simulation.classes) == 2 else None,
        "metric": "roc_auc",
        "metrics": TITLES,
        "sizes": list(simulation.sizes),
        "folds": simulation.folds,
        "fold_names": [],
        "seeds": list(simulation.seeds),
        "versions": versions,
        "chosen": names[-1] if len(versions) == 1 else names[0],
        "choice": None,
        "limits": {"split": "stratified", "validation_images": 40.0, "title": "a simulation"},
        "arms": arms,
        "pictured": {name: f"{name}/typical.png" for name in simulation.classes},
        "comparisons": _comparisons(simulation, scores),
        "not_comparable": [
            {
                "a": a,
                "b": b,
                "reason": "They are scored by different label versions; see What relabeling gained.",
            }
            for (a, one), (b, two) in combinations(zip(names, simulation.arms, strict=True), 2)
            if one[2] != two[2]
        ],
        "relabellings": [],
        "audit": None,
        "partial": None,
        "provenance": {
            "data": "0123456789abcdef0123456789abcdef.dir",
            "runs": len(names) * len(simulation.sizes) * simulation.folds * len(simulation.seeds),
            "run_keys": "ab" * 32,
            "packages": {"numpy": "2.4.0", "keras": "3.15.1", "tensorflow-cpu": "2.21.0"},
        },
    }
    return answers | changes


def typed(answers: dict[str, Any]) -> Answers:
    """These answers as records; tests change them in JSON first."""
    return Answers.from_json(answers)


def context_of(answers: Answers, tracking: bool = True) -> PageContext:
    """The context of a page of these answers, with colored noise as the picture of every image."""
    images = {row.image for arm in answers.arms.values() for row in arm.examples} | set(answers.pictured.values())
    runs = {arm: f"/#/experiments/1/runs/{number:032x}" for number, arm in enumerate(answers.arms)}
    return PageContext(
        commit="abc1234def",
        seconds={arm: 321.5 + 40 * number for number, arm in enumerate(answers.arms)},
        tracking=TrackingLinks("http://127.0.0.1:5000", "/#/experiments/1", runs) if tracking else None,
        pictures={image: picture(draw(number, 64, 64)) for number, image in enumerate(sorted(images))},
    )


def _arm(simulation: Simulation, arm: tuple[str, str, str], runs: Mapping[int, Any], scores: Values) -> dict[str, Any]:
    sizes, classes = simulation.sizes, simulation.classes
    positives = [1] if len(classes) == 2 else range(len(classes))
    curves = {
        metric: [_point(size, scores[:, i, k]) for i, size in enumerate(sizes)] for k, metric in enumerate(METRICS)
    }
    leading = scores[:, :, 0]
    return {
        "architecture": arm[0],
        "augmentation": arm[1],
        "labels": arm[2],
        "classes": list(classes),
        "curves": curves,
        "area": {metric: _area(sizes, scores[:, :, k]) for k, metric in enumerate(METRICS)},
        "saturation": _saturation(sizes, leading),
        "losses": [_losses(size, runs[size]) for size in sizes],
        "questions": {} if len(classes) == 2 else {"blast": curves, "atypical": curves},
        "roc": {classes[c]: [_roc(size, runs[size], c) for size in sizes] for c in positives},
        "precision_recall": {classes[c]: [_recall(size, runs[size], c) for size in sizes] for c in positives},
        "confusion": [_confusion(size, runs[size], len(classes)) for size in sizes],
        "class_wise": [_class_wise(size, runs[size], classes) for size in sizes],
        "over_seeds": [
            {
                "size": size,
                "metrics": {m: _over_seeds(scores[:, i, k], len(simulation.seeds)) for k, m in enumerate(METRICS)},
            }
            for i, size in enumerate(sizes)
        ],
        "subjects": [_subject(size, runs[size]) for size in sizes] if simulation.patients else None,
        "calibration": [_calibration(size, runs[size]) for size in sizes],
        "plan": plan_of(sizes, leading),
        "examples": _examples(runs[sizes[-1]], classes),
    }


def _number(value: float) -> float | None:
    return None if value != value else round(float(value), 6)


def _interval(values: Values) -> tuple[float | None, float | None]:
    if len(values) < 2:
        return None, None
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return _number(values.mean() - half), _number(min(values.mean() + half, 1))


def _point(size: int, values: Values) -> dict[str, Any]:
    defined = values[~np.isnan(values)]
    if not len(defined):
        names = ("mean", "sd", "median", "q1", "q3", "whisker_low", "whisker_high", "min", "max", "ci_low", "ci_high")
        return {"size": size} | dict.fromkeys(names) | {"outliers": [], "n": 0, "undefined": len(values)}
    box = boxplot_stats(defined)[0]
    low, high = _interval(defined)
    return {
        "size": size,
        "mean": _number(defined.mean()),
        "sd": _number(defined.std(ddof=1)),
        "median": _number(box["med"]),
        "q1": _number(box["q1"]),
        "q3": _number(box["q3"]),
        "whisker_low": _number(box["whislo"]),
        "whisker_high": _number(box["whishi"]),
        "outliers": sorted(round(float(value), 6) for value in box["fliers"]),
        "min": _number(defined.min()),
        "max": _number(defined.max()),
        "ci_low": low,
        "ci_high": high,
        "n": len(defined),
        "undefined": len(values) - len(defined),
    }


def _areas(sizes: Sequence[int], scores: Values) -> Values:
    place = np.log(sizes)
    return np.asarray(np.trapezoid(scores, place, axis=1) / (place[-1] - place[0]))


def _area(sizes: Sequence[int], scores: Values) -> dict[str, Any]:
    point = _point(0, _areas(sizes, scores))
    return {name: value for name, value in point.items() if name != "size"}


def _saturation(sizes: Sequence[int], scores: Values) -> dict[str, Any]:
    result: dict[str, Any] = {"size": None, "margin": 0.01, "confidence": 0.95, "gain": None} | {
        "gain_not_shown_beyond": None,
        "missed": {},
    }
    for i, size in enumerate(sizes[:-1]):
        gains = scores[:, -1] - scores[:, i]
        low, high = _interval(gains)
        if high is not None and high <= 0.03:
            return result | {"size": size, "gain": {"mean": _number(gains.mean()), "ci_low": low, "ci_high": high}}
    return result


def _banded(curves: list[Values]) -> dict[str, Any]:
    table = np.array(curves)
    return {
        "grid": [round(float(x), 6) for x in GRID],
        "mean": [round(float(x), 6) for x in table.mean(axis=0)],
        "low": [round(float(x), 6) for x in np.quantile(table, 0.05, axis=0)],
        "high": [round(float(x), 6) for x in np.quantile(table, 0.95, axis=0)],
    }


def _ranked(truth: NDArray[np.bool_], p: Values) -> tuple[Values, Values]:
    """True positives and all given, from the largest probability down, starting with none."""
    order = np.argsort(-p, kind="stable")
    return np.append(0, np.cumsum(truth[order])).astype(float), np.arange(len(p) + 1.0)


def _losses(size: int, runs: Any) -> dict[str, Any]:
    """Losses that fall in training, and on validation images rise again after forty epochs."""
    epoch = np.arange(1, 91)
    training = np.exp(-epoch / 20)
    validation = 0.3 + np.exp(-epoch / 15) + 0.002 * np.maximum(epoch - 40, 0)
    tested = np.mean([-np.log(p[np.arange(len(y)), y]).mean() for y, p in runs])
    return {"size": size, "runs": len(runs), "epoch": epoch.tolist(), "kept_epoch": 40.0} | {
        "training": _course(training),
        "validation": _course(validation),
        "training_kept": {"mean": _number(training[39]), "sd": 0.01, "n": len(runs)},
        "validation_kept": {"mean": _number(validation[39]), "sd": 0.02, "n": len(runs)},
        "test_kept": {"mean": _number(float(tested)), "sd": 0.03, "n": len(runs)},
        "training_score": {"mean": 0.999, "sd": 0.001, "n": len(runs)},
    }


def _course(values: Values) -> dict[str, Any]:
    ends = {"q1": 0.8 * values, "median": values, "q3": 1.2 * values}
    return {name: [_number(value) for value in of] for name, of in ends.items()}


def _roc(size: int, runs: Any, c: int) -> dict[str, Any]:
    curves, areas = [], []
    for labels, p in runs:
        hits, given = _ranked(labels == c, p[:, c])
        false, true = (given - hits) / (given - hits)[-1], hits / hits[-1]
        curves.append(np.interp(GRID, false, true))
        areas.append(np.trapezoid(true, false))
    tail = {"auc_mean": _number(np.mean(areas)), "auc_sd": _number(np.std(areas, ddof=1)), "n": len(runs)}
    prevalence = _number(float(np.mean(runs[0][0] == c)))
    return {"size": size} | _banded(curves) | tail | {"prevalence": prevalence, "undefined": 0}


def _recall(size: int, runs: Any, c: int) -> dict[str, Any]:
    curves, areas = [], []
    for labels, p in runs:
        hits, given = _ranked(labels == c, p[:, c])
        precision, recall = hits[1:] / given[1:], hits[1:] / hits[-1]
        best = np.maximum.accumulate(precision[::-1])[::-1]
        curves.append(best[np.searchsorted(recall, GRID - 1e-9)])
        areas.append(np.sum(np.diff(recall, prepend=0) * precision))
    tail = {"ap_mean": _number(np.mean(areas)), "ap_sd": _number(np.std(areas, ddof=1)), "n": len(runs)}
    prevalence = float(np.mean(runs[0][0] == c))
    return {"size": size} | _banded(curves) | tail | {"prevalence": _number(prevalence), "undefined": 0}


def _counts(runs: Any, classes: int) -> Values:
    tables = [np.bincount(y * classes + p.argmax(axis=1), minlength=classes**2) for y, p in runs]
    return np.array(tables, dtype=float).reshape(-1, classes, classes)


def _confusion(size: int, runs: Any, classes: int) -> dict[str, Any]:
    counts = _counts(runs, classes)
    shares = 100 * counts / counts.sum(axis=2, keepdims=True)
    return {
        "size": size,
        "percent": shares.mean(axis=0).round(6).tolist(),
        "sd": shares.std(axis=0, ddof=1).round(6).tolist(),
        "images": counts.sum(axis=(0, 2)).astype(int).tolist(),
        "n": [len(runs)] * classes,
        "undefined": [0] * classes,
    }


def _class_wise(size: int, runs: Any, classes: Sequence[str]) -> dict[str, Any]:
    counts = _counts(runs, len(classes))
    hits = np.diagonal(counts, axis1=1, axis2=2)  # (runs, classes)
    with np.errstate(invalid="ignore"):
        shares = {"precision": hits / counts.sum(axis=1), "sensitivity": hits / counts.sum(axis=2)}
    rows = []
    for c, name in enumerate(classes):
        row: dict[str, Any] = {"class": name, "images": int(counts[:, c].sum())}
        for metric, values in shares.items():
            defined = values[:, c][~np.isnan(values[:, c])]
            row[metric] = {
                "mean": _number(defined.mean()) if len(defined) else None,
                "sd": _number(defined.std(ddof=1)) if len(defined) > 1 else None,
                "n": len(defined),
                "undefined": len(values) - len(defined),
            }
        rows.append(row)
    return {"size": size, "rows": rows}


def _over_seeds(values: Values, seeds: int) -> dict[str, Any]:
    means = values.reshape(-1, seeds).mean(axis=0)
    spread = _number(means.std(ddof=1)) if seeds > 1 else None
    return {"min": _number(means.min()), "mean": _number(means.mean()), "sd": spread, "max": _number(means.max())} | {
        "n": seeds,
        "undefined": 0,
    }


def _subject(size: int, runs: Any) -> dict[str, Any]:
    """Images i, i + 2 C, i + 4 C ... belong to one patient of one class."""
    labels, patients = runs[0][0], 2 * runs[0][1].shape[1]
    patient = np.arange(len(labels)) % patients
    right, diagnosed = np.zeros(patients), np.zeros(patients)
    for _, p in runs:
        right += [np.mean(p[patient == k].argmax(axis=1) == labels[k]) for k in range(patients)]
        diagnosed += [p[patient == k].mean(axis=0).argmax() == labels[k] for k in range(patients)]
    shares = {"accuracy": _share(right / len(runs)), "diagnosis": _share(diagnosed / len(runs))}
    return {"size": size, "subjects": patients, **shares, "unknown": 3, "undefined": 0}


def _share(values: Values) -> dict[str, Any]:
    low, high = _interval(values)
    ends = {"ci_low": low, "ci_high": high}
    return {"mean": _number(values.mean()), "sd": _number(values.std(ddof=1)), **ends, "n": len(values)}


def _calibration(size: int, runs: Any) -> dict[str, Any]:
    brier, errors, bins = [], [], np.zeros((10, 3))
    for labels, p in runs:
        brier.append(((p - np.eye(p.shape[1])[labels]) ** 2).sum(axis=1).mean())
        confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
        place = np.minimum((confidence * 10).astype(int), 9)
        binned = np.zeros((10, 3))
        np.add.at(binned, place, np.stack([confidence, right, np.ones(len(right))], axis=1))
        errors.append(np.abs(binned[:, 0] - binned[:, 1]).sum() / len(right))
        bins += binned
    return {
        "size": size,
        "brier": {
            "mean": _number(np.mean(brier)),
            "sd": _number(np.std(brier, ddof=1)),
            "n": len(runs),
            "undefined": 0,
        },
        "ece": {
            "mean": _number(np.mean(errors)),
            "sd": _number(np.std(errors, ddof=1)),
            "n": len(runs),
            "undefined": 0,
        },
        "bins": [
            {
                "low": round(k / 10, 6),
                "high": round((k + 1) / 10, 6),
                "predicted": _number(predicted / images) if images else None,
                "observed": _number(right / images) if images else None,
                "observed_low": _number(0.9 * right / images) if images else None,
                "observed_high": _number(min(1.1 * right / images, 1)) if images else None,
                "images": int(images),
            }
            for k, (predicted, right, images) in enumerate(bins)
        ],
    }


def _spread(values: Values) -> dict[str, Any]:
    return {"mean": _number(values.mean()), "sd": _number(values.std(ddof=1)), "n": len(values), "undefined": 0}


def _examples(runs: Any, classes: Sequence[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number in range(2):
        labels, p = runs[number]
        rows += [
            {
                "image": f"Im{number}{i:02d}.tif",
                "label": classes[labels[i]],
                "class": classes[labels[i]],
                "predicted": classes[int(p[i].argmax())],
                "probability": _number(p[i, labels[i]]),
                "probabilities": {name: _number(value) for name, value in zip(classes, p[i], strict=True)},
                "runs": 1,
            }
            for i in np.argsort(p[np.arange(len(labels)), labels])[:12]
        ]
    return sorted(rows, key=lambda row: (row["probability"], row["image"]))


def plan_of(sizes: Sequence[int], scores: Values) -> dict[str, Any]:
    """A forecast by a power law with an exponent of a half, its interval from drawing runs again."""
    means, largest = scores.mean(axis=0), sizes[-1]
    horizon = 10 * largest
    draws = np.random.default_rng(5).integers(0, len(scores), (400, len(scores)))

    def coefficients(shown: Sequence[int]) -> Values:  # (2, 400)
        design = np.stack([np.ones(len(shown)), -1 / np.sqrt(np.asarray(shown, dtype=float))], axis=1)
        boots = scores[draws][:, :, : len(shown)].mean(axis=1)
        return np.asarray(np.linalg.lstsq(design, boots.T, rcond=None)[0])

    def curves(shown: Sequence[int]) -> Callable[[Values], Values]:
        a, b = coefficients(shown)[:, :, None]
        return lambda at: np.minimum(a - b / np.sqrt(at), 1)

    def band(values: Values) -> list[dict[str, Any]]:
        low, median, high = np.quantile(values, [0.05, 0.5, 0.95], axis=0)
        names = ("median", "low", "high")
        return [
            {n: round(float(x), 6) for n, x in zip(names, row, strict=True)}
            for row in zip(median, low, high, strict=True)
        ]

    forecast = curves(sizes)
    places = np.unique(np.geomspace(sizes[0], horizon, 60).round()).astype(int)
    next_ = [50, 100, 500]
    gains = forecast(np.array([largest + more for more in next_], dtype=float)) - forecast(np.array([float(largest)]))
    shown = sizes[: max(len(sizes) - 2, 3)]
    hidden = [size for size in sizes if size not in shown]
    intervals = band(curves(shown)(np.array(hidden, dtype=float))) if hidden else []
    a, b = coefficients(sizes)
    targets = [_target(float(target), places, _reach(a, b, float(target)), largest) for target in TARGETS]
    start = next((row["target"] for row in reversed(targets) if row["high"]), targets[0]["target"])
    return {
        "metric": "roc_auc",
        "refusal": None,
        "largest": largest,
        "horizon": horizon,
        "observed": [{"size": size, "mean": _number(mean)} for size, mean in zip(sizes, means, strict=True)],
        "forecast": [
            {"size": int(p)} | row for p, row in zip(places, band(forecast(places.astype(float))), strict=True)
        ],
        "next": [
            {"images": more, "size": largest + more, "gain": row["median"], "low": row["low"], "high": row["high"]}
            for more, row in zip(next_, band(gains), strict=True)
        ],
        "targets": targets,
        "start": {"target": start, "reason": "the highest target that is answered"},
        "cautions": [],
        "families": [{"name": "power law", "weight": 1.0, "formula": "a − b n^(−1/2)"}],
        "backtest": [
            {
                "shown": shown[-1],
                "size": size,
                "forecast": row["median"],
                "low": row["low"],
                "high": row["high"],
                "truth": _number(means[sizes.index(size)]),
                "covered": bool(row["low"] <= means[sizes.index(size)] <= row["high"]),
            }
            for size, row in zip(hidden, intervals, strict=True)
        ],
    }


def refused(plan: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The plan as it is where nothing may be said."""
    return dict(plan) | {"refusal": reason, "forecast": [], "next": [], "targets": [], "start": None} | {
        "cautions": [], "families": [], "backtest": []
    }  # fmt: skip


def _reach(a: Values, b: Values, target: float) -> Values:
    """The size at which each curve a - b / sqrt(n) is at the target; infinite where it never is."""
    room = np.maximum(a - target, 1e-12)
    return np.where(a > target, (np.maximum(b, 0) / room) ** 2, np.inf)


def _target(target: float, places: NDArray[np.int64], reach: Values, largest: int) -> dict[str, Any]:
    """A target by the sizes at which the drawn curves reach it: chances, and the places at 10, 50 and 90 %."""
    chances = (reach[:, None] <= places).mean(axis=0)
    low, size, high = (next((int(n) for n, p in zip(places, chances, strict=True) if p >= q), None) for q in LEVELS)
    verdict = "beyond" if low is None else "open" if size is None else "reached" if size <= largest else "forecast"
    sure = high or size
    labels = sure and {
        "training": sure,
        "validation": 40,
        "total": sure + 40,
        "classes": {"negative": (sure + 41) // 2, "positive": (sure + 40) // 2},
        "patients": None,
    }
    sizes = {"size": size, "low": low, "high": high if size else None}
    return {"target": target, "verdict": verdict, **sizes, "chances": chances.round(6).tolist(), "labels": labels}


def _comparisons(simulation: Simulation, scores: Mapping[str, Values]) -> list[dict[str, Any]]:
    labels = {"-".join(arm): arm[2] for arm in simulation.arms}
    rows = []
    for a, b in combinations(scores, 2):
        if labels[a] != labels[b]:
            continue
        columns = {str(size): scores[b][:, i, 0] - scores[a][:, i, 0] for i, size in enumerate(simulation.sizes)}
        columns["area"] = _areas(simulation.sizes, scores[b][:, :, 0]) - _areas(simulation.sizes, scores[a][:, :, 0])
        rows += [_pair(simulation, a, b, at, difference) for at, difference in columns.items()]
    order = np.argsort([row["p_t"] for row in rows], kind="stable")
    worst = 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(rows) - rank) * rows[i]["p_t"]))
        rows[i] |= {"p_t_holm": _number(worst), "p_wilcoxon_holm": _number(min(1.0, len(rows) * rows[i]["p_wilcoxon"]))}
        rows[i] |= {"p": rows[i]["p_t"], "p_holm": rows[i]["p_t_holm"]}
        better = "b_better" if rows[i]["difference"] > 0 else "a_better"
        rows[i]["verdict"] = better if worst < 0.05 else "not_shown"
        settled = {"images": 620, "images_now": 250, "by_patient": False, "folds": None, "seeds": 4}
        settled |= {"images_together": None, "folds_together": None}
        rows[i]["settling"] = settled if rows[i]["verdict"] == "not_shown" else None
    return rows


def _pair(simulation: Simulation, a: str, b: str, at: str, difference: Values) -> dict[str, Any]:
    folds = difference.reshape(simulation.folds, -1).mean(axis=1)
    variance = folds.var(ddof=1) * (1 / len(folds) + 1 / (len(folds) - 1))
    half = stats.t.ppf(0.975, len(folds) - 1) * np.sqrt(variance)
    t = folds.mean() / np.sqrt(variance) if variance else 0.0
    wilcoxon = stats.wilcoxon(folds).pvalue if np.any(folds) else 1.0
    return {
        "a": a,
        "b": b,
        "metric": "roc_auc",
        "at": at,
        "difference": _number(folds.mean()),
        "ci_low": _number(folds.mean() - half),
        "ci_high": _number(folds.mean() + half),
        "ci_t_low": _number(folds.mean() - half),
        "ci_t_high": _number(folds.mean() + half),
        "test": "images_and_folds",
        "n": len(folds),
        "folds": simulation.folds,
        "seeds": len(simulation.seeds),
        "p_t": _number(2 * stats.t.sf(abs(t), len(folds) - 1)),
        "p_wilcoxon": _number(float(wilcoxon)),
    }


SMALL = Simulation(
    [("sequential", "none", "expert"), ("sequential", "flip_rotate", "expert")], [10, 20, 30, 50, 100, 200]
)
LARGE = Simulation(
    [(a, p, "expert") for a in ("sequential", "resnext") for p in ("none", "flip_rotate", "flip_rotate_translate")],
    [5, 8, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 350, 400, 500],
    folds=5,
    seeds=(0, 1),
)
CLASSES = Simulation(
    [("sequential", "none", "expert"), ("sequential", "flip_rotate", "expert"), ("sequential", "none", "diagnosis")],
    [20, 40, 80, 160],
    classes=("erythroblast", "lymphoblast", "lymphocyte", "monocyte"),
    folds=5,
    seeds=(0, 1, 2),
    patients=True,
)
MANY = Simulation(
    [
        (a, p, "expert")
        for a in ("sequential", "resnext", "densenet121", "mobilenet")
        for p in ("none", "flip_rotate", "flip_rotate_translate_scale_blur")
    ],
    [10, 20, 40, 80],
    folds=4,
)
LONG = Simulation(
    [("x" * 60, "none", "expert"), ("an_architecture_of_a_very_long_name_" * 3, "flip_rotate", "expert")],
    [10, 20, 40, 80],
    folds=4,
)
