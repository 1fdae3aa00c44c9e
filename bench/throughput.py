"""Steps per second of the whole machine: Keras in one process, as people write it, against two workers of an engine."""

from statistics import median

from bench import harness
from bench.steps import ONEDNN

CASES = [("native", "flip_rotate", 12), ("keras", "none", 2)]


def main() -> None:
    """Measure B and an engine in turn, some rounds."""
    given = harness.options(__doc__ or "", "python -m bench.throughput --rounds 5", rounds=3, epochs=4, workers=2)
    rows = []
    for engine, policy, wanted in CASES:
        rounds = [
            (_steps("pipeline", policy, given.epochs, 1), _steps(engine, policy, given.epochs, given.workers))
            for _ in range(given.rounds)
        ]
        ratio = harness.ratio([ours for _, ours in rounds], [theirs for theirs, _ in rounds])
        theirs, ours = (median(values) for values in zip(*rounds, strict=True))
        rows.append(
            [
                engine,
                policy,
                f"{theirs:.0f}",
                f"{ours:.0f}",
                f"{ratio:.1f}",
                f"{wanted}, {harness.verdict(ratio, wanted)}",
            ]
        )
    harness.write(
        "throughput",
        "Throughput of the whole machine",
        f"Steps per second at n = 200: B in one process with TensorFlow's own threads, the engine in {given.workers} "
        f"processes of one thread; oneDNN on for all; medians of {given.rounds} rounds.\n\n"
        + harness.table(["engine", "augmentation", "B", "engine", "times B", "target: at least"], rows),
    )


def _steps(name: str, policy: str, epochs: int, processes: int) -> float:
    """Steps per second of that many processes at once."""
    arguments = (name, "--policy", policy, "--epochs", str(epochs * (10 if name == "native" else 1)))
    running = [harness.start("bench.contenders", *arguments, **{ONEDNN: "1"}) for _ in range(processes)]
    return float(sum(1e3 / harness.answer(child)["wall"] for child in running))


if __name__ == "__main__":
    main()
