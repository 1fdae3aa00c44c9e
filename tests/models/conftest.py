"""The contract suites cover every registered architecture, including the stand-ins."""

from tests.models.standins import register_all

register_all()
