"""What hypothesis does in all tests."""

from hypothesis import settings

# How long an example takes depends on what else the machine does.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
