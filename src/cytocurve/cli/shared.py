"""What commands share: the project at hand, the study's arms, and figures as text or JSON."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from cytocurve.errors import InputError

as_json = click.option("--json", "machine", is_flag=True, help="Print the figures as JSON.")


def current_project() -> Any:
    """The project in the current folder."""
    from cytocurve.config import ProjectPaths

    return ProjectPaths(Path())


def show(machine: bool, figures: Any, text: Callable[[], str]) -> None:
    """Print figures as JSON, or as text for people."""
    click.echo(json.dumps(figures, indent=1) if machine else text())


def arms_named(names: tuple[str, ...]) -> list[Any]:
    """The study's arms of these names, all of them if there are none; raises ``InputError``."""
    from cytocurve.text import check_known

    arms = {arm.name: arm for arm in current_project().params().arms}
    unknown = check_known("arm", names, list(arms))
    if unknown:
        raise InputError("params.yaml does not state these arms:", unknown, f"Arms: {', '.join(arms)}")
    return [arms[name] for name in names or arms]


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Rows in columns, the first to the left, the others to the right."""
    cells = [list(map(str, row)) for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in cells]
    return ["  ".join(line).rstrip() for line in lines]
