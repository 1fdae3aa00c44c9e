"""A fresh clone of the repository in which a real study is run by the real commands."""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bench.harness import ROOT

DVC_NO_ANALYTICS = {"DVC_NO_ANALYTICS": "1"}


@dataclass(frozen=True)
class Cost:
    """What a command printed and used: wall seconds, CPU seconds of all its processes, and peak MiB of the largest."""

    output: str
    wall: float
    cpu: float
    memory: float


def clone(folder: Path, changes: Mapping[str, Any]) -> Path:
    """A clone of the committed state with the starter dataset and these changes of ``params.yaml``."""
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    if (ROOT / "data" / "starter").is_dir():
        shutil.copytree(ROOT / "data" / "starter", folder / "data" / "starter")
    else:
        command(folder, "cytocurve", "data", "add", "starter")
    yaml, path = YAML(), folder / "params.yaml"
    params = yaml.load(path.read_text(encoding="utf-8"))
    params.update(changes)
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(params, file)
    return folder


def command(folder: Path, *words: str) -> Cost:
    """Run one of the environment's commands in a clone, with its own ledger; raises if it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | DVC_NO_ANALYTICS | {"PATH": path, "PYTHONPATH": str(folder / "src")}
    environment |= {"CYTOCURVE_LEDGER": str(folder / "ledger")}
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(done.stdout, wall, cpu, after.ru_maxrss / 1024)
