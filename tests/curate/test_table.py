import datetime as dt
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cutis.curate.table import read_table_of
from cutis.vocabulary.errors import UserError

EXPECTED = ((2, {"image": "a.jpg", "age": "61", "date": "2021-03-04"}), (3, {"image": "b.jpg", "age": "", "date": ""}))


def written_csv(path, text, encoding="utf-8"):
    path.write_text(text, encoding=encoding)
    return path


def test_csv_excel_and_parquet_say_the_same(tmp_path):
    """Whatever the kind of file, a cell is the text a person would have typed, and an empty one is empty."""
    columns = {"image": ["a.jpg", "b.jpg"], "age": [61.0, None], "date": [dt.date(2021, 3, 4), None]}
    text = written_csv(tmp_path / "a.csv", "image,age,date\na.jpg,61,2021-03-04\nb.jpg,,\n")
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    book = openpyxl.Workbook()
    for line in (list(columns), *zip(*columns.values(), strict=True)):
        book.worksheets[0].append(line)
    book.save(tmp_path / "a.xlsx")

    tables = [read_table_of(path) for path in (text, tmp_path / "a.xlsx", tmp_path / "a.parquet")]

    assert [table.columns for table in tables] == [("image", "age", "date")] * 3
    assert [table.rows for table in tables] == [EXPECTED] * 3


def rewritten(path, change):
    """Change the sheet inside a spreadsheet."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert parts[sheet] != change(parts[sheet])
    with zipfile.ZipFile(path, "w") as book:
        for name, part in parts.items():
            book.writestr(name, change(part) if name == sheet else part)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiters_of_all_countries_are_read(tmp_path, delimiter):
    """A spreadsheet of a country that writes 0,5 separates by semicolons."""
    path = written_csv(tmp_path / "a.csv", delimiter.join("xyz") + "\n" + delimiter.join("123") + "\n", "utf-8-sig")

    assert read_table_of(path).rows == ((2, {"x": "1", "y": "2", "z": "3"}),)


def test_empty_rows_are_no_rows_and_numbers_are_the_spreadsheet_s(tmp_path):
    """What a person sees as row 5 is called row 5."""
    table = read_table_of(written_csv(tmp_path / "a.csv", "x,y\n1,2\n\n,\n3,4\n"))

    assert [number for number, _ in table.rows] == [2, 5]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x,y\n1,2\n1,2,3\n", "row 3 has 3 fields, the header 2"),
        ("x,x\n1,2\n", "columns stand twice: x"),
        ("x,y\n", "no rows"),
        ("", "no rows"),
        ('x,y\n"1,2\n', "damaged"),
    ],
)
def test_a_table_that_cannot_be_trusted_is_refused(tmp_path, text, what):
    """Shifted fields would give a patient another's diagnosis."""
    with pytest.raises(UserError, match=what):
        read_table_of(written_csv(tmp_path / "a.csv", text))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_one_clear_error(tmp_path, encoding):
    """No umlaut is guessed."""
    path = written_csv(tmp_path / "a.csv", "image,site\na.jpg,Rücken\n", encoding)

    with pytest.raises(UserError, match="not UTF-8") as error:
        read_table_of(path)

    assert "CSV UTF-8" in error.value.mend


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet"])
def test_a_damaged_table_is_one_clear_error(tmp_path, name):
    """A spreadsheet that is a text file has no traceback."""
    with pytest.raises(UserError, match="damaged"):
        read_table_of(written_csv(tmp_path / name, "image,age\n"))


def test_rows_beyond_the_size_that_a_spreadsheet_states_are_read(tmp_path):
    """Some software writes a wrong one; no row may be lost for it."""
    book = openpyxl.Workbook()
    for line in (["image", "age"], ["a.jpg", 61], ["b.jpg", 62]):
        book.worksheets[0].append(line)
    book.save(tmp_path / "a.xlsx")
    rewritten(tmp_path / "a.xlsx", lambda sheet: sheet.replace(b'ref="A1:B3"', b'ref="A1:A2"'))

    table = read_table_of(tmp_path / "a.xlsx")

    assert [row for _, row in table.rows] == [{"image": "a.jpg", "age": "61"}, {"image": "b.jpg", "age": "62"}]


def test_a_spreadsheet_that_is_cut_off_inside_is_one_clear_error(tmp_path):
    """The archive is whole, the sheet in it is not."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(["image"])
    book.save(tmp_path / "a.xlsx")
    rewritten(tmp_path / "a.xlsx", lambda sheet: sheet[:-40])

    with pytest.raises(UserError, match="damaged"):
        read_table_of(tmp_path / "a.xlsx")


def test_a_spreadsheet_of_damaged_streams_is_one_clear_error(tmp_path):
    """As after a bad copy."""
    book = openpyxl.Workbook()
    for number in range(500):
        book.worksheets[0].append([f"{number}.jpg"])
    book.save(tmp_path / "a.xlsx")
    content = bytearray((tmp_path / "a.xlsx").read_bytes())
    begin = content.find(b"xl/worksheets/sheet1.xml") + 200
    content[begin : begin + 50] = b"\xff" * 50
    (tmp_path / "a.xlsx").write_bytes(content)

    with pytest.raises(UserError, match="damaged"):
        read_table_of(tmp_path / "a.xlsx")


@pytest.mark.parametrize(("name", "what"), [("a.xls", "cannot be read"), ("a.csv", "no such table")])
def test_a_table_that_is_not_there_or_not_readable_is_named(tmp_path, name, what):
    """The error tells which kinds can be read, or where it looked."""
    with pytest.raises(UserError, match=what):
        read_table_of(tmp_path / name)
