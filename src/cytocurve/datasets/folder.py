"""Any images in one folder per class: the folder's name is the label, the label version is ``folder``."""

from pathlib import Path

import pandas as pd

from cytocurve.datasets import Dataset, Listing
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import find_images


def read(folder: Path) -> Listing:
    """List a folder of class folders; an image's label is the first folder below it.

    Raises ``InputError``, with all files that were left out, where fewer than two class folders hold images.
    """
    found, skipped = find_images(folder)
    images = {name: path for name, path in found.items() if "/" in name}
    skipped |= dict.fromkeys(found.keys() - images.keys(), "not in a class folder")
    labels = [name.split("/")[0] for name in images]
    left_out = {*labels, *skipped}
    skipped |= {
        f"{path.name}/": "a folder without images"
        for path in folder.iterdir()
        if path.is_dir() and path.name not in left_out
    }
    skipped = dict(sorted(skipped.items()))
    if len(set(labels)) < 2:
        raise InputError(
            f"{folder}: at least two class folders with images are needed; there is "
            + (f"only {labels[0]!r}" if labels else "none"),
            [f"{name}: {reason}" for name, reason in skipped.items()],
            next_step=f"arrange the images as {folder}/<class>/<image>.",
        )
    return Listing(images, {"folder": pd.DataFrame({"image": list(images), "label": labels})}, skipped)


DATASET = Dataset(
    name="folder",
    title="Folder: your own images, one folder per class",
    licence="as its owner states",
    citation="none",
    url="your own images",
    classes=None,
    read=read,
)
