"""Stage ``audit``: report duplicates, leakage, small classes and shortcuts before anything is trained."""

from cytocurve.config import ProjectPaths
from cytocurve.workflows.gate import AuditOutcome, audit_study


def audit(project: ProjectPaths) -> AuditOutcome:
    """Write ``reports/audit.json`` for the catalog and the split of each label version of the study.

    A refusal is returned in the outcome, not raised. Raises ``InputError`` if the catalog or the splits are
    missing or do not match.
    """
    return audit_study(project)
