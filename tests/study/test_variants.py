"""Settings belong to variants: two of one family make two arms, and a variant's name is not part of a run."""

from typing import Any

import pytest

from cytocurve.config import Params, validate_params
from cytocurve.core.runs import Arm, Recipe
from cytocurve.errors import InputError
from cytocurve.study.design import check_arms, recipe
from tests.projects import SMALL

CLASSES = ("negative", "positive")
FEW, MANY = {"filters": [3, 4]}, {"filters": [6, 8]}


def params_with(settings: dict[str, Any], **changes: Any) -> Params:
    return validate_params({**SMALL, "settings": {"none": {}, **settings}, **changes}, "params.yaml")


def recipe_of(params: Params, architecture: str, augmentation: str = "none") -> Recipe:
    return recipe(params, Arm(architecture, augmentation, "folder"), CLASSES)


def problems(params: Params) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        check_arms(params)
    assert caught.value.exit_code == 2
    return caught.value.offenders


def test_variants_of_one_architecture_are_separate_arms() -> None:
    settings = {"sequential": FEW, "sequential_wide": {"base": "sequential", **MANY}}
    params = params_with(settings, architectures=["sequential", "sequential_wide"])
    check_arms(params)
    assert [arm.name for arm in params.arms] == ["sequential-none-folder", "sequential_wide-none-folder"]
    narrow, wide = (recipe_of(params, name).architecture for name in params.architectures)
    assert (narrow.name, wide.name) == ("sequential", "sequential")
    assert (narrow.settings, wide.settings) == (FEW, MANY)


def test_policy_has_variants_like_an_architecture() -> None:
    settings = {"sequential": FEW, "far": {"base": "flip_rotate_translate", "translation": 0.4}}
    params = params_with(settings, augmentations=["none", "far"])
    check_arms(params)
    augmentation = recipe_of(params, "sequential", "far").augmentation
    assert (augmentation.name, augmentation.settings) == ("flip_rotate_translate", {"translation": 0.4})


def test_variant_starts_from_the_defaults_of_its_family_not_from_another_entry() -> None:
    """DVC watches the entry of an arm's own architecture: an edit elsewhere must not change the arm."""
    settings = {"sequential": {"filters": [3], "dense": 7}, "other": {"base": "sequential", **MANY}}
    params = params_with(settings, architectures=["sequential", "other"])
    assert recipe_of(params, "other").architecture.settings == MANY


def test_renamed_variant_retrains_nothing() -> None:
    old, new = (params_with({name: {"base": "sequential", **FEW}}, architectures=[name]) for name in ("wide", "broad"))
    assert recipe_of(old, "wide") == recipe_of(new, "broad")
    assert recipe_of(params_with({"sequential": FEW}), "sequential") == recipe_of(old, "wide")


def test_setting_at_its_default_changes_no_recipe() -> None:
    stated = params_with({"sequential": {**FEW, "dense": 32}})
    assert recipe_of(stated, "sequential") == recipe_of(params_with({"sequential": FEW}), "sequential")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"base": "sequentia"}, "settings.wide.base: 'sequentia' is unknown; did you mean 'sequential'?"),
        ({"base": "wide"}, "settings.wide.base: 'wide' is not a family"),
        ({"base": "wider"}, "settings.wide.base: 'wider' is not a family"),
        ({"base": ["sequential"]}, "settings.wide.base: expected the name of an architecture or augmentation"),
        ({"base": "none"}, "architectures: 'wide' is a variant of 'none', which is an augmentation"),
        ({"base": "sequential", "filter": [3]}, "settings.wide.filter: unknown key; did you mean 'filters'?"),
    ],
    ids=["unknown", "cyclic", "of a variant", "not a name", "of the other kind", "unknown setting"],
)
def test_unusable_variant_gives_one_error(entry: dict[str, Any], expected: str) -> None:
    wider = {"base": "sequential", **FEW}
    (line,) = problems(params_with({"wide": entry, "wider": wider}, architectures=["wide", "wider"]))
    assert line.startswith(expected)


def test_variant_cannot_take_the_name_of_a_family() -> None:
    (line,) = problems(params_with({"sequential": {"base": "sequential", **FEW}}))
    assert line == "settings.sequential: this is itself a family and cannot be a variant of 'sequential'"


def test_all_problems_of_variants_are_listed_together() -> None:
    settings = {"a": {"base": "nothing"}, "b": {"base": "a"}, "sequential": {"filter": 3}}
    assert len(problems(params_with(settings, architectures=["a", "b", "sequential"]))) == 3


def test_engines_and_protocols_are_checked_by_name() -> None:
    training = {**SMALL["training"], "engine": "nativ", "protocol": "early"}
    lines = problems(params_with({"sequential": FEW}, training=training))
    assert lines[0].startswith("training.engine: 'nativ' is unknown; did you mean 'native'?")
    assert lines[1].startswith("training.protocol: 'early' is unknown")
