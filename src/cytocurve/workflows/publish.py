"""``cytocurve publish``: publish the finished runs of arms to MLflow."""

from collections.abc import Sequence

from cytocurve.config import ProjectPaths
from cytocurve.progress import Observer
from cytocurve.stores.tracking.experiments import Published
from cytocurve.study.design import ArmDesign
from cytocurve.training.publisher import publish as publish_arm
from cytocurve.workflows.gate import require_audit


def publish(project: ProjectPaths, designs: Sequence[ArmDesign], observer: Observer) -> dict[str, Published]:
    """Publish the finished runs of these arms; returns the counts of created and existing runs by arm.

    Safe to repeat. Raises ``CytocurveError`` if the audit fails, as ``sweep`` does, ``ServiceError`` if the tracking
    store cannot be used.
    """
    require_audit(project)
    return {design.arm.name: publish_arm(project, design, observer.task(design.arm.name, "runs")) for design in designs}
