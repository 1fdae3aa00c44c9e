"""Errors shown to the user, and their exit codes.

::

    CytocurveError      exit 1: an operation failed
    ├── InputError      exit 2: wrong usage, configuration or input
    └── ServiceError    exit 3: a required service could not be reached
"""

import errno
from collections.abc import Sequence

SHOWN = 10
"""The number of offenders that a message lists before it counts the others; the error itself holds all of them."""


NOT_A_PATH = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR)
"""Errors of the operating system that are about a path itself, not about the state of the machine."""

REMEDIES = {
    errno.EACCES: "check the permissions of this path and of its folder, then rerun the command",
    errno.EPERM: "check the permissions of this path and of its folder, then rerun the command",
    errno.EROFS: "use a file system that can be written",
    errno.ENOSPC: "free some space, then rerun the command",
    errno.EDQUOT: "free some space, then rerun the command",
    errno.ENAMETOOLONG: "use a shorter name",
}
"""What helps against errors of the operating system."""


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


def from_os_error(error: OSError) -> CytocurveError:
    """The error for one of the operating system: its path, the reason in words, and what helps."""
    kind = InputError if error.errno in NOT_A_PATH else CytocurveError
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    reason = error.strerror or str(error) or type(error).__name__
    return kind(": ".join([*names, reason]), next_step=REMEDIES.get(error.errno or 0, ""))
