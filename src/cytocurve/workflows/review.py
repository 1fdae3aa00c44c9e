"""``cytocurve labels review``: the labels of an arm that its own networks doubt, as a table and a page."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.review import color_histogram, neighbors, out_of_fold, probability_columns, ranked
from cytocurve.errors import InputError
from cytocurve.files import write_text
from cytocurve.ingest.decoding import pixel_sha256, read_rgb
from cytocurve.report.review import Neighbor, Suspect, picture, render
from cytocurve.stores.tables import read_parquet
from cytocurve.study.dataset import read_catalog

Progress = Callable[[int, int], None]


def review(project: ProjectPaths, arm: Arm, top: int, progress: Progress, overwrite: bool = False) -> dict[str, Any]:
    """Write ``reports/review/<arm>.csv``, all images by how suspect their label is, and a page of the first ``top``.

    An image's probabilities are the mean over the runs of the largest training size that tested or validated on it and
    so never trained on it. Returns the files and the ``top`` rows. Raises ``InputError`` where the arm has no results,
    and where the table holds decisions already, unless they may be overwritten.
    """
    target = project.reports / "review" / f"{arm.name}.csv"
    if not overwrite:
        _refuse_decisions(target)
    dataset = project.params().dataset
    table = _suspects(project, arm)
    folder = project.data / dataset / "images"
    histograms = np.stack(
        [
            _colours(folder / name, identity, number, len(table), progress)
            for number, (name, identity) in enumerate(zip(table["image"], table["pixel_sha256"], strict=True))
        ]
    )
    table = table.drop(columns="pixel_sha256")
    shown = table.head(top)
    alike = neighbors(histograms, np.arange(len(shown)))
    suspects = [_suspect(table, row, alike[row]) for row in range(len(shown))]
    names = {image for suspect in suspects for image in (suspect.image, *(near.image for near in suspect.neighbours))}
    pictures = {name: picture(read_rgb(folder / name)) for name in sorted(names)}
    write_text(target, table.assign(new_label="").to_csv(index=False, lineterminator="\n", float_format="%.6f"))
    write_text(target.with_suffix(".html"), render(arm.name, suspects, len(table), target.name, pictures))
    return {
        "table": str(target.relative_to(project.root)),
        "page": str(target.with_suffix(".html").relative_to(project.root)),
        "images": len(table),
        "suspects": [
            vars(suspect) | {"neighbours": [vars(near) for near in suspect.neighbours]} for suspect in suspects
        ],
    }


def _refuse_decisions(table: Path) -> None:
    if not table.is_file():
        return
    with suppress(ValueError, KeyError):
        decided = pd.read_csv(table, dtype="str", keep_default_na=False).set_index("image")["new_label"]
        if (decided != "").any():
            raise InputError(
                f"{table}: it holds {(decided != '').sum()} decisions in the column new_label",
                next_step="cytocurve labels import brings them in; --overwrite drops them.",
            )


def _suspects(project: ProjectPaths, arm: Arm) -> pd.DataFrame:
    """All images, the most suspect label first: ``rank, image, label, patient, given, suggested, score, p_…``."""
    command = "dvc repro, or cytocurve sweep"
    results = read_parquet(project.results(arm), command)
    predictions = read_parquet(project.predictions(arm), command)
    keys = results.loc[results["size"] == results["size"].max(), "run_key"]
    predictions = predictions[predictions["run_key"].isin(keys)]
    if predictions.empty:
        raise InputError(f"{project.predictions(arm)}: no predictions of these runs", next_step=f"{command}")
    table = ranked(out_of_fold(predictions)).rename(columns={"label": "given"})
    catalog = read_catalog(project).set_index("image")
    absent = [name for name in table["image"] if name not in catalog.index]
    if absent or arm.labels not in catalog:
        raise InputError(
            f"{project.results(arm)} is not of the present catalog, which lacks",
            absent or [f"label version {arm.labels}"],
            next_step="dvc repro",
        )
    table.insert(0, "rank", range(1, len(table) + 1))
    table.insert(2, "label", catalog.loc[table["image"], arm.labels].to_numpy())
    table.insert(3, "patient", catalog.loc[table["image"], "patient"].to_numpy())
    return table.assign(pixel_sha256=catalog.loc[table["image"], "pixel_sha256"].to_numpy())


def _colours(path: Path, identity: str, number: int, total: int, progress: Progress) -> Any:
    try:
        image = read_rgb(path)
        if pixel_sha256(image) != identity:
            raise ValueError("its pixels are not those of the catalog, which may be of another dataset")
        found = color_histogram(np.asarray(image))
    except ValueError as error:
        raise InputError(f"{path}: {error}", next_step="dvc repro") from error
    progress(number + 1, total)
    return found


def _suspect(table: pd.DataFrame, row: int, alike: Any) -> Suspect:
    record = table.iloc[row]
    return Suspect(
        rank=int(record["rank"]),
        image=record["image"],
        label=record["label"],
        given=record["given"],
        suggested=record["suggested"],
        score=float(record["score"]),
        probabilities={name.removeprefix("p_"): float(record[name]) for name in probability_columns(table)},
        neighbours=[Neighbor(table["image"].iloc[i], table["label"].iloc[i]) for i in alike],
    )
