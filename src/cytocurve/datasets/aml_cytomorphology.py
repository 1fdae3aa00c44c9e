"""AML-Cytomorphology_LMU: 18,365 images of single leukocytes of 200 people, Munich University Hospital.

Upstream layout: ``<CLS>/<CLS>_NNNN.tiff`` (RGBA, 400x400) and ``annotations.dat``, one line per image: path, the
label that one examiner assigned on the whole scan (``gold``), and those that another assigned twice on single images,
eleven months apart (``first``, ``second``; 1,905 images). In the latter, ``nan`` means that an image was not shown
again, and ``UNC`` that it could not be assigned: both are unlabeled, but only ``UNC`` has an annotator.
Patients are unknown.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from cytocurve.core.data.taxonomy import MATEK
from cytocurve.datasets import Dataset, Listing
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import find_images
from cytocurve.text import counted, did_you_mean

ANNOTATIONS = "annotations.dat"
TOPS = ("AML-Cytomorphology_LMU", "AML-Cytomorphology")
"""Folders that contain the class folders if the archive was unpacked next to ``annotations.dat``."""

ANNOTATORS: Mapping[str, str] = {"gold": "examiner_1", "first": "examiner_2", "second": "examiner_2"}
"""Who assigned the labels of each version (Matek et al. 2019, Results, "Inter- and intra-rater performance")."""

NOT_SHOWN = "nan"
NOT_ASSIGNABLE = "UNC"


def read(folder: Path) -> Listing:
    """List the upstream folder: ``annotations.dat``, and the class folders or a folder that contains them.

    Raises ``InputError`` listing every line that cannot be parsed, or every class folder without images, every
    line without an image and every image without a line.
    """
    tables = tables_of(folder)
    candidates, skipped = find_images(_top(folder))
    images = {name: path for name, path in candidates.items() if name.split("/")[0] in MATEK and name.count("/") == 1}
    skipped |= dict.fromkeys(candidates.keys() - images.keys(), "not directly in one of the class folders")
    wrong = _mismatches(set(images), set(tables["gold"]["image"]), skipped)
    if wrong:
        raise InputError(
            f"{folder} is not the complete {TOPS[0]}; images and {ANNOTATIONS} do not match:", wrong, next_step=_NEXT
        )
    return Listing(images, tables, dict(sorted(skipped.items())))


def _mismatches(images: set[str], named: set[str], skipped: Mapping[str, str]) -> list[str]:
    """One line per missing or unlisted image, and per class folder without images."""
    full = {name.split("/")[0] for name in images}
    absent = Counter(name.split("/")[0] for name in named - images)
    lines = [f"{code}/: no images; {ANNOTATIONS} has {count}" for code, count in absent.items() if code not in full]
    lines += [
        f"{name}: in {ANNOTATIONS}, but the image is missing" + (f": {skipped[name]}" if name in skipped else "")
        for name in named - images
        if name.split("/")[0] in full
    ]
    return sorted([*lines, *(f"{name}: not in {ANNOTATIONS}" for name in images - named)])


def tables_of(folder: Path) -> dict[str, pd.DataFrame]:
    """The three label versions in ``annotations.dat``, sorted by image; raises ``InputError`` listing its errors.

    An empty label with an annotator means that the annotator could not assign a class.
    """
    rows = sorted(_rows(folder))
    return {
        version: pd.DataFrame(
            {
                "image": [image for image, _ in rows],
                "label": [MATEK.get(codes[number], "") for _, codes in rows],
                "annotator": ["" if codes[number] == NOT_SHOWN else who for _, codes in rows],
            },
            dtype="str",
        )
        for number, (version, who) in enumerate(ANNOTATORS.items())
    }


def _rows(folder: Path) -> list[tuple[str, list[str]]]:
    """The image and the three codes of each line of ``annotations.dat``."""
    path = next((path for path in (folder / ANNOTATIONS, _top(folder) / ANNOTATIONS) if path.is_file()), None)
    if path is None:
        raise InputError(f"{folder} is not AML-Cytomorphology_LMU; it lacks", [ANNOTATIONS], next_step=_NEXT)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}", next_step=_NEXT) from error
    rows = [(number, line.split()) for number, line in enumerate(lines, start=1) if line.strip()]
    wrong = list(_faults(rows))
    if wrong or not rows:
        raise InputError(
            f"{path}: these lines cannot be used:",
            wrong or ["there are none"],
            f"Expected: `path gold first second`. Codes: {', '.join(MATEK)}; in the last two also {NOT_SHOWN} and "
            f"{NOT_ASSIGNABLE}.",
            _NEXT,
        )
    return [(image, codes) for _, (image, *codes) in rows]


def _faults(rows: list[tuple[int, list[str]]]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, fields in rows:
        if len(fields) != 1 + len(ANNOTATORS):
            yield f"line {number}: {counted(len(fields), 'field')}"
            continue
        image, *codes = fields
        if seen.setdefault(image, number) != number:
            yield f"line {number}: {image} is already in line {seen[image]}"
        for version, code in zip(ANNOTATORS, codes, strict=True):
            known = [*MATEK] if version == "gold" else [*MATEK, NOT_SHOWN, NOT_ASSIGNABLE]
            if code not in known:
                yield f"line {number}: {version}: unknown code {code!r}{did_you_mean(code, known)}"


def _top(folder: Path) -> Path:
    return next((folder / name for name in TOPS if (folder / name).is_dir()), folder)


_NEXT = (
    f"download https://doi.org/10.7937/tcia.2019.36f5o9ld, unpack it, then pass the folder that contains "
    f"{ANNOTATIONS} and the class folders"
)

DATASET = Dataset(
    name="aml_cytomorphology",
    title="AML-Cytomorphology_LMU: leukocytes of patients with AML and controls, 15 classes, three annotations",
    licence="CC BY 3.0",
    citation=(
        "Matek C, Schwarz S, Marr C, Spiekermann K. A Single-cell Morphological Dataset of Leukocytes from AML "
        "Patients and Non-malignant Controls (AML-Cytomorphology_LMU). The Cancer Imaging Archive (2019)"
    ),
    url="https://doi.org/10.7937/tcia.2019.36f5o9ld",
    classes=frozenset(MATEK.values()),
    read=read,
    tables=tables_of,
)
