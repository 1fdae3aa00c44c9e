"""Defaults are part of what run keys mean: a run that left a setting at its default does not store it."""

import json
from pathlib import Path
from typing import Any

import pytest

from cytocurve import registry
from cytocurve.models import architectures, augmentation, protocols
from cytocurve.models.preparation import PreparationSettings
from cytocurve.models.settings import defaults

PINNED = Path(__file__).with_name("settings_defaults.json")
CHANGED = "A default changed, so that keys of finished runs would mean other settings: add a setting of another name."


def current() -> dict[str, Any]:
    families = {"architectures": architectures, "augmentation": augmentation, "protocols": protocols}
    members = {
        f"{name}.{member}": module.load(member).settings
        for name, module in families.items()
        for member in module.names()
        if registry.module_name(module.__name__, member).startswith("cytocurve.")
    }
    members["preparation.square"] = PreparationSettings
    return {name: json.loads(json.dumps(dict(defaults(model)))) for name, model in members.items()}


def test_no_default_that_a_finished_run_relied_on_has_changed() -> None:
    now = current()
    for component, pinned in json.loads(PINNED.read_text(encoding="utf-8")).items():
        assert {name: now[component].get(name) for name in pinned} == pinned, CHANGED


def test_every_default_is_pinned() -> None:
    assert current() == json.loads(PINNED.read_text(encoding="utf-8")), f"New settings belong into {PINNED.name}."


@pytest.mark.parametrize("component", sorted(current()))
def test_a_settings_class_is_named_so_that_its_fields_are_in_no_version(component: str) -> None:
    family, _, member = component.partition(".")
    modules = {"architectures": architectures, "augmentation": augmentation, "protocols": protocols}
    model = modules[family].load(member).settings if family in modules else PreparationSettings
    assert model.__name__.endswith("Settings")
