"""The errors a user can meet, and the exit codes they map to.

::

    CytocurveError      exit 1: something failed on the way
    ├── InputError      exit 2: wrong usage, configuration or input
    └── ServiceError    exit 3: a service that was needed could not be reached
"""

from collections.abc import Sequence


class CytocurveError(Exception):
    """An error that is told to the user in one message: the broken rule, all offenders, the next step."""

    exit_code = 1

    def __init__(self, problem: str, offenders: Sequence[str] = (), hint: str = "") -> None:
        self.problem = problem
        self.offenders = tuple(offenders)
        self.hint = hint
        super().__init__(problem, self.offenders, hint)

    def __str__(self) -> str:
        lines = [self.problem, *(f"  - {offender}" for offender in self.offenders)]
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


class InputError(CytocurveError):
    """Wrong usage, configuration or input; ``offenders`` lists every one of them, not the first."""

    exit_code = 2


class ServiceError(CytocurveError):
    """A service that was needed could not be reached."""

    exit_code = 3
