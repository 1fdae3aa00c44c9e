"""``cytocurve figures``: write the study's figures at the column width of a paper."""

from cytocurve.config import ProjectPaths
from cytocurve.evaluation.answers import read_answers
from cytocurve.files import write_bytes
from cytocurve.report.figures import draw


def figures(project: ProjectPaths, width_mm: float) -> list[str]:
    """Write every figure as SVG and PDF to ``reports/paper/``; returns their paths.

    Raises ``InputError`` if the study has not been evaluated.
    """
    written = []
    for name, (svg, pdf) in draw(read_answers(project), width_mm).items():
        for ending, content in (("svg", svg), ("pdf", pdf)):
            path = project.reports / "paper" / f"{name}.{ending}"
            write_bytes(path, content)
            written.append(str(path.relative_to(project.root)))
    return written
