"""Suspect labels: images whose label disagrees with what networks that never trained on them predict."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NEIGHBOURS = 3
BINS = 4
"""Steps of each colour in the histogram that neighbours are found by."""


def out_of_fold(predictions: pd.DataFrame) -> pd.DataFrame:
    """Each image's class and mean probabilities over the runs that did not train on it.

    ``predictions`` has ``image, label`` and one column ``p_<class>`` per class, one row per run and image. The
    result has one row per image, sorted by name, with the same columns.
    """
    columns = probability_columns(predictions)
    means = predictions.groupby("image")[columns].mean()
    means.insert(0, "label", predictions.groupby("image")["label"].first())
    return means.reset_index()


def probability_columns(table: pd.DataFrame) -> list[str]:
    """The columns ``p_<class>`` of a table."""
    return [str(column) for column in table.columns if str(column).startswith("p_")]


def ranked(means: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``out_of_fold`` with ``score`` and ``suggested``, most suspect label first.

    The score is the probability of the given label (0 to 1), as cleanlab's self-confidence; ``suggested`` is the class
    of the largest probability. Northcutt, Jiang & Chuang 2021, "Confident Learning", JAIR 70, section 3.
    """
    from cleanlab.rank import get_label_quality_scores

    columns = probability_columns(means)
    names = [column.removeprefix("p_") for column in columns]
    probabilities = means[columns].to_numpy(np.float64)
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    given = means["label"].map(names.index).to_numpy()
    table = means.assign(
        score=get_label_quality_scores(given, probabilities),
        suggested=[names[number] for number in probabilities.argmax(axis=1)],
    )
    return table.sort_values(["score", "image"], ignore_index=True)


def colours(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The square roots of an image's colour histogram, (BINS ** 3,): the same however the image is turned."""
    steps = (pixels.reshape(-1, 3) // (256 // BINS)).astype(np.intp)
    index = (steps[:, 0] * BINS + steps[:, 1]) * BINS + steps[:, 2]
    counts = np.bincount(index, minlength=BINS**3)
    shares: NDArray[np.float64] = np.sqrt(counts / len(index))
    return shares


def neighbours(histograms: NDArray[np.float64], of: NDArray[np.intp]) -> NDArray[np.intp]:
    """Indices (len(of), NEIGHBOURS) of the images whose colours are most alike, the nearest first.

    Nearest by the Hellinger distance of colour histograms; ``histograms`` is (images, bins), rows of ``colours``.
    """
    alike = histograms[of] @ histograms.T
    alike[np.arange(len(of)), of] = -1
    nearest: NDArray[np.intp] = np.argsort(-alike, axis=1, kind="stable")[:, :NEIGHBOURS]
    return nearest
