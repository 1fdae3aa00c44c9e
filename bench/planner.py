"""Whether the planner's forecasts hold: simulated studies with known truth, and real learning curves of LCDB.

Its constants were set on the other half of LCDB's datasets and on other simulated studies: ``--tuning 1`` prints those.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from bench import harness
from cytocurve.core.planner import Plan, Start, Target, cautions, plan, refusals, required, start
from cytocurve.core.planner.evidence import Evidence
from cytocurve.core.planner.families import FAMILIES, Family
from cytocurve.core.planner.fitting import fit
from cytocurve.core.planner.forecasting import forecast
from cytocurve.core.planner.outlook import HALF, LEVEL

Values = NDArray[np.float64]
Curve = Callable[[Values], Values]

LCDB = harness.ROOT.parent / "shared" / "data" / "lcdb" / "f1.parquet"
TIMES = np.array([2, 4])
HIDDEN = 2.0 ** (np.arange(1, 7) / 2)
"""Sizes at which probabilities are judged, as multiples of the largest visible one; those of real curves."""

AROUND = np.round(np.arange(-0.1, 0.1001, 0.01), 2)
"""Targets at which probabilities are judged, from the mean at the largest visible size."""

WITHIN = 0.1
FEWEST_PER_DECILE = 50
GRIDS = (
    range(10, 201, 10),
    (10, 20, 50, 100, 200),
    (16, 23, 32, 45, 64, 91, 128, 181, 256),
    (*range(10, 101, 10), 200),
)
SHAPES = ("power", "exponential", "logistic", "late riser", "plateau", "dipping", "logarithm")
VISIBLE = 5
"""The fewest sizes of a real curve that are left visible."""


@dataclass(frozen=True)
class Case:
    """Scores (folds, sizes) of a study and the mean scores (2,) at 2 and 4 times its largest size.

    ``later`` (times,) are the mean scores at ``HIDDEN`` times the largest size, NaN where unknown; ``curve`` is the
    whole curve of mean scores, of a simulated study.
    """

    kind: str
    sizes: NDArray[np.int64]
    scores: Values
    truth: Values
    later: Values
    curve: Curve | None = None

    @property
    def at(self) -> NDArray[np.int64]:
        """The sizes to forecast."""
        return np.asarray(TIMES * self.sizes[-1])


@dataclass(frozen=True)
class Answer:
    """Forecasts of a case, each (2,), low and high NaN if a method has none; the planner's reason to refuse, if any."""

    mean: Values
    low: Values
    high: Values
    refusal: str | None = None


def main() -> None:
    """Forecast everything once (takes minutes)."""
    given = harness.options(__doc__ or "", "python -m bench.planner --studies 140", studies=1050, tuning=0, every=1)
    simulated = list(studies(given.studies, seed=11 if given.tuning else 12))
    real = real_curves(bool(given.tuning))[:: given.every] if LCDB.is_file() else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # means of no scores
        text = _simulated(simulated)
        text += _real(real) if real else "\nLCDB was not at hand.\n"
        text += _decisions({"real": [Planned.of(case) for case in real], "simulated": [*map(Planned.of, simulated)]})
    if given.tuning:
        print(text)
    else:
        harness.write("planner", "Forecasts of the planner", text)


# --- simulated studies


def studies(count: int, seed: int) -> Iterator[Case]:
    """Studies of all shapes in turn."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        yield study(rng, SHAPES[number % len(SHAPES)])


def study(rng: np.random.Generator, shape: str) -> Case:
    """A study of 5 or 10 folds: each fold has its own level, and its deviation at a size falls with the size.

    Both deviations are in units of sqrt(p (1 - p)) of the mean score p, as of proportions. Scores are cut at 0 and 1,
    and the truth is the mean of scores so cut.
    """
    sizes = np.array(GRIDS[rng.integers(len(GRIDS))])
    smallest, largest = float(sizes[0]), float(sizes[-1])
    curve = _curve(rng, shape, smallest, largest)
    level, deviation, power = rng.uniform(0.02, 0.08), rng.uniform(0.02, 0.1), rng.uniform(0.1, 0.5)
    folds = int(rng.choice([5, 10]))

    def unit(n: Values) -> Values:
        return np.sqrt(np.clip(curve(n) * (1 - curve(n)), 0.005, None))

    def within(n: Values) -> Values:
        return deviation * (n / largest) ** -power

    n, at = sizes.astype(np.float64), (TIMES * sizes[-1]).astype(np.float64)
    noise = level * rng.normal(size=(folds, 1)) + within(n) * rng.normal(size=(folds, len(n)))
    scores = np.clip(curve(n) + unit(n) * noise, 0, 1)

    def seen(n: Values) -> Values:
        return _mean_of_cut(curve(n), unit(n) * np.hypot(level, within(n)))

    return Case(shape, sizes, scores, seen(at), seen(HIDDEN * largest), seen)


def _curve(rng: np.random.Generator, shape: str, smallest: float, largest: float) -> Curve:
    """The curve of the mean before it is cut at 0 and 1; the numbers of each shape are drawn at random."""
    top = rng.uniform(0.75, 0.99)
    start = rng.uniform(0.5, top - 0.1)
    span = top - start
    one, two, three = rng.uniform(size=3)
    if shape in ("power", "dipping"):
        exponent = 0.2 + one
        depth = 0.02 + 0.06 * two if shape == "dipping" else 0.0
        middle = largest * (0.2 + 0.6 * three)
        return lambda n: (
            top - span * (n / smallest) ** -exponent - depth * np.exp(-((np.log(n / middle) / 0.35) ** 2) / 2)
        )
    if shape in ("exponential", "plateau"):
        scale = largest * (0.03 + 0.12 * one if shape == "plateau" else 0.2 + 0.8 * one)
        return lambda n: top - span * np.exp(-n / scale)
    if shape in ("logistic", "late riser"):
        middle = largest * (0.5 + 1.5 * one if shape == "late riser" else 10 ** (one - 1))
        steepness = 3 + 2 * two if shape == "late riser" else 0.8 + 1.7 * two
        return lambda n: start + span / (1 + (middle / n) ** steepness)
    slope = (0.3 + 0.6 * one) * (0.99 - start) / np.log(8 * largest / smallest)
    return lambda n: start + slope * np.log(n / smallest)


def _mean_of_cut(mean: Values, sd: Values) -> Values:
    """The mean of a normal score that is cut at 0 and 1."""
    low, high = -mean / sd, (1 - mean) / sd
    inside = mean * (stats.norm.cdf(high) - stats.norm.cdf(low)) + sd * (stats.norm.pdf(low) - stats.norm.pdf(high))
    return np.asarray(inside + stats.norm.sf(high))


# --- real curves


def real_curves(tuning: bool) -> list[Case]:
    """Curves of half of LCDB's datasets, each cut at random where 2 and 4 times the largest visible size exist."""
    frame = pd.read_parquet(LCDB)
    grid = np.rint(16 * 2 ** (np.arange(40) / 2)).astype(int)
    frame = frame[frame["size_train"].isin(grid)]
    datasets = np.random.default_rng(1).permutation(np.unique(frame["openmlid"]))
    chosen = np.array_split(datasets, 2)[0 if tuning else 1]
    rng = np.random.default_rng(0)
    frame = frame[frame["openmlid"].isin(chosen)]
    cases = []
    for (_, learner), runs in frame.groupby(["openmlid", "learner"], observed=True):
        table = runs.pivot(index=["outer_seed", "inner_seed"], columns="size_train", values="score_test")
        scores, sizes = table.to_numpy(np.float64), table.columns.to_numpy(np.int64)
        if len(sizes) < VISIBLE + 4:
            continue
        cut = int(rng.integers(VISIBLE, len(sizes) - 3))
        hidden = scores[:, [cut + 1, cut + 3]]
        if (~np.isnan(hidden)).any(axis=0).all():
            later = np.full(len(HIDDEN), np.nan)
            ahead = scores[:, cut : cut + len(HIDDEN)]
            later[: ahead.shape[1]] = np.nanmean(ahead, axis=0)
            cases.append(Case(str(learner), sizes[:cut], scores[:, :cut], np.nanmean(hidden, axis=0), later))
    return cases


# --- methods


def planner(case: Case) -> Answer:
    """The planner, also where it refuses to answer."""
    evidence = Evidence.of(case.sizes, case.scores[:, None], 0.0, 1.0)
    found = forecast(evidence, case.at)
    low, high = (np.clip(found.mean + sign * HALF * found.scale, 0, 1) for sign in (-1, 1))
    return Answer(found.mean, low, high, refusals.reason(evidence))


def power_law(case: Case) -> Answer:
    """One inverse power law by least squares, sizes weighted by n (Figueroa et al. 2012); its interval by covariance.

    Where the fit fails the last value stands, with no interval; it counts as not covering.
    """
    n, means = case.sizes.astype(np.float64), np.nanmean(case.scores, axis=0)
    start = [means[-1], max(means[-1] - means[0], 0.05) * n[0] ** 0.5, 0.5]
    try:
        found, covariance = optimize.curve_fit(_power, n, means, p0=start, sigma=n**-0.5, maxfev=5000)
    except RuntimeError:
        return Answer(np.repeat(means[-1], 2), np.full(2, np.nan), np.full(2, np.nan))
    at = case.at.astype(np.float64)
    _, b, c = found
    slope = np.stack([np.ones(2), -(at**-c), b * at**-c * np.log(at)])
    sd = np.sqrt(np.einsum("ik,ij,jk->k", slope, np.nan_to_num(covariance, posinf=1e6), slope))
    half = stats.t.ppf((1 + LEVEL) / 2, len(n) - 3) * sd
    mean = _power(at, *found)
    return Answer(np.clip(mean, 0, 1), np.clip(mean - half, 0, 1), np.clip(mean + half, 0, 1))


def last_value(case: Case) -> Answer:
    """The mean at the largest size stays."""
    return _plain(np.repeat(np.nanmean(case.scores[:, -1]), 2))


def average(case: Case) -> Answer:
    """The planner's four families, each by its best least-squares fit, weighted by 1 / MSE on the last two sizes."""
    x, means = case.sizes / case.sizes[-1], np.nanmean(case.scores, axis=0)
    errors = [np.mean((_best(family, x[:-2], means[:-2], x[-2:]) - means[-2:]) ** 2) for family in FAMILIES]
    forecasts = [_best(family, x, means, case.at / case.sizes[-1]) for family in FAMILIES]
    return _plain(np.average(forecasts, axis=0, weights=1 / (np.array(errors) + 1e-8)))


def _best(family: Family, x: Values, means: Values, at: Values) -> Values:
    """The fit with sizes weighted by n, as of the power law, and scores of at most 1."""
    fits = fit(family.bases(x), x, means[None], upper=1.0)
    best = fits.loss[0].argmin()
    return np.asarray(fits.a[0, best] - fits.b[0, best] * family.bases(at)[best])


def _plain(mean: Values) -> Answer:
    return Answer(mean, np.full(2, np.nan), np.full(2, np.nan))


def _power(x: Values, a: float, b: float, c: float) -> Values:
    return np.asarray(a - b * x ** -np.clip(c, -20, 20))


METHODS: Mapping[str, Callable[[Case], Answer]] = {
    "planner": planner,
    "single inverse power law": power_law,
    "last value": last_value,
    "average of four families": average,
}


# --- decisions


@dataclass(frozen=True)
class Planned:
    """A case with its plan, and the answer to its default target."""

    case: Case
    plan: Plan
    start: Start | None
    needed: Target | None

    @classmethod
    def of(cls, case: Case) -> "Planned":
        """What the planner says about a case."""
        made = plan(case.sizes, case.scores[:, None])
        chosen = start(made)
        return cls(case, made, chosen, None if chosen is None else required(made, chosen.target))

    @property
    def held(self) -> bool | None:
        """Whether the default answer is true; None if there is none or what is known of the curve cannot tell."""
        if self.needed is None or not self.needed.decided:
            return None
        return _within_horizon(self) if self.needed.verdict == "beyond" else _range_held(self)

    def chances(self, target: float) -> Values:
        """The probabilities that ``HIDDEN`` times the largest size reach a target."""
        points = np.log([point.size for point in self.plan.forecast])
        return np.interp(np.log(HIDDEN * self.plan.largest), points, required(self.plan, target).chances)


def _within_horizon(planned: Planned) -> bool | None:
    """Whether a target said to be out of reach stayed so, as far as the curve is known."""
    known = planned.case.later[~np.isnan(planned.case.later)]
    return bool((known < planned.needed.target).all()) if planned.needed and len(known) else None


def _range_held(planned: Planned) -> bool | None:
    """Whether the curve reaches the target between both ends of the range.

    That of a real curve is known at its hidden sizes only: the first beyond the range must reach the target, and the
    last before it must not.
    """
    case, needed = planned.case, planned.needed
    if needed is None or needed.low is None or needed.high is None:
        return None
    if case.curve is not None:
        ends = case.curve(np.array([needed.low - 1, needed.high], dtype=np.float64))
        early = needed.low > case.sizes[0] and ends[0] >= needed.target
        return bool(not early and ends[1] >= needed.target)
    sizes = HIDDEN * case.sizes[-1]
    known = ~np.isnan(case.later)
    after, before = known & (sizes >= needed.high), known & (sizes < needed.low)
    if not after.any():
        return None
    reaches = case.later >= needed.target
    return bool(reaches[np.flatnonzero(after)[0]] and not (before.any() and reaches[np.flatnonzero(before)[-1]]))


def _decisions(groups: Mapping[str, Sequence[Planned]]) -> str:
    return (
        "\n### Probabilities and decisions\n\n"
        + "\n\n".join(
            [_reliability(groups), _default_answers(groups), _ill_behaved(groups), _backtests(groups), _gains(groups)]
        )
        + "\n"
    )


def _reliability(groups: Mapping[str, Sequence[Planned]]) -> str:
    columns, values = [], []
    for name, group in groups.items():
        for kind, targets_of in (("all targets", _targets_around), ("default", _default_target)):
            columns.append(f"{name}, {kind}")
            values.append(_stated_and_true(group, targets_of))
    rows, apart = [], 0.0
    for decile in range(10):
        row = [f"{decile / 10:.0%} to {(decile + 1) / 10:.0%}"]
        for stated, true in values:
            inside = np.minimum((stated * 10).astype(int), 9) == decile
            if not inside.any():
                row.append("")
                continue
            row.append(f"{stated[inside].mean():.1%} / {true[inside].mean():.1%} ({inside.sum():,})")
            if inside.sum() >= FEWEST_PER_DECILE:
                apart = max(apart, abs(stated[inside].mean() - true[inside].mean()))
        rows.append(row)
    return (
        "**Is a probability true?** The probability that n images reach a target, stated / observed (number), at 1.4 "
        "to 8 times the largest visible size. “All targets” are those within 0.1 of the mean at the largest visible "
        "size, in steps of 0.01; “default” is the target that the planner begins with. Target: within 10 points in "
        f"every decile of at least {FEWEST_PER_DECILE} probabilities; the largest difference is {100 * apart:.1f} "
        f"points, {harness.verdict(apart, WITHIN, at_most=True)}.\n\n" + harness.table(["stated", *columns], rows)
    )


def _targets_around(planned: Planned) -> list[float]:
    mean = next(point.mean for point in reversed(planned.plan.observed))
    return [target for target in np.round(mean + AROUND, 3).tolist() if 0 < target < 1]


def _default_target(planned: Planned) -> list[float]:
    return [planned.start.target] if planned.start else []


def _stated_and_true(
    group: Sequence[Planned], targets_of: Callable[[Planned], list[float]]
) -> tuple[Values, NDArray[np.bool_]]:
    stated, true = [np.empty(0)], [np.empty(0, bool)]
    for planned in group:
        if planned.start is None:
            continue
        known = ~np.isnan(planned.case.later)
        for target in targets_of(planned):
            stated.append(planned.chances(target)[known])
            true.append(planned.case.later[known] >= target)
    return np.concatenate(stated), np.concatenate(true)


def _default_answers(groups: Mapping[str, Sequence[Planned]]) -> str:
    rows, shares = [], {}
    for name, group in groups.items():
        needed = [planned.needed for planned in group if planned.needed]
        kinds = Counter(row.verdict if row.decided else "open" for row in needed)
        decided = [row for row in needed if row.decided]
        shares[name] = len(decided) / len(group) if group else 0.0
        ratios = [row.high / row.low for row in decided if row.low and row.high]
        held = [planned.held for planned in group if planned.held is not None and planned.needed]
        sizes = [p.held for p in group if p.held is not None and p.needed and p.needed.verdict != "beyond"]
        unreached = [p.held for p in group if p.held is not None and p.needed and p.needed.verdict == "beyond"]
        rows.append([
            name, len(group), len(group) - len(needed), kinds["reached"], kinds["forecast"], kinds["beyond"],
            kinds["open"], f"{shares[name]:.0%}", f"{shares[name] * len(group) / max(len(needed), 1):.0%}",
            f"{np.median(ratios):.1f}" if ratios else "",
            f"{np.mean(sizes):.0%} ({len(sizes)})" if sizes else "",
            f"{np.mean(unreached):.0%} ({len(unreached)})" if unreached else "",
        ])  # fmt: skip
        assert len(held) == len(sizes) + len(unreached)
    return (
        "**Does the planner decide?** The answer to the default target: a size within or beyond the visible sizes with "
        "both ends of its 80 % range, or out of reach (at least 90 % probable) up to ten times the largest visible "
        "size. “Refused” curves count as undecided in “decided, of all”. Target: at least half of the real curves "
        f"decided; {harness.verdict(shares.get('real', 0.0), 0.5)}. “Held”: the curve reaches the target inside the "
        "range (of a real curve, as far as its hidden sizes tell), or not up to eight times the largest size; in "
        "brackets, how many can be judged.\n\n"
        + harness.table(
            [
                *("curves", "number", "refused", "within", "beyond", "out of reach", "open", "decided, of all"),
                *("of answered", "high / low, median", "range held (80 %)", "out of reach held (90 %)"),
            ],
            rows,
        )
    )


def _ill_behaved(groups: Mapping[str, Sequence[Planned]]) -> str:
    rows = []
    for name, group in groups.items():
        kinds = ["all"] if name == "real" else [*SHAPES, "all"]
        for kind in kinds:
            chosen = [planned for planned in group if kind in ("all", planned.case.kind)]
            row: list[object] = [f"{name}, {kind}", len(chosen)]
            tests = [_flags(planned) for planned in chosen]
            row += [f"{np.mean([test[flag] for test in tests]):.0%}" if tests else "" for flag in range(3)]
            for flag in (0, 1, None):
                some = [
                    p for p, test in zip(chosen, tests, strict=True)
                    if p.start and (test[flag] if flag is not None else not any(test[:2]))
                ]  # fmt: skip
                row.append(_inside(some))
            rows.append(row)
    return (
        "**Ill-behaved curves.** A dip is a fall of more than 0.01 between two sizes that paired t-tests over folds "
        "show at 5 %, corrected for all pairs; a late riser gains more per doubling in the upper half of its sizes "
        "than in the lower, with 95 % confidence. Of LCDB 1.1's curves about 15 % are ill-behaved. “Inside”: the score "
        "at 4 times the largest visible size is in its 90 % interval; dips widen it.\n\n"
        + harness.table(
            ["curves", "number", "dip", "late riser", "either", "inside: dip", "inside: late", "inside: neither"], rows
        )
    )


def _flags(planned: Planned) -> tuple[bool, bool, bool]:
    """Whether a case dips, rises late, or either; whatever the planner then makes of it."""
    evidence = Evidence.of(planned.case.sizes, planned.case.scores[:, None], 0.0, 1.0)
    if len(evidence.folds) < refusals.FEWEST_FOLDS or (evidence.defined < refusals.FEWEST_FOLDS).any():
        return False, False, False
    dips, late = cautions.dip(evidence) is not None, cautions.rises_late(evidence)
    return dips, late, dips or late


def _inside(group: Sequence[Planned]) -> str:
    """How often the mean at 4 times the largest size is in its interval."""
    found = []
    for planned in group:
        logs = np.log([point.size for point in planned.plan.forecast])
        low, high = (
            np.interp(np.log(4 * planned.plan.largest), logs, [getattr(point, end) for point in planned.plan.forecast])
            for end in ("low", "high")
        )
        truth = planned.case.later[3]
        found += [low <= truth <= high] if not np.isnan(truth) else []
    return f"{np.mean(found):.0%} ({len(found)})" if found else ""


def _backtests(groups: Mapping[str, Sequence[Planned]]) -> str:
    rows = []
    for name, group in groups.items():
        answered = [planned for planned in group if planned.start]
        failed = [p for p in answered if not all(trial.covered for trial in p.plan.backtest)]
        passed = [p for p in answered if all(trial.covered for trial in p.plan.backtest)]
        refused = sum(1 for p in group if (p.plan.refusal or "").startswith("Forecasts of this curve fail"))
        widened = [c.widens for p in failed for c in p.plan.cautions if c.kind == "backtest"]
        rows.append([
            name, len(answered), len(failed), f"{np.median(widened):.1f}" if widened else "", refused,
            _inside(failed), _inside(passed),
        ])  # fmt: skip
    return (
        "**Failed back-tests** widen all intervals so that they would have held; those that miss by more than "
        f"{cautions.HOPELESS:g} half-widths are refused. “Inside” as above, after widening.\n\n"
        + harness.table(
            ["curves", "answered", "failed", "widened, median", "refused", "inside: failed", "inside: passed"], rows
        )
    )


def _gains(groups: Mapping[str, Sequence[Planned]]) -> str:
    rows = []
    for name, group in groups.items():
        answered = [planned for planned in group if planned.start]
        row: list[object] = [name, len(answered)]
        for place in (1, 3):
            found = np.array([_gain(p, place) for p in answered if not np.isnan(p.case.later[place])])
            if not len(found):
                row += [""] * 3
                continue
            low, high, gain, noise = found.T
            row.append(f"{np.mean((low <= gain) & (gain <= high)):.0%}")
            row.append(f"{np.mean((low <= gain + 2 * noise) & (gain - 2 * noise <= high)):.0%}")
            row.append(f"{np.mean(gain < -0.005 - 2 * noise):.0%}")
        rows.append(row)
    columns = [f"{column}, {times}x" for times in (2, 4) for column in ("inside", "within noise", "loses")]
    return (
        "**Gains.** How often the gain at 2 and 4 times the largest visible size is in its 90 % interval, which never "
        "starts below 0. The gain of a real curve is a difference of two observed means: “within noise” allows for two "
        "standard errors of it, and “loses” is a loss of 0.005 beyond that.\n\n"
        + harness.table(["curves", "answered", *columns], rows)
    )


def _gain(planned: Planned, place: int) -> tuple[float, float, float, float]:
    """The interval of the gain at a hidden size, the true gain, and its standard error (0 where known exactly)."""
    case, points = planned.case, planned.plan.forecast
    at, logs = np.log(HIDDEN[place] * case.sizes[-1]), np.log([point.size for point in points])
    low = float(np.interp(at, logs, [point.gain_low for point in points]))
    high = float(np.interp(at, logs, [point.gain_high for point in points]))
    if case.curve is not None:
        return low, high, float(case.later[place] - case.curve(case.sizes[-1:].astype(np.float64))[0]), 0.0
    last = case.scores[:, -1]
    noise = np.sqrt(2) * np.nanstd(last, ddof=1) / np.sqrt((~np.isnan(last)).sum())
    return low, high, float(case.later[place] - np.nanmean(last)), float(noise)


# --- tables


def _answers(cases: Sequence[Case]) -> dict[str, list[Answer]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # least squares that overflow, and covariances that are not there
        return {name: [method(case) for case in cases] for name, method in METHODS.items()}


def _simulated(cases: Sequence[Case]) -> str:
    found = _answers(cases)
    rows, errors = [], []
    for shape in (*SHAPES, "all"):
        chosen = np.array([shape in (case.kind, "all") for case in cases])
        answered = chosen & np.array([answer.refusal is None for answer in found["planner"]])
        ours, theirs = found["planner"], found["single inverse power law"]
        rows.append([
            shape, chosen.sum(), f"{1 - answered.sum() / chosen.sum():.0%}",
            _percent(_covered(cases, ours, answered)), _percent(_covered(cases, ours, chosen)),
            _widths(ours, answered),
            _percent(_covered(cases, theirs, answered)), _percent(_covered(cases, theirs, chosen)),
        ])  # fmt: skip
        errors.append([shape, *(_errors(cases, answers, chosen) for answers in found.values())])
    coverage = _covered(cases, found["planner"], np.array([answer.refusal is None for answer in found["planner"]]))
    met = "met" if all(0.85 <= share <= 0.97 for share in coverage) else "**missed**"
    return (
        f"**{len(cases)} simulated studies** with known truth; 5 or 10 folds, each at its own level, four grids of "
        "sizes. Coverage of the 90 % interval at 2 / 4 times the largest size; target: 85–97 % over all studies that "
        f"the planner answers: {_percent(coverage)}, {met}. “With refused” covers all studies, forecasting the refused "
        "ones anyway. The planner's constants were tuned on studies with another seed and on the half of LCDB's "
        "datasets that is not reported here. A late riser rises mostly beyond the observed sizes: no method predicts "
        "it, and where the planner does not refuse, its interval is too low.\n\n"
        + harness.table(
            [
                "shape",
                "studies",
                "refused",
                "planner",
                "with refused",
                "width, median (mean)",
                "power law",
                "with refused",
            ],
            rows,
        )
        + "\n\nMedian absolute errors at 2 / 4 times the largest size, refused studies included:\n\n"
        + harness.table(["shape", *found], errors)
        + f"\n\nRefusals: {_reasons(found['planner'])}.\n"
    )


def _real(cases: Sequence[Case]) -> str:
    found = _answers(cases)
    everything = np.ones(len(cases), bool)
    answered = np.array([answer.refusal is None for answer in found["planner"]])
    rows = []
    for name, answers in found.items():
        row = [name]
        for chosen in (answered, everything):
            interval = not all(np.isnan(answer.low).all() for answer in answers)
            row += [
                _errors(cases, answers, chosen),
                _percent(_covered(cases, answers, chosen)) if interval else "",
                _widths(answers, chosen) if interval else "",
            ]
        rows.append(row)
    errors = [np.median(_misses(cases, answers, everything), axis=0) for answers in found.values()]
    beaten = all((errors[0] < other).all() for other in errors[1:])
    coverage = [_covered(cases, found["planner"], chosen) for chosen in (answered, everything)]
    met = all(0.8 <= share <= 0.97 for share in np.concatenate(coverage))
    columns = ["median error", "coverage", "width, median (mean)"]
    return (
        f"\n**{len(cases)} real curves** of LCDB 1.0 (F1 on test data; outer and inner seeds stand in for folds), of "
        f"half its datasets; everything above a size drawn at random is hidden, at least {VISIBLE} sizes are visible. "
        f"The planner answers {answered.sum()} and refuses {(~answered).sum()}; the first three columns cover the "
        "answered curves, the others all curves, forecasting the refused ones anyway. At 2 / 4 times the largest "
        f"visible size. Coverage target: 80–97 %, {'met' if met else '**missed**'}. Median error below each other "
        f"method's target: {'met' if beaten else '**missed**'}.\n\n"
        + harness.table(["", *columns, *(f"{column}, all" for column in columns)], rows)
        + f"\n\nRefusals: {_reasons(found['planner'])}.\n"
    )


def _misses(cases: Sequence[Case], answers: Sequence[Answer], chosen: NDArray[np.bool_]) -> Values:
    misses = [np.abs(answers[i].mean - cases[i].truth) for i in np.flatnonzero(chosen).tolist()]
    return np.array(misses).reshape(-1, 2)


def _errors(cases: Sequence[Case], answers: Sequence[Answer], chosen: NDArray[np.bool_]) -> str:
    return " / ".join(f"{error:.4f}" for error in np.median(_misses(cases, answers, chosen), axis=0))


def _covered(cases: Sequence[Case], answers: Sequence[Answer], chosen: NDArray[np.bool_]) -> Values:
    inside = [
        (answers[i].low <= cases[i].truth) & (cases[i].truth <= answers[i].high)
        for i in np.flatnonzero(chosen).tolist()
    ]
    return np.asarray(np.array(inside).reshape(-1, 2).mean(axis=0))


def _widths(answers: Sequence[Answer], chosen: NDArray[np.bool_]) -> str:
    widths = np.array([answers[i].high - answers[i].low for i in np.flatnonzero(chosen).tolist()]).reshape(-1, 2)
    pairs = zip(np.nanmedian(widths, axis=0), np.nanmean(widths, axis=0), strict=True)
    return " / ".join(f"{median:.3f} ({mean:.3f})" for median, mean in pairs)


def _percent(shares: Values) -> str:
    return " / ".join(f"{100 * share:.1f} %" for share in shares)


def _reasons(answers: Sequence[Answer]) -> str:
    """How often each reason occurs, by the first words of its sentence."""
    kinds = Counter(" ".join(answer.refusal.replace(",", "").split()[:4]) for answer in answers if answer.refusal)
    return "; ".join(f"“{kind} …” {count}" for kind, count in sorted(kinds.items())) or "none"


if __name__ == "__main__":
    main()
