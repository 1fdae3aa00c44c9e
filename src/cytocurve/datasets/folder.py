"""Your own images, sorted into one folder per class; the label version is ``folder``.

Class folders may be in one folder per part, such as ``train`` and ``test``, or have one such folder each. The parts are
then the official folds.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from cytocurve.datasets import Dataset, Listing
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import advice, find_images
from cytocurve.text import by_reason

PART = re.compile(
    r"(train|training|val|valid|validation|dev|test|testing|eval|evaluation|holdout)([ _.-].*|[0-9]*)", re.IGNORECASE
)
"""Names of the parts of a dataset."""

MASKS = re.compile(r"(masks?|labels?|annotations?|segmentations?|seg|ground[ _-]?truth|gt)", re.IGNORECASE)
"""Names of folders with masks."""

_MASK_OF = re.compile(r"(.+)[ _.-](mask|seg|segmentation|label|annotation|gt)", re.IGNORECASE)


def read(folder: Path) -> Listing:
    """List a folder of class folders; the label of an image is the name of its class folder.

    Masks beside their images are skipped. Raises ``InputError`` listing the skipped files if fewer than two class
    folders contain images, or listing the images of a class folder that differ only in suffix.
    """
    candidates, skipped = find_images(folder)
    images = {name: path for name, path in candidates.items() if "/" in name}
    skipped |= dict.fromkeys(candidates.keys() - images.keys(), "not in a class folder")
    masks = _masks(images)
    skipped |= masks
    images = {name: path for name, path in images.items() if name not in masks}
    parts, level = _parts(images)
    if parts and level == 0:
        skipped |= {name: "not in a class folder" for name in images if name.count("/") < 2}
        images = {name: path for name, path in images.items() if name.count("/") > 1}
    labels = [name.split("/")[1 if parts and level == 0 else 0] for name in images]
    tops = {name.split("/")[0] for name in (*images, *skipped)}
    skipped |= {
        f"{path.name}/": "folder without images" for path in folder.iterdir() if path.is_dir() and path.name not in tops
    }
    skipped = dict(sorted(skipped.items()))
    if len(set(labels)) < 2:
        raise InputError(
            f"{folder}: expected at least two class folders with images, found "
            + (f"only {labels[0]!r}" if labels else "none"),
            by_reason(skipped),
            next_step=_next_step(folder, images, skipped),
        )
    _refuse_twins(folder, images)
    table = pd.DataFrame({"image": list(images), "label": labels})
    if parts:
        table["fold"] = [name.split("/")[level] for name in images]
    return Listing(images, {"folder": table}, skipped, _notes(parts, level, labels))


def _parts(names: Collection[str]) -> tuple[list[str], int]:
    """The folders that are parts of one dataset, and their level: 0 above the class folders, 1 below them.

    Above, every first-level folder is named like a part, and they share at least two class folders. Below, every image
    is in a folder named like a part, and at least two of these occur in several class folders.
    """
    below: dict[str, set[str]] = {}
    for name in names:
        top, *rest = name.split("/")
        below.setdefault(top, set()).update(rest[:1] if len(rest) > 1 else ())
    common = set.intersection(*below.values()) if below else set()
    if len(below) > 1 and len(common) > 1 and all(map(PART.fullmatch, below)):
        return sorted(below), 0
    second = {part for parts in below.values() for part in parts}
    shared = [part for part in second if sum(part in parts for parts in below.values()) > 1]
    nested = all(name.count("/") > 1 for name in names)
    if nested and len(shared) > 1 and all(map(PART.fullmatch, second)):
        return sorted(second), 1
    return [], 0


def _notes(parts: Collection[str], level: int, labels: Collection[str]) -> dict[str, list[str]]:
    if parts:
        where = "below" if level == 0 else "above"
        use = (
            f"split: predefined with folds: {len(parts)} uses them"
            if len(parts) > 2
            else "split: predefined needs three, so the study draws its own folds; the audit compares these two"
        )
        return {f"these folders are read as official folds, and the folders {where} them as classes; {use}": [*parts]}
    suspects = sorted(label for label in set(labels) if PART.fullmatch(label))
    return {"these classes are named like the parts of a dataset (training, test)": suspects} if suspects else {}


def _masks(names: Collection[str]) -> dict[str, str]:
    """Why images are skipped that are masks of others, by their names."""
    inside = {name: above for name in names if (above := _mask_folder(name))}
    stems = {PurePosixPath(name).stem for name in names if name not in inside}
    folders = Counter(inside.values())
    matching = Counter(above for name, above in inside.items() if _masked(PurePosixPath(name).stem) & stems)
    found = {
        name: "mask: the files of this folder are named like images in other folders"
        for name, above in inside.items()
        if 2 * matching[above] >= folders[above]
    }
    beside = {str(PurePosixPath(name).with_suffix("")) for name in names}
    for name in names:
        match = _MASK_OF.fullmatch(PurePosixPath(name).stem)
        if match and str(PurePosixPath(name).with_name(match[1])) in beside:
            found[name] = "mask: named like an image beside it"
    return found


def _masked(stem: str) -> set[str]:
    """The stems of images that a mask of this stem may belong to."""
    match = _MASK_OF.fullmatch(stem)
    return {stem, match[1]} if match else {stem}


def _mask_folder(name: str) -> str:
    """The path of the outermost folder with the name of a mask folder; empty if there is none."""
    parts = PurePosixPath(name).parent.parts
    return next(("/".join(parts[: n + 1]) for n, part in enumerate(parts) if MASKS.fullmatch(part)), "")


def _refuse_twins(folder: Path, names: Collection[str]) -> None:
    """Raise ``InputError`` listing the images in one folder that differ only in suffix."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(str(PurePosixPath(name).with_suffix("")), []).append(name)
    twins = [", ".join(group) for group in groups.values() if len(group) > 1]
    if twins:
        raise InputError(
            f"{folder}: files that differ only in suffix are probably an image and its mask or copy:",
            twins,
            next_step="remove the masks or copies; if these are different cells, rename them",
        )


def _next_step(folder: Path, images: Collection[str], skipped: Mapping[str, str]) -> str:
    """What to do if fewer than two class folders have images."""
    tops = {name.split("/")[0] for name in images}
    below = {name.split("/")[1] for name in images if name.count("/") > 1}
    if len(tops) == 1 and len(below) > 1:
        return f"pass {folder / next(iter(tops))} if the folders in it are the classes"
    return advice(skipped) or f"arrange the images as {folder}/<class>/<image>"


DATASET = Dataset(
    name="folder",
    title="Folder: your own images, one folder per class",
    licence="as its owner states",
    citation="none",
    url="your own images",
    classes=None,
    read=read,
)
