"""Published studies: short YAML files with settings that override ``params.yaml``."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cytocurve.config import ProjectPaths, validate_params
from cytocurve.errors import InputError
from cytocurve.files import exclusive, write_text
from cytocurve.yaml_files import read_yaml


def studies(project: ProjectPaths) -> dict[str, str]:
    """Name and first comment line of each study, sorted by name."""
    return {path.stem: _title(path.read_text(encoding="utf-8")) for path in sorted(_folder(project).glob("*.yaml"))}


def use(project: ProjectPaths, name: str) -> dict[str, Any]:
    """Write a study's settings into ``params.yaml``, keeping comments and other settings; returns the changed settings.

    Raises ``InputError`` if the study does not exist, or if the result is not a valid ``params.yaml``.
    """
    known = studies(project)
    if name not in known:
        raise InputError(f"studies/{name}.yaml: no such study", hint=f"Studies: {', '.join(known) or 'none'}")
    file = _folder(project) / f"{name}.yaml"
    if not isinstance(read_yaml(file), dict):
        raise InputError(f"studies/{name}.yaml: expected a mapping of settings")
    project.params()  # before a folder for the lock is created
    with exclusive(project.files_lock):
        return _change_params(project, name, file)


def _change_params(project: ProjectPaths, name: str, file: Path) -> dict[str, Any]:
    project.params()
    yaml = YAML()
    yaml.width = 120
    yaml.representer.add_representer(type(None), _null)
    params, changes = (yaml.load(path.read_text(encoding="utf-8")) for path in (project.params_file, file))
    _merge(params, changes)
    text = io.StringIO()
    yaml.dump(params, text)
    validate_params(YAML(typ="safe").load(text.getvalue()), f"params.yaml with studies/{name}.yaml")
    write_text(project.params_file, text.getvalue())
    return dict(changes)


def _null(representer: Any, _: None) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _merge(settings: Any, changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(settings.get(key), dict):
            _merge(settings[key], value)
        else:
            settings[key] = value


def _folder(project: ProjectPaths) -> Any:
    return project.root / "studies"


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("#").strip()
