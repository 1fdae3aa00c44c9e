"""Read and write JSON files that other stages and commands read, deterministically, with a checksum of themselves.

The checksum is the file's last entry, ``sha256``: that of the other entries as canonical JSON, so that it depends on
their values but not on layout or order. A file without one was not written by cytocurve, or was edited; only
the answers that the report's page saves have none.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytocurve.core.runs import digest
from cytocurve.errors import InputError
from cytocurve.files import write_text
from cytocurve.stores.dvc import repair

CHECKSUM = "sha256"


def write_json(path: Path, value: Mapping[str, Any], indent: int | None = 1) -> None:
    """Write a mapping as a JSON file; equal mappings give equal bytes."""
    write_text(path, json_text(value, indent))


def json_text(value: Mapping[str, Any], indent: int | None = 1) -> str:
    """A mapping as the text of a JSON file, with its checksum; raises ``ValueError`` for numbers JSON does not have."""
    assert CHECKSUM not in value
    written = json.loads(json.dumps(value, allow_nan=False))  # the keys as texts: their order is part of the checksum
    return json.dumps({**written, CHECKSUM: digest(written)}, indent=indent, ensure_ascii=False) + "\n"


def read_json(path: Path, next_step: str, *, unchecked: bool = False) -> dict[str, Any]:
    """The mapping in a JSON file, without its checksum; a file without one is damaged unless ``unchecked``.

    Raises ``InputError`` with the command that makes the file again if it is missing or damaged.
    """
    value: dict[str, Any] = {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it does not hold a mapping")
        value = content
        expected = value.pop(CHECKSUM, None)
        damage = "its content does not match its checksum" if expected not in (None, digest(value)) else ""
        if expected is None and not unchecked:
            damage = "it has no checksum, so another program wrote or changed it"
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", next_step=next_step) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", next_step=next_step) from error
    except UnicodeDecodeError:
        damage = "not UTF-8 text"
    except (ValueError, RecursionError) as error:
        damage = f"not a JSON file of cytocurve: {' '.join(str(error).split())[:200]}"
    if damage:
        raise InputError(f"{path}: damaged: {damage}", next_step=repair([path], f"remove it, then {next_step}"))
    return value
