"""One reader for all tables provided by users."""

import csv
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from cytocurve.errors import InputError
from cytocurve.ingest.tables import read, read_table, tables_in

ROWS = [["image", "label", "", "patient"], ["a.png", "7", "a note", "P 1"], ["b.png", "", "", "P2"]]


def write_csv(path: Path) -> Path:
    lines = ["image , label,,patient", " a.png,7,a note, P 1 ", ",,,", "b.png,,,P2", ",,,"]
    path.write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())
    return path


def write_workbook(path: Path) -> Path:
    book = Workbook()
    sheet = book.active
    sheet.append([])
    sheet.append(["image ", "label", None, "patient"])
    sheet.append([" a.png", 7.0, "a note", " P 1 "])
    sheet.append([None, " ", None, None])
    sheet.append(["b.png", None, None, "P2"])
    book.create_sheet("other").append(["not read"])
    book.save(path)
    return path


@pytest.mark.parametrize("name", ["list.csv", "LIST.CSV", "list.xlsx", "list.xlsm"])
def test_read_table_gives_the_same_rows_for_every_format(name: str, tmp_path: Path) -> None:
    write = write_csv if name.lower().endswith("csv") else write_workbook
    table = read_table(write(tmp_path / name))
    assert table.columns.tolist() == ["image", "label", "patient"]
    assert table.to_numpy().tolist() == [["a.png", "7", "P 1"], ["b.png", "", "P2"]]


def test_read_table_keeps_fractions_and_numbers_written_as_text(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["number", "text"])
    book.active.append([1.5, "007"])
    book.save(tmp_path / "list.xlsx")
    assert read_table(tmp_path / "list.xlsx").to_numpy().tolist() == [["1.5", "007"]]


@pytest.mark.parametrize("name", ["list.csv", "list.xlsx"])
def test_read_table_without_rows_is_empty(name: str, tmp_path: Path) -> None:
    if name.endswith("csv"):
        (tmp_path / name).write_text("")
    else:
        Workbook().save(tmp_path / name)
    assert read_table(tmp_path / name).shape == (0, 0)


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="="), max_size=5)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=5))
def test_read_table_gives_equal_rows_for_a_workbook_and_a_csv_file_with_equal_cells(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    book = Workbook()
    with (folder / "list.csv").open("w", newline="", encoding="utf-8") as file:
        for row in [("image", "label", "patient"), *rows]:
            csv.writer(file).writerow(row)
            book.active.append(row)
    book.save(folder / "list.xlsx")
    assert read_table(folder / "list.csv").equals(read_table(folder / "list.xlsx"))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("list.txt", b"image,label", "not a table suffix"),
        ("list.csv", b"image,label\n\xe9,x", "not UTF-8, byte 12"),
        ("list.csv", b"image,label\na\n", "1 in line 2"),
        ("list.csv", b"image;label\na;b\n", "separated by ';'"),
        ("list.xlsx", b"not a workbook", "cannot be used as a table"),
    ],
)
def test_read_table_says_why_a_file_cannot_be_read(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        read_table(tmp_path / name)
    assert name in caught.value.problem


def test_read_table_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"list\.csv: no such file"):
        read_table(tmp_path / "list.csv")


def test_tables_in_skips_hidden_files_lock_files_and_folders(tmp_path: Path) -> None:
    for name in ("b.xlsx", "a.CSV", "c.xlsm", ".d.csv", "~$b.xlsx", "e.txt"):
        (tmp_path / name).touch()
    (tmp_path / "f.csv").mkdir()
    assert [path.name for path in tables_in(tmp_path)] == ["a.CSV", "b.xlsx", "c.xlsm"]


def test_read_notes_what_it_skipped(tmp_path: Path) -> None:
    write_csv(tmp_path / "list.csv")
    assert read(tmp_path / "list.csv").left_out == (
        "2 empty rows",
        "column 3, which has no name (1 value)",
        "whitespace around 4 cells",
    )
    (tmp_path / "list.csv").write_text("image,label,,\na,b,,\nc,d,,\n")
    assert read(tmp_path / "list.csv").left_out == ("2 empty columns",)
    (tmp_path / "list.csv").write_text("image,label\na,b\n")
    assert read(tmp_path / "list.csv").left_out == ()


def test_read_gives_dates_and_booleans_as_displayed_from_the_first_sheet_only(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["day", "done"])
    book.active.append([datetime(2024, 3, 1), True])
    book.create_sheet("other")
    book.save(tmp_path / "list.xlsx")
    table = read(tmp_path / "list.xlsx")
    assert table.frame.to_numpy().tolist() == [["2024-03-01", "TRUE"]]
    assert table.left_out == ("1 further sheet (other)", "the format of 1 date, read as year-month-day")


@pytest.mark.parametrize(("cell", "reason"), [("=1+1", "B2 has a formula without"), ("#N/A", "B2 is the error #N/A")])
def test_read_rejects_cells_without_a_value(cell: str, reason: str, tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["image", "label"])
    book.active.append(["a.png", cell])
    book.save(tmp_path / "list.xlsx")
    with pytest.raises(InputError, match=reason):
        read(tmp_path / "list.xlsx")


def merged(path: Path, *ranges: str) -> Path:
    """Six cells of two patients, whose names are merged over their cells."""
    book = Workbook()
    for row in (["image", "label", "patient"], *([f"{n}.png", "ab"[n % 2], f"P{n // 3}"] for n in range(6))):
        book.active.append(row)
    for each in ranges:
        book.active.merge_cells(each)
    book.save(path)
    return path


def test_read_refuses_merged_cells_with_their_ranges(tmp_path: Path) -> None:
    """A spreadsheet stores the value in the first cell alone: the others would be without a patient."""
    with pytest.raises(InputError, match=r"list\.xlsx: sheet 'Sheet' has merged cells") as caught:
        read(merged(tmp_path / "list.xlsx", "C2:C4", "C5:C7"))
    assert caught.value.offenders == ("C2:C4", "C5:C7")
    assert caught.value.next_step == "unmerge these cells, and fill in each of them"
    many = [f"{column}1:{column}2" for column in "EFGHIJKLMNOPQ"]
    assert read(merged(tmp_path / "list.xlsx", *many)).frame.shape == (6, 3)


def test_read_refuses_a_merged_title_that_would_hide_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(merged(tmp_path / "list.xlsx", "B1:C1"))
    assert caught.value.offenders == ("B1:C1",)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_read_says_that_another_unicode_encoding_is_not_utf_8(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes("image,label\na.png,x\n".encode(encoding))
    with pytest.raises(InputError, match=r"not UTF-8|save it as CSV UTF-8"):
        read(tmp_path / "list.csv")


@pytest.mark.parametrize(
    "content",
    [b"", b",,,\n,,,\n", b"image\n", b"image,image\n", b"image,label\na,\0\n", "image,label\n".encode("utf-16"),
     b"image,label\n" + b"x" * 2**20 + b",y\n", b'"'],
)  # fmt: skip
def test_read_gives_a_table_or_one_message_for_degenerate_files(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(content)
    with suppress(InputError):
        assert read(tmp_path / "list.csv").frame.shape[0] <= 1
