import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from cytocurve.stores.ledger.sqlite import COLUMNS
from tests.stores.ledger.ledger_makers import Backend


def execute(url: str, statement: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        return connection.execute(statement, values).fetchall()


def read(url: str, key: str, name: str) -> bytes:
    ((content,),) = execute(url, f"SELECT {COLUMNS[name]} FROM runs WHERE key = ?", key)  # noqa: S608
    return bytes(content)


def snapshot(url: str) -> object:
    path = Path(url.removeprefix("sqlite:///"))
    return path.read_bytes() if path.is_file() else None


def write(url: str, key: str, name: str, content: bytes | None) -> None:
    execute(url, f"UPDATE runs SET {COLUMNS[name]} = ? WHERE key = ?", content, key)  # noqa: S608


BACKEND = Backend(
    new_url=lambda folder: f"sqlite:///{folder / 'ledger.db'}",
    read=read,
    write=write,
    snapshot=snapshot,
    quarantined=lambda url: int(execute(url, "SELECT count(*) FROM damaged")[0][0]),
)
