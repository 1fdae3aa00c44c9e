"""``cytocurve publish``: bring MLflow up to date with the runs of arms."""

from collections.abc import Sequence

from cytocurve.config import ProjectPaths
from cytocurve.progress import Observer
from cytocurve.stores.tracking.experiments import Published
from cytocurve.study.design import ArmDesign
from cytocurve.training.publisher import publish as publish_arm


def publish(project: ProjectPaths, designs: Sequence[ArmDesign], observer: Observer) -> dict[str, Published]:
    """Publish the ledger's runs of these arms; what was created and what was present already, by arm.

    Safe to repeat. Raises ``ServiceError`` if the tracking store cannot be used.
    """
    return {design.arm.name: publish_arm(project, design, observer.task(design.arm.name, "runs")) for design in designs}
