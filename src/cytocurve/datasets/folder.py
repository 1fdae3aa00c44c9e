"""Your own images, sorted into one folder per class; the label version is ``folder``."""

from pathlib import Path

import pandas as pd

from cytocurve.datasets import Dataset, Listing
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import find_images


def read(folder: Path) -> Listing:
    """List a folder of class folders; the label of an image is the name of its class folder.

    Raises ``InputError`` listing the skipped files if fewer than two class folders contain images.
    """
    candidates, skipped = find_images(folder)
    images = {name: path for name, path in candidates.items() if "/" in name}
    skipped |= dict.fromkeys(candidates.keys() - images.keys(), "not in a class folder")
    labels = [name.split("/")[0] for name in images]
    mentioned = {*labels, *skipped}
    skipped |= {
        f"{path.name}/": "folder without images"
        for path in folder.iterdir()
        if path.is_dir() and path.name not in mentioned
    }
    skipped = dict(sorted(skipped.items()))
    if len(set(labels)) < 2:
        raise InputError(
            f"{folder}: expected at least two class folders with images, found "
            + (f"only {labels[0]!r}" if labels else "none"),
            [f"{name}: {reason}" for name, reason in skipped.items()],
            next_step=f"arrange the images as {folder}/<class>/<image>",
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
