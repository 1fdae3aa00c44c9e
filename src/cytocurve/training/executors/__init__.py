"""Executors that run a sweep's trainings, one per file.

A module of this package that defines ``EXECUTOR``, a function from the number of workers to a
``concurrent.futures.Executor``, is an executor that a sweep can name.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor

from cytocurve import registry


def names() -> list[str]:
    """Names of all members, sorted."""
    return registry.members(__name__)


def load(name: str) -> Callable[[int], Executor]:
    """The executor of that name; raises ``KeyError`` if there is none."""
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
