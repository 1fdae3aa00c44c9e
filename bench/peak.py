"""The share of this core's measured peak of fused multiply-adds that a training step of the native engine reaches."""

import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

import numba
import numpy as np

from bench import harness
from bench.contenders import make_job
from cytocurve.models.engines.native import start as native_start
from cytocurve.models.jobs import Job
from cytocurve.models.kernels import simd
from cytocurve.models.kernels.simd import LANES

TURNS = 500_000
splat, fma = simd.splat, simd.multiply_add


@numba.njit
def _multiply_adds(turns: int, x: Any, out: Any) -> None:
    """Twelve independent chains: more than any core's latency times its units."""
    m = splat(x)
    a, b, c, d, e, f = splat(x), splat(x), splat(x), splat(x), splat(x), splat(x)
    g, h, i, j, k, n = splat(x), splat(x), splat(x), splat(x), splat(x), splat(x)
    for _ in range(turns):
        a, b, c, d, e, f = fma(a, m, m), fma(b, m, m), fma(c, m, m), fma(d, m, m), fma(e, m, m), fma(f, m, m)
        g, h, i, j, k, n = fma(g, m, m), fma(h, m, m), fma(i, m, m), fma(j, m, m), fma(k, m, m), fma(n, m, m)
    simd.store(out, 0, a + b + c + d + e + f + g + h + i + j + k + n)


def nominal_flops(job: Job) -> int:
    """Of a step by the network's definition: forward, and gradients of weights and of all inputs but the pixels."""
    settings: Any = job.architecture_settings
    (height, width, channels), total = job.images.shape[1:], 0
    for number, filters in enumerate(settings.filters):
        height, width = height - 2, width - 2
        total += (2 if number == 0 else 3) * height * width * 9 * channels * filters
        height, width, channels = height // 2, width // 2, filters
    total += sum(3 * a * b for a, b in pairwise([height * width * channels, *settings.dense, job.outputs]))
    return int(2 * job.batch_size * total)


def main() -> None:
    """Measure the peak and a step in turn."""
    given = harness.options(__doc__ or "", "python -m bench.peak --rounds 40", rounds=20)
    job = make_job("none", 200, 257, 1)
    rng = np.random.default_rng(0)
    trainer = native_start(job, rng)
    trainer.epoch(rng)
    peak_rate()
    peaks, steps, flops = [], [], nominal_flops(job)
    for _ in range(given.rounds):
        peaks.append(peak_rate() / 1e9)
        steps.append(_cpu(lambda: trainer.epoch(rng)) / 40)
    rates = [flops / step / 1e9 for step in steps]
    share = harness.ratio(rates, peaks)
    rows = [
        ["peak of float32 multiply-adds, one core", f"{median(peaks):.0f} GFLOP/s"],
        ["nominal work of a step", f"{flops / 1e6:.0f} MFLOP"],
        ["native step without validation", f"{median(steps) * 1e3:.2f} ms"],
        ["nominal rate of a step", f"{median(rates):.0f} GFLOP/s"],
        ["**share of the peak**", f"**{share:.0%}** (target: 60 %, {harness.verdict(share, 0.6)})"],
    ]
    harness.write(
        "peak",
        "Share of the peak",
        f"{harness.table(['', ''], rows)}\n\nNominal work is that of the definition. The engine does less: Winograd's "
        "F(2, 3) takes four multiplications where the definition has six, and of four outputs under a pooling window "
        "only the one that was kept has a gradient. A share above 100 % is therefore possible.",
    )


def peak_rate() -> float:
    """Float32 operations per second of multiply-adds on one core; the first call of a process compiles."""
    out = np.zeros(LANES, np.float32)
    return TURNS * 12 * 2 * LANES / _cpu(lambda: _multiply_adds(TURNS, np.float32(0.5), out))


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
