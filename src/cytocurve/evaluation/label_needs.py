"""The labels that an arm's training sizes take, from its split."""

from collections.abc import Mapping

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.planner.labels import LabelNeeds
from cytocurve.core.runs import Arm
from cytocurve.study.design import read_split
from cytocurve.study.results import validation_images


def label_needs(project: ProjectPaths, params: Params, arm: Arm, patients: Mapping[str, str]) -> LabelNeeds:
    """The labels of an arm's runs; without its split, only the number of validation images.

    ``patients`` maps images to patients, where the patient is known. Raises ``InputError`` for a damaged split.
    """
    if not project.split(arm.labels).is_file():
        return LabelNeeds(validation_images(project, arm))
    return LabelNeeds.of(read_split(project, params, arm.labels), patients)
