"""Helpers shared by all commands: the current project, and output as text or JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from cytocurve.api import Project
from cytocurve.text import some

json_option = click.option("--json", "json_output", is_flag=True, help="Print the result as JSON.")


def current_project() -> Project:
    """The project in the current directory."""
    return Project(Path())


def show(json_output: bool, result: object, text: Callable[[], str]) -> None:
    """Print a result as JSON or as readable text."""
    click.echo(json.dumps(result, indent=1) if json_output else text())


def table(header: Sequence[object], rows: Sequence[Sequence[object]]) -> list[str]:
    """Format rows in columns, the first column left-aligned, the others right-aligned."""
    cells = [list(map(str, row)) for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in cells]
    return ["  ".join(line).rstrip() for line in lines]


def listed(counts: Mapping[str, object]) -> str:
    """Join names and counts with commas, underscores shown as spaces."""
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())


def named(counts: Mapping[str, object]) -> str:
    """Join the first names and counts with commas, and say how many more there are."""
    return some([f"{name} {count}" for name, count in counts.items()])
