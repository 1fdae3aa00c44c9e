"""Faults for real commands: kills, two at once, flipped bits and full disks, all reproducible from a seed.

===================================  ===================================================================================
``killed_after(root, command, s)``   SIGKILL to the command and all that it started, ``s`` seconds after its start
``killed_when(root, command, glob)`` the same as soon as a file below the project matches the pattern
``killed_at(root, command, n)``      SIGKILL just before the command's own n-th change of a file in the project, that is
                                     opening for writing, renaming or removing; ``n=0`` counts them for ``changes_of``
``together(root, *commands)``        the commands started at the same moment
``flipped(path, seed)``              one bit of a file inverted
``limited_here(size)``               no file that this process writes may exceed ``size`` bytes: as on a full disk
``signalled_when(root, command, …)`` a signal to the command alone as soon as a file matches the pattern
``batch(root, commands, …)``         commands in one process, as another user and in another environment
``slow_server(health)``              a tracking server that sends a byte now and then, and may be healthy otherwise
===================================  ===================================================================================

A test that uses it: make a project, inject the fault, run the command again, and compare with an undisturbed project.
Choose moments with ``moments(seed, ...)``, never with the global random generator, so that a failure can be repeated.
``command`` is a list of words whose first one is a script of the environment, such as ``cytocurve`` or ``dvc``.
"""

import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psutil

from tests.projects import environment

LONG = 300.0
"""Seconds after which a command counts as hanging."""

COUNTING = """
import os, signal, sys
root, last, script = sys.argv[1], int(sys.argv[2]), sys.argv[3]
changes = 0

def count(event, arguments):
    global changes
    opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (opened or event in ("os.rename", "os.remove")) and os.path.abspath(str(arguments[0])).startswith(root + os.sep):
        changes += 1
        if changes == last:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
sys.argv = sys.argv[3:]
try:
    exec(compile(open(script).read(), script, "exec"), {"__name__": "__main__"})
finally:
    os.write(2, f"changes: {changes}\\n".encode())
"""

BATCH = """
import contextlib, io, json, sys
from cytocurve.cli import main
results = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["cytocurve", *arguments]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    results.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(results))
"""

NOBODY = 65534

Done = subprocess.CompletedProcess[str]


def moments(seed: int, count: int, longest: float) -> list[float]:
    """Seeded delays in seconds, in increasing order."""
    generator = random.Random(seed)  # noqa: S311  nothing is kept secret
    return sorted(generator.uniform(0, longest) for _ in range(count))


def start(root: Path, command: Sequence[str], **variables: str) -> "subprocess.Popen[str]":
    """Start a command in a session of its own, so that ``kill`` reaches all that it starts."""
    return subprocess.Popen(
        command, cwd=root, env=environment(**variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def kill(process: "subprocess.Popen[str]") -> int:
    """SIGKILL to a command and all that it started, also in sessions of their own; returns its exit status."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        others = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)  # at once: a child that has just started is not among the others
        for child in others:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(others, timeout=10)
    process.communicate(timeout=LONG)
    return process.returncode


def killed_after(root: Path, command: Sequence[str], seconds: float, **variables: str) -> int:
    """Kill a command after some seconds, unless it has finished; returns its exit status."""
    process = start(root, command, **variables)
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=seconds)
    return kill(process)


def killed_when(root: Path, command: Sequence[str], pattern: str, **variables: str) -> int:
    """Kill a command as soon as a file matches the pattern; fails if it ends before."""
    process = start(root, command, **variables)
    deadline = time.monotonic() + LONG
    while not any(root.glob(pattern)):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, f"{pattern}: no such file after {LONG:.0f} s"
        time.sleep(0.005)
    return kill(process)


def signalled_when(
    root: Path, command: Sequence[str], pattern: str, number: signal.Signals, **variables: str
) -> tuple[Done, list[psutil.Process]]:
    """Send a signal as soon as a file matches the pattern; also returns the processes that the command had started."""
    process = start(root, command, **variables)
    deadline = time.monotonic() + LONG
    while not any(root.glob(pattern)):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, f"{pattern}: no such file after {LONG:.0f} s"
        time.sleep(0.005)
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    output, errors = process.communicate(timeout=LONG)
    return subprocess.CompletedProcess(command, process.returncode, output, errors), started


@cache
def plain_user() -> tuple[str, ...]:
    """Words before a command that let it run as a user without privileges; none if this process has none either.

    Where the tests run as root, the interpreter may be in root's home: the user may read everything, but write only
    what it owns.
    """
    read = "+dac_read_search"
    command = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    words = (*command, f"--inh-caps={read}", f"--ambient-caps={read}")
    possible = os.geteuid() == 0 and shutil.which("setpriv") is not None
    return words if possible and subprocess.run([*words, "true"], check=False).returncode == 0 else ()


def hand_over(folder: Path) -> None:
    """Make ``plain_user`` the owner of a folder and of everything in it."""
    if plain_user():
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def batch(
    root: Path, commands: Sequence[Sequence[str]], variables: Mapping[str, str | None], umask: int = 0o022
) -> list[Done]:
    """Run commands in one process of ``plain_user``; ``variables`` that are None are not set."""
    given = {name: value for name, value in (environment() | dict(variables)).items() if value is not None}
    words = [*plain_user(), sys.executable, "-c", BATCH, json.dumps(commands)]
    done = subprocess.run(
        words, cwd=root, env=given, umask=umask, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return [
        subprocess.CompletedProcess(command, *result)
        for command, result in zip(commands, json.loads(done.stdout), strict=True)
    ]


@contextmanager
def slow_server(health: bool = False) -> Iterator[str]:
    """A server that sends the headers of an answer, one byte every 0.2 s, and never ends.

    With ``health``, it answers the question about its health at once.
    """
    ended = threading.Event()

    def answer(client: socket.socket) -> None:
        with suppress(OSError), client:
            if client.recv(4096).startswith(b"GET /health ") and health:
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK")
                return
            for byte in b"HTTP/1.1 200 OK\r\nX-Filler: " + b"x" * 10_000:
                if ended.wait(0.2):
                    return
                client.sendall(bytes([byte]))

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while not ended.is_set():
                client, _ = server.accept()
                threading.Thread(target=answer, args=[client], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=[server], daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        ended.set()


def killed_at(root: Path, command: Sequence[str], change: int) -> Done:
    """Kill a script of the environment at its n-th change of a file, 0 for never; what it started ends with it."""
    script = str(Path(sys.executable).parent / command[0])
    process = start(root, [sys.executable, "-c", COUNTING, str(root), str(change), script, *command[1:]])
    output, errors = process.communicate(timeout=LONG)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def changes_of(done: Done) -> int:
    """The number of changes that ``killed_at`` counted."""
    return int(done.stderr.rpartition("changes: ")[2])


def together(root: Path, *commands: Sequence[str]) -> list[Done]:
    """Start all commands at once, and wait for them."""
    processes = [start(root, command) for command in commands]
    outputs = [process.communicate(timeout=LONG) for process in processes]
    return [
        subprocess.CompletedProcess(command, process.returncode, *output)
        for command, process, output in zip(commands, processes, outputs, strict=True)
    ]


def flipped(path: Path, seed: int, after: float = 0.0, before: float = 1.0) -> int:
    """Invert one bit of a file, in this part of it; returns the position of its byte."""
    content = bytearray(path.read_bytes())
    generator = random.Random(seed)  # noqa: S311
    position = generator.randrange(int(after * len(content)), max(int(before * len(content)), 1))
    content[position] ^= 1 << generator.randrange(8)
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(bytes(content))
    path.chmod(mode)
    return position


@contextmanager
def limited_here(size: int) -> Iterator[None]:
    """No file that this process writes may exceed ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
