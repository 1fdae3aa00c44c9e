"""Archives are unpacked below their folder and completely, or one error lists what is wrong and nothing is kept."""

import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocurve.errors import InputError
from cytocurve.ingest import archives
from cytocurve.ingest.archives import SUFFIXES, unpack
from tests.datasets.dataset_makers import make_folder, silent

Change = Callable[[tarfile.TarInfo], None]


def pack(folder: Path, archive: Path, top: str = "") -> Path:
    """The folder as an archive of that suffix."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
            for path in files:
                zipped.write(path, f"{top}{path.relative_to(folder)}")
    else:
        packing = {"gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}
        mode = packing.get(archive.suffix[1:], "w:")
        fastest = {"w:gz": {"compresslevel": 1}, "w:bz2": {"compresslevel": 1}, "w:xz": {"preset": 0}}.get(mode, {})
        with tarfile.open(archive, mode, **fastest) as tarred:  # type: ignore[call-overload]
            tarred.add(folder, top or ".")
    return archive


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(archive: Path, tmp_path: Path) -> InputError:
    """The error for an archive, after which nothing has been written in its folder or next to it."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        unpack(archive, folder, silent)
    assert sorted(tmp_path.rglob("*")) == before
    assert str(archive) in caught.value.problem
    assert caught.value.next_step
    return caught.value


def tarred(path: Path, *members: tuple[str, bytes, Change | None]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data, change in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            if change:
                change(entry)
            archive.addfile(entry, io.BytesIO(data))
    return path


def typed(kind: bytes, target: str = "") -> Change:
    def change(entry: tarfile.TarInfo) -> None:
        entry.type, entry.linkname, entry.size = kind, target, 0

    return change


def zipped(path: Path, *members: tuple[str, bytes, int]) -> Path:
    """A zip of names, bytes and Unix modes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data, mode in members:
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, mode << 16
            archive.writestr(entry, data)
    return path


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".ZIP", ".Tar.Gz"])
def test_unpacking_restores_what_was_packed(suffix: str, tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "unpacked"
    make_folder(source)
    (source / "lobed" / "größe 1.txt").write_text("with a space")
    folder.mkdir()
    calls: list[tuple[int, int]] = []
    archive = pack(source, tmp_path / f"cells{suffix.lower()}").rename(tmp_path / f"cells{suffix}")
    unpack(archive, folder, lambda done, total: calls.append((done, total)))
    assert contents(folder) == contents(source)
    assert calls == [(done, 9) for done in range(1, 10)]


def test_members_that_leave_the_folder_or_are_not_files_are_all_listed(tmp_path: Path) -> None:
    archive = tarred(
        tmp_path / "bad.tar",
        ("good.png", b"x", None),
        ("../outside.png", b"x", None),
        ("/etc/absolute.png", b"x", None),
        ("a/../../b.png", b"x", None),
        ("link.png", b"", typed(tarfile.SYMTYPE, "/etc/passwd")),
        ("hard.png", b"", typed(tarfile.LNKTYPE, "good.png")),
        ("device", b"", typed(tarfile.CHRTYPE)),
        ("pipe", b"", typed(tarfile.FIFOTYPE)),
        ("C:\\windows.png", b"x", None),
        ("tab\t.png", b"x", None),
        ("good.png/inside.png", b"x", None),
        ("./good.png", b"y", None),
        ("../folder", b"", typed(tarfile.DIRTYPE)),
        (f"{'long' * 64}.png", b"x", None),
    )
    lines = refused(archive, tmp_path).offenders
    assert [line[:40] for line in lines] == [
        "../outside.png: a path that leads outside the folder"[:40],
        "/etc/absolute.png: an absolute path",
        "a/../../b.png: a path that leads outside the folder"[:40],
        "link.png: a link",
        "hard.png: a link",
        "device: not a regular file",
        "pipe: not a regular file",
        "C:\\windows.png: an absolute path",
        "tab\\t.png: a name with backslashes or control characters"[:40],
        "../folder: a path that leads outside the folder"[:40],
        f"{'long' * 10}",
        "good.png: 2 members with this name",
        "good.png: both a file and a folder",
    ]


def test_unusable_members_of_a_zip_are_all_listed(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        archive = zipped(
            tmp_path / "bad.zip",
            ("good.png", b"x", stat.S_IFREG | 0o644),
            ("../outside.png", b"x", 0),
            ("/absolute.png", b"x", 0),
            ("link.png", b"/etc/passwd", stat.S_IFLNK | 0o777),
            ("device", b"", stat.S_IFCHR | 0o666),
            ("a\\b.png", b"x", 0),
            ("good.png", b"y", 0),
            ("../folder/", b"", stat.S_IFDIR | 0o755),
        )
    assert refused(archive, tmp_path).offenders == (
        "../outside.png: a path that leads outside the folder",
        "/absolute.png: an absolute path",
        "link.png: a link",
        "device: not a regular file",
        "a\\b.png: a name with backslashes or control characters, or not UTF-8",
        "../folder: a path that leads outside the folder",
        "good.png: 2 members with this name",
    )


def test_encrypted_zip_is_rejected(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "secret.zip", ("a.png", b"x" * 20, 0))
    content = bytearray(archive.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + offset] |= 1
    archive.write_bytes(content)
    assert refused(archive, tmp_path).offenders == ("a.png: encrypted",)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", ["half", "tail", "empty", "text", "middle"])
def test_damaged_archive_is_rejected(suffix: str, damage: str, tmp_path: Path) -> None:
    """Truncated, empty, of another kind, or with a changed byte."""
    make_folder(tmp_path / "source")
    archive = pack(tmp_path / "source", tmp_path / f"cells{suffix}")
    good = archive.read_bytes()
    middle = bytearray(good)
    where = good.index(b"ustar") if suffix == ".tar" else len(good) // 2
    middle[where : where + 40] = bytes(byte ^ 0x55 for byte in middle[where : where + 40])
    cut = len(good) - (10_240 if suffix == ".tar" else 30)
    archive.write_bytes(
        {
            "half": good[: len(good) // 2],
            "tail": good[:cut],
            "empty": b"",
            "text": b"text" * 400,
            "middle": bytes(middle),
        }[damage]
    )
    (tmp_path / "unpacked").mkdir()
    with pytest.raises(InputError, match="this archive is damaged"):
        unpack(archive, tmp_path / "unpacked", silent)


def test_tar_that_ends_between_two_members_is_rejected(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "cut.tar", ("a.png", b"x" * 512, None), ("b.png", b"y" * 512, None))
    archive.write_bytes(archive.read_bytes()[:2048])
    assert "it is truncated" in refused(archive, tmp_path).problem


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.xz", ".tar.bz2"])
def test_decompression_bomb_is_rejected_before_anything_is_written(suffix: str, tmp_path: Path) -> None:
    """A hundred megabytes of zeros from a few kilobytes."""
    (tmp_path / "source").mkdir()
    with (tmp_path / "source" / "zeros.bmp").open("wb") as file:
        file.truncate(100 * 2**20)
    archive = pack(tmp_path / "source", tmp_path / f"bomb{suffix}")
    (line,) = refused(archive, tmp_path).offenders
    assert "a decompression bomb" in line


def test_zip_that_understates_its_size_writes_no_more_than_it_declares(tmp_path: Path) -> None:
    archive = tmp_path / "lie.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.png", bytes(10_000_000))
    content = archive.read_bytes().replace(struct.pack("<L", 10_000_000), struct.pack("<L", 1000))
    archive.write_bytes(content)
    (tmp_path / "unpacked").mkdir()
    with pytest.raises(InputError, match="damaged"):
        unpack(archive, tmp_path / "unpacked", silent)
    assert sum(path.stat().st_size for path in (tmp_path / "unpacked").rglob("*")) <= 1000


def test_tar_header_that_requests_gigabytes_is_rejected(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("pax")
    entry.type, entry.size = tarfile.XHDTYPE, 8 * 2**30
    (tmp_path / "header.tar").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    assert "a header of 8,589,934,592 bytes" in refused(tmp_path / "header.tar", tmp_path).problem


def test_sparse_files_are_rejected(tmp_path: Path) -> None:
    """They may declare terabytes without containing them."""
    entry = tarfile.TarInfo("sparse.png")
    entry.type = tarfile.GNUTYPE_SPARSE
    (tmp_path / "sparse.tar").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    assert refused(tmp_path / "sparse.tar", tmp_path).offenders == ("sparse.png: a sparse file",)


def test_too_many_members_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MEMBERS", 3)
    make_folder(tmp_path / "source")
    for suffix in (".zip", ".tar"):
        (line,) = refused(pack(tmp_path / "source", tmp_path / f"many{suffix}"), tmp_path).offenders
        assert line == "(all members): more than 3 members"
        (tmp_path / "unpacked").rmdir()


def test_macos_files_are_unpacked_for_the_reader_to_report(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "mac.zip", ("cells/a.png", b"x", 0), ("__MACOSX/cells/._a.png", b"junk", 0))
    (tmp_path / "unpacked").mkdir()
    unpack(archive, tmp_path / "unpacked", silent)
    assert contents(tmp_path / "unpacked") == {"cells/a.png": b"x", "__MACOSX/cells/._a.png": b"junk"}


def test_archive_whose_members_begin_before_its_start_is_damaged(tmp_path: Path) -> None:
    """Its directory claims to lie a byte further than it does, so the first member would begin at -1."""
    archive = zipped(tmp_path / "shifted.zip", ("a.png", b"x", 0))
    content = bytearray(archive.read_bytes())
    content[content.rindex(b"PK\5\6") + 16] += 1
    archive.write_bytes(content)
    assert "damaged" in str(refused(archive, tmp_path))


@settings(max_examples=150)
@given(
    suffix=st.sampled_from([".zip", ".tar", ".tar.gz"]),
    changes=st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 255)), max_size=8),
)
def test_unpacking_never_writes_outside_the_folder(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, changes: list[tuple[int, int]]
) -> None:
    """An archive with bytes changed anywhere is unpacked below its folder or rejected."""
    root = tmp_path_factory.mktemp("fuzz")
    (root / "source").mkdir()
    (root / "source" / "a.png").write_bytes(bytes(range(50)))
    (root / "source" / "b").write_bytes(b"b" * 700)
    content = bytearray(pack(root / "source", root / f"x{suffix}").read_bytes())
    for place, byte in changes:
        content[place % len(content)] = byte
    (root / f"x{suffix}").write_bytes(content)
    (root / "inner").mkdir()
    folder = root / "inner" / "unpacked"
    folder.mkdir()
    before = contents(root)
    with suppress(InputError):
        unpack(root / f"x{suffix}", folder, silent)
    assert {name: data for name, data in contents(root).items() if not name.startswith("inner/unpacked/")} == before
    assert not any(path.is_symlink() for path in root.rglob("*"))
