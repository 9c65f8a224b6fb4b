"""Readings on disk: what comes back, and what cannot have been read."""

import pytest

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.reading import Reading, read_readings, write_readings

FULL = Reading(
    reader_id="r1",
    case_id="c1",
    occasion=2,
    position=3,
    arm="aided",
    diagnosis="MEL",
    further=("NV", "BCC"),
    management="excision",
    confidence=0.75,
    ratings={"MEL": 0.9, "NV": 0.1},
    seconds=4.25,
    read_at="2026-11-26T10:00:00+00:00",
    protocol_sha256="ab",
)
PLAIN = Reading(reader_id="r2", case_id="c1", diagnosis="none")


@pytest.mark.parametrize("name", ["readings.parquet", "readings.csv"])
def test_what_is_written_comes_back(tmp_path, name):
    """Every field survives both kinds of file, and what is not known stays unknown."""
    write_readings(tmp_path / name, [FULL, PLAIN], made_from={})

    assert read_readings(tmp_path / name) == (FULL, PLAIN)


def test_a_csv_may_call_its_columns_otherwise(tmp_path):
    """Columns and words are named; what is left out, and what stands after the first choice, is kept apart."""
    path = tmp_path / "reads.csv"
    path.write_text("who,image,read,said\nann,1,1,Melanoma|Naevus\nann,1,2,Other\nbob,1,1,Other|Naevus\n")

    said = read_readings(
        path,
        columns={"reader_id": "who", "case_id": "image", "occasion": "read", "diagnosis": "said"},
        meaning={"Melanoma": "MEL", "Naevus": "NV", "Other": "none"},
    )

    assert [(each.reader_id, each.occasion, each.diagnosis, each.further) for each in said] == [
        ("ann", 1, "MEL", ("NV",)),
        ("ann", 2, "none", ()),
        ("bob", 1, "NV", ()),
    ]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("r1,c1,1,MEL,-3,0.5", "a time is not below zero"),
        ("r1,c1,1,MEL,nan,0.5", "a time is not below zero"),
        ("r1,c1,1,MEL,3,1.5", "a confidence lies between 0 and 1"),
        ("r1,c1,0,MEL,3,0.5", "count from 1"),
        ("r1,c1,one,MEL,3,0.5", "invalid literal"),
        ("r1,c1,1,,3,0.5", "is empty"),
        (",c1,1,MEL,3,0.5", "reader_id"),
        ("r1,c1,1,MEL|MEL,3,0.5\nr1,c1,1,NV,3,0.5", "answered case 'c1' twice"),
        ("r1,c1,1,MEL,3", "5 cells under 6 columns"),
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path, row, what):
    """Each kind of bad row is one error, which says where."""
    path = tmp_path / "reads.csv"
    path.write_text(f"reader_id,case_id,occasion,diagnosis,seconds,confidence\n{row}\n")

    with pytest.raises(UserError, match=what) as caught:
        read_readings(path)

    assert "reads.csv" in caught.value.where


def test_a_missing_column_is_named_beside_those_that_are_there(tmp_path):
    """So is a field that a reading has not."""
    path = tmp_path / "reads.csv"
    path.write_text("reader,case_id,diagnosis\nr1,c1,MEL\n")

    with pytest.raises(UserError, match="no column 'reader_id'") as caught:
        read_readings(path)
    assert "reader, case_id" in caught.value.mend
    with pytest.raises(UserError, match="no field 'who'"):
        read_readings(path, columns={"who": "reader"})


def test_rows_without_a_diagnosis_are_left_out_on_request_alone(tmp_path):
    """An empty cell is an error, unless it is said to be no answer."""
    path = tmp_path / "reads.csv"
    path.write_text("reader_id,case_id,diagnosis\nr1,c1,\nr1,c2,NV\n")

    assert [each.case_id for each in read_readings(path, skip_unanswered=True)] == ["c2"]


def test_two_answers_to_one_case_are_not_written(tmp_path):
    """What a reader says twice on one occasion is refused before anything is written."""
    with pytest.raises(UserError, match="twice on occasion 1"):
        write_readings(tmp_path / "r.parquet", [PLAIN, PLAIN], made_from={})

    assert not list(tmp_path.iterdir())
