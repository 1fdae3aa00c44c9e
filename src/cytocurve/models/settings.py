"""What the settings of every component have in common."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Frozen and strict; an unknown setting is an error.

    Classes of settings have names that end in ``Settings``: their fields are then not part of a component's version.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NoSettings(Settings):
    """Of a component without settings."""


def defaults(model: type[BaseModel]) -> Mapping[str, Any]:
    """The settings that have a default, as plain values."""
    fields = {name: field for name, field in model.model_fields.items() if not field.is_required()}
    return {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
