"""The score of every training size, as soon as its runs have finished."""

from collections import Counter
from collections.abc import Sequence
from math import isfinite

from cytocurve.core.runs import PlannedRun
from cytocurve.core.statistics.curves import Curve, summarize
from cytocurve.stores.ledger import Ledger
from cytocurve.study.design import ArmDesign
from cytocurve.text import counted
from cytocurve.training.results import scores


class FinishedSizes:
    """Follows an arm's runs, and gives the score of a training size once all of its runs have finished."""

    def __init__(self, design: ArmDesign) -> None:
        self._design = design
        self._left = Counter(run.size for run in design.runs)
        self._trained: set[int] = set()

    def add(self, finished: Sequence[PlannedRun], ledger: Ledger, *, trained: bool) -> list[str]:
        """A line for each size that is now finished; none for sizes of which no run had to be ``trained``."""
        sizes = Counter(run.size for run in finished)
        self._left -= sizes
        self._trained |= set(sizes) if trained else set()
        done = [size for size in sorted(sizes, reverse=True) if not self._left[size] and size in self._trained]
        return [self._line(size, ledger) for size in done]

    def _line(self, size: int, ledger: Ledger) -> str:
        planned = [run for run in self._design.runs if run.size == size]
        found = [(run, finished) for run in planned if (finished := ledger.get(run.key))]
        values = [scores(self._design, run, finished)["roc_auc"] for run, finished in found]
        folds, seeds = [run.fold for run, _ in found], [run.seed for run, _ in found]
        point = summarize(Curve.of(folds, seeds, [size] * len(values), values))[size]
        value = f"{point.mean:.3f}" if point.n else "not defined"
        known = isfinite(point.ci_low)
        within = f" (95 % interval over folds {point.ci_low:.3f} to {point.ci_high:.3f})" if known else ""
        where = f"{self._design.arm.name}, {size:,} training images"
        return f"{where}: ROC-AUC {value}{within}, {counted(len(values), 'run')}"
