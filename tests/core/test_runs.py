"""What a run key depends on."""

from dataclasses import fields, replace
from typing import Any

import pytest

from cytocurve.core.runs import Arm, Images, Recipe, Run, digest, longest_first

RECIPE = Recipe(
    architecture="sequential",
    architecture_settings={"filters": [4, 8], "dense": 8},
    architecture_version="a",
    augmentation="none",
    augmentation_settings={},
    augmentation_version="b",
    image_size=32,
    outputs=2,
    batch_size=5,
    optimizer="rmsprop",
    learning_rate=1e-3,
    max_epochs=500,
    class_weights="balanced",
    patience=50,
    engine="keras",
    engine_version="1",
)
RUN = Run(RECIPE, 0, Images(("a", "b"), (0, 1)), Images(("c",), (0,)), Images(("d",), (1,)))

OTHER: dict[str, Any] = {"str": "other", "int": 7, "float": 0.5}


def test_an_arm_is_named_by_architecture_augmentation_and_labels() -> None:
    assert Arm("sequential", "flip_rotate", "expert").name == "sequential-flip_rotate-expert"


def test_equal_runs_have_equal_keys() -> None:
    assert RUN.key == replace(RUN).key
    assert len(RUN.key) == 64


@pytest.mark.parametrize("name", [field.name for field in fields(Recipe)])
def test_every_part_of_the_recipe_changes_the_key(name: str) -> None:
    value = getattr(RECIPE, name)
    changed: Any = {"changed": 1} if isinstance(value, dict) else OTHER[type(value).__name__]
    change: dict[str, Any] = {name: changed}
    assert replace(RUN, recipe=replace(RECIPE, **change)).key != RUN.key


@pytest.mark.parametrize("subset", ["train", "validation", "test"])
def test_images_their_order_and_their_classes_change_the_key(subset: str) -> None:
    images = Images(("x", "y"), (0, 1))
    variants = [images, Images(("y", "x"), (0, 1)), Images(("x", "y"), (1, 0)), Images(("x", "z"), (0, 1))]
    changes: list[dict[str, Any]] = [{subset: variant} for variant in variants]
    assert len({replace(RUN, **change).key for change in changes}) == len(variants)


def test_the_seed_changes_key_and_random_numbers() -> None:
    other = replace(RUN, seed=1)
    assert other.key != RUN.key
    assert other.entropy != RUN.entropy


def test_arms_of_one_fold_and_size_share_their_random_numbers() -> None:
    other = replace(RUN, recipe=replace(RECIPE, augmentation="flip_rotate"))
    assert other.entropy == RUN.entropy


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_the_largest_runs_come_first() -> None:
    assert longest_first([10, 200, 50, 200]) == [1, 3, 2, 0]
