"""``cytocurve figures``: the study's figures at the width of a paper's column."""

from cytocurve.config import Project
from cytocurve.report.figures import draw
from cytocurve.stores.files import write_bytes
from cytocurve.study.answers import read_answers


def figures(project: Project, width_mm: float) -> list[str]:
    """Write every figure as SVG and PDF below ``reports/paper/``, and return their paths.

    Raises ``InputError`` where nothing was evaluated yet.
    """
    written = []
    for name, (svg, pdf) in draw(read_answers(project), width_mm).items():
        for ending, content in (("svg", svg), ("pdf", pdf)):
            path = project.reports / "paper" / f"{name}.{ending}"
            write_bytes(path, content)
            written.append(str(path.relative_to(project.root)))
    return written
