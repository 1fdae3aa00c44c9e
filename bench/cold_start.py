"""How long a worker of the native engine takes to its first step: with no compiled kernels, and with them."""

import tempfile
import time
from statistics import median

from bench import harness


def main() -> None:
    """Measure a cold and some warm starts."""
    given = harness.options(__doc__ or "", "python -m bench.cold_start --rounds 9", rounds=5)
    with tempfile.TemporaryDirectory() as cache:
        cold = _seconds(cache)
        warm = median(_seconds(cache) for _ in range(given.rounds))
    rows = [
        ["kernels compiled into an empty folder", f"{cold:.1f} s", f"30 s, {harness.verdict(cold, 30, True)}"],
        ["kernels there", f"{warm:.2f} s", f"1 s, {harness.verdict(warm, 1, True)}"],
    ]
    harness.write(
        "cold_start",
        "Start of a worker",
        "Wall time from starting Python to the end of the first augmented step, imports included.\n\n"
        + harness.table(["", "", "asked: at most"], rows),
    )


def _seconds(cache: str) -> float:
    began = time.perf_counter()
    harness.ask("bench.first_step", CYTOCURVE_CACHE=cache)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
