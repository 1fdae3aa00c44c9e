"""The stages of ``dvc.yaml`` as methods, and ``publish``."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytocurve.api.base import Base
from cytocurve.errors import InputError

if TYPE_CHECKING:
    from cytocurve.core.answers import Answers
    from cytocurve.stores.tracking.experiments import Published
    from cytocurve.workflows.gate import AuditOutcome
    from cytocurve.workflows.inventory import InventoryAudit
    from cytocurve.workflows.stages.catalog import CatalogReport
    from cytocurve.workflows.stages.challenger import ChallengerOutcome
    from cytocurve.workflows.stages.register import RegisterOutcome
    from cytocurve.workflows.stages.split import SplitSummary
    from cytocurve.workflows.stages.sweep import SweepOutcome
    from cytocurve.workflows.ui import UiServer


class StageVerbs(Base):
    """From images to a registered model."""

    def code(self) -> dict[str, int]:
        """Write digests of the code that each stage can reach -> ``build/code/``.

        Returns:
            The number of modules and files per stage.

        Example:
            >>> "evaluate" in project.code()
            True
        """
        from cytocurve.workflows.stages.code import code

        return code(self.paths)

    def settings(self) -> dict[str, Any]:
        """Write the settings that each stage uses, defaults included -> ``build/settings/``.

        Returns:
            The settings by stage; below ``sweep``, by arm.

        Raises:
            InputError: Settings are missing or invalid, or an arm cannot be trained; the error lists every problem.

        Example:
            >>> project.settings()["split"]["grow_by"]
            'images'
        """
        from cytocurve.workflows.stages.settings import settings

        return settings(self.paths)

    def catalog(self) -> "CatalogReport":
        """Decode all images and check all labels -> ``build/catalog.parquet``.

        Returns:
            Counts, duplicates and conflicting labels.

        Raises:
            InputError: Images are damaged or labels are inconsistent; the error lists every problem.

        Example:
            >>> project.catalog().images
            40
        """
        from cytocurve.workflows.stages.catalog import catalog

        with self._observed() as observer:
            return catalog(self.paths, observer.task("catalog", "images"))

    def split(self) -> "dict[str, SplitSummary]":
        """Draw folds and nested training sets -> ``build/split/``.

        Returns:
            A summary by label version.

        Raises:
            InputError: There are not enough images, patients or classes for the study.

        Example:
            >>> project.split()["folder"].classes
            {'negative': 20, 'positive': 20}
        """
        from cytocurve.workflows.stages.split import split

        return split(self.paths)

    def audit(self) -> "AuditOutcome":
        """Find duplicates, leakage and shortcuts -> ``reports/audit.json``.

        Returns:
            The findings; ``refusal`` is the error that ``sweep`` would raise because of them, or None.

        Raises:
            InputError: The catalog or the splits are missing or do not match.

        Example:
            >>> outcome = project.audit()
            >>> outcome.refusal is None, [finding.id for finding in outcome.audit.leaks]
            (True, ['patient-leak'])
        """
        from cytocurve.workflows.stages.audit import audit

        return audit(self.paths)

    def audit_inventory(self, file: str | Path, dataset: str | None = None) -> "InventoryAudit":
        """Find byte-identical files in a list of files, before downloading any image.

        Args:
            file: CSV, gzipped or not, with the columns ``path``, ``bytes`` and ``sha256``.
            dataset: The dataset that defines how paths encode patients and official folds.

        Returns:
            The pairs, and the patients concerned.

        Raises:
            InputError: The file cannot be used (every offending line is listed), or the dataset is unknown.

        Example:
            >>> import hashlib, pathlib, tempfile
            >>> digest = hashlib.sha256(b"cell").hexdigest()
            >>> file = pathlib.Path(tempfile.mkdtemp()) / "files.csv"
            >>> _ = file.write_text(f"path,bytes,sha256\\na.png,4,{digest}\\nb.png,4,{digest}\\n")
            >>> project.audit_inventory(file).byte_identical_pairs
            1
        """
        from cytocurve.workflows.inventory import audit_inventory

        return audit_inventory(Path(file), dataset)

    def sweep(
        self, arms: Sequence[str] = (), workers: int = 2, executor: str | Callable[[], Executor] = "processes"
    ) -> "dict[str, SweepOutcome]":
        """Train the runs that are not in the ledger, write ``results/`` and publish the runs to MLflow.

        Nothing is trained if the audit fails (``leakage: fail`` or ``duplicates: fail``).

        Args:
            arms: Names of arms; by default all arms of the study.
            workers: Number of worker processes, one thread each.
            executor: ``processes``, ``serial`` (in this process, for debugging), or a function that returns a
                ``concurrent.futures.Executor``, for example for a cluster. It must return a new one each
                time: it is called once per arm, and again after a crash.

        Returns:
            Counts of runs by arm.

        Raises:
            CytocurveError: The audit failed, or runs failed (raised after all others have finished).
            InputError: Invalid arguments or settings, missing splits, or images that changed after cataloguing.

        Example:
            >>> outcome = project.sweep()["sequential-none-folder"]
            >>> outcome.runs, outcome.found, outcome.trained, outcome.published
            (12, 12, 0, 12)
        """
        from cytocurve.training.executors import EXECUTORS
        from cytocurve.workflows.stages.sweep import sweep

        if workers < 1:
            raise InputError(f"workers: expected at least 1, got {workers}")
        if isinstance(executor, str) and executor not in EXECUTORS:
            raise InputError(f"executor {executor!r} is unknown", hint=f"Executors: {', '.join(EXECUTORS)}")
        make = (lambda: EXECUTORS[executor](workers)) if isinstance(executor, str) else executor
        designs = self._designs(arms)
        with self._observed() as observer:
            return sweep(self.paths, designs, make, observer)

    def publish(self, arms: Sequence[str] = ()) -> "dict[str, Published]":
        """Publish the finished runs in the ledger to MLflow; safe to repeat.

        Args:
            arms: Names of arms; by default all arms of the study.

        Returns:
            The number of created and of already present runs, by arm.

        Raises:
            CytocurveError: The audit failed, as in ``sweep``.
            InputError: Invalid settings, or splits that cannot be used.
            ServiceError: The tracking store cannot be reached.

        Example:
            >>> project.publish()["sequential-none-folder"].present
            12
        """
        from cytocurve.workflows.publish import publish

        designs = self._designs(arms)
        with self._observed() as observer:
            return publish(self.paths, designs, observer)

    def evaluate(self) -> "Answers":
        """Compute answers, metrics, tables, figures and the page -> ``reports/``.

        Returns:
            The answers, as ``answers()`` reads them afterwards.

        Raises:
            InputError: Results of some arms are missing or cannot be used; the error lists them.

        Example:
            >>> sorted(project.evaluate().arms)
            ['sequential-none-folder']
        """
        from cytocurve.workflows.stages.evaluate import evaluate

        with self._observed() as observer:
            return evaluate(self.paths, observer.task("evaluating", "arms"))

    def register(self) -> "RegisterOutcome":
        """Register the model of the arm with the best validation score as challenger -> ``reports/model.json``.

        A model that is registered already gets no second version. In an experiment of DVC, the alias ``challenger`` is
        not moved.

        Returns:
            The model, its version, its arm and its member runs, and whether it is the challenger.

        Raises:
            InputError: Results or weights are missing.
            ServiceError: The registry cannot be reached.

        Example:
            >>> outcome = project.register()
            >>> outcome.model, outcome.arm
            ('toy-dark-vs-light', 'sequential-none-folder')
        """
        from cytocurve.workflows.stages.register import register

        return register(self.paths)

    def challenger(self) -> "ChallengerOutcome":
        """Move the alias ``challenger`` to the model of the present results, if it is elsewhere.

        In an experiment of DVC, the alias stays, and the next ``dvc repro`` outside of one moves it.

        Returns:
            The model and its version.

        Raises:
            InputError: The model of the present results is not registered.
            ServiceError: The registry cannot be reached.

        Example:
            >>> _ = project.register()
            >>> project.challenger().version
            1
        """
        from cytocurve.workflows.stages.challenger import challenger

        return challenger(self.paths)

    def ui_server(self, port: int = 5000) -> "UiServer":
        """Prepare an MLflow server for this machine, without starting it.

        Args:
            port: The port on 127.0.0.1.

        Returns:
            The command, the environment variables it needs, and the URL of the learning curves.

        Raises:
            InputError: The tracking store is a server, which has its own user interface, or the port is in use.

        Example:
            >>> project.ui_server(port=5123).url
            'http://127.0.0.1:5123/#/experiments/1/runs?...'
        """
        from cytocurve.workflows.ui import ui_server

        return ui_server(self.paths, port)
