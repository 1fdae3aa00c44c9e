"""``cytocurve.Project``: everything that the command line can do, from Python.

Each method calls one function in ``cytocurve.workflows``, which implements the audit gate, publishing to MLflow and
tracking data with DVC. The command line calls the same methods.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from cytocurve.api.data import DataVerbs
from cytocurve.api.labels import LabelVerbs
from cytocurve.api.results import ResultVerbs
from cytocurve.api.stages import StageVerbs

if TYPE_CHECKING:
    from cytocurve.core.answers import Answers

__all__ = ["Project", "load_answers"]


class Project(StageVerbs, ResultVerbs, DataVerbs, LabelVerbs):
    """A study directory, with every command of cytocurve as a method.

    Args:
        path: The directory that contains ``params.yaml``.
        observer: Receives progress and messages, see ``cytocurve.progress``. By default, progress bars if stderr is a
            terminal, else the logger ``cytocurve``: progress at level INFO, warnings at level WARNING. Pass
            ``cytocurve.progress.Silent()`` for neither.

    Example:
        >>> from cytocurve import Project
        >>> study = Project(project.paths.root)
        >>> study.params().sizes
        [4, 8, 16]
    """

    @staticmethod
    def init(path: str | Path) -> list[str]:
        """Create a study directory with a pipeline, parameters and DVC settings.

        Args:
            path: A new or empty directory.

        Returns:
            The names of the created files; none if the directory already contains a complete, unchanged study.

        Raises:
            InputError: The directory is not empty; the error lists what is in the way.

        Example:
            >>> import pathlib, tempfile
            >>> "params.yaml" in Project.init(pathlib.Path(tempfile.mkdtemp()) / "study")
            True
        """
        from cytocurve.workflows.init import init

        return init(Path(path))


def load_answers(path: str | Path) -> "Answers":
    """Read the answers of a study from its ``reports/answers.json``; no other file of the study is needed.

    Args:
        path: The file.

    Returns:
        The answers, as ``Project.answers`` returns them.

    Raises:
        InputError: The file is missing, or this version of cytocurve cannot read it.

    Example:
        >>> from cytocurve import load_answers
        >>> load_answers(project.paths.answers).chosen
        'sequential-none-folder'
    """
    from cytocurve.workflows.answers import load_answers as load

    return load(Path(path))
