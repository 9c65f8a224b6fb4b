"""A clinic's table, as it was exported: CSV, Excel or Parquet → columns and rows of text."""

from __future__ import annotations

import csv
import datetime as dt
import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cutis.vocabulary.errors import UserError

DELIMITERS = ",;\t"
FIRST_ROW = 2  # as a spreadsheet counts: the header is row 1

# What csv, openpyxl (with its XML and ZIP) and pyarrow raise on files that are not what they seem.
DAMAGED = (
    *(OSError, ValueError, LookupError, SyntaxError, NotImplementedError, EOFError),
    *(csv.Error, zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True)
class Table:
    """Column names, and each row as column → text with its number; an empty cell is ""."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


def read_table_of(path: Path) -> Table:
    """Read a table by its suffix; rows that are wholly empty are no rows.

    Raises:
        UserError: no such file, another suffix, a damaged file, a CSV that is not UTF-8, a row that does not fit the
            header, two columns of one name, or no row at all.
    """
    if path.suffix.lower() not in READERS:
        mend = f"save it as one of: {', '.join(READERS)}"
        raise UserError(f"a table of kind {path.suffix!r} cannot be read", where=str(path), mend=mend)
    if not path.is_file():
        raise UserError("there is no such table", where=str(path), mend="correct `table` in clinic.toml")
    try:
        table = READERS[path.suffix.lower()](path)
    except DAMAGED as error:
        raise UserError(f"this table is damaged: {error}", where=str(path), mend="export it again") from error
    repeated = {name for name in table.columns if name and table.columns.count(name) > 1}
    if repeated:
        mend = "give each column its own name"
        raise UserError(f"columns stand twice: {', '.join(sorted(repeated))}", where=str(path), mend=mend)
    if not table.rows:
        raise UserError("this table has no rows", where=str(path), mend="export it again, with its rows")
    return table


def _csv(path: Path) -> Table:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        mend = "save it as CSV UTF-8 (in a spreadsheet: Save as, CSV UTF-8)"
        raise UserError(f"this table is not UTF-8 (byte {error.start})", where=str(path), mend=mend) from error
    header = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=header.count)
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    columns = tuple(map(str.strip, lines[0])) if lines else ()
    for number, line in enumerate(lines[1:], FIRST_ROW):
        if line and len(line) != len(columns):
            what = f"row {number} has {len(line)} fields, the header {len(columns)}"
            raise UserError(what, where=str(path), mend="put fields that contain the delimiter in quotes")
    return _table(columns, lines[1:])


def _excel(path: Path) -> Table:
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that say nothing of the cells
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheet: Any = workbook.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its size may be wrong, and would hide the rows beyond
        lines = list(sheet.iter_rows(values_only=True))
        workbook.close()
    return _table(tuple(_text(cell) for cell in lines[0]) if lines else (), lines[1:])


def _parquet(path: Path) -> Table:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return _table(tuple(table.column_names), zip(*(column.to_pylist() for column in table.columns), strict=True))


READERS: dict[str, Callable[[Path], Table]] = {".csv": _csv, ".xlsx": _excel, ".parquet": _parquet}


def _table(columns: tuple[str, ...], lines: Iterable[Sequence[Any]]) -> Table:
    texts = ((number, [_text(cell) for cell in line]) for number, line in enumerate(lines, FIRST_ROW))
    filled = ((number, dict(zip_longest(columns, cells, fillvalue=""))) for number, cells in texts if any(cells))
    return Table(columns, tuple(filled))


def _text(cell: Any) -> str:
    """Say a cell as a person would have typed it: 12 and not 12.0, a day and not a moment."""
    match cell:
        case None:
            return ""
        case float() if cell != cell:  # noqa: PLR0124  a missing number in Parquet
            return ""
        case float() if cell.is_integer():
            return str(int(cell))
        case dt.datetime():
            return cell.date().isoformat()
        case _:
            return str(cell).strip()
