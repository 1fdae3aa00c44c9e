"""``cytocurve data add``: copy a dataset's images and label versions to ``data/``, completely or not at all."""

import errno
import filecmp
import io
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML

from cytocurve import datasets
from cytocurve.config import LONGEST_NAME, Name, ProjectPaths
from cytocurve.core.data import labels
from cytocurve.core.data.spelling import same_files, spellings, without_zeros
from cytocurve.datasets import Dataset, Listing, Progress
from cytocurve.errors import CytocurveError, InputError
from cytocurve.files import DISK_FULL, exclusive, write_text
from cytocurve.ingest import archives
from cytocurve.ingest.damaged import damaged
from cytocurve.ingest.scanning import advice, files_below, notes, why_not_data
from cytocurve.progress import Observer
from cytocurve.stores.dvc import is_recorded, takes_over_links, track_data
from cytocurve.study.dataset import labels_csv
from cytocurve.text import check_known
from cytocurve.workflows import data_start

_SCRATCH = ".adding-"
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_READ_FROM_FILE = ("table",)  # datasets whose ``read`` accepts a file
_ZEROS = "these names differ only in leading zeros, and are read as different images"


@dataclass(frozen=True)
class AddOutcome:
    """What was copied: counts of images, of hard links among them (``linked``), and of patients.

    ``labels`` maps each label version to its number of images per label, ``skipped`` maps each skipped file to the
    reason, and ``notes`` maps a remark to the images or folders that it is about.
    ``settings`` are settings for ``params.yaml`` with which a study can begin; empty if there are too few images.
    ``already`` is true if the dataset was there with the same content, as after an interrupted call, and ``in_use`` if
    ``params.yaml`` already names the dataset.
    """

    images: int
    labels: dict[str, dict[str, int]]
    patients: int
    skipped: dict[str, str]
    linked: int
    notes: dict[str, list[str]]
    settings: dict[str, Any]
    already: bool = False
    in_use: bool = False

    @property
    def forecasts(self) -> bool:
        """Whether these settings have enough training sizes for a forecast."""
        from cytocurve.core.planner.refusals import FEWEST_SIZES

        return len(self.settings.get("sizes", ())) >= FEWEST_SIZES

    @property
    def params(self) -> str:
        """The settings as lines of ``params.yaml``."""
        return data_start.as_yaml(self.settings)

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return asdict(self)


def add(
    project: ProjectPaths, name: str, source: Path | None, as_name: str | None, link: bool, observer: Observer
) -> AddOutcome:
    """Copy a dataset to ``data/`` with ``copy_dataset`` and track it with DVC."""
    params = project.params()  # fail early: DVC cannot record data next to an unreadable params.yaml
    stored = name if as_name is None else as_name
    copying, unpacking = observer.task(stored, "images"), observer.task("unpacking", "files")
    checking = observer.task("checking", "images")
    outcome = copy_dataset(project, name, source, as_name, copying, link, unpacking, checking)
    track_data(project)
    fitting = data_start.settings(project, stored, next(iter(outcome.labels)))
    return replace(outcome, settings=fitting, in_use=params.dataset == stored)


def copy_dataset(
    project: ProjectPaths,
    name: str,
    source: Path | None,
    as_name: str | None,
    progress: Progress,
    link: bool = False,
    unpacking: Progress | None = None,
    checking: Progress | None = None,
) -> AddOutcome:
    """Copy the dataset ``name`` from its upstream folder or file to ``data/<as_name or name>``, or draw it there.

    With ``link``, images are hard links if the file system supports them and DVC leaves them alone. ``unpacking``
    reports the progress of unpacking an archive, ``checking`` that of decoding all images of a source. A dataset that
    is already there with the same content is left as it is. Raises ``InputError`` and leaves nothing behind if the
    dataset, the source or the name cannot be used.
    """
    dataset = _known(name)
    target = project.data / _checked(name if as_name is None else as_name)
    if source is None and dataset.draw is None:
        raise InputError(
            f"dataset {name!r} needs the path to its folder",
            next_step=f"cytocurve data add {name} PATH (download: {dataset.url})",
        )
    if _exists(target) and source is None and is_recorded(project.root):
        raise _taken(target)  # at once: comparing would draw or download the dataset again
    try:
        with _scratch(project.data) as scratch:
            unpacked = scratch / "unpacked"
            unpacked.mkdir()
            listing = _listing(dataset, source, unpacked, unpacking or progress if source else progress)
            if source is not None:
                listing = _without_damaged(dataset, source, listing, checking or _silent)
            if _exists(target):
                return _repeated(target, dataset, listing)
            # Files in the scratch folder are ours: linking them is safe, since the folder is deleted.
            temporary = any(unpacked.iterdir())
            link = temporary or (link and not takes_over_links(project.root))
            linked = _write(scratch / "dataset", dataset, listing, progress if source else _silent, link)
            with exclusive(project.files_lock):
                if _exists(target):
                    return _repeated(target, dataset, listing)
                (scratch / "dataset").rename(target)
    except OSError as error:
        if source is not None and error.filename == str(source):
            raise InputError(f"{source}: cannot be read: {error.strerror or error}") from error
        kind = CytocurveError if error.errno in DISK_FULL else InputError
        raise kind(
            f"{target} could not be written; nothing was kept: {error}",
            next_step="check the free space and the permissions of both folders, then rerun the command",
        ) from error
    return _outcome(listing, 0 if temporary else linked)


def _known(name: str) -> Dataset:
    try:
        return datasets.load(name)
    except KeyError:
        known = datasets.names()
        raise InputError(
            check_known("dataset", [name], known)[0],
            hint=f"Known: {', '.join(known)}. Images in one folder per class: cytocurve data add folder PATH",
        ) from None


def _checked(name: str) -> str:
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise InputError(
            f"{name!r} is not a valid dataset name",
            hint=f"Allowed: up to {LONGEST_NAME} letters, digits, '_' and '.', starting with a letter or digit.",
            next_step="choose another name with --as DATASET",
        ) from None


def _exists(target: Path) -> bool:
    return target.exists() or target.is_symlink()


def _taken(target: Path) -> InputError:
    return InputError(f"{target} already exists", next_step="remove it, or choose another name with --as DATASET")


def _repeated(target: Path, dataset: Dataset, listing: Listing) -> AddOutcome:
    """The outcome of adding what is already there; raises ``InputError`` if the content differs."""
    if not _same_content(target, dataset, listing):
        raise _taken(target)
    return replace(_outcome(listing, 0), already=True)


def _same_content(target: Path, dataset: Dataset, listing: Listing) -> bool:
    texts = _texts(dataset, listing)
    names = {*texts, *(f"images/{name}" for name in listing.images)}
    if files_below(target).keys() != names:
        return False
    return all((target / name).read_bytes() == text.encode() for name, text in texts.items()) and all(
        filecmp.cmp(path, target / "images" / name, shallow=False) for name, path in listing.images.items()
    )


def _listing(dataset: Dataset, source: Path | None, scratch: Path, progress: Progress) -> Listing:
    """The source's contents, drawn or unpacked into ``scratch`` if it is not a folder; raises ``InputError``."""
    if source is None:
        assert dataset.draw is not None
        dataset.draw(scratch, progress)
        listing = dataset.read(scratch)
    elif source.is_file():
        listing = _from_file(dataset, source, scratch, progress)
    else:
        listing = dataset.read(source)
    listing = replace(
        listing, labels={version: labels.aligned(table, listing.images) for version, table in listing.labels.items()}
    )
    if same := same_files(listing.images):
        raise InputError(
            f"{source or dataset.name}: some file systems cannot tell these images apart:",
            same,
            next_step="rename one of each if they are different images, or remove it",
        )
    tables = {f"label version {version}": table for version, table in listing.labels.items()}
    wrong = labels.problems(listing.images, tables, dataset.classes)
    if wrong:
        raise InputError(f"{source or dataset.name}: these labels cannot be used:", wrong)
    zeros = [" = ".join(group) for group in spellings(listing.images, without_zeros)]
    return replace(listing, notes={**listing.notes, **({_ZEROS: zeros} if zeros else {}), **notes(listing.images)})


def _without_damaged(dataset: Dataset, source: Path, listing: Listing, progress: Progress) -> Listing:
    """The listing without the images that cannot be decoded, which are skipped.

    Raises ``InputError`` listing them if the source's tables name them, or if a class has no others.
    """
    broken = damaged(listing.images, progress)
    tables = {version: table[~table["image"].isin(broken)] for version, table in listing.labels.items()}
    classes = [version for version in tables if {*tables[version]["label"]} != {*listing.labels[version]["label"]}]
    if broken and (dataset.tables is not None or classes):
        raise InputError(
            f"{source}: these images cannot be used:",
            [f"{name!r}: {reason}" for name, reason in broken.items()],
            "" if dataset.tables is not None else "Without them, a class has no images.",
            advice(broken),
        )
    return replace(
        listing,
        images={name: path for name, path in listing.images.items() if name not in broken},
        labels={version: table.reset_index(drop=True) for version, table in tables.items()},
        skipped=dict(sorted({**listing.skipped, **broken}.items())) if broken else listing.skipped,
        notes={note: left for note, names in listing.notes.items() if (left := [n for n in names if n not in broken])},
    )


def _from_file(dataset: Dataset, source: Path, scratch: Path, progress: Progress) -> Listing:
    if archives.is_archive(source):
        archives.unpack(source, scratch, progress)
        return _read_unpacked(dataset, source, scratch)
    if dataset.unpack is not None:
        dataset.unpack(source, scratch, progress)
        return _read_unpacked(dataset, source, scratch)
    if dataset.name in _READ_FROM_FILE:
        return dataset.read(source)
    raise InputError(
        f"{source} is a file, but {dataset.name!r} is read from a folder or an archive",
        next_step=f"pass the folder, or one of {', '.join(archives.SUFFIXES)} (download: {dataset.url})",
    )


def _read_unpacked(dataset: Dataset, source: Path, unpacked: Path) -> Listing:
    """Read the unpacked files, or the only folder among them, as is common in archives; errors name the archive."""
    left_out = {
        path.name: reason for path in unpacked.iterdir() if path.is_dir() and (reason := why_not_data(path.name))
    }
    entries = [path for path in unpacked.iterdir() if not (path.name.startswith(".") or path.name in left_out)]
    try:
        try:
            return dataset.read(unpacked)
        except InputError:
            if len(entries) != 1 or not entries[0].is_dir():
                raise
            listing = dataset.read(entries[0])
            return replace(listing, skipped={**left_out, **listing.skipped})
    except InputError as error:
        problem, *offenders, hint, next_step = (
            text.replace(str(unpacked), str(source))
            for text in (error.problem, *error.offenders, error.hint, error.next_step)
        )
        raise InputError(problem, offenders, hint, next_step) from error


def _silent(done: int, total: int) -> None:
    """Report nothing, for example since drawing has already reported its progress."""


def _write(folder: Path, dataset: Dataset, listing: Listing, progress: Progress, link: bool) -> int:
    """Write images, label tables and origin, deterministically; returns the number of images that are links."""
    linked = 0
    for done, (name, path) in enumerate(listing.images.items(), start=1):
        copy = folder / "images" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if link and _hard_link(path, copy):
            linked += 1
        else:
            shutil.copyfile(path, copy)
        progress(done, len(listing.images))
    for name, text in _texts(dataset, listing).items():
        write_text(folder / name, text)
    return linked


def _texts(dataset: Dataset, listing: Listing) -> dict[str, str]:
    """The contents of label tables and origin by file name."""
    tables = {f"labels/{version}.csv": labels_csv(table) for version, table in listing.labels.items()}
    origin = {"loader": dataset.name}
    origin |= {key: getattr(dataset, key) for key in ("title", "licence", "citation", "url")}
    yaml, text = YAML(), io.StringIO()
    yaml.width = 10_000
    yaml.dump(origin, text)
    return {**tables, "dataset.yaml": text.getvalue()}


def _hard_link(path: Path, copy: Path) -> bool:
    """Make a hard link; returns False if the file system does not support it."""
    try:
        os.link(path.resolve(), copy)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        return False
    return True


def _outcome(listing: Listing, linked: int) -> AddOutcome:
    return AddOutcome(
        images=len(listing.images),
        labels={version: labels.class_counts(table["label"].fillna("")) for version, table in listing.labels.items()},
        patients=len(set(labels.known("patient", listing.labels.values()).values())),
        skipped=dict(listing.skipped),
        linked=linked,
        notes={note: list(names) for note, names in listing.notes.items()},
        settings={},
    )


@contextmanager
def _scratch(data: Path) -> Iterator[Path]:
    """A temporary folder in ``data/``; folders left behind by killed calls are removed first."""
    for stale in data.glob(f"{_SCRATCH}*"):
        with suppress(Timeout, OSError), FileLock(stale / "lock", blocking=False):
            shutil.rmtree(stale)
    folder = data / f"{_SCRATCH}{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    try:
        # Held while this process lives, which distinguishes a running call from a killed one.
        with FileLock(folder / "lock", blocking=False):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            data.rmdir()
