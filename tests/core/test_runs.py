"""Run keys and what they depend on."""

from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.runs import Arm, Component, Images, Recipe, Run, digest, longest_first

RECIPE = Recipe(
    architecture=Component("sequential", "a", {"filters": [4, 8]}),
    preparation=Component("square", "b", {"size": 32}),
    augmentation=Component("none", "c", {}),
    protocol=Component("early_stopping", "d", {"class_weights": "balanced"}),
    engine=Component("keras", "e", {}),
)
RUN = Run(RECIPE, 2, 0, Images(("a", "b"), (0, 1)), Images(("c",), (0,)), Images(("d",), (1,)))
NAMES = [field.name for field in fields(Recipe)]

JSON = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.integers(), max_size=3))
SETTINGS = st.dictionaries(st.text(min_size=1), JSON, max_size=4)


def test_arm_is_named_by_architecture_augmentation_and_labels() -> None:
    assert Arm("sequential", "flip_rotate", "expert").name == "sequential-flip_rotate-expert"


def test_equal_runs_have_equal_keys() -> None:
    assert RUN.key == replace(RUN).key
    assert len(RUN.key) == 64


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", [{"name": "other"}, {"version": "other"}, {"settings": {"other": 1}}], ids=str)
def test_every_part_of_every_component_changes_the_key(name: str, change: dict[str, Any]) -> None:
    component = replace(getattr(RECIPE, name), **change)
    recipe: dict[str, Any] = {name: component}
    assert replace(RUN, recipe=replace(RECIPE, **recipe)).key != RUN.key


@given(SETTINGS, SETTINGS, st.text(min_size=1), JSON, st.sampled_from(NAMES))
def test_key_does_not_change_when_a_component_gets_a_setting_with_a_default(
    stated: dict[str, Any], defaults: dict[str, Any], added: str, default: Any, name: str
) -> None:
    """All earlier runs have the new setting at its default."""
    for known in (stated, defaults):
        known.pop(added, None)

    def key(defaults: dict[str, Any]) -> str:
        component = Component.of("any", "version", defaults | stated, defaults)
        recipe: dict[str, Any] = {name: component}
        return replace(RUN, recipe=replace(RECIPE, **recipe)).key

    assert key(defaults) == key({**defaults, added: default})


@given(SETTINGS, SETTINGS)
def test_component_states_exactly_the_settings_that_differ_from_their_defaults(
    stated: dict[str, Any], defaults: dict[str, Any]
) -> None:
    component = Component.of("any", "version", defaults | stated, defaults)
    assert defaults | dict(component.settings) == defaults | stated
    assert not any(name in defaults and defaults[name] is value for name, value in component.settings.items())


def test_tuples_and_lists_of_a_setting_give_the_same_key() -> None:
    assert Component.of("a", "b", {"x": (1, 2)}, {}) == Component.of("a", "b", {"x": [1, 2]}, {"x": [3]})


def test_number_of_classes_changes_the_key() -> None:
    assert replace(RUN, outputs=3).key != RUN.key


def test_key_contains_its_format() -> None:
    assert RUN.key == digest({"format": 2, **asdict(RUN)})


@pytest.mark.parametrize("subset", ["train", "validation", "test"])
def test_images_their_order_and_their_classes_change_the_key(subset: str) -> None:
    images = Images(("x", "y"), (0, 1))
    variants = [images, Images(("y", "x"), (0, 1)), Images(("x", "y"), (1, 0)), Images(("x", "z"), (0, 1))]
    changes: list[dict[str, Any]] = [{subset: variant} for variant in variants]
    assert len({replace(RUN, **change).key for change in changes}) == len(variants)


def test_seed_changes_key_and_random_numbers() -> None:
    other = replace(RUN, seed=1)
    assert other.key != RUN.key
    assert other.entropy != RUN.entropy


def test_arms_of_one_fold_and_size_share_their_random_numbers() -> None:
    other = replace(RUN, recipe=replace(RECIPE, augmentation=Component("flip_rotate", "f", {})))
    assert other.entropy == RUN.entropy


def test_random_numbers_of_a_seed_and_training_set_never_change() -> None:
    assert RUN.entropy == int(digest([0, ["a", "b"]]), 16)


def test_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_largest_runs_come_first() -> None:
    assert longest_first([10, 200, 50, 200]) == [1, 3, 2, 0]
