"""Where a step of the Keras engine spends its time: TensorFlow's own profile, by kind of operation."""

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench import contenders, harness

N = 200


def main() -> None:
    """Profile an epoch in a child, and write the table."""
    if sys.argv[1:] == ["child"]:
        print(json.dumps(profile()))
        return
    harness.options(__doc__ or "", "python -m bench.keras_profile")
    found = harness.ask("bench.keras_profile", "child", TF_ENABLE_ONEDNN_OPTS="1")
    total = found.pop("a step, unprofiled")
    inside = sum(found.values())
    rows = [[kind, f"{ms:.2f}", f"{ms / inside:.0%}"] for kind, ms in sorted(found.items(), key=lambda item: -item[1])]
    harness.write(
        "keras_profile",
        "Profile of the Keras engine",
        f"One process, one thread, n = {N}, no augmentation, validation included: {total:.1f} ms of CPU time per step "
        f"unprofiled; {inside:.1f} ms per step inside TensorFlow's operations in the profiled epoch. B runs the same "
        "operations: the engine's only advantage is that it runs two single-threaded processes.\n\n"
        + harness.table(["operation", "ms per step", "share"], rows),
    )


def profile() -> dict[str, float]:
    """Milliseconds per step by kind of operation, and of a whole step without the profiler."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    epoch, _ = contenders.keras_engine(contenders.make_job("none", N, 257, 1))
    epoch()
    began = time.process_time()
    epoch()
    seconds = time.process_time() - began
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        epoch()
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace.FromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    steps = N / contenders.BATCH
    kinds = {kind: ms / steps for kind, ms in _by_kind(space).items() if ms / steps >= 0.1}
    return kinds | {"a step, unprofiled": seconds * 1e3 / steps}


def _by_kind(space: Any) -> Counter[str]:
    """Milliseconds of each kind of operation: events are called ``name:Kind``."""
    found: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name, colon, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
                if colon and "/" in name:
                    found[kind.removeprefix("_MklNative")] += event.duration_ps / 1e9
    return found


if __name__ == "__main__":
    main()
