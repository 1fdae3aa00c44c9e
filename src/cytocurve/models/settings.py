"""Base classes for the settings of components."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Frozen and strict; an unknown setting is an error.

    The names of subclasses end in ``Settings``, which excludes their fields from component versions.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NoSettings(Settings):
    """For components without settings."""


def defaults(model: type[BaseModel]) -> Mapping[str, Any]:
    """The default values of all settings that have one."""
    fields = {name: field for name, field in model.model_fields.items() if not field.is_required()}
    return {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
