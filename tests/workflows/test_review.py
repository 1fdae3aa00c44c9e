"""Label review: the ranking of suspect labels, and the page that shows them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.config import ProjectPaths
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.review import BINS, NEIGHBORS, color_histogram, neighbors, out_of_fold, ranked
from cytocurve.errors import InputError
from cytocurve.files import exclusive
from cytocurve.report.review import Neighbor, Suspect, picture, render
from cytocurve.stores.tables import write_parquet
from cytocurve.workflows.review import review
from cytocurve.workflows.stages.catalog import catalog
from tests.datasets.dataset_makers import silent
from tests.faults.harness import LONG, start
from tests.makers import write_runs
from tests.projects import draw_cell, write_params, write_toy


def predictions(positive: dict[str, float], labels: dict[str, str], runs: int = 2) -> pd.DataFrame:
    rows = [
        {"run_key": str(run), "image": image, "label": labels[image], "p_negative": 1 - p, "p_positive": p}
        for run in range(runs)
        for image, p in positive.items()
    ]
    return pd.DataFrame(rows)


def test_labels_contradicted_by_the_networks_come_first() -> None:
    """By the probability of the given label; the suggestion is the class of the largest one."""
    table = ranked(
        out_of_fold(predictions({"a": 0.9, "b": 0.2, "c": 0.6}, {"a": "positive", "b": "positive", "c": "negative"}))
    )
    assert table["image"].tolist() == ["b", "c", "a"]
    assert table["suggested"].tolist() == ["negative", "positive", "positive"]
    assert np.allclose(table["score"], [0.2, 0.4, 0.9])


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=20), st.randoms(use_true_random=False))
def test_ranking_does_not_depend_on_row_order(values: list[float], random: object) -> None:
    """Scores rise along the table, and equal ones are ordered by name."""
    names = [f"cell {number:02}" for number in range(len(values))]
    labels = {name: ("negative", "positive")[number % 2] for number, name in enumerate(names)}
    rows = predictions(dict(zip(names, values, strict=True)), labels)
    table = ranked(out_of_fold(rows))
    assert table["score"].is_monotonic_increasing
    mixed = rows.sample(frac=1, random_state=len(values))
    assert ranked(out_of_fold(mixed))["image"].tolist() == table["image"].tolist()


def test_color_features_do_not_change_when_an_image_is_rotated() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    assert np.array_equal(color_histogram(pixels), color_histogram(np.rot90(pixels)[::-1]))
    assert np.isclose((color_histogram(pixels) ** 2).sum(), 1)
    assert len(color_histogram(pixels)) == BINS**3


def test_image_is_not_its_own_neighbor_and_its_duplicate_is_the_nearest() -> None:
    rng = np.random.default_rng(1)
    images = [rng.integers(low, low + 60, (8, 8, 3), dtype=np.uint8) for low in (0, 0, 190, 190, 90)]
    result = neighbors(np.stack([color_histogram(image) for image in images]), np.arange(4))
    assert result.shape == (4, NEIGHBORS)
    assert result[:, 0].tolist() == [1, 0, 3, 2]


def test_page_escapes_names_and_loads_nothing() -> None:
    """File names are shown as text, and pictures are embedded."""
    from PIL import Image

    name = "<b>cell & 'co'.png"
    suspect = Suspect(1, name, "monocyte", "monocyte", "basophil", 0.1, {"basophil": 0.9}, [Neighbor(name, "monocyte")])
    page = render("arm", [suspect], 5, "arm.csv", {name: picture(Image.new("RGB", (300, 200)))})
    assert "<b>cell" not in page
    assert "&lt;b&gt;cell &amp;" in page
    assert "://" not in page
    assert "Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:;" in page
    assert "data:image/jpeg;base64," in page


@pytest.fixture
def reviewed(tmp_path: Path) -> tuple[ProjectPaths, Arm]:
    """A project whose only arm has one run that tested every image."""
    write_params(tmp_path)
    write_toy(tmp_path / "data" / "toy", cells=8)
    project, arm = ProjectPaths(tmp_path), Arm("sequential", "none", "folder")
    catalog(project, silent)
    images = pd.read_parquet(project.catalog)["image"]
    tested = pd.DataFrame({"run_key": "k", "image": images, "label": "negative", "p_negative": 0.4, "p_positive": 0.6})
    write_runs(project, arm, pd.DataFrame({"run_key": ["k"], "size": [4]}))
    write_parquet(project.predictions(arm), tested)
    return project, arm


def test_images_of_another_dataset_are_not_shown(reviewed: tuple[ProjectPaths, Arm]) -> None:
    """Names may coincide when params.yaml names a dataset other than the one in the catalog."""
    project, arm = reviewed
    assert review(project, arm, 3, silent).images == 8
    write_params(project.root, dataset="other")
    write_toy(project.data / "other", cells=8)
    draw_cell(99, True).save(project.data / "other" / "images" / "dark" / "cell003.png")
    with pytest.raises(InputError, match=r"dataset: toy in the results, other in params\.yaml"):
        review(project, arm, 3, silent)


def test_arm_without_predictions_is_an_input_error(reviewed: tuple[ProjectPaths, Arm]) -> None:
    project, arm = reviewed
    write_parquet(project.predictions(arm), pd.read_parquet(project.predictions(arm)).head(0))
    with pytest.raises(InputError, match="no predictions for these runs"):
        review(project, arm, 3, silent)


def test_decisions_are_overwritten_only_on_request(reviewed: tuple[ProjectPaths, Arm]) -> None:
    """Until it is imported, the column new_label contains hours of an expert's work."""
    project, arm = reviewed
    table = project.root / review(project, arm, 3, silent).table
    decided = pd.read_csv(table, dtype="str", keep_default_na=False)
    decided.loc[0, "new_label"] = "light"
    decided.to_csv(table, index=False)
    with pytest.raises(InputError, match="contains 1 decision"):
        review(project, arm, 3, silent)
    assert pd.read_csv(table)["new_label"][0] == "light"
    review(project, arm, 3, silent, overwrite=True)
    assert pd.read_csv(table)["new_label"].isna().all()


def decide(table: Path, column: str = "new_label", value: str = "light") -> None:
    """A decision on the first image, as an editor saves it."""
    decided = pd.read_csv(table, dtype="str", keep_default_na=False)
    decided.loc[0, column] = value
    decided.fillna("").to_csv(table, index=False)


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [("new_label", "'=light", True), ("corrected", "light", True), ("new_label", " ", False), ("notes", "x", False)],
)
def test_decisions_are_what_an_import_would_read(
    column: str, value: str, kept: bool, reviewed: tuple[ProjectPaths, Arm]
) -> None:
    project, arm = reviewed
    table = project.root / review(project, arm, 3, silent).table
    decide(table, column, value)
    before = table.read_bytes()
    if kept:
        with pytest.raises(InputError, match="contains 1 decision"):
            review(project, arm, 3, silent)
    else:
        review(project, arm, 3, silent)
    assert (table.read_bytes() == before) == kept


@pytest.mark.parametrize("content", ["rank;image;new_label\n1;a.png;light\n", "image,new_label\na.png,\xff\n"])
def test_a_table_that_cannot_be_read_may_contain_decisions(content: str, reviewed: tuple[ProjectPaths, Arm]) -> None:
    """A spreadsheet may have saved it with semicolons or in another encoding."""
    project, arm = reviewed
    table = project.root / review(project, arm, 3, silent).table
    table.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match="It may contain decisions") as caught:
        review(project, arm, 3, silent)
    assert caught.value.next_step.endswith("or discard it with --overwrite")
    assert table.read_bytes() == content.encode("latin-1")
    review(project, arm, 3, silent, overwrite=True)


def test_decisions_entered_during_a_review_are_kept(reviewed: tuple[ProjectPaths, Arm]) -> None:
    project, arm = reviewed
    table = project.root / review(project, arm, 3, silent).table
    with pytest.raises(InputError, match="contains 1 decision"):
        review(project, arm, 3, lambda done, total: decide(table))
    assert pd.read_csv(table)["new_label"][0] == "light"


@pytest.mark.slow
def test_a_review_waits_for_the_command_that_reads_decisions(reviewed: tuple[ProjectPaths, Arm]) -> None:
    project, arm = reviewed
    table = project.root / review(project, arm, 3, silent).table
    with exclusive(project.files_lock):
        waiting = start(project.root, ["cytocurve", "labels", "review", arm.name])
        assert waiting.stderr is not None
        assert any("waiting for it to finish" in line for line in waiting.stderr)
        decide(table)
    _, errors = waiting.communicate(timeout=LONG)
    assert waiting.returncode == 2
    assert "contains 1 decision" in errors
    assert pd.read_csv(table)["new_label"][0] == "light"
