"""What a reader said of one case, once: the row that booth, score and statistics speak of."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import FORMATS, read_table, write_table, written_aside

UNAIDED, AIDED = "unaided", "aided"
ARMS = (UNAIDED, AIDED)
NONE_OF_THESE = "none"
SEPARATOR = "|"  # between the choices of one cell
RATING = "rating_"  # before the code of a diagnosis, in the columns of a CSV
NEEDED = ("reader_id", "case_id", "diagnosis")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One answer of one reader to one case. What was not asked, or is not known, is None."""

    reader_id: str
    case_id: str
    occasion: int = 1  # 2 where the same reader reads a repeated case again
    position: int | None = None  # 1-based place in what this reader read
    arm: str = UNAIDED
    diagnosis: str  # code, or "none" for none of these
    further: tuple[str, ...] = ()  # second and third choice
    management: str | None = None
    confidence: float | None = None  # 0..1
    ratings: Mapping[str, float] | None = None  # by code; the greater, the surer
    seconds: float | None = None  # from display to answer, without time away from the window
    read_at: str | None = None  # ISO 8601, UTC
    protocol_sha256: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot have been read.

        Raises:
            ValueError: says what is wrong.
        """
        if not self.reader_id or not self.case_id or not self.diagnosis:
            raise ValueError("the reader, the case or the diagnosis is empty")
        if self.occasion < 1 or (self.position is not None and self.position < 1):
            raise ValueError("occasion and position count from 1")
        if self.arm not in ARMS:
            raise ValueError(f"unknown arm {self.arm!r}: it is one of {', '.join(ARMS)}")
        said = (self.diagnosis, *self.further)
        if len(set(said)) < len(said) or "" in said:
            raise ValueError("the choices of one answer are empty or not distinct")
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise ValueError(f"a confidence lies between 0 and 1, and this one is {self.confidence:g}")
        if self.seconds is not None and not 0 <= self.seconds < math.inf:
            raise ValueError(f"a time is not below zero and ends, and this one is {self.seconds:g} s")
        if not all(math.isfinite(rating) for rating in (self.ratings or {}).values()):
            raise ValueError("a rating is not finite")

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What there is at most one reading of: reader, case, occasion and arm."""
        return (self.reader_id, self.case_id, self.occasion, self.arm)


NAMES = tuple(field.name for field in fields(Reading))


def require_single(readings: Sequence[Reading], *, where: str) -> None:
    """Refuse two answers of one reader to one case on one occasion in one arm.

    Raises:
        UserError: names the first, and how many there are.
    """
    seen: set[tuple[str, str, int, str]] = set()
    doubled = [reading for reading in readings if reading.key in seen or seen.add(reading.key)]  # type: ignore[func-returns-value]
    if doubled:
        first = doubled[0]
        what = f"reader {first.reader_id!r} answered case {first.case_id!r} twice on occasion {first.occasion}"
        mend = f"keep one of each ({len(doubled)} too many), or give the second its own number in 'occasion'"
        raise UserError(f"{what}, {first.arm}", where=where, mend=mend)


def write_readings(path: Path, readings: Sequence[Reading], *, made_from: Mapping[str, str]) -> None:
    """Write readings as one stamped table: Parquet, or CSV where the file's name ends so.

    Raises:
        UserError: an answer is doubled.
    """
    require_single(readings, where=str(path))
    if path.suffix == ".csv":
        with written_aside(path) as aside:
            aside.write_text(csv_of(readings), encoding="utf-8")
        return
    columns = {name: [_plain(getattr(reading, name)) for reading in readings] for name in NAMES}
    columns["ratings"] = [
        [{"code": code, "rating": value} for code, value in (r.ratings or {}).items()] or None for r in readings
    ]
    write_table(path, "readings", columns, about={"made_from": dict(made_from)})


def csv_of(readings: Sequence[Reading]) -> str:
    """Return readings as CSV, with a column for each diagnosis that was rated; the format stands in its last column."""
    rated = sorted({code for reading in readings for code in reading.ratings or ()})
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    names = [name for name in NAMES if name != "ratings"]
    writer.writerow([*names, *(RATING + code for code in rated), "format"])
    for reading in readings:
        ratings = reading.ratings or {}
        cells = [_cell(getattr(reading, name)) for name in names]
        writer.writerow([*cells, *(_cell(ratings.get(code)) for code in rated), FORMATS["readings"]])
    return text.getvalue()


def read_readings(
    path: Path,
    *,
    columns: Mapping[str, str] = MappingProxyType({}),
    meaning: Mapping[str, str] = MappingProxyType({}),
    skip_unanswered: bool = False,
) -> tuple[Reading, ...]:
    """Read what `write_readings` wrote, or any CSV with a row for each reader and case.

    Args:
        path: of a .parquet or .csv file.
        columns: how a CSV calls the fields of a reading, where it calls them otherwise, such as
            ``{"reader_id": "reader"}``.
        meaning: which code a word of the CSV stands for, where it is no code, such as ``{"Acne": "acne"}``; "" leaves
            a word out.
        skip_unanswered: whether a row of a CSV without a diagnosis is left out, where it is an error else.

    Raises:
        UserError: no such file, a damaged one, or one of a newer format; a column is missing; a row cannot be a
            reading, or doubles another one: the row is named.
    """
    readings = _from_csv(path, columns, meaning, skip=skip_unanswered) if path.suffix == ".csv" else _from_table(path)
    if not readings:
        raise UserError("there are no readings", where=str(path), mend="give a file with a row for each answer")
    require_single(readings, where=str(path))
    return readings


def _from_table(path: Path) -> tuple[Reading, ...]:
    table, _ = read_table(path, "readings")
    readings = []
    for number, row in enumerate(table.to_pylist(), start=1):
        ratings = row.pop("ratings", None)
        row["further"] = tuple(row.get("further") or ())
        row["ratings"] = {each["code"]: each["rating"] for each in ratings} if ratings else None
        readings.append(_reading(row, where=f"{path}, row {number}"))
    return tuple(readings)


def _from_csv(path: Path, columns: Mapping[str, str], meaning: Mapping[str, str], *, skip: bool) -> tuple[Reading, ...]:
    header, rows = rows_of(path)
    called = {name: columns.get(name, name) for name in NAMES if name != "ratings"}
    wrong = sorted(columns.keys() - called.keys())
    if wrong:
        what = f"a reading has no field {wrong[0]!r}"
        raise UserError(what, where=str(path), mend=f"name the columns of: {', '.join(called)}")
    missing = [called[name] for name in called if (name in NEEDED or name in columns) and called[name] not in header]
    if missing:
        mend = f"name what it is called instead; its columns are: {', '.join(header)}"
        raise UserError(f"there is no column {missing[0]!r}", where=str(path), mend=mend)
    rated = {name.removeprefix(RATING): name for name in header if name.startswith(RATING)}
    readings = []
    for where, row in rows:
        given = {name: row[column] for name, column in called.items() if column in header}
        choices = _choices(given["diagnosis"], given.get("further", ""), meaning)
        if skip and not choices:
            continue
        ratings = {code: row[column] for code, column in rated.items() if row[column]}
        plain: dict[str, Any] = {name: text for name, text in given.items() if text}
        plain |= {"diagnosis": choices[0] if choices else "", "further": tuple(choices[1:])}
        readings.append(_reading(plain | ({"ratings": ratings} if ratings else {}), where=where))
    return tuple(readings)


def rows_of(path: Path) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    """Return the columns of a CSV, and its rows with the words that name their place.

    Raises:
        UserError: no such file, it is not UTF-8, a column stands twice, or a row has more or fewer cells than columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        what = f"this file cannot be read: {error.strerror}"
        raise UserError(what, where=str(path), mend="check the path") from error
    except UnicodeDecodeError as error:
        raise UserError("this file is not UTF-8", where=str(path), mend="save it as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(reader, [])]
    if not header or len(set(header)) < len(header):
        what = "a column's name stands twice" if header else "this file is empty"
        raise UserError(what, where=str(path), mend="give each column a name of its own")
    rows = []
    for cells in filter(None, reader):
        where = f"{path}, line {reader.line_num}"
        if len(cells) != len(header):
            what = f"{len(cells)} cells under {len(header)} columns"
            raise UserError(what, where=where, mend="write every cell, and quote those with commas")
        rows.append((where, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}))
    return header, rows


def _choices(diagnosis: str, further: str, meaning: Mapping[str, str]) -> list[str]:
    """Return the distinct choices of a row, first the first; "none" only where nothing else was said."""
    words = [word.strip() for cell in (diagnosis, further) for word in cell.split(SEPARATOR)]
    codes = list(dict.fromkeys(code for word in words if word and (code := meaning.get(word, word))))
    return [code for code in codes if code != NONE_OF_THESE] or codes


def _reading(row: Mapping[str, Any], *, where: str) -> Reading:
    try:
        numbers: dict[str, Any] = {
            name: kind(row[name])
            for name, kind in (("occasion", int), ("position", int), ("confidence", float), ("seconds", float))
            if row.get(name) is not None
        }
        ratings = row.get("ratings")
        if ratings is not None:
            numbers["ratings"] = {code: float(value) for code, value in ratings.items()}
        if row.get("read_at") is not None:
            datetime.fromisoformat(row["read_at"])
        return Reading(**{name: row[name] for name in NAMES if name in row} | numbers)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"this row is no reading: {error}", where=where, mend="correct the row, or take it out"
        ) from error


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return SEPARATOR.join(value) if isinstance(value, tuple) else str(value)
