"""The registered arm is chosen among arms that are scored on the same labels."""

from pathlib import Path

from cytocurve.config import ProjectPaths
from cytocurve.study.selection import best_arm
from tests.projects import write_params


def test_choice_is_limited_to_arms_of_the_last_label_version(tmp_path: Path) -> None:
    """A version that agrees with the networks would always beat the expert's."""
    write_params(tmp_path, labels=["pleasing", "expert"], augmentations=["none", "flip_rotate"])
    scores = {
        "sequential-none-pleasing": 0.99,
        "sequential-flip_rotate-pleasing": 0.98,
        "sequential-none-expert": 0.7,
        "sequential-flip_rotate-expert": 0.8,
    }
    assert best_arm(scores, ProjectPaths(tmp_path).params()) == "sequential-flip_rotate-expert"


def test_tied_arms_are_chosen_by_name_and_undefined_scores_come_last(tmp_path: Path) -> None:
    write_params(tmp_path, augmentations=["none", "flip_rotate"])
    params = ProjectPaths(tmp_path).params()
    names = ("sequential-flip_rotate-folder", "sequential-none-folder")
    assert best_arm(dict.fromkeys(names, 0.5), params) == names[0]
    assert best_arm({names[0]: float("nan"), names[1]: 0.1}, params) == names[1]
