"""C-NMC 2019: leukemic B-lymphoblasts and normal B-lymphoid precursors, each cell cut out on black.

Upstream layout: ``C-NMC_Leukemia/training_data/fold_<k>/{all,hem}/UID_<subject>_<image>_<cell>_{all,hem}.bmp`` and
two test sets of numbered images; the preliminary one has a table with labels and original file names. Subjects are
patients; healthy ones are named ``H<number>``, and upstream's ``h3`` is read as ``H3``, which does not occur
otherwise. The official folds are those of training, ``preliminary`` and ``final``; images in ``final`` are unlabeled.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from cytocurve.datasets import Dataset, Listing
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import find_images, inner
from cytocurve.ingest.tables import read_table
from cytocurve.text import counted, first_few, plural

TOP = "C-NMC_Leukemia"
TRAINING = "training_data"
PRELIMINARY = "validation_data/C-NMC_test_prelim_phase_data"
PRELIMINARY_LABELS = f"{PRELIMINARY}_labels.csv"
FINAL = "testing_data/C-NMC_test_final_phase_data"

FOLDS = ("fold_0", "fold_1", "fold_2")
LABELS: Mapping[str, str] = {"all": "lymphoblast", "hem": "lymphoid_precursor"}
CODES: Mapping[str, str] = {"1": "all", "0": "hem"}
"""Column ``labels`` of the preliminary test set's table."""

_COLUMNS = ("Patient_ID", "new_names", "labels")
_CELL = re.compile(r"UID_([Hh]?\d+)_\d+_\d+_(all|hem)\.bmp")
_PLACES = re.compile(
    rf"(?:{TOP}/)?(?:{TRAINING}/({'|'.join(FOLDS)})/(?:{'|'.join(LABELS)})|({PRELIMINARY})|({FINAL}))/[^/]+\.bmp"
)


def subject_of(path: str) -> str | None:
    """The subject in an image's original file name, with a capital H; None if the name has none (test sets)."""
    match = _CELL.fullmatch(PurePosixPath(path).name)
    return match[1].upper() if match else None


def fold_of(path: str) -> str | None:
    """The official fold of a path below or including ``C-NMC_Leukemia``; None if it is not in one."""
    match = _PLACES.fullmatch(path)
    if not match:
        return None
    return match[1] or ("preliminary" if match[2] else "final")


def read(folder: Path) -> Listing:
    """List the upstream folder, or the ``C-NMC_Leukemia`` in it; test sets may be missing or incomplete.

    Raises ``InputError`` listing the training folds without images, file names without a subject or in the wrong class
    folder, and every problem in the table of the preliminary test set.
    """
    top = inner(folder, TOP)
    candidates, skipped = find_images(top)
    folds = {name: fold for name in candidates if (fold := fold_of(name))}
    skipped |= dict.fromkeys(
        candidates.keys() - folds.keys(), "not in one of the dataset's folders, or not a .bmp file"
    )
    missing = [f"{TRAINING}/{fold}: no images" for fold in FOLDS if fold not in folds.values()]
    if missing:
        raise InputError(
            f"{folder} is not C-NMC 2019; it lacks",
            missing,
            next_step=f"download {DATASET.url}, unpack it, then pass the folder that contains {TOP}",
        )
    rows = _training([name for name, fold in folds.items() if fold in FOLDS])
    preliminary = [name for name, fold in folds.items() if fold == "preliminary"]
    if preliminary or (top / PRELIMINARY_LABELS).is_file():
        known = _preliminary(top / PRELIMINARY_LABELS, preliminary)
        rows |= {name: known[name] for name in preliminary}
        skipped |= {PRELIMINARY_LABELS: _absent(known, preliminary)}
    cells = [(name, *rows.get(name, ("", "")), fold) for name, fold in folds.items()]
    table = pd.DataFrame(cells, columns=["image", "label", "patient", "fold"], dtype="str")
    images = {name: candidates[name] for name in folds}
    return Listing(images, {"expert": table}, {name: skipped[name] for name in sorted(skipped) if skipped[name]})


def _training(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Label and subject of each training image."""
    matches = {name: _CELL.fullmatch(PurePosixPath(name).name) for name in names}
    folders = {name: PurePosixPath(name).parent.name for name in names}
    wrong = [f"{name}: not UID_<subject>_<image>_<cell>_<all or hem>.bmp" for name in names if not matches[name]]
    wrong += [
        f"{name}: {match[2]!r} in the folder {folders[name]!r}"
        for name, match in matches.items()
        if match and match[2] != folders[name]
    ]
    if wrong:
        raise InputError(
            "C-NMC: these names of training images lack a subject or contradict the class folder:",
            wrong,
            next_step="remove these files, or restore their original names",
        )
    return {name: (LABELS[folders[name]], subject_of(name) or "") for name in names}


def _preliminary(file: Path, images: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Label and subject of each image in the table of the preliminary test set."""
    if not file.is_file():
        raise InputError(
            f"{file}: no such file; it contains the labels of {counted(len(images), 'image')} in {PRELIMINARY}",
            next_step=f"add it, or remove the folder {PRELIMINARY}",
        )
    table = read_table(file)
    wrong = [f"column {column!r} is missing" for column in _COLUMNS if column not in table]
    rows = [] if wrong else list(table[list(_COLUMNS)].itertuples(index=False, name=None))
    wrong += [f"{new}: {fault}" for original, new, code in rows if (fault := _fault(original, code))]
    occurrences = Counter(new for _, new, _ in rows)
    wrong += [f"{new}: {count} rows for one image" for new, count in occurrences.items() if count > 1]
    if rows:
        wrong += [f"{name}: an image without a row" for name in images if PurePosixPath(name).name not in occurrences]
    if wrong:
        raise InputError(
            f"{file}: this table cannot be used:", wrong, next_step=f"use the original table: {DATASET.url}"
        )
    return {f"{PRELIMINARY}/{new}": (LABELS[CODES[code]], subject_of(original) or "") for original, new, code in rows}


def _fault(original: str, code: str) -> str:
    """What is wrong with a row; empty if it is valid."""
    match = _CELL.fullmatch(original)
    if not match:
        return f"Patient_ID {original!r} is not UID_<subject>_<image>_<cell>_<all or hem>.bmp"
    if code not in CODES:
        return f"label {code!r} is neither 1 (all) nor 0 (hem)"
    return f"label {code!r} and Patient_ID {original!r} contradict each other" if match[2] != CODES[code] else ""


def _absent(known: Mapping[str, object], images: Sequence[str]) -> str:
    """A message about listed images that are missing from the folder; empty if there are none."""
    absent = [PurePosixPath(name).name for name in known if name not in set(images)]
    missing = f"{len(absent):,} of its {counted(len(known), 'image')} {plural(len(absent), 'is', 'are')} missing"
    return f"{missing}: {first_few(absent, 3)}" if absent else ""


DATASET = Dataset(
    name="c_nmc",
    title="C-NMC 2019: B-lymphoblasts of leukemia and normal B-lymphoid precursors, cut out on black",
    licence="CC BY 3.0",
    citation=(
        "Gupta A, Gupta R. ALL Challenge dataset of ISBI 2019 (C-NMC 2019). The Cancer Imaging Archive (2019), "
        "doi:10.7937/tcia.2019.dc64i46r"
    ),
    url="https://doi.org/10.7937/tcia.2019.dc64i46r",
    classes=frozenset(LABELS.values()),
    read=read,
    record_of=lambda path: (subject_of(path), fold_of(path)),
)
