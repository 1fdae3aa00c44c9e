"""Suspect labels: images whose label disagrees with the predictions of networks that did not train on them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NEIGHBORS = 3
BINS = 4
"""Bins per color channel in the histograms used to find neighbors."""


def out_of_fold(predictions: pd.DataFrame) -> pd.DataFrame:
    """Each image's class, and its mean probabilities over the runs that did not train on it.

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

    The score is the probability of the given label (0 to 1), cleanlab's self-confidence; ``suggested`` is the class
    with the largest probability. Northcutt, Jiang & Chuang 2021, "Confident Learning", JAIR 70, section 3.
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


def color_histogram(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The square root of an image's color histogram, (BINS ** 3,); it does not depend on the image's orientation."""
    steps = (pixels.reshape(-1, 3) // (256 // BINS)).astype(np.intp)
    index = (steps[:, 0] * BINS + steps[:, 1]) * BINS + steps[:, 2]
    counts = np.bincount(index, minlength=BINS**3)
    shares: NDArray[np.float64] = np.sqrt(counts / len(index))
    return shares


def neighbors(histograms: NDArray[np.float64], of: NDArray[np.intp]) -> NDArray[np.intp]:
    """Indices (len(of), NEIGHBORS) of the images with the most similar colors, nearest first.

    Similarity is the Hellinger distance between color histograms; the rows of ``histograms``, (images, bins), come
    from ``color_histogram``.
    """
    alike = histograms[of] @ histograms.T
    alike[np.arange(len(of)), of] = -1
    nearest: NDArray[np.intp] = np.argsort(-alike, axis=1, kind="stable")[:, :NEIGHBORS]
    return nearest
