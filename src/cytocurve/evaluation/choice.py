"""The score of the chosen arm, corrected for the choice."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cytocurve.core.answers import Choice, build
from cytocurve.core.statistics.choice import chosen_elsewhere, scores_of_choosing
from cytocurve.core.statistics.curves import Curve, summarize
from cytocurve.core.statistics.values import Values
from cytocurve.study.selection import METRIC, Validated, images_by_fold


def choice(
    chosen: str,
    candidates: Sequence[str],
    size: int,
    runs: Mapping[str, pd.DataFrame],
    tests: Mapping[str, pd.DataFrame],
    validations: Mapping[str, Validated],
) -> Choice | None:
    """What choosing among the candidates at a training size does to the score of the chosen arm.

    ``runs`` and ``tests`` are the arms' runs and test predictions. None if the candidates' folds or seeds differ.
    """
    at_size = {arm: runs[arm][runs[arm]["size"] == size].set_index("run_key") for arm in candidates}
    folds, seeds = (sorted(at_size[chosen][column].unique().tolist()) for column in ("fold", "seed"))
    if len({frozenset(zip(table["fold"], table["seed"], strict=True)) for table in at_size.values()}) > 1:
        return None
    tested = np.stack([_table(at_size[arm], METRIC) for arm in candidates])
    validation = np.stack([_table(validations[arm].runs, "score") for arm in candidates])
    rows = tests[chosen][tests[chosen]["run_key"].isin(at_size[chosen].index)]
    test_images, validation_images = images_by_fold(rows, at_size[chosen]), validations[chosen].images
    shared = np.array([[bool(test_images[i] & validation_images[j]) for j in folds] for i in folds])
    picked = chosen_elsewhere(validation, shared)
    scores = scores_of_choosing(validation, tested, shared)
    curve = Curve(
        np.array(folds), np.array(seeds), np.array([size]), scores[..., None], np.ones_like(scores[..., None], bool)
    )
    summary = summarize(curve)[size]
    own = tested[candidates.index(chosen)]
    return build(
        Choice,
        score=vars(summary),
        optimism=float(np.nanmean(own)) - summary.mean if np.isfinite(own).any() else None,
        folds={arm: int((picked == number).sum()) for number, arm in enumerate(candidates)},
        without=int((picked < 0).sum()),
    )


def _table(runs: pd.DataFrame, column: str) -> Values:
    """The scores (folds, seeds) of runs."""
    return np.asarray(runs.pivot(index="fold", columns="seed", values=column).to_numpy(dtype=np.float64))
