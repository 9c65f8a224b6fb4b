"""What was backed up comes back whole, and what was erased since does not."""

import errno
import json
import stat
import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url

from clinics import a_clinic, an_opened_record
from cutis.serve import copies
from cutis.serve.backup import back_up, read_backup, restore
from cutis.serve.copies import is_empty
from cutis.serve.journal import Kind, entries
from cutis.serve.journal.anchors import anchor, read_anchors
from cutis.serve.journal.verifying import verify
from cutis.serve.record.erasure import erase_case
from cutis.serve.record.examinations import Part, answer_of, contents_of
from cutis.serve.record.history import examinations
from cutis.serve.settings import ClinicSettings
from cutis.serve.tables import CASES
from cutis.serve.unlocking import unlock
from cutis.serve.vault import Erased, make_vault
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import sha256_of, write_sums
from cutis.web.accounts import Role
from cutis.web.database import open_database
from cutis.web.settings import read_settings
from cutis.web.tables import SESSIONS
from cutis.web.tokens import make_token


@pytest.fixture
def clinic(tmp_path, database_url, answerer):
    """A clinic that shows its answers."""
    with a_clinic(tmp_path / "clinic", database_url, answerer=answerer) as knocked:
        yield knocked


@pytest.fixture
def elsewhere(tmp_path, database_url, request):
    """The settings of an empty place, in which only the master key lies."""
    is_file = make_url(database_url).get_backend_name() == "sqlite"
    url = f"sqlite:///{tmp_path / 'elsewhere' / 'clinic.sqlite'}" if is_file else request.getfixturevalue("postgres")()
    key = tmp_path / "clinic" / "private" / "master.key"
    return read_settings(ClinicSettings, folder=tmp_path / "elsewhere", database=url, master_key=key)


def backed_up(clinic, into):
    """Make a back-up."""
    settings = clinic.clinic.settings
    now = clinic.ground.now()
    return back_up(clinic.ground.database, clinic.clinic.vault, settings.journal_folder, into, now=now)


def test_a_back_up_comes_back_whole(clinic, elsewhere, tmp_path):
    """Pictures, answers and journal; accounts too, but nobody's session."""
    made = clinic.examined(note="a note")
    clinic.site.joined(clinic.site.account(Role.CLINICIAN))
    backup = backed_up(clinic, tmp_path / "backup")

    restored = restore(elsewhere, tmp_path / "backup", now=9)

    assert (backup.entries, restored.entries, restored.erased, restored.lost) == (1, 1, 0, 0)
    with _opened(elsewhere) as (database, vault), database.reading() as connection:
        assert [each.examination for each in examinations(connection, vault).found] == [made]
        assert answer_of(connection, vault, made).state == made.state
        assert contents_of(connection, vault, made, Part.NOTE) == (b"a note",)
        assert [each.kind for each in entries(connection)] == [Kind.ANSWER, Kind.RESTORED]
        assert connection.execute(select(SESSIONS)).all() == []
        verdict = verify(connection, read_anchors(elsewhere.journal_folder), vault.public)
    assert (verdict.broken, verdict.anchored) == (None, 2)


def test_what_was_erased_since_is_erased_again(clinic, elsewhere, tmp_path):
    """By the list that lies outside of the database."""
    gone, stays = clinic.examined(), clinic.examined()
    backed_up(clinic, tmp_path / "backup")
    here = clinic.clinic.settings.journal_folder
    erase_case(clinic.ground.database, clinic.clinic.vault, here, gone.case_id, by="me", reason="asked", now=1)
    anchor(clinic.ground.database, clinic.clinic.vault, here, now=1)
    elsewhere = elsewhere.model_copy(update={"folder": clinic.clinic.settings.folder})

    restored = restore(elsewhere, tmp_path / "backup", now=9)

    assert (restored.erased, restored.lost) == (1, 1)
    with _opened(elsewhere) as (database, vault), database.reading() as connection:
        assert [each.examination for each in examinations(connection, vault).found] == [stays]
        with pytest.raises(Erased):
            answer_of(connection, vault, gone)
        kinds = [each.kind for each in entries(connection)]
        verdict = verify(connection, read_anchors(elsewhere.journal_folder), vault.public)
    assert kinds == [Kind.ANSWER, Kind.ANSWER, Kind.ERASED, Kind.RESTORED]
    assert verdict.broken is None


def test_a_back_up_is_one_state_while_others_write(clinic, elsewhere, tmp_path):
    """The journal in it is whole, and each of its answers has its case."""
    over = threading.Event()

    def write():
        while not over.is_set():
            clinic.examined()

    thread = threading.Thread(target=write)
    clinic.examined()
    thread.start()
    try:
        backups = [backed_up(clinic, tmp_path / f"backup{number}") for number in range(3)]
    finally:
        over.set()
        thread.join()

    restore(elsewhere, backups[-1].folder, now=9)

    with _opened(elsewhere) as (database, _), database.reading() as connection:
        answers = list(entries(connection, kinds=[Kind.ANSWER]))
        cases = set(connection.execute(select(CASES.c.id)).scalars())
    assert len(answers) == backups[-1].entries >= 1
    assert {each.case_id for each in answers} == cases


def test_a_changed_back_up_is_refused(clinic, elsewhere, tmp_path):
    """Any byte of it; and nothing is left in the place."""
    clinic.examined()
    backed_up(clinic, tmp_path / "backup")
    path = next(each for each in sorted((tmp_path / "backup").rglob("*")) if each.suffix in {".copy", ".sqlite"})
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    with pytest.raises(UserError, match="was changed"):
        restore(elsewhere, tmp_path / "backup", now=9)
    with pytest.raises(UserError, match="no whole back-up"):
        read_backup(tmp_path)


def test_a_back_up_needs_its_own_master_key(clinic, elsewhere, tmp_path):
    """It is refused without, and with another site's; the place stays empty, so that it works with the right one."""
    clinic.examined()
    backed_up(clinic, tmp_path / "backup")
    key = tmp_path / "another.key"
    other = elsewhere.model_copy(update={"master_key": key})

    with pytest.raises(SafetyRefusal, match="is missing"):
        restore(other, tmp_path / "backup", now=9)
    make_vault(key)
    with pytest.raises(SafetyRefusal, match="does not open"):
        restore(other, tmp_path / "backup", now=9)

    assert restore(elsewhere, tmp_path / "backup", now=9).entries == 1


def test_a_back_up_of_a_broken_journal_is_refused_and_the_place_is_left_empty(clinic, elsewhere, tmp_path):
    """All bytes are as they were backed up: what was changed was changed before."""
    clinic.examined()
    database = clinic.ground.database
    trigger = "clinic_journal_changed" if database.is_sqlite else "clinic_journal_kept ON clinic_journal"
    with database.writing() as connection:
        connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("UPDATE clinic_journal SET at = 0"))
    backed_up(clinic, tmp_path / "backup")

    with pytest.raises(SafetyRefusal, match="broken at entry 1 of 1"):
        restore(elsewhere, tmp_path / "backup", now=9)

    assert is_empty(elsewhere.database_url)
    assert not elsewhere.journal_folder.exists()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no space left"), KeyboardInterrupt()])
def test_a_restore_that_ends_early_leaves_the_place_empty(clinic, elsewhere, tmp_path, monkeypatch, error):
    """By a full disk or an interrupt while the copy comes in: no server may start on a half of it."""
    clinic.examined()
    backed_up(clinic, tmp_path / "backup")
    whole = copies.copy_in

    def torn(*words, **named):
        whole(*words, **named)
        raise error

    monkeypatch.setattr(copies, "copy_in", torn)
    with pytest.raises(type(error)):
        restore(elsewhere, tmp_path / "backup", now=9)

    assert is_empty(elsewhere.database_url)
    monkeypatch.setattr(copies, "copy_in", whole)
    assert restore(elsewhere, tmp_path / "backup", now=9).entries == 1


def test_what_comes_back_is_nobody_elses_to_read_while_it_comes(tmp_path, monkeypatch):
    """The file of SQLite and its folder, from before the first byte."""
    with an_opened_record(tmp_path / "clinic", f"sqlite:///{tmp_path / 'a.sqlite'}") as record:
        copies.copy_out(record.database, tmp_path)
    file, modes = tmp_path / "elsewhere" / "b.sqlite", []

    def look(_, to):
        modes.extend(stat.S_IMODE(each.stat().st_mode) for each in (to, to.parent))

    monkeypatch.setattr(copies, "_sqlite_copy", look)

    copies.copy_in(f"sqlite:///{file}", tmp_path, heads=(), places=())

    assert modes == [0o600, 0o700]


def test_a_back_up_that_somebody_else_put_together_is_refused(clinic, elsewhere, tmp_path):
    """With sums that fit: an account was slipped in, and nobody but the site can sign."""
    clinic.examined()
    backup = backed_up(clinic, tmp_path / "backup")
    path = next(each for each in sorted(backup.folder.rglob("*")) if each.suffix in {".copy", ".sqlite"})
    path.write_bytes(path.read_bytes() + b"\0")
    told = json.loads((backup.folder / "backup.json").read_text())
    told["files"][path.relative_to(backup.folder).as_posix()] = sha256_of(path)
    (backup.folder / "backup.json").write_text(json.dumps(told))
    write_sums(backup.folder)

    with pytest.raises(SafetyRefusal, match="not as the site made it"):
        restore(elsewhere, backup.folder, now=9)

    assert is_empty(elsewhere.database_url)


def test_what_can_sign_in_again_is_told(clinic, elsewhere, tmp_path):
    """Accounts with a password, and tokens that have not ended: some may have been taken away since."""
    clinic.site.account(Role.CLINICIAN, name="li")
    with clinic.ground.database.writing() as connection:
        make_token(connection, "device", scopes=("diagnose",), now=1, days=30)
    backed_up(clinic, tmp_path / "backup")

    found = restore(elsewhere, tmp_path / "backup", now=9)

    assert (found.accounts, found.tokens) == (1, 1)


def test_nothing_is_written_over(clinic, elsewhere, tmp_path):
    """Neither a back-up nor a database."""
    clinic.examined()
    backed_up(clinic, tmp_path / "backup")

    with pytest.raises(UserError, match="something already"):
        backed_up(clinic, tmp_path / "backup")
    with pytest.raises(UserError, match="a database already"):
        restore(clinic.clinic.settings, tmp_path / "backup", now=9)
    assert not list(tmp_path.glob(".backup*"))


def test_a_back_up_of_the_other_database_is_refused_by_name(tmp_path):
    """What COPY wrote is nothing for SQLite."""
    with an_opened_record(tmp_path / "clinic", f"sqlite:///{tmp_path / 'a.sqlite'}") as record:
        back_up(record.database, record.vault, record.folder, tmp_path / "backup", now=1)
    settings = read_settings(ClinicSettings, folder=tmp_path / "clinic", database="postgresql://nowhere/x")

    with pytest.raises(UserError, match="a back-up of sqlite"):
        restore(settings, tmp_path / "backup", now=1)


@contextmanager
def _opened(settings):
    database = open_database(settings.database_url)
    try:
        yield database, unlock(database, settings.master_key_file)
    finally:
        database.close()
