"""The verbs beside the server: what they do, how they end, and that none begins a clinic by looking."""

import json
import shutil
import sys

import pytest
from sqlalchemy import text

from clinics import a_clinic
from cutis.cli import main
from cutis.serve.journal import Kind, entries
from cutis.serve.journal.anchors import ANCHORS, PUBLIC_KEY, anchored
from cutis.vocabulary.files import check_stamp


@pytest.fixture
def clinic(tmp_path, answerer):
    """A clinic with two cases, in its folder."""
    folder = tmp_path / "clinic"
    folder.mkdir()
    with a_clinic(folder, f"sqlite:///{folder / 'clinic.sqlite'}", answerer=answerer) as knocked:
        with anchored(knocked.ground.database, knocked.clinic.vault, folder / "journal"):
            knocked.examined(note="spring")
            knocked.examined(note="autumn")
        yield knocked


@pytest.fixture
def cutis(monkeypatch, capsys, tmp_path):
    """Type a command, and return its exit code with what it wrote."""

    def typed(*words, folder="clinic"):
        monkeypatch.setattr(sys, "argv", ["cutis", *map(str, words), "--folder", str(tmp_path / folder)])
        with pytest.raises(SystemExit) as leaving:
            main()
        written = capsys.readouterr()
        return leaving.value.code or 0, written.out + written.err

    return typed


def test_a_whole_journal_ends_with_0(clinic, cutis):
    """How many entries, and how far an anchor vouches for them."""
    assert cutis("journal", "verify") == (0, "whole: 2 entries, 0 of them after the last anchor\n")
    told = json.loads(cutis("journal", "verify", "--json")[1])
    assert (told["is_whole"], told["entries"], told["anchored"], told["broken"]) == (True, 2, 2, None)


def test_a_broken_journal_ends_with_3_and_names_the_entry(clinic, cutis):
    """In three lines, and for programs."""
    with clinic.ground.database.writing() as connection:
        connection.execute(text("DROP TRIGGER clinic_journal_changed"))
        connection.execute(text("UPDATE clinic_journal SET at = 0 WHERE number = 2"))

    code, said = cutis("journal", "verify")
    code_too, told = cutis("journal", "verify", "--json")

    assert (code, code_too) == (3, 3)
    assert "broken at entry 2" in said
    assert json.loads(told[: told.index("\nerror")])["broken"]["number"] == 2


def test_an_auditor_verifies_without_the_master_key(clinic, cutis, tmp_path):
    """By the public key and a copy of the anchors that the clinic's keeper cannot reach."""
    away = tmp_path / "away"
    shutil.copytree(tmp_path / "clinic" / "journal", away)
    shutil.rmtree(tmp_path / "clinic" / "private")
    with clinic.ground.database.writing() as connection:
        connection.execute(text("DROP TRIGGER clinic_journal_removed"))
        connection.execute(text("DELETE FROM clinic_journal WHERE number = 2"))
    (tmp_path / "clinic" / "journal" / ANCHORS).unlink()
    key = ("--key", away / PUBLIC_KEY)

    fooled = cutis("journal", "verify", *key)
    not_fooled = cutis("journal", "verify", *key, "--anchors", away / ANCHORS)

    assert fooled[0] == 0
    assert not_fooled[0] == 3
    assert "cut off" in not_fooled[1]


def test_an_export_is_opened_where_it_is_asked_for_alone(clinic, cutis, tmp_path):
    """What is opened is in the journal itself from then on; the file is its owner's."""
    [plain, opened] = (tmp_path / name for name in ("plain.jsonl", "opened.jsonl"))

    assert cutis("journal", "export", plain)[0] == cutis("journal", "export", opened, "--decrypt")[0] == 0

    first, *lines = map(json.loads, opened.read_text().splitlines())
    check_stamp(first, "journal", where=opened)
    assert "autumn" not in plain.read_text()
    assert [line["sealed"].get("note") for line in lines] == ["spring", "autumn", None]
    assert opened.stat().st_mode & 0o077 == 0
    with clinic.ground.database.reading() as connection:
        assert [each.kind for each in entries(connection)][2:] == [Kind.ACCESS]


def test_a_case_is_erased_once_and_old_ones_by_their_days(clinic, cutis):
    """The id is what stands in the address of its page."""
    case = clinic.examined().case_id

    assert cutis("clinic", "erase", case) == (0, f"{case} is erased\n")
    assert cutis("clinic", "erase", case)[0] == 1
    assert cutis("clinic", "retain")[0] == 1
    assert cutis("clinic", "retain", "--days", 30_000) == (0, "0 cases erased\n")


def test_a_back_up_is_made_and_restored(clinic, cutis, tmp_path):
    """Into another folder, in which the master key was laid."""
    assert cutis("clinic", "backup", tmp_path / "backup")[0] == 0
    missing = cutis("clinic", "restore", tmp_path / "backup", folder="new")
    shutil.copytree(tmp_path / "clinic" / "private", tmp_path / "new" / "private")

    found = cutis("clinic", "restore", tmp_path / "backup", folder="new")

    assert (missing[0], "master key is missing" in missing[1]) == (3, True)
    assert found == (0, "2 entries of the journal came back, and it is whole\n")
    assert cutis("journal", "verify", folder="new")[0] == 0


@pytest.mark.parametrize(
    "words", [("journal", "verify"), ("journal", "export", "x"), ("clinic", "backup", "x"), ("clinic", "erase", "x")]
)
def test_where_no_clinic_is_none_is_begun(cutis, tmp_path, words):
    """A folder that was mistyped is said to be empty, and stays so."""
    code, said = cutis(*words, folder="nowhere")

    assert (code, "there is no clinic here" in said) == (1, True)
    assert not (tmp_path / "nowhere").exists()
