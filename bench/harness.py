"""Children to measure, medians, and the sections of ``RESULTS.md``."""

import argparse
import datetime as dt
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = """# Results

Each section is one run of `python -m bench.NAME` on the machine named in it. `make bench` runs all except `grid`,
`agreement`, `relabelling` and `comparison`, which take long. Machines are noisy: trust ratios and medians rather than
milliseconds.
"""


def start(module: str, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
    """A child ``python -m module``, whose last line of output is JSON."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def answer(child: "subprocess.Popen[str]") -> Any:
    """What a child measured; raises ``RuntimeError`` if it failed."""
    output, _ = child.communicate()
    if child.returncode:
        raise RuntimeError(f"{child.args!r} ended with {child.returncode}; run it by hand to see why")
    return json.loads(output.splitlines()[-1])


def ask(module: str, *arguments: str, **variables: str) -> Any:
    """What one child measured."""
    return answer(start(module, *arguments, **variables))


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """The median over rounds of a round's ratio, so that a slowdown of a whole round cancels."""
    return median(s / f for s, f in zip(slow, fast, strict=True))


def options(description: str, example: str, **defaults: int) -> argparse.Namespace:
    """Options of whole numbers, with ``--help`` and an example."""
    parser = argparse.ArgumentParser(
        description=description, epilog=f"Example: {example}", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=" ")
    return parser.parse_args()


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def verdict(found: float, wanted: float, at_most: bool = False) -> str:
    """Whether a target is met."""
    return "met" if (found <= wanted if at_most else found >= wanted) else "**missed**"


def write(name: str, title: str, text: str, path: Path = RESULTS) -> None:
    """Put a section into the results, in place of an earlier one of that name, and print it."""
    section = f"<!-- {name} -->\n## {title}\n\n{machine()}\n\n{text.strip()}\n<!-- end of {name} -->\n"
    old = path.read_text(encoding="utf-8") if path.exists() else HEAD
    pattern = re.compile(f"<!-- {name} -->.*?<!-- end of {name} -->\n", re.DOTALL)
    new = pattern.sub(lambda _: section, old) if pattern.search(old) else f"{old}\n{section}"
    path.write_text(new, encoding="utf-8")
    print(section)


def machine() -> str:
    """The processor, the packages that compute, the date and the commit."""
    details = _processor()
    packages = ", ".join(f"{name} {found}" for name, found in _packages().items())
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    flags = details.get("flags", "").split()
    vectors = next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "plain")
    maker, family = details.get("vendor_id", platform.machine()), details.get("cpu family")
    name = f"{maker} family {family} model {details.get('model')}"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    date = dt.datetime.now(dt.UTC).date()
    return (
        f"*{name} ({vectors}), {os.cpu_count()} cores, {memory:.0f} GiB; Python {platform.python_version()}, "
        f"{packages}; {date}, commit {commit}*"
    )


def _processor() -> Mapping[str, str]:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().split("\n\n")[0].splitlines() if path.exists() else []
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _packages() -> dict[str, str]:
    found = {}
    for name in ("numpy", "numba", "keras", "tensorflow-cpu", "tensorflow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
