"""The clinic's folder → rows in our words, each with its file; nothing is decoded or decided yet."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cutis.curate import clinic_file as toml
from cutis.curate.clinic_file import ClinicFile, Columns
from cutis.curate.layouts import describe
from cutis.curate.pictures import Pictures, pictures_in
from cutis.curate.row import NO_ROW, Rejection, Row
from cutis.curate.table import Table, read_table_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of
from cutis.vocabulary.taxonomy import SAYS_NOTHING, Taxonomy, load_taxonomy

SEXES = {"m": "male", "f": "female", "w": "female"}
OLDEST = 130  # years; more is a slip of the pen
FIRST_YEAR = 1900  # before it, and in a year to come, nobody was photographed: such days stand for one not known


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What a clinic's folder holds."""

    about: ClinicFile
    taxonomy: Taxonomy
    rows: tuple[Row, ...]
    rejected: tuple[Rejection, ...]
    rows_in: int  # of the table, or pictures in folders of classes
    unreadable: Mapping[str, int]  # ages and dates that are none, by column
    made_from: Mapping[str, str]  # sha256 of the table and of clinic.toml
    table: Path | None


def take_in(clinic: Path, *, clinic_file: Path | None = None, taxonomy: str | None = None) -> Archive:
    """Read a clinic's folder in any of its layouts.

    Raises:
        UserError: folder, clinic.toml, table or taxonomy are missing or unusable, or no row has its file.
    """
    about = describe(clinic, clinic_file)
    diagnoses = _taxonomy(taxonomy or about.taxonomy, where=clinic)
    pictures = pictures_in([clinic / folder for folder in about.images])
    said, rejected, unreadable = (_by_table if about.table else _by_folder)(clinic, about, pictures)
    rows, twice = _one_row_per_file(said)
    rows, ambiguous = _of_one_patient(rows)
    meant = {row.source for row in said}
    strays = [
        Rejection(row=None, file=_named(path, clinic), reason=NO_ROW) for path in pictures.all() if path not in meant
    ]
    if not rows:
        where, mend = str(clinic), "check the image column, and `images` in clinic.toml"
        raise UserError("no row has its file" if rejected else "there are no pictures here", where=where, mend=mend)
    sources = {"table": clinic / about.table if about.table else None, "clinic_file": clinic_file or clinic / toml.NAME}
    return Archive(
        about=about,
        taxonomy=diagnoses,
        rows=rows,
        rejected=(*rejected, *twice, *ambiguous, *strays),
        rows_in=len(said) + len(rejected),
        unreadable=unreadable,
        made_from={name: sha256_of(path) for name, path in sources.items() if path and path.exists()},
        table=sources["table"],
    )


def _taxonomy(name: str | None, *, where: Path) -> Taxonomy:
    if name is None:
        mend = "give --taxonomy zhu14, ham7 or a .toml file, or write `taxonomy` into a clinic.toml"
        raise UserError("which diagnoses there are is not said", where=str(where), mend=mend)
    return load_taxonomy(str(where / name) if name.endswith(".toml") and (where / name).exists() else name)


Said = tuple[list[Row], list[Rejection], dict[str, int]]


def _by_folder(clinic: Path, about: ClinicFile, pictures: Pictures) -> Said:
    """Read a folder per class: the first folder below that of the pictures, on the way to one, is its label."""
    roots = [clinic / folder for folder in about.images]
    inside = [
        (path, next(path.relative_to(root) for root in roots if path.is_relative_to(root))) for path in pictures.all()
    ]
    rows = [
        Row(number=None, file=_named(path, clinic), source=path, diagnosis=name.parts[0])
        for path, name in inside
        if len(name.parts) > 1
    ]
    return rows, [], {}


def _by_table(clinic: Path, about: ClinicFile, pictures: Pictures) -> Said:
    path = clinic / (about.table or "")
    table = read_table_of(path)
    columns = _checked(about.columns or _our_own(table), table, path)
    rows, rejected, unreadable = [], [], Counter[str]()
    for number, cells in table.rows:
        name = cells[str(columns.image)]
        found = pictures.find(name)
        if found.path is None or not name:
            detail = found.detail if name else "the row names no file"
            rejected.append(Rejection(row=number, file=name, reason="no file for this row", detail=detail))
            continue
        row, faults = _row(cells, columns)
        unreadable.update(faults)
        rows.append(replace(row, number=number, file=_named(found.path, clinic), source=found.path))
    return rows, rejected, dict(unreadable)


def _our_own(table: Table) -> Columns:
    """Without a mapping, the columns that are called as ours are."""
    return Columns(**{name: name for name in Columns.model_fields if name != "raters" and name in table.columns})


def _checked(columns: Columns, table: Table, path: Path) -> Columns:
    """Refuse a mapping that does not fit the table."""
    has = f"the table has: {', '.join(filter(None, table.columns))}"
    mend = f"map the columns under [columns] in {toml.NAME}, as docs/curate.md shows; {has}"
    if columns.image is None:
        raise UserError("this table has no image column", where=str(path), mend=mend)
    missing = [name for name in (*columns.mapped.values(), *columns.raters) if name not in table.columns]
    if missing:
        raise UserError(f"there is no column {', '.join(map(repr, missing))}", where=str(path), mend=mend)
    if bool(columns.raters) == bool(columns.diagnosis):
        what = "both raters and a diagnosis are" if columns.raters else "neither raters nor a diagnosis is"
        raise UserError(f"{what} mapped", where=str(path), mend=f"map one of the two; {mend}")
    return columns


def _row(cells: Mapping[str, str], columns: Columns) -> tuple[Row, list[str]]:
    """Return a row without its file, and which of its values could not be read."""
    said = {ours: cells[theirs] for ours, theirs in columns.mapped.items()}
    known = {ours: value for ours, value in said.items() if value.casefold() not in SAYS_NOTHING}
    age, date = _age(known.get("age")), _date(known.get("date"))
    faults = [name for name, value in (("age", age), ("date", date)) if value is None and name in known]
    sex = known.get("sex", "").casefold()
    labels = (cells[rater] for rater in columns.raters)
    plain = (
        *("diagnosis", "histology", "adjudicator", "confirmed_by", "patient", "lesion"),
        *("site", "skin_tone", "device", "clinic"),
    )
    row = Row(
        number=None,
        file="",
        source=Path(),
        labels=tuple(label if label.casefold() not in SAYS_NOTHING else None for label in labels),
        **{name: known.get(name) for name in plain},
        age=age,
        date=date,
        sex=SEXES.get(sex, sex) or None,
    )
    return row, faults


def _age(text: str | None) -> float | None:
    try:
        age = float((text or "").replace(",", "."))
    except ValueError:
        return None
    return age if 0 <= age <= OLDEST else None


def _date(text: str | None) -> dt.date | None:
    """Read 2021-03-31, with or without a time, and 31.03.2021; 03/04/2021 means two days, and so none."""
    for part, form in ((slice(10), "%Y-%m-%d"), (slice(None), "%d.%m.%Y")):
        try:
            day = dt.datetime.strptime((text or "")[part], form).date()  # noqa: DTZ007  a day has no time zone
        except ValueError:
            continue
        return day if FIRST_YEAR <= day.year <= dt.datetime.now(dt.UTC).year + 1 else None
    return None


def _one_row_per_file(rows: Sequence[Row]) -> tuple[tuple[Row, ...], list[Rejection]]:
    """Keep one of several rows that say the same of one file, and none of those that contradict each other."""
    by_file: defaultdict[Path, list[Row]] = defaultdict(list)
    for row in rows:
        by_file[row.source].append(row)
    kept, twice = [], []
    for several in by_file.values():
        alike = len({replace(row, number=None) for row in several}) == 1
        kept += several[:1] if alike else []
        twice += list(_told_twice(several[1:] if alike else several, several, alike=alike))
    return tuple(kept), twice


def _told_twice(rejected: Sequence[Row], several: Sequence[Row], *, alike: bool) -> Iterator[Rejection]:
    numbers = ", ".join(str(row.number) for row in several)
    detail = f"rows {numbers} " + ("are alike; the first is kept" if alike else "contradict each other; none is kept")
    for row in rejected:
        yield Rejection(row=row.number, file=row.file, reason="two rows for this file", detail=detail)


def _of_one_patient(rows: Sequence[Row]) -> tuple[tuple[Row, ...], list[Rejection]]:
    """Give a row without a patient that of its lesion, and reject it where the lesion is that of several."""
    having: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.lesion and row.patient:
            having[row.lesion].add(row.patient)
    kept, rejected = [], []
    for row in rows:
        owners = having[row.lesion] if row.lesion and not row.patient else set()
        if len(owners) > 1:
            detail = "the row names no patient, and its lesion is that of several"
            rejected.append(Rejection(row=row.number, file=row.file, reason="lesion of two patients", detail=detail))
        else:
            kept.append(replace(row, patient=row.patient or next(iter(owners), None)))
    return tuple(kept), rejected


def _named(path: Path, clinic: Path) -> str:
    return path.relative_to(clinic).as_posix()
