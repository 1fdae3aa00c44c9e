"""Executors for the runs of a sweep, one per module.

Each module defines ``EXECUTOR``, a function that takes the number of workers and returns a
``concurrent.futures.Executor``; its name can be passed to a sweep.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor

from cytocurve import registry


def names() -> list[str]:
    """The names of all executors, sorted."""
    return registry.members(__name__)


def load(name: str) -> Callable[[int], Executor]:
    """The executor with that name; raises ``KeyError`` if it does not exist."""
    executor: Callable[[int], Executor] = registry.load(__name__, name, "EXECUTOR")
    return executor


class _Executors(Mapping[str, Callable[[int], Executor]]):
    def __getitem__(self, name: str) -> Callable[[int], Executor]:
        return load(name)

    def __iter__(self) -> Iterator[str]:
        return iter(names())

    def __len__(self) -> int:
        return len(names())


EXECUTORS: Mapping[str, Callable[[int], Executor]] = _Executors()
