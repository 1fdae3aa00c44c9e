"""The feature vectors of a study's images: computed once per image, in parallel, and kept for later sweeps."""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from pydantic import BaseModel

from cytocurve.core.runs import digest
from cytocurve.errors import CytocurveError
from cytocurve.files import sha256, write_bytes
from cytocurve.models.architectures import Features
from cytocurve.models.preparation import Preparation
from cytocurve.training.executors.processes import end_workers
from cytocurve.training.preparation import reusable

CHUNK = 16
"""Images per task; a killed sweep loses the chunks that its workers are at."""

DEATHS = 3
"""Worker deaths in a row, without a finished chunk in between, after which the sweep gives up."""

Vectors = dict[str, NDArray[np.float32]]
"""Feature vectors by the identities of images."""


@dataclass(frozen=True)
class Chunk:
    """Rows of the file of prepared pixels, and what to compute from them."""

    pixels: Path
    rows: tuple[int, ...]
    features: Features
    settings: BaseModel


def shared_features(
    folder: Path,
    pixels: Path,
    identities: Sequence[str],
    preparation: Preparation,
    features: tuple[Features, BaseModel],
    executor: Callable[[], Executor],
    progress: Callable[[int, int], None],
) -> Path:
    """Write the images' vectors to a ``.npy`` file, float32 (images, features), for all workers to memory-map.

    ``features`` come with the architecture's settings. Each vector is stored under its image's identity as soon as its
    chunk is finished, and is computed again only if the preparation or the features change, or its file is damaged.
    """
    what, settings = features
    key = digest([asdict(preparation.component), what.compute.__qualname__, what.version, what.stated(settings)])
    parts, target = folder / key[:16], folder / f"{digest([key, list(identities)])}.npy"
    parts.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if reusable(target):
            return target
        known = _read(parts)
        rows = {identity: row for row, identity in enumerate(identities) if identity not in known}
        missing = list(rows.values())
        chunks = [Chunk(pixels, tuple(missing[i : i + CHUNK]), *features) for i in range(0, len(missing), CHUNK)]
        done = 0
        for chunk, vectors in _computed(chunks, executor):
            names = [identities[row] for row in chunk.rows]
            _check(vectors, names)
            _keep(parts, names, vectors)
            known |= dict(zip(names, vectors, strict=True))
            done += len(names)
            progress(done, len(missing))
        content = io.BytesIO()
        np.save(content, np.stack([known[identity] for identity in identities]), allow_pickle=False)
        write_bytes(target, content.getvalue())
        write_bytes(target.with_suffix(".sha256"), sha256(target).encode())
    return target


def compute(chunk: Chunk) -> NDArray[np.float32]:
    """The vectors of a chunk, (rows, features)."""
    images = np.load(chunk.pixels, mmap_mode="r")
    return chunk.features.of(chunk.settings, images[list(chunk.rows)])


def _computed(chunks: Sequence[Chunk], executor: Callable[[], Executor]) -> Iterator[tuple[Chunk, NDArray[np.float32]]]:
    """Yield chunks with their vectors as they finish; those of a worker that dies are computed again."""
    pending, deaths = set(range(len(chunks))), 0
    while pending:
        pool = executor()
        try:
            futures = {pool.submit(compute, chunks[number]): number for number in sorted(pending)}
            for future in as_completed(futures):
                vectors = future.result()
                pending.remove(futures[future])
                deaths = 0
                yield chunks[futures[future]], vectors
        except (BrokenExecutor, BrokenPipeError) as error:
            deaths += 1
            if deaths == DEATHS:
                raise CytocurveError(
                    f"Worker processes died {DEATHS} times in a row while computing the features of images.",
                    hint="The machine may be out of memory. Try --workers 1, or --executor serial to debug it.",
                ) from error
        except KeyboardInterrupt:
            end_workers()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _check(vectors: NDArray[np.float32], identities: Sequence[str]) -> None:
    if wrong := [name for name, vector in zip(identities, vectors, strict=True) if not np.isfinite(vector).all()]:
        raise CytocurveError("The features of these images (SHA-256 of the pixels) are not finite:", wrong)


def _keep(parts: Path, identities: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Write a chunk to a file that is named after its content, so that damage shows."""
    content = io.BytesIO()
    names = np.frombuffer(bytes.fromhex("".join(identities)), np.uint8).reshape(len(identities), -1)
    np.savez(content, allow_pickle=False, identities=names, vectors=vectors)
    write_bytes(parts / f"{hashlib.sha256(content.getvalue()).hexdigest()}.npz", content.getvalue())


def _read(parts: Path) -> Vectors:
    """The vectors in all undamaged files; damaged ones are deleted."""
    vectors: Vectors = {}
    for path in sorted(parts.glob("[!.]*.npz")):
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != path.stem:
            path.unlink()
            continue
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays: dict[str, Any] = dict(stored)
        names = [name.tobytes().hex() for name in arrays["identities"]]
        vectors |= dict(zip(names, arrays["vectors"], strict=True))
    return vectors
