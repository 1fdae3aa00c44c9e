"""No augmentation."""

from cytocurve.models.augmentation import Policy
from cytocurve.models.settings import NoSettings

POLICY = Policy(None, NoSettings)
