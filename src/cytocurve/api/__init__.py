"""``cytocurve.Project``: everything that the command line can do, from Python.

Each method calls one function of ``cytocurve.workflows``, where the rules are: the audit gate, publishing to MLflow and
the tracking of data by DVC. The command line calls the same methods.
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
        path: The directory that holds ``params.yaml``. A relative path is relative to the current directory.
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
        """Create a study directory of your own: pipeline, parameters, DVC settings.

        Args:
            path: A directory that is new or empty.

        Returns:
            The files that were created.

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
    """Read the answers of a study from its ``reports/answers.json``, without the rest of the study.

    Args:
        path: The file.

    Returns:
        The answers, as ``Project.answers`` returns them.

    Raises:
        InputError: The file is missing, or not one that this version of cytocurve can read.

    Example:
        >>> from cytocurve import load_answers
        >>> load_answers(project.paths.answers).chosen
        'sequential-none-folder'
    """
    from cytocurve.workflows.answers import load_answers as load

    return load(Path(path))
