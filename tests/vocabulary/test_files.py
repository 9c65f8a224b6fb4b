"""Every file says what it is; what is newer, torn or foreign is refused, and no reader ever sees half of one."""

import csv
import hashlib
import json
import os

import pytest

from cutis import __version__
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import (
    FORMATS,
    check_stamp,
    read_json,
    read_table,
    read_toml,
    sha256_of,
    stamp,
    write_json,
    write_rows,
    write_table,
    written_aside,
)


def test_a_json_file_says_what_it_is_and_how_it_was_made(tmp_path):
    """Kind, format, sources and circumstances stand beside the content."""
    path = tmp_path / "card.json"

    write_json(path, "card", {"cases": 3}, made_from={"export.csv": "ab"})
    content = read_json(path, "card")

    assert (content["kind"], content["format"], content["cases"]) == ("card", FORMATS["card"], 3)
    assert content["made_from"] == {"export.csv": "ab"}
    assert content["made_with"]["cutis"] == __version__
    assert {"python", "libraries", "threads", "processor", "system"} <= content["made_with"].keys()


def test_no_number_that_json_does_not_know_is_written(tmp_path):
    """NaN would be read as an error elsewhere; nothing is left behind."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "card.json", "card", {"mean": float("nan")})

    assert list(tmp_path.iterdir()) == []


def test_a_table_comes_back_with_what_was_said_about_it(tmp_path):
    """Columns and metadata."""
    path = tmp_path / "atlas.parquet"

    write_table(path, "atlas", {"x": [1.0, 2.0]}, about={"method": "t-SNE"})
    table, about = read_table(path, "atlas")

    assert table.column("x").to_pylist() == [1.0, 2.0]
    assert (about["kind"], about["method"]) == ("atlas", "t-SNE")


def test_a_list_for_people_carries_its_format_in_the_last_column(tmp_path):
    """A spreadsheet opens it, and names with commas and quotes survive."""
    write_rows(tmp_path / "rejected.csv", "rejected", ["file", "reason"], [['a,"b".jpg', "black"]])

    with (tmp_path / "rejected.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["file", "reason", "format"], ['a,"b".jpg', "black", "1"]]


def test_a_name_that_is_no_text_is_written_all_the_same(tmp_path):
    """A file from an old system may be called in letters that are none here."""
    write_rows(tmp_path / "rejected.csv", "rejected", ["file"], [[os.fsdecode(b"M\xfcller.jpg")]])

    assert (tmp_path / "rejected.csv").read_text(encoding="utf-8") == "file,format\nM\\udcfcller.jpg,1\n"


def test_a_folder_is_no_toml_file(tmp_path):
    """A flag may name anything."""
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        read_toml(tmp_path, "clinic")


@pytest.mark.parametrize("found", [{"kind": "card", "format": 2}, {"kind": "card", "format": "new"}, {"format": 0}])
def test_a_newer_format_is_refused(found):
    """Nothing is guessed from it."""
    with pytest.raises(UserError, match="is not known here"):
        check_stamp(found, "card", where="card.json")


@pytest.mark.parametrize("found", [{}, {"kind": "card"}, stamp("bundle")])
def test_a_file_of_another_kind_is_refused(found):
    """So is one without a stamp."""
    with pytest.raises(UserError, match="no card file of cutis"):
        check_stamp(found, "card", where="card.json")


@pytest.mark.parametrize("content", [b'{"kind": "card", "form', b"\xff\xfe", b"[1, 2]", b"{}"])
def test_a_torn_or_foreign_json_file_is_a_user_error(tmp_path, content):
    """It names the file."""
    path = tmp_path / "card.json"
    path.write_bytes(content)

    with pytest.raises(UserError) as torn:
        read_json(path, "card")

    assert str(path) in torn.value.where


def test_a_missing_file_says_what_is_missing(tmp_path):
    """By its kind."""
    for read in (read_json, read_table, read_toml):
        with pytest.raises(UserError, match="there is no card"):
            read(tmp_path / "card", "card")


def test_a_toml_file_by_hand_needs_no_format(tmp_path):
    """A missing one counts as the first; a newer one is refused, and so is another encoding."""
    path = tmp_path / "clinic.toml"
    path.write_text('name = "Clinic"')
    assert read_toml(path, "clinic") == {"name": "Clinic"}

    path.write_text("format = 9")
    with pytest.raises(UserError, match="format 9"):
        read_toml(path, "clinic")

    path.write_bytes('name = "Hautklinik Köln"'.encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        read_toml(path, "clinic")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    """And nothing beside it."""
    path = tmp_path / "card.json"
    path.write_text("old")

    with pytest.raises(TypeError), written_aside(path) as aside:
        aside.write_text(b"half")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_hash_is_that_of_the_bytes(tmp_path):
    """As sha256sum prints it."""
    path = tmp_path / "file"
    path.write_bytes(b"skin" * 100_000)

    assert sha256_of(path) == hashlib.sha256(b"skin" * 100_000).hexdigest()


def test_json_is_readable_by_people(tmp_path):
    """Indented, in UTF-8, ending in a newline."""
    write_json(tmp_path / "card.json", "card", {"clinic": "Köln"})

    text = (tmp_path / "card.json").read_text(encoding="utf-8")
    assert "Köln" in text
    assert text.endswith("}\n")
    assert json.loads(text)["clinic"] == "Köln"
