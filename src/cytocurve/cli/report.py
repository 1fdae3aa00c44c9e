"""``cytocurve report`` and ``cytocurve figures``: results as a page, and as figures for a paper."""

import re

import click

from cytocurve.cli.shared import current_project, json_option, show

_UNITS = {"mm": 1.0, "cm": 10.0, "in": 25.4}


class Width(click.ParamType[float]):
    """A width with a unit, converted to millimeters."""

    name = "width"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Convert strings such as ``85mm``, ``8.5cm`` or ``3.35in`` to millimeters."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(mm|cm|in)", str(value))
        millimeters = float(match[1]) * _UNITS[match[2]] if match else 0.0
        if not 30 <= millimeters <= 500:
            self.fail(f"{value!r} is not a width from 30mm to 500mm; for example 85mm, 17.8cm or 3.35in", param, ctx)
        return millimeters


@click.command()
@click.option("--partial", is_flag=True, help="Show the runs that have finished so far, while others still train.")
@click.option("--watch", is_flag=True, help="Like --partial, and rebuild the page until all runs have finished.")
@json_option
def report(partial: bool, watch: bool, json_output: bool) -> None:
    """Rebuild the page -> reports/report.html.

    It shows the results of `evaluate`, or, with an option, of the runs that have finished so far.

    The page includes links to MLflow and training times if they are available on this machine. `dvc repro` also writes
    it; use this command after `dvc pull`, or with --partial or --watch during a sweep. A watched page reloads itself.

    \b
    dvc pull && cytocurve report
    cytocurve report --watch      in a second terminal, while a sweep runs
    """
    page = current_project().report(partial, watch)
    show(json_output, {"page": page}, lambda: f"Open {page}")


@click.command()
@click.option("--width", type=Width(), default="85mm", show_default=True, help="Width of each figure in mm, cm or in.")
@json_option
def figures(width: float, json_output: bool) -> None:
    """Draw figures for a paper -> reports/paper/.

    They are SVG and PDF files with embedded fonts.

    In most journals, one column is 85 mm wide and two columns are 178 mm.

    \b
    cytocurve figures --width 178mm
    """
    written = current_project().figures(width)
    show(json_output, {"files": written}, lambda: "\n".join(written))
