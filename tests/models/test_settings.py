"""Run keys rely on defaults: they omit settings that have their default value."""

import json
from pathlib import Path
from typing import Any

import pytest

from cytocurve import registry
from cytocurve.models import architectures, augmentation, protocols
from cytocurve.models.preparation import PreparationSettings
from cytocurve.models.settings import defaults

PINNED = Path(__file__).with_name("settings_defaults.json")
CHANGED = "A default changed, which changes the meaning of existing run keys: add a setting with a new name instead."


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
    assert current() == json.loads(PINNED.read_text(encoding="utf-8")), f"Add new settings to {PINNED.name}."


@pytest.mark.parametrize("component", sorted(current()))
def test_names_of_settings_classes_exclude_their_fields_from_versions(component: str) -> None:
    family, _, member = component.partition(".")
    modules = {"architectures": architectures, "augmentation": augmentation, "protocols": protocols}
    model = modules[family].load(member).settings if family in modules else PreparationSettings
    assert model.__name__.endswith("Settings")
