"""The contract suites meet every architecture that is registered, the stand-ins included."""

from tests.models.standins import register_all

register_all()
