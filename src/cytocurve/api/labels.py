"""Label versions: list, compare, import, merge, review."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cytocurve.api.base import Base

if TYPE_CHECKING:
    from cytocurve.workflows.labels import Agreement, LabelDiff, VersionList
    from cytocurve.workflows.labels_write import ImportOutcome, MergeOutcome
    from cytocurve.workflows.review import ReviewOutcome


class LabelVerbs(Base):
    """The label versions of a dataset.

    ``dataset`` is a dataset in ``data/``, by default the one in ``params.yaml``; ``root`` reads the label files of an
    upstream folder instead.
    """

    def labels_list(self, dataset: str | None = None, root: str | Path | None = None) -> "VersionList":
        """Count the labels of each version.

        Args:
            dataset: A dataset in ``data/``, by default the one in ``params.yaml``.
            root: An upstream folder of that dataset, read instead of ``data/``.

        Returns:
            Counts by label version.

        Raises:
            InputError: Label versions cannot be used; the error lists every problem.

        Example:
            >>> project.labels_list().versions["folder"].classes
            {'dark': 20, 'light': 20}
        """
        from cytocurve.workflows.labels import list_versions

        return list_versions(self.paths, dataset, _path(root))

    def labels_diff(
        self, first: str, second: str, dataset: str | None = None, root: str | Path | None = None
    ) -> "LabelDiff":
        """Compare two label versions image by image.

        Args:
            first: A label version.
            second: The label version to compare it with.
            dataset: A dataset in ``data/``, by default the one in ``params.yaml``.
            root: An upstream folder of that dataset, read instead of ``data/``.

        Returns:
            The confusion matrix, and every image whose label changed.

        Raises:
            InputError: A version is unknown, or versions cannot be used.

        Example:
            >>> project.labels_merge(["folder", "second"], "both").votes["tie"]
            1
            >>> [(c.image, c.before, c.after) for c in project.labels_diff("both", "second").changed]
            [('light/cell000.png', 'light', 'dark')]
        """
        from cytocurve.workflows.labels import diff

        return diff(self.paths, first, second, dataset, _path(root))

    def labels_agreement(
        self, reference: str, *others: str, dataset: str | None = None, root: str | Path | None = None
    ) -> "Agreement":
        """Score label versions against a reference version, which is taken as the truth.

        Args:
            reference: A label version.
            others: The versions to score.
            dataset: A dataset in ``data/``, by default the one in ``params.yaml``.
            root: An upstream folder of that dataset, read instead of ``data/``.

        Returns:
            Cohen's kappa, sensitivity and specificity with 95 % intervals, by version.

        Raises:
            InputError: A version is unknown, or shares no labeled image with the reference.

        Example:
            >>> round(project.labels_agreement("folder", "second").versions["second"].kappa.value, 3)
            0.95
        """
        from cytocurve.workflows.labels import agreement_with

        return agreement_with(self.paths, reference, others, dataset, _path(root))

    def labels_import(
        self,
        file: str | Path,
        name: str,
        annotator: str,
        base: str | None = None,
        new_classes: Sequence[str] = (),
        dataset: str | None = None,
    ) -> "ImportOutcome":
        """Import a list of labels as a new version, and track it with DVC.

        Args:
            file: A ``.csv``, ``.xlsx`` or ``.xlsm`` file with the columns ``image`` and ``label``. Where a column
                ``corrected`` or ``new_label`` is filled, it takes precedence over ``label``.
            name: The new label version.
            annotator: Who assigned these labels.
            base: The version from which images missing in the file keep their labels.
            new_classes: Classes that no other version has.
            dataset: A dataset in ``data/``, by default the one in ``params.yaml``.

        Returns:
            Counts of the new version.

        Raises:
            InputError: The file cannot be used or the name is taken; every problem is listed, and nothing is written.

        Example:
            >>> file = project.paths.root / "review.csv"
            >>> _ = file.write_text("image,label\\nlight/cell002.png,dark\\n")
            >>> outcome = project.labels_import(file, "third", annotator="Dr A", base="folder")
            >>> outcome.changed, outcome.counts.classes
            (1, {'dark': 21, 'light': 19})
        """
        from cytocurve.workflows.labels_write import import_version

        return import_version(self.paths, Path(file), name, annotator, base, new_classes, dataset)

    def labels_merge(self, versions: Sequence[str], name: str, dataset: str | None = None) -> "MergeOutcome":
        """Merge label versions into their consensus, and track it with DVC.

        Args:
            versions: At least two label versions; ties go to the first one.
            name: The new label version.
            dataset: A dataset in ``data/``, by default the one in ``params.yaml``.

        Returns:
            Counts of the new version, and of images by kind of vote.

        Raises:
            InputError: A version is unknown, or the name is taken.

        Example:
            >>> project.labels_merge(["folder", "second"], "consensus").votes
            {'unanimous': 39, 'majority': 0, 'tie': 1, 'single': 0, 'unlabelled': 0}
        """
        from cytocurve.workflows.labels_write import merge_versions

        return merge_versions(self.paths, versions, name, dataset)

    def labels_review(self, arm: str, top: int = 60, overwrite: bool = False) -> "ReviewOutcome":
        """Rank the labels that an arm's own networks doubt -> ``reports/review/``.

        Args:
            arm: The name of an arm with results.
            top: The number of images on the page.
            overwrite: Replace a table that contains decisions.

        Returns:
            The paths of the table and the page, and the most suspect labels.

        Raises:
            InputError: The arm has no results, or the table already contains decisions.

        Example:
            >>> review = project.labels_review("sequential-none-folder", top=5)
            >>> review.images, len(review.suspects)
            (40, 5)
        """
        from cytocurve.workflows.review import review

        (chosen,) = self.arms([arm])
        with self._observed() as observer:
            return review(self.paths, chosen, top, observer.task("reading", "images"), overwrite)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
