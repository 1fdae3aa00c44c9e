"""The results of a study: answers, tables, forecasts, comparisons, figures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cytocurve.api.base import Base

if TYPE_CHECKING:
    import pandas as pd

    from cytocurve.core.answers import Answers, ComparisonAnswer, PlanAnswer, Validation
    from cytocurve.study.looks import Look
    from cytocurve.workflows.figure import Figure


class ResultVerbs(Base):
    """Methods that read and compare results."""

    def answers(self) -> "Answers":
        """Read everything that the stage ``evaluate`` computed, from ``reports/answers.json``.

        Returns:
            The answers of the study.

        Raises:
            InputError: The study has not been evaluated, or ``params.yaml`` has changed since then.

        Example:
            >>> project.answers().chosen
            'sequential-none-folder'
        """
        from cytocurve.evaluation.answers import read_answers

        return read_answers(self.paths)

    def curves(self, metric: str = "roc_auc") -> "pd.DataFrame":
        """Get the learning curves of all arms.

        Args:
            metric: A metric of the study.

        Returns:
            One row per arm and training size: ``arm, size, mean, sd, median, q1, q3, ci_low, ci_high, n``, with 95 %
            intervals.

        Raises:
            InputError: The metric is unknown, or the study has not been evaluated.

        Example:
            >>> project.curves()[["arm", "size", "n"]]
                                  arm  size  n
            0  sequential-none-folder     4  4
            1  sequential-none-folder     8  4
            2  sequential-none-folder    16  4
        """
        from cytocurve.workflows.frames import curves_table

        return curves_table(self.paths, metric)

    def runs(self, arms: Sequence[str] = ()) -> "pd.DataFrame":
        """Get the scores of all runs.

        Args:
            arms: Names of arms; by default all arms of the study.

        Returns:
            One row per run: ``arm, architecture, augmentation, labels, fold, size, seed, run_key, epochs`` and a column
            per metric, on the run's test images.

        Raises:
            InputError: Results of some arms are missing or cannot be used; the error lists them.

        Example:
            >>> project.runs().groupby("size")["roc_auc"].count().to_dict()
            {4: 4, 8: 4, 16: 4}
        """
        from cytocurve.workflows.frames import runs_table

        return runs_table(self.paths, self.arms(arms))

    def predictions(self, subset: str = "test", arms: Sequence[str] = ()) -> "pd.DataFrame":
        """Get the predicted probabilities of all runs.

        Args:
            subset: ``test`` or ``validation``.
            arms: Names of arms; by default all arms of the study.

        Returns:
            One row per run and image: ``arm, run_key, image, label`` and a column ``p_<class>`` per class.

        Raises:
            InputError: The subset is unknown, or predictions of an arm are missing or damaged.

        Example:
            >>> list(project.predictions().columns)
            ['arm', 'run_key', 'image', 'label', 'p_negative', 'p_positive']
        """
        from cytocurve.workflows.frames import predictions_table

        return predictions_table(self.paths, self.arms(arms), subset)

    def plan(self, target: float | None = None, metric: str = "roc_auc", arms: Sequence[str] = ()) -> "PlanAnswer":
        """Forecast how many labeled images a target needs.

        Args:
            target: The mean score to reach, above 0 and up to 1; by default each arm's most informative one.
            metric: A metric of the study.
            arms: Names of arms; by default all arms of the study.

        Returns:
            The forecast of each arm with its back-tests, and what the target needs: the probability that each number
            of training images reaches it, the sizes at 10, 50 and 90 %, and the labels in all.

        Raises:
            InputError: The metric or an arm is unknown, the target is out of range, or results are missing.

        Example:
            >>> answer = project.plan(0.95)
            >>> answer.arms["sequential-none-folder"].plan.largest
            16
        """
        from cytocurve.workflows.plan import plan

        return plan(self.paths, self.arms(arms), metric, target)

    def compare(
        self,
        *arms: str,
        metric: str = "roc_auc",
        at: Sequence[str] = (),
        judge: str | None = None,
        independent: bool = False,
    ) -> "ComparisonAnswer":
        """Test whether arms differ, pair by pair.

        Args:
            arms: Names of arms, ``REVISION:ARM`` for the results of another commit, or ``mlflow:EXPERIMENT:ARM`` for
                those in the tracking store; by default all arms of the study.
            metric: A metric of the study.
            at: Training sizes, or ``area`` for the area under the learning curve; by default all.
            judge: A label version that scores all arms.
            independent: Compare independent seeds instead of folds.

        Returns:
            The arms with their mean scores, the comparisons (the second arm minus the first) with Holm-adjusted
            p-values and what would settle them, and the pairs that cannot be compared.

        Raises:
            InputError: Arms, sizes, metric or judge are unknown, or results are missing.
            ServiceError: The tracking store cannot be reached.

        Example:
            >>> answer = project.compare("sequential-none-folder", "HEAD:sequential-none-folder", at=["16"])
            Traceback (most recent call last):
            ...
            cytocurve.errors.InputError: ...
        """
        from cytocurve.workflows.compare import compare

        return compare(self.paths, arms, metric, at, judge, independent)

    def validate(
        self,
        version: str | int | None = None,
        dataset: str | None = None,
        labels: str | None = None,
        holdout: bool = False,
        reason: str | None = None,
    ) -> "Validation":
        """Score a registered model on images it has not seen -> ``reports/validation/``.

        Args:
            version: A version number or alias of the study's model; by default the champion, else the challenger.
            dataset: A dataset in ``data/`` to score it on; specify either this or ``holdout``.
            labels: The label version to judge by; by default the dataset's only one, or the one of the model.
            holdout: Score it on the images that ``holdout`` in ``params.yaml`` locks away.
            reason: The reason for a look at the holdout, which is recorded with the date.

        Returns:
            Scores with 95 % intervals by patient, the difference from the study, calibration, the scores of each
            class, the most confident errors, and which images were left out and why.

        Raises:
            InputError: There is no such version, dataset or holdout, or too few of the images can be scored.
            ServiceError: The registry cannot be reached.

        Example:
            >>> project.validate(holdout=True, reason="final score")
            Traceback (most recent call last):
            ...
            cytocurve.errors.InputError: ...
        """
        from cytocurve.workflows.validate import validate

        wanted = None if version is None else str(version)
        with self._observed() as observer:
            return validate(self.paths, wanted, dataset, labels, holdout, reason, observer)

    def looks(self) -> "list[Look]":
        """List the recorded looks at the study's holdout.

        Returns:
            Date, reason, model version and score of each look, oldest first.

        Raises:
            InputError: The record is damaged.

        Example:
            >>> project.looks()
            []
        """
        from cytocurve.study.looks import read_looks

        return read_looks(self.paths)

    def figure(self, name: str = "curves", width_mm: float = 85.0) -> "Figure":
        """Draw a figure that displays itself in a notebook.

        Args:
            name: ``curves``, ``boxplot``, ``forecast``, ``roc``, ``confusion`` or ``reliability``.
            width_mm: Its width in millimeters; a column of most journals is 85 mm wide.

        Returns:
            The figure, with ``svg``, ``pdf`` and ``save(path)``.

        Raises:
            InputError: The study has not been evaluated, or it has no such figure.

        Example:
            >>> project.figure("curves")
            Figure(name='curves')
        """
        from cytocurve.workflows.figure import figure

        return figure(self.paths, name, width_mm)

    def figures(self, width_mm: float = 85.0) -> list[str]:
        """Write every figure for a paper, SVG and PDF with embedded fonts -> ``reports/paper/``.

        Args:
            width_mm: The width of the figures in millimeters.

        Returns:
            The paths of the files, relative to the project.

        Raises:
            InputError: The study has not been evaluated.

        Example:
            >>> "reports/paper/curves.svg" in project.figures()
            True
        """
        from cytocurve.workflows.figures import figures

        return figures(self.paths, width_mm)

    def report(self, partial: bool = False, watch: bool = False) -> str:
        """Rebuild the page -> ``reports/report.html``.

        Args:
            partial: Build it from the runs that have finished so far instead of the stored answers.
            watch: Like ``partial``, and rebuild it whenever runs have finished, until all have.

        Returns:
            The path of the page, relative to the project.

        Raises:
            InputError: The study has not been evaluated, or no run has finished yet.

        Example:
            >>> project.report()
            'reports/report.html'
        """
        from cytocurve.workflows import report

        if watch:
            with self._observed() as observer:
                return report.watch(self.paths, self._designs(()), observer.message).page
        if partial:
            return report.partial_report(self.paths, self._designs(())).page
        return report.report(self.paths)
