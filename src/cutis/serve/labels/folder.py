"""A folder of labels, laid out as the next ``cutis curate`` reads it: clinic.toml, taxonomy, table, pictures.

Every picture is a row. Each blind rater has a column of their own; curate counts the votes again by its own rules.
The lesion is the case's random name. Neither accession numbers nor names are known here.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cutis.runtime.bundle import Bundle
from cutis.serve.labels.truths import Known, Said, settled
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import stamp, sync, written_aside
from cutis.vocabulary.taxonomy import Taxonomy
from cutis.workspace import folder_aside

TABLE, PICTURES, TAXONOMY, CLINIC = "labels.csv", "pictures", "taxonomy.toml", "clinic.toml"
FORMULAS = "=+-@\t\r "  # with which a cell begins that a spreadsheet would compute
FIXED = ("image", "lesion", "diagnosis", "confirmed_by", "histology", "device", "date")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One examination with its pictures and what is known of it."""

    known: Known
    pictures: Sequence[bytes]  # JPEG
    device: str | None
    made_at: float


class Written(NamedTuple):
    """What a folder of labels holds."""

    folder: Path
    examinations: int
    pictures: int
    by_histology: int
    raters: int


def write_labels(folder: Path, labelled: Iterable[Labelled], *, raters: Sequence[str], bundle: Bundle) -> Written:
    """Write a folder, whole or not at all; one examination's pictures are in memory at a time.

    Args:
        folder: to be made.
        labelled: of which something is known.
        raters: accounts in an order that stays, each a column.
        bundle: whose taxonomy the diagnoses are of.

    Raises:
        UserError: the folder is there already.
    """
    if folder.exists():
        mend = "name a folder that is not there yet"
        raise UserError("there is something here already", where=str(folder), mend=mend)
    rows: list[list[str]] = []
    others: dict[str, None] = {}
    counted = histologies = 0
    with _aside(folder) as aside:
        (aside / PICTURES).mkdir()
        for each in labelled:
            counted += 1
            histologies += each.known.histology is not None
            others |= dict.fromkeys(said.other for said in _all_said(each.known) if said.code is None)
            for place, picture in enumerate(each.pictures):
                name = f"{each.known.examination_id}-{place}.jpg"
                (aside / PICTURES / name).write_bytes(picture)
                rows.append(_row(each, name, raters))
        if not rows:
            mend = "enter histology, or let raters who did not see the answers label some examinations"
            raise UserError("nothing is labelled yet", where=str(folder), mend=mend)
        _write_table(aside / TABLE, rows, raters=len(raters))
        (aside / TAXONOMY).write_text(taxonomy_text(bundle.taxonomy), encoding="utf-8")
        (aside / CLINIC).write_text(_clinic_text(bundle, raters=len(raters), others=list(others)), encoding="utf-8")
    return Written(folder, counted, len(rows), histologies, len(raters))


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder_aside(folder.parent)
    try:
        aside.chmod(0o700)  # pictures of patients, no longer encrypted
        yield aside
        aside.rename(folder)
        sync(folder.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _all_said(known: Known) -> list[Said]:
    return [*known.votes.values(), *([known.histology] if known.histology else [])]


def _row(each: Labelled, name: str, raters: Sequence[str]) -> list[str]:
    known, decided = each.known, settled(each.known, raters=1)
    day = dt.datetime.fromtimestamp(each.made_at, dt.UTC).date().isoformat()
    votes = [known.votes[rater].word if rater in known.votes else "" for rater in raters]
    cells = [
        name,
        known.case_id,
        decided.said.word if decided else "",
        decided.by if decided else "",
        known.histology.word if known.histology else "",
        each.device or "",
        day,
        *votes,
    ]
    return [plain(cell) for cell in cells]


def plain(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return cell.lstrip(FORMULAS)


def _write_table(path: Path, rows: Sequence[Sequence[str]], *, raters: int) -> None:
    _write_rows(path, [[*FIXED, *_columns(raters)], *rows])


def _write_rows(path: Path, rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def _columns(raters: int) -> list[str]:
    return [f"rater_{number}" for number in range(1, raters + 1)]


def _clinic_text(bundle: Bundle, *, raters: int, others: Sequence[str]) -> str:
    """Say what the columns mean; with raters the diagnosis follows from them, so it is only there to be read."""
    columns = {name: name for name in ("image", "lesion", "histology", "device", "date")}
    mapped: Mapping[str, object] = (
        columns | {"raters": _columns(raters)} if raters else columns | {"diagnosis": "diagnosis"}
    )
    told = {
        "format": stamp("clinic")["format"],
        "name": "labels of the clinic",
        "taxonomy": TAXONOMY,
        "source": f"a clinic's own examinations, answered by {bundle.name}",
        "licence": "of the clinic; not to be passed on",
        "invented": bundle.invented,
        "table": TABLE,
        "images": [PICTURES],
        "leave_out": [word for word in map(plain, others) if bundle.taxonomy.find(word) is None],
    }
    return "\n".join([*_lines(told), "", "[columns]", *_lines(mapped), ""])


def forget(folder: Path, lesions: Collection[str]) -> int:
    """Take the pictures and rows of these lesions out of a folder that was written; return how many rows there were.

    Pictures go first: a kill in between leaves a row without its picture, which `cutis curate` rejects.
    """
    table = folder / TABLE
    with table.open(encoding="utf-8", newline="") as file:
        head, *rows = list(csv.reader(file))
    image, lesion = head.index("image"), head.index("lesion")
    gone = [row for row in rows if row[lesion] in lesions]
    for row in gone:
        (folder / PICTURES / row[image]).unlink(missing_ok=True)
    if gone:
        with written_aside(table) as aside:
            _write_rows(aside, [head, *(row for row in rows if row[lesion] not in lesions)])
    return len(gone)


def taxonomy_text(taxonomy: Taxonomy) -> str:
    """Return a taxonomy as the TOML that `load_taxonomy` reads."""
    told = taxonomy.to_dict()
    diseases = told.pop("diseases")
    lines = _lines({"format": stamp("taxonomy")["format"]} | told)
    for disease in diseases:
        terms = disease.pop("terms")
        lines += ["", "[[diseases]]", *_lines(disease)]
        for term in terms:
            lines += ["[[diseases.terms]]", *_lines(term)]
    return "\n".join([*lines, ""])


def _lines(told: Mapping[str, object]) -> list[str]:
    # JSON's texts, lists, numbers and true and false are TOML's; only the sign of deletion is not escaped by it.
    return [
        f"{name} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f") for name, value in told.items()
    ]
