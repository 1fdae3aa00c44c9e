from pathlib import Path

from tests.stores.ledger.ledger_makers import Backend


def path_of(url: str, key: str, name: str) -> Path:
    return Path(url) / "runs" / key[:2] / key / name


def write(url: str, key: str, name: str, content: bytes | None) -> None:
    path = path_of(url, key, name)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


BACKEND = Backend(
    new_url=lambda folder: str(folder / "ledger"),
    read=lambda url, key, name: path_of(url, key, name).read_bytes(),
    write=write,
    snapshot=lambda url: {path: path.read_bytes() if path.is_file() else b"" for path in sorted(Path(url).rglob("*"))},
    quarantined=lambda url: len(list((Path(url) / "damaged").glob("*"))),
)
