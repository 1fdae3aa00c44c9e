"""Datasets and studies: add, describe, trace, withdraw."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytocurve.api.base import Base

if TYPE_CHECKING:
    from cytocurve.workflows.data_add import AddOutcome
    from cytocurve.workflows.data_info import DatasetInfo
    from cytocurve.workflows.data_list import DatasetList
    from cytocurve.workflows.data_trace import Trace
    from cytocurve.workflows.data_withdraw import WithdrawOutcome


class DataVerbs(Base):
    """Datasets below ``data/``, and published studies."""

    def data_add(
        self, name: str, path: str | Path | None = None, as_name: str | None = None, link: bool = False
    ) -> "AddOutcome":
        """Copy a dataset to ``data/`` and track it with DVC.

        Args:
            name: The name of a known dataset, see ``data_list``.
            path: Its folder or file; optional for ``starter`` and ``bloodmnist``.
            as_name: The name below ``data/``, by default ``name``.
            link: Make hard links instead of copies if the file system supports them.

        Returns:
            Counts of images, labels and patients, and the skipped files.

        Raises:
            InputError: The dataset, its files or the name cannot be used; nothing is left behind.
            CytocurveError: The disk is full, or DVC failed.

        Example:
            >>> project.data_add("folder", project.paths.data / "toy" / "images", as_name="cells").images
            40
        """
        from cytocurve.workflows.data_add import add

        with self._observed() as observer:
            return add(self.paths, name, None if path is None else Path(path), as_name, link, observer)

    def data_list(self) -> "DatasetList":
        """List the known datasets, and those in ``data/``.

        Returns:
            The known datasets with title and license, and the names of those present.

        Example:
            >>> project.data_list().here
            ['toy']
        """
        from cytocurve.workflows.data_list import list_datasets

        return list_datasets(self.paths)

    def data_info(self, name: str) -> "DatasetInfo":
        """Describe a dataset and its copy in ``data/`` without decoding images.

        Args:
            name: A folder below ``data/``, or a known dataset.

        Returns:
            Its origin, and counts of images, sizes, patients, folds and labels.

        Raises:
            InputError: The dataset is unknown, or some of its files cannot be used; the error lists them.

        Example:
            >>> info = project.data_info("toy")
            >>> info.here.sizes, info.here.patients.count
            ({'24x24': 40}, 7)
        """
        from cytocurve.workflows.data_info import info

        with self._observed() as observer:
            return info(self.paths, name, observer.task(name, "images"))

    def trace(self, image: str | None = None, patient: str | None = None) -> "Trace":
        """Find every run, curve and registered model that used an image, or the images of a patient.

        Args:
            image: Its path below ``images/``, or a unique file name; withdrawn images are found too.
            patient: A patient; specify either this or ``image``.

        Returns:
            The images, and the runs, curves and models that used them.

        Raises:
            InputError: The image or patient is unknown.
            ServiceError: The tracking store cannot be reached.

        Example:
            >>> trace = project.trace("cell003.png")
            >>> len(trace.runs), trace.curves[0].arm
            (9, 'sequential-none-folder')
        """
        from cytocurve.workflows.data_trace import trace

        with self._observed() as observer:
            return trace(self.paths, image, patient, observer.task("ledger", "runs"))

    def withdraw(self, patient: str, reason: str, dataset: str | None = None) -> "WithdrawOutcome":
        """Remove a patient from a dataset, record the withdrawal, and track the change with DVC.

        Args:
            patient: The patient whose images and labels are deleted from ``data/``.
            reason: The reason, recorded in ``withdrawn.csv`` with the date.
            dataset: A dataset in ``data/``, by default the one in ``params.yaml``.

        Returns:
            The removed images, and near-identical ones that were kept.

        Raises:
            InputError: The patient is unknown, the reason is blank, or the catalog does not match the data.

        Example:
            >>> project.withdraw("P3", "consent withdrawn").images
            ['dark/cell003.png', 'dark/cell017.png', 'dark/cell031.png', 'light/cell010.png', 'light/cell024.png',
             'light/cell038.png']
        """
        from cytocurve.workflows.data_withdraw import withdraw

        return withdraw(self.paths, patient, reason, dataset)

    def study_list(self) -> dict[str, str]:
        """List the published studies in ``studies/``.

        Returns:
            The title of each study by name.

        Example:
            >>> project.study_list()
            {}
        """
        from cytocurve.study.presets import studies

        return studies(self.paths)

    def study_use(self, name: str) -> dict[str, Any]:
        """Write the settings of a published study into ``params.yaml``, keeping its comments and other settings.

        Args:
            name: A study listed by ``study_list``.

        Returns:
            The changed settings.

        Raises:
            InputError: The study does not exist, or the result is not a valid ``params.yaml``.

        Example:
            >>> studies = project.paths.root / "studies"
            >>> studies.mkdir()
            >>> _ = (studies / "small.yaml").write_text("# A small one\\nsizes: [4, 8]\\n")
            >>> project.study_use("small")
            {'sizes': [4, 8]}
        """
        from cytocurve.study.presets import use

        return use(self.paths, name)
