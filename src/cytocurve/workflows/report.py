"""``cytocurve report``: rebuild the page, from the stage ``evaluate`` or from the runs that have finished so far."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from cytocurve.config import ProjectPaths
from cytocurve.core.answers import Partial
from cytocurve.core.coverage import shown_part
from cytocurve.errors import InputError
from cytocurve.evaluation.answers import Part, answers, read_answers
from cytocurve.evaluation.page import page_file, page_of
from cytocurve.files import write_text
from cytocurve.stores.ledger import Finished, open_ledger
from cytocurve.study.design import ArmDesign
from cytocurve.training.results import result_tables, write_tables

REFRESH = 15
"""Seconds between two looks at the ledger, and after which a browser reloads a watched page."""


def report(project: ProjectPaths) -> str:
    """Write ``reports/report.html`` and return its path; raises ``InputError`` if the study has not been evaluated."""
    file = page_file(project)
    write_text(file, page_of(project, read_answers(project)))
    return str(file.relative_to(project.root))


@dataclass(frozen=True)
class PartialPage:
    """A page of the runs that have finished so far, and how many there are."""

    page: str
    finished: int
    planned: int


def partial_report(project: ProjectPaths, designs: Sequence[ArmDesign]) -> PartialPage:
    """Write the page of the runs that are in the ledger; raises ``InputError`` if there are none."""
    runs = FinishedRuns(project, designs)
    if not runs.read():
        raise InputError("No run of this study has finished yet.", next_step="cytocurve sweep, or dvc repro")
    return _write_partial(project, designs, runs, refresh=None)


def watch(
    project: ProjectPaths,
    designs: Sequence[ArmDesign],
    say: Callable[[str], None],
    interval: float = REFRESH,
    wait: Callable[[float], None] = time.sleep,
) -> PartialPage:
    """Rewrite the page whenever runs have finished, until all have; browsers reload it by themselves."""
    runs = FinishedRuns(project, designs)
    planned = sum(len(design.runs) for design in designs)
    while True:
        if runs.read():
            last = len(runs.found) == planned
            made = _write_partial(project, designs, runs, refresh=None if last else max(round(interval), 1))
            say(f"{made.finished:,} of {made.planned:,} runs: {made.page}")
            if last:
                return made
        wait(interval)


@dataclass
class FinishedRuns:
    """The finished runs of these arms, by run key; each is read once."""

    project: ProjectPaths
    designs: Sequence[ArmDesign]
    found: dict[str, Finished] = field(default_factory=dict)

    def read(self) -> bool:
        """Read what has been added to the ledger; returns whether there was anything."""
        ledger, before = open_ledger(self.project.ledger_url), len(self.found)
        for design in self.designs:
            for run in design.runs:
                if run.key not in self.found and run.key in ledger and (finished := ledger.get(run.key)):
                    self.found[run.key] = finished
        return len(self.found) > before

    def of(self, design: ArmDesign) -> dict[str, Finished]:
        """The finished runs of an arm."""
        return {run.key: self.found[run.key] for run in design.runs if run.key in self.found}


def _write_partial(
    project: ProjectPaths, designs: Sequence[ArmDesign], runs: FinishedRuns, refresh: int | None
) -> PartialPage:
    sizes = {design.arm.name: [run.size for run in design.runs if run.key in runs.found] for design in designs}
    names, _ = shown_part(sizes)
    shown = [design for design in designs if design.arm.name in names]
    left_out = {name: len(found) for name, found in sizes.items() if name not in names}
    planned = sum(len(design.runs) for design in designs)
    missing = Partial(len(runs.found), planned, left_out)
    with _results_elsewhere(project) as elsewhere:
        for design in shown:
            write_tables(elsewhere, design, result_tables(design, runs.of(design)))
        part = Part([design.arm for design in shown], missing)
        found = answers(elsewhere, project.params(), lambda _done, _total: None, part)
        if missing.finished == planned:
            found = replace(found, partial=None)
        file = page_file(project)
        write_text(file, page_of(elsewhere, found, refresh=refresh))
    return PartialPage(str(file.relative_to(project.root)), missing.finished, planned)


@contextmanager
def _results_elsewhere(project: ProjectPaths) -> Iterator[ProjectPaths]:
    """The project with an empty folder in place of ``results/``, where DVC would take unfinished results for done."""
    build = project.split_settings.parent.parent
    with TemporaryDirectory(prefix=".partial-", dir=build) as folder:
        yield replace(project, elsewhere=Path(folder))
