"""``cytocurve labels review``: rank the labels that an arm's own networks doubt, as a table and a page."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.data.spreadsheets import escaped
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.review import color_histogram, neighbors, out_of_fold, probability_columns, ranked
from cytocurve.errors import InputError
from cytocurve.files import exclusive, write_text
from cytocurve.ingest.decoding import pixel_sha256, read_rgb
from cytocurve.ingest.tables import read_table
from cytocurve.report.review import Neighbor, Suspect, picture, render
from cytocurve.stores.tables import read_parquet
from cytocurve.study.dataset import read_catalog
from cytocurve.study.results import check_results
from cytocurve.text import counted
from cytocurve.workflows.labels_write import CORRECTIONS

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ReviewOutcome:
    """The files of a review, relative to the project, the number of ranked images, and the most suspect ones."""

    table: str
    page: str
    images: int
    suspects: list[Suspect]

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return asdict(self)


def review(project: ProjectPaths, arm: Arm, top: int, progress: Progress, overwrite: bool = False) -> ReviewOutcome:
    """Write ``reports/review/<arm>.csv`` with all images, most suspect label first, and a page of the first ``top``.

    An image's probabilities are averaged over the runs of the largest training size that tested or validated on it and
    so never trained on it. Raises ``InputError`` if the arm has no results, or if the table already contains decisions
    and ``overwrite`` is not set.
    """
    target = project.reports / "review" / f"{arm.name}.csv"
    if not overwrite:
        _refuse_decisions(target)
    dataset = project.params().dataset
    table = _suspects(project, arm)
    folder = project.data / dataset / "images"
    histograms = np.stack(
        [
            _color_histogram(folder / name, identity, number, len(table), progress)
            for number, (name, identity) in enumerate(zip(table["image"], table["pixel_sha256"], strict=True))
        ]
    )
    table = table.drop(columns="pixel_sha256")
    shown = table.head(top)
    nearest = neighbors(histograms, np.arange(len(shown)))
    suspects = [_suspect(table, row, nearest[row]) for row in range(len(shown))]
    names = {image for suspect in suspects for image in (suspect.image, *(near.image for near in suspect.neighbours))}
    pictures = {name: picture(read_rgb(folder / name)) for name in sorted(names)}
    page = render(arm.name, suspects, len(table), target.name, pictures)
    with exclusive(project.files_lock):
        if not overwrite:
            _refuse_decisions(target)  # again: ranking takes minutes, in which someone may have entered some
        write_text(target, _sheet(table.assign(new_label="")))
        write_text(target.with_suffix(".html"), page)
    return ReviewOutcome(
        table=str(target.relative_to(project.root)),
        page=str(target.with_suffix(".html").relative_to(project.root)),
        images=len(table),
        suspects=suspects,
    )


def _sheet(table: pd.DataFrame) -> str:
    """The table as CSV for a spreadsheet; ``labels import`` removes the apostrophes."""
    text = table.select_dtypes(exclude="number").columns
    cells = {name: table[name].map(lambda cell: escaped(cell) if isinstance(cell, str) else cell) for name in text}
    return table.assign(**cells).to_csv(index=False, lineterminator="\n", float_format="%.6f")


def _refuse_decisions(table: Path) -> None:
    """Raise ``InputError`` if the table contains decisions, or cannot be read and so may contain some."""
    if not table.is_file():
        return
    try:
        sheet = read_table(table)
    except InputError as error:
        raise InputError(
            f"{error.problem}. It may contain decisions",
            error.offenders,
            next_step=f"{error.next_step or 'repair it'}, or discard it with --overwrite",
        ) from error
    decided = (sheet[[column for column in CORRECTIONS if column in sheet]] != "").any(axis=1)
    if decided.any():
        raise InputError(
            f"{table}: the table contains {counted(int(decided.sum()), 'decision')}",
            next_step="import them with cytocurve labels import, or discard them with --overwrite",
        )


def _suspects(project: ProjectPaths, arm: Arm) -> pd.DataFrame:
    """All images, the most suspect label first: ``rank, image, label, patient, given, suggested, score, p_…``."""
    command = "dvc repro, or cytocurve sweep"
    check_results(project, [arm])
    results = read_parquet(project.results(arm), command)
    predictions = read_parquet(project.predictions(arm), command)
    keys = results.loc[results["size"] == results["size"].max(), "run_key"]
    predictions = predictions[predictions["run_key"].isin(keys)]
    if predictions.empty:
        raise InputError(f"{project.predictions(arm)}: no predictions for these runs", next_step=command)
    table = ranked(out_of_fold(predictions)).rename(columns={"label": "given"})
    catalog = read_catalog(project).set_index("image")
    missing = [name for name in table["image"] if name not in catalog.index]
    if missing or arm.labels not in catalog:
        raise InputError(
            f"{project.results(arm)} does not match the current catalog, which lacks",
            missing or [f"label version {arm.labels}"],
            next_step="dvc repro",
        )
    table.insert(0, "rank", range(1, len(table) + 1))
    table.insert(2, "label", catalog.loc[table["image"], arm.labels].to_numpy())
    table.insert(3, "patient", catalog.loc[table["image"], "patient"].to_numpy())
    return table.assign(pixel_sha256=catalog.loc[table["image"], "pixel_sha256"].to_numpy())


def _color_histogram(path: Path, identity: str, number: int, total: int, progress: Progress) -> Any:
    try:
        image = read_rgb(path)
        if pixel_sha256(image) != identity:
            raise ValueError("its pixels differ from those in the catalog, which may describe another dataset")
        histogram = color_histogram(np.asarray(image))
    except ValueError as error:
        raise InputError(f"{path}: {error}", next_step="dvc repro") from error
    progress(number + 1, total)
    return histogram


def _suspect(table: pd.DataFrame, row: int, nearest: Any) -> Suspect:
    record = table.iloc[row]
    return Suspect(
        rank=int(record["rank"]),
        image=record["image"],
        label=record["label"],
        given=record["given"],
        suggested=record["suggested"],
        score=float(record["score"]),
        probabilities={name.removeprefix("p_"): float(record[name]) for name in probability_columns(table)},
        neighbours=[Neighbor(table["image"].iloc[i], table["label"].iloc[i]) for i in nearest],
    )
