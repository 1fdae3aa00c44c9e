"""Errors shown to the user, and their exit codes.

::

    CytocurveError      exit 1: an operation failed
    ├── InputError      exit 2: wrong usage, configuration or input
    └── ServiceError    exit 3: a required service could not be reached
"""

from collections.abc import Sequence

SHOWN = 10
"""The number of offenders that a message lists before it counts the others; the error itself holds all of them."""


class CytocurveError(Exception):
    """An error shown to the user as one message.

    ``problem`` states the violated rule, ``offenders`` lists everything that violates it, ``hint`` says what is
    allowed, and ``next_step`` says what to do next.
    """

    exit_code = 1

    def __init__(self, problem: str, offenders: Sequence[str] = (), hint: str = "", next_step: str = "") -> None:
        self.problem = problem
        self.offenders = tuple(offenders)
        self.hint = hint
        self.next_step = next_step
        super().__init__(problem, self.offenders, hint, next_step)

    def __str__(self) -> str:
        lines = [self.problem, *(f"  - {offender}" for offender in self.offenders[:SHOWN])]
        if len(self.offenders) > SHOWN:
            lines.append(f"  - and {len(self.offenders) - SHOWN:,} more")
        if self.hint:
            lines.append(self.hint)
        if self.next_step:
            lines.append(f"Next: {self.next_step}")
        return "\n".join(lines)


class InputError(CytocurveError):
    """Wrong usage, configuration or input; ``offenders`` lists all problems, not only the first."""

    exit_code = 2


class ServiceError(CytocurveError):
    """A required service could not be reached."""

    exit_code = 3
