"""Read YAML files."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cytocurve.errors import InputError

MOST_ENTRIES = 1_000_000
"""Maximum number of entries that a YAML file may have with its aliases expanded."""


class _CircularError(Exception):
    """A list or mapping contains itself."""


def _entries(value: Any, known: dict[int, int | None]) -> int:
    """The number of entries of a YAML file's contents with aliases expanded; ``known`` are those of its parts, by id.

    Raises ``_CircularError``.
    """
    if not isinstance(value, dict | list | tuple | set):
        return 1
    if id(value) not in known:
        known[id(value)] = None  # not yet known: it is being counted
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_entries(part, known) for part in parts)
    entries = known[id(value)]
    if entries is None:
        raise _CircularError
    return entries


def read_yaml(path: Path) -> Any:
    """The plain contents of a YAML file; raises ``InputError`` if it is missing or cannot be parsed.

    Aliases may not refer to what contains them, nor expand to more than ``MOST_ENTRIES`` entries.
    """
    try:
        with path.open(encoding="utf-8") as file:
            content = YAML(typ="safe", pure=True).load(file)
        if _entries(content, {}) > MOST_ENTRIES:
            raise InputError(f"{path}: its aliases expand to more than {MOST_ENTRIES:,} entries")
        return content
    except _CircularError:
        raise InputError(
            f"{path}: an alias (*name) refers to a list or mapping that contains it", next_step="write out its values"
        ) from None
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file",
            hint="Run cytocurve in the project's top folder, which contains params.yaml, or use -C DIR.",
        ) from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder, not a file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8, byte {error.start}") from error
    except RecursionError as error:
        raise InputError(f"{path}: not valid YAML: nested too deeply") from error
    except YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
