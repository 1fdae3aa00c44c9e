"""``cytocurve report`` and ``cytocurve figures``: the results as a page, and as figures for a paper."""

import re
from typing import Any

import click

from cytocurve.cli.shared import as_json, current_project, show

_UNITS = {"mm": 1.0, "cm": 10.0, "in": 25.4}


class Width(click.ParamType[float]):
    """A width with its unit, in millimetres."""

    name = "width"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Millimetres of texts such as ``85mm``, ``8.5cm`` or ``3.35in``."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(mm|cm|in)", str(value))
        millimetres = float(found[1]) * _UNITS[found[2]] if found else 0.0
        if not 30 <= millimetres <= 500:
            self.fail(f"{value!r} is not a width from 30mm to 500mm; for example 85mm, 17.8cm or 3.35in", param, ctx)
        return millimetres


@click.command()
@as_json
def report(machine: bool) -> None:
    """Rebuild the page from the answers of the stage evaluate -> reports/report.html.

    With links to the runs in MLflow and the training time, as known on this computer. `dvc repro` builds the page too;
    after `dvc pull`, use this command.

    \b
    dvc pull && cytocurve report
    """
    from cytocurve.workflows.report import report as run

    figures = run(current_project())
    show(machine, figures, lambda: f"Open {figures['page']}")


@click.command()
@click.option("--width", type=Width(), default="85mm", show_default=True, help="Width of a figure: mm, cm or in.")
@as_json
def figures(width: float, machine: bool) -> None:
    """Draw figures for a paper, SVG and PDF with embedded fonts -> reports/paper/.

    One column of most journals is 85 mm wide, two are 178 mm.

    \b
    cytocurve figures --width 178mm
    """
    from cytocurve.workflows.figures import figures as run

    written = run(current_project(), width)
    show(machine, {"files": written}, lambda: "\n".join(written))
