"""The page context: information that depends on this computer and this moment.

Files that DVC records contain no clock time, duration, path or host; the page may, so DVC does not record it.
"""

from collections.abc import Collection
from contextlib import suppress

from cytocurve.config import ProjectPaths
from cytocurve.core.answers import Answers, Validation, from_json
from cytocurve.core.runs import digest
from cytocurve.errors import InputError
from cytocurve.ingest.decoding import read_rgb
from cytocurve.report.context import LookedAt, PageContext, TrackingLinks
from cytocurve.report.review import picture
from cytocurve.report.tables import tables
from cytocurve.stores.documents import read_json
from cytocurve.stores.dvc import commit
from cytocurve.stores.ledger import Ledger, open_ledger
from cytocurve.stores.tables import read_parquet
from cytocurve.stores.tracking.links import links
from cytocurve.study.looks import read_looks

REPEAT = "restore it with git checkout, or repeat cytocurve validate (for a holdout, this is another look)"
"""How to get the record of a validation again."""


def page_context(project: ProjectPaths, answers: Answers) -> PageContext:
    """The context of these answers in this project; missing images have no picture."""
    params = project.params()
    images = {row.image for arm in answers.arms.values() for row in arm.examples} | set(answers.pictured.values())
    keys = {
        arm.name: read_parquet(project.results(arm), "dvc repro", columns=["run_key"])["run_key"].tolist()
        for arm in params.arms
        if arm.name in answers.arms
    }
    if digest(sorted(key for run_keys in keys.values() for key in run_keys)) != answers.provenance.run_keys:
        raise InputError(f"{project.answers}: its answers are not those of results/", next_step="dvc repro evaluate")
    ledger = open_ledger(project.ledger_url)
    revision = commit(project.root)
    seconds = {arm: _cpu_seconds(ledger, run_keys) for arm, run_keys in keys.items()}
    return PageContext(
        commit=revision.partition("+")[0] if revision else None,
        dirty=bool(revision and "+" in revision),
        seconds={arm: value for arm, value in seconds.items() if value is not None},
        tracking=_tracking(project, {arm: run_keys[0] for arm, run_keys in keys.items()}),
        pictures=_pictures(project, images),
        tables=tuple(f"{name}.csv" for name in tables(answers)),
        validations=_validations(project, f"{answers.dataset}-{answers.task}"),
        looks=looks_of(project, f"{answers.dataset}-{answers.task}"),
    )


def looks_of(project: ProjectPaths, model: str) -> tuple[LookedAt, ...]:
    """The looks at the holdout with a model, oldest first."""
    looks = [look for look in read_looks(project) if look.model == model]
    return tuple(LookedAt(look.date, look.version, look.score, look.reason) for look in looks)


def _validations(project: ProjectPaths, model: str) -> tuple[Validation, ...]:
    """The stored validations of a model, by version; those in the format of another cytocurve are skipped.

    Raises ``InputError`` naming a file that is damaged or was edited.
    """
    found = []
    for file in sorted((project.reports / "validation").glob("*.json")):
        stored = read_json(file, REPEAT)
        with suppress(ValueError):
            found.append(from_json(Validation, stored))
    return tuple(sorted((its for its in found if its.model == model), key=lambda its: its.version))


def _tracking(project: ProjectPaths, run_keys: dict[str, str]) -> TrackingLinks | None:
    params = project.params()
    pages = links(project.tracking_uri, project.tracking_lock, f"{params.dataset}/{params.task_name}", run_keys)
    return None if pages is None else TrackingLinks(pages["url"], pages["experiment"], pages["arms"])


def _cpu_seconds(ledger: Ledger, keys: Collection[str]) -> float | None:
    seconds = [ledger.provenance(key).get("cpu_seconds") for key in keys]
    return None if None in seconds else round(sum(second for second in seconds if second is not None), 1)


def _pictures(project: ProjectPaths, images: Collection[str]) -> dict[str, str]:
    folder = project.data / project.params().dataset / "images"
    pictures = {}
    for name in sorted(images):
        try:
            pictures[name] = picture(read_rgb(folder / name))
        except (OSError, ValueError):
            continue
    return pictures
