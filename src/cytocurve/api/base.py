"""The base of all project methods: paths, arms and the observer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cytocurve.errors import InputError
from cytocurve.progress import Observer, default_observer

if TYPE_CHECKING:
    from cytocurve.config import Params
    from cytocurve.core.runs import Arm
    from cytocurve.study.design import ArmDesign


class Base:
    """A study directory and its observer."""

    def __init__(self, path: str | Path = ".", observer: Observer | None = None) -> None:
        from cytocurve.config import ProjectPaths

        self.paths = ProjectPaths(Path(path))
        self._observer = observer

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.paths.root)!r})"

    def params(self) -> "Params":
        """Read and validate ``params.yaml``.

        Returns:
            The settings, as a frozen model.

        Raises:
            InputError: Settings are missing or invalid; the error lists all of them.

        Example:
            >>> project.params().folds
            4
        """
        return self.paths.params()

    def arms(self, names: Sequence[str] = ()) -> "list[Arm]":
        """Look up arms of the study.

        Args:
            names: Names of arms, ``<architecture>-<augmentation>-<label version>``; by default all arms.

        Returns:
            The arms, in the order of ``names``.

        Raises:
            InputError: ``params.yaml`` does not define some of these arms; the error lists them.

        Example:
            >>> [arm.name for arm in project.arms()]
            ['sequential-none-folder']
        """
        from cytocurve.text import check_known

        names = [names] if isinstance(names, str) else names
        arms = {arm.name: arm for arm in self.params().arms}
        if unknown := check_known("arm", names, list(arms)):
            raise InputError("params.yaml does not define these arms:", unknown, f"Arms: {', '.join(arms)}")
        return [arms[name] for name in names or arms]

    def _designs(self, names: Sequence[str]) -> "list[ArmDesign]":
        from cytocurve.study.design import design_arm

        params = self.params()
        return [design_arm(self.paths, params, arm) for arm in self.arms(names)]

    @contextmanager
    def _observed(self) -> Iterator[Observer]:
        """The observer for one call, closed afterwards so that the terminal is left clean."""
        observer = self._observer or default_observer()
        try:
            yield observer
        finally:
            observer.close()
