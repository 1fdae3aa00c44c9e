"""How long a worker of the native engine takes to its first step: with no compiled kernels, and with them."""

import os
import tempfile
import time
from statistics import median

from bench import harness
from cytocurve.training import executors


def main() -> None:
    """Measure a cold and some warm starts."""
    given = harness.options(__doc__ or "", "python -m bench.cold_start --rounds 9", rounds=5)
    with tempfile.TemporaryDirectory() as cache:
        cold = _seconds(cache)
        warm = median(_seconds(cache) for _ in range(given.rounds))
    rows = [
        ["compiling kernels into an empty folder", f"{cold:.1f} s", f"30 s, {harness.verdict(cold, 30, True)}"],
        ["kernels cached", f"{warm:.2f} s", f"1 s, {harness.verdict(warm, 1, True)}"],
    ]
    harness.write(
        "cold_start",
        "Start of a worker",
        "Wall time from requesting a worker process to the end of its first augmented step, including imports.\n\n"
        + harness.table(["", "", "target: at most"], rows),
    )


def _seconds(cache: str) -> float:
    os.environ["CYTOCURVE_CACHE"] = cache
    began = time.perf_counter()
    with executors.load("processes")(1) as worker:
        worker.submit(_first_step).result()
        return time.perf_counter() - began


def _first_step() -> str:
    from bench import first_step  # here, because this process would spend the time of importing it too

    return first_step.run()


if __name__ == "__main__":
    main()
