"""Seconds and memory of the stage ``evaluate`` for a large study, and the size of its page."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bench import harness
from cytocurve.config import ProjectPaths
from cytocurve.core.runs import Arm, digest
from cytocurve.core.statistics.metrics import score
from cytocurve.stores.tables import write_parquet
from cytocurve.study.design import about_results
from cytocurve.workflows.stages.evaluate import evaluate

SECONDS, MEMORY, PAGE = 60, 2048, 6
SIZES, FOLDS, IMAGES = range(10, 201, 10), 10, 25
PARAMS = """\
dataset: drawn
task: blast
labels: [expert]
architectures: [{architectures}]
augmentations: [none, flip_rotate]
folds: {folds}
sizes: [{sizes}]
seeds: [{seeds}]
image_size: 257
training: {{}}
settings: {{{settings}}}
"""


def main() -> None:
    """Draw the results of a study, and measure a child that evaluates them."""
    given = harness.options(__doc__ or "", "python -m bench.evaluate --runs 20000", runs=20_000, arms=10)
    with tempfile.TemporaryDirectory() as folder:
        runs = _draw(Path(folder), given.arms, given.runs // (given.arms * FOLDS * len(SIZES)))
        found = harness.ask("bench.evaluate", "--measure", folder)
    rows = [
        ["wall time", f"{found['wall']:.1f} s", _target(found["wall"], SECONDS, "s")],
        ["CPU time", f"{found['cpu']:.1f} s", ""],
        ["peak memory", f"{found['memory']:.0f} MiB", _target(found["memory"], MEMORY, "MiB")],
        ["report", f"{found['page']:.2f} MB", _target(found["page"], PAGE, "MB")],
    ]
    harness.write(
        "evaluate",
        f"Evaluation of {runs:,} runs",
        f"{given.arms} arms, {FOLDS} folds, {len(SIZES)} training sizes, {IMAGES} test images a run, scores drawn at "
        "random around rising curves.\n\n" + harness.table(["", "", "target: at most"], rows),
    )


def _target(found: float, wanted: float, unit: str) -> str:
    return f"{wanted} {unit}, {harness.verdict(found, wanted, at_most=True)}"


def _draw(root: Path, arms: int, seeds: int) -> int:
    names = [f"network{number}" for number in range(arms // 2)]
    (root / "params.yaml").write_text(
        PARAMS.format(
            architectures=", ".join(names),
            folds=FOLDS,
            sizes=", ".join(map(str, SIZES)),
            seeds=", ".join(map(str, range(seeds))),
            settings=", ".join(f"{name}: {{base: sequential, filters: [2, 3]}}" for name in names),
        ),
        encoding="utf-8",
    )
    project = ProjectPaths(root)
    return sum(_draw_arm(project, arm, number) for number, arm in enumerate(project.params().arms))


def _draw_arm(project: ProjectPaths, arm: Arm, number: int) -> int:
    rng = np.random.default_rng(number)
    labels = np.arange(IMAGES) % 2
    axes = [(fold, size, seed) for fold in range(FOLDS) for size in SIZES for seed in project.params().seeds]
    runs = pd.DataFrame(axes, columns=["fold", "size", "seed"]).assign(arm=arm.name, **vars(arm), epochs=100)
    runs["run_key"] = [digest([arm.name, *place]) for place in axes]
    evidence = 0.4 + 1.8 * (1 - runs["size"].to_numpy() ** -0.5) + 0.05 * number
    tables = []
    for subset in ("validation", "test"):
        positive = 1 / (1 + np.exp(-rng.normal(evidence[:, None] * (2 * labels - 1), 1.5)))  # (runs, images)
        table = runs[["run_key", "fold"]].loc[runs.index.repeat(IMAGES)].reset_index(drop=True)
        table["image"] = (
            table.pop("fold").astype(str) + f"-{subset}-" + np.tile(np.arange(IMAGES).astype(str), len(runs))
        )
        table["subset"], table["label"] = subset, np.tile(np.array(["negative", "positive"])[labels], len(runs))
        tables.append(table.assign(p_negative=1 - positive.ravel(), p_positive=positive.ravel()))
    scores = pd.DataFrame([score(labels, np.stack([1 - row, row], axis=1)) for row in positive])
    write_parquet(project.predictions(arm), pd.concat(tables, ignore_index=True))
    about = about_results(project, project.params(), arm, ["negative", "positive"])
    write_parquet(project.results(arm), pd.concat([runs, scores], axis=1), about)
    return len(runs)


def _silent(done: int, total: int) -> None:
    pass


def _measure(root: Path) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    evaluate(ProjectPaths(root), _silent)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    page = (root / "reports" / "report.html").stat().st_size / 1e6
    print(json.dumps({"wall": wall, "cpu": cpu, "memory": memory, "page": page}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measure(Path(sys.argv[2]))
    else:
        main()
