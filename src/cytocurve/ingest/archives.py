"""Safe unpacking of untrusted archives: ``.zip`` and ``.tar``, plain or compressed.

Names and sizes of all members are checked before anything is written, and bytes are counted while writing.
"""

import bz2
import errno
import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from cytocurve.errors import InputError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MEMBERS = 500_000
"""The maximum number of members."""

UNPACKED = 256 * 2**30
"""The maximum total size in bytes, about twenty times the largest public dataset of cells."""

RATIO = 100
"""The maximum ratio of unpacked to packed bytes above ``SMALL`` bytes; images stay below 10."""

SMALL = 64 * 2**20

_PIECE = 2**20
_ALL = "(all members)"
_UNIX = 3  # code of the system that created a zip member
_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {".tar": lambda file: file} | {
    ".tar.gz": gzip.open, ".tgz": gzip.open, ".tar.bz2": bz2.open, ".tar.xz": lzma.open
}  # fmt: skip
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError, NotImplementedError,
    RuntimeError, LookupError, OverflowError,
)  # fmt: skip
"""Exceptions that the libraries raise for damaged archives and unsupported formats."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Member:
    """A file in an archive: its normalized path, size, library object, and the reason to refuse it, if any."""

    name: str
    size: int
    source: Any
    wrong: str = ""


def is_archive(path: Path) -> bool:
    """Whether a file's suffix is one of ``SUFFIXES``."""
    return _suffix(path) is not None


def unpack(path: Path, folder: Path, progress: Progress) -> None:
    """Unpack an archive into an existing empty folder; ``progress`` counts files.

    Raises one ``InputError`` that lists every member that cannot be unpacked (outside the folder, a link, a device, a
    duplicate name, encrypted), or says that the archive is damaged or too large. The caller removes any files written
    before the error.
    """
    with _damage_reported(path), _opened(path) as archive:
        members = list(archive.members())
        wrong = _problems(members)
        if wrong:
            raise InputError(
                f"{path}: this archive cannot be unpacked:", wrong, next_step="unpack it by hand and inspect it"
            )
        for done, member in enumerate(members, start=1):
            target = folder / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member.source) as source, target.open("xb") as file:
                _copy(source, file, member.size)
            progress(done, len(members))
        archive.finish()


def _copy(source: IO[bytes], file: IO[bytes], size: int) -> None:
    """Copy a member, without writing more than its declared size; raises ``ValueError`` if the actual size differs."""
    copied = 0
    while piece := source.read(_PIECE):
        copied += len(piece)
        if copied > size:
            break
        file.write(piece)
    if copied != size:
        raise ValueError(f"{Path(file.name).name} does not have the declared size of {size} bytes")


def _suffix(path: Path) -> str | None:
    return next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), None)


@contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    try:
        yield
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (
            None,
            errno.EINVAL,
        ):  # EINVAL: a seek before the start
            raise
        reason = str(error) or type(error).__name__
        raise InputError(f"{path}: this archive is damaged: {reason}", next_step="download it again") from error


def _problems(members: Sequence[_Member]) -> list[str]:
    """One line per reason to refuse the archive."""
    lines = [f"{_shown(member.name)}: {reason}" for member in members if (reason := member.wrong or _path(member.name))]
    names: dict[str, int] = {}
    for member in members:
        names[member.name] = names.get(member.name, 0) + 1
    lines += [f"{_shown(name)}: {count} members with this name" for name, count in names.items() if count > 1]
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    return lines + [f"{_shown(name)}: both a file and a folder" for name in names if name in folders]


def _excess(count: int, size: int, packed: int) -> str:
    """Why an archive with this many members and bytes is too large; empty if it is not."""
    if count > MEMBERS:
        return f"more than {MEMBERS:,} members"
    if size > UNPACKED:
        return f"{size:,} bytes or more when unpacked; the limit is {UNPACKED:,}"
    if size > max(SMALL, RATIO * packed):
        return f"{packed:,} bytes unpack to {size:,} or more, over {RATIO} times as many: a decompression bomb"
    return ""


def _path(name: str) -> str:
    """Why a member's name is not a valid path below a folder; empty if it is."""
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "an absolute path"
    if ".." in name.split("/"):
        return "a path that leads outside the folder"
    if "\\" in name or not name.isprintable():
        return "a name with backslashes or control characters, or not UTF-8"
    if not name or len(name) > 1000 or any(len(part.encode()) > 255 for part in name.split("/")):
        return "an empty or overlong name"
    return ""


def _shown(name: str) -> str:
    return name.encode("unicode_escape", errors="backslashreplace").decode() if not name.isprintable() else name


def _clean(name: str) -> str:
    """The name without redundant parts, such as a leading ``./``."""
    return "/".join(part for part in name.split("/") if part not in ("", ".")) if name[:1] != "/" else name


class _Zip:
    def __init__(self, file: IO[bytes], _: str, packed: int) -> None:
        self._zip, self._packed = zipfile.ZipFile(file), packed

    def members(self) -> Iterator[_Member]:
        """All files, including refused ones."""
        entries = self._zip.infolist()
        excess = _excess(len(entries), sum(entry.file_size for entry in entries), self._packed)
        if excess:
            yield _Member(_ALL, 0, None, excess)
        for entry in entries:
            name = _clean(entry.orig_filename)
            if not entry.is_dir() or (name and _path(name)):
                yield _Member(name, entry.file_size, entry, self._wrong(entry))

    def _wrong(self, entry: zipfile.ZipInfo) -> str:
        kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == _UNIX else 0
        if entry.flag_bits & 1:
            return "encrypted"
        if kind == stat.S_IFLNK:
            return "a link"
        return "" if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "not a regular file"

    def open(self, entry: zipfile.ZipInfo) -> IO[bytes]:
        return self._zip.open(entry)

    def finish(self) -> None:
        """Do nothing: each checksum is verified when the last byte of a member is read."""

    def close(self) -> None:
        self._zip.close()


class _Tar:
    def __init__(self, file: IO[bytes], suffix: str, packed: int) -> None:
        self._stream, self._packed = _Limited(_OPENERS[suffix](file)), packed
        self._tar = tarfile.TarFile(fileobj=cast("Any", self._stream))

    def members(self) -> Iterator[_Member]:
        """All files, including refused ones; stops once the total is too large."""
        size = 0
        for count, entry in enumerate(self._tar, start=1):
            size += entry.size
            excess = _excess(count, size, self._packed)
            if excess:
                yield _Member(_ALL, 0, None, excess)
                return
            name, wrong = _clean(entry.name), self._wrong(entry)
            if wrong or not entry.isdir() or (name and _path(name)):
                yield _Member(name, entry.size, entry, wrong)
        # A complete archive ends in zeros, unlike one that is truncated between members or has a damaged header.
        if self._stream.last != bytes(tarfile.BLOCKSIZE):
            raise ValueError("it is truncated")

    def _wrong(self, entry: tarfile.TarInfo) -> str:
        if entry.issym() or entry.islnk():
            return "a link"
        if entry.issparse():
            return "a sparse file"
        return "" if entry.isreg() or entry.isdir() else "not a regular file"

    def open(self, entry: tarfile.TarInfo) -> IO[bytes]:
        source: IO[bytes] | None = self._tar.extractfile(entry)
        assert source is not None
        return source

    def finish(self) -> None:
        """Read the compressed data to its end, where its checksum is verified."""
        left = SMALL
        while piece := self._stream.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise ValueError("unexpected data after its end")

    def close(self) -> None:
        self._tar.close()
        self._stream.close()


class _Limited:
    """A stream with limited reads: a tar header can request gigabytes at once."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.last = b""
        self.seek, self.tell, self.close = stream.seek, stream.tell, stream.close

    def read(self, size: int) -> bytes:
        if size > _PIECE:
            raise ValueError(f"a header of {size:,} bytes")
        self.last = self._stream.read(size)
        return self.last


@contextmanager
def _opened(path: Path) -> Iterator["_Zip | _Tar"]:
    suffix = _suffix(path)
    assert suffix is not None
    kind = _Zip if suffix == ".zip" else _Tar
    with path.open("rb") as file, closing(kind(file, suffix, path.stat().st_size)) as archive:
        yield archive
