"""CPU time of an optimiser step, validation included: what people write with Keras against the engines."""

from collections.abc import Mapping
from statistics import median

from bench import harness

CONTENDERS = {
    "script": "A: `fit` on a generator, scipy",
    "pipeline": "B: `fit` on cached tf.data, Keras layers",
    "keras": "Keras engine",
    "native": "native engine",
}
WANTED = {
    ("none", "script"): 10,
    ("none", "pipeline"): 7,
    ("flip_rotate", "script"): 25,
    ("flip_rotate", "pipeline"): 12,
}
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


def main() -> None:
    """Measure all contenders in turn, some rounds."""
    given = harness.options(__doc__ or "", "python -m bench.steps --rounds 5", rounds=3, epochs=3)
    text = []
    for policy in ("none", "flip_rotate"):
        rounds = [_round(policy, given.epochs) for _ in range(given.rounds)]
        text.append(f"### {'Without augmentation' if policy == 'none' else 'With flips and rotations'}\n")
        text.append(_table(policy, rounds))
        slow = harness.ask("bench.contenders", "pipeline", "--policy", policy, "--epochs", "1", **{ONEDNN: "0"})
        text.append(f"\nB without oneDNN, the default on some processors: {slow['cpu']:.1f} ms.\n")
    harness.write(
        "steps",
        "CPU time per step",
        "Published network, 257x257, batches of 5, n = 200, validation on 25 images an epoch; milliseconds of CPU time "
        "of all threads a step, validation included, medians of "
        f"{given.rounds} rounds after two epochs of warm-up. oneDNN is on for all (`{ONEDNN}=1`): TensorFlow's own "
        "choice on processors with AVX-512 VNNI, and the faster one on others.\n\n" + "\n".join(text),
    )


def _round(policy: str, epochs: int) -> Mapping[str, float]:
    found = {}
    for name in CONTENDERS:
        arguments = (name, "--policy", policy, "--epochs", str(epochs))
        found[name] = harness.ask("bench.contenders", *arguments, **{ONEDNN: "1"})["cpu"]
    return found


def _table(policy: str, rounds: list[Mapping[str, float]]) -> str:
    native = [each["native"] for each in rounds]
    rows = []
    for name, title in CONTENDERS.items():
        ratio, wanted = harness.ratio([each[name] for each in rounds], native), WANTED.get((policy, name))
        target = f"{wanted}, {harness.verdict(ratio, wanted)}" if wanted else ""
        rows.append([title, f"{median(each[name] for each in rounds):.2f}", f"{ratio:.1f}", target])
    return harness.table(["", "ms", "times native", "target: at least"], rows)


if __name__ == "__main__":
    main()
