"""What `cutis serve --check` says, line by line."""

import json
import subprocess
import sys
import time

import pytest
from sqlalchemy import delete

from cutis.serve import check
from cutis.serve.arrivals import set_administrator
from cutis.serve.check import look_at
from cutis.serve.journal import SERVER, Entry, Kind, write
from cutis.serve.journal.anchors import anchor
from cutis.serve.opening import opened, read_clinic_settings
from cutis.serve.record.cases import new_case
from cutis.serve.tables import STATE
from cutis.serve.unlocking import MASTER_KEY
from cutis.vocabulary.errors import UserError
from cutis.web.accounts import account_named
from servers import a_server, environment
from sites import PASSWORD, free_port

NAMES = [
    "release",
    "self-test",
    "folder",
    "free disk",
    "master key",
    "database",
    "accounts",
    "address",
    "server",
    "languages",
    "signs",
    "retention",
    "journal",
    "answers",
]


@pytest.fixture
def looked(tmp_path, release):
    """Look, with some settings changed; return the checks by their names."""

    def look(**changes):
        usual = {"release": release.folder, "key": release.key, "folder": tmp_path / "clinic", "port": free_port()}
        return {each.name: each for each in look_at(read_clinic_settings(**usual | changes))}

    return look


def test_before_the_first_start_nothing_is_wrong_and_nothing_is_made(looked, tmp_path):
    """It says what will be made, and makes none of it."""
    found = looked()

    assert list(found) == NAMES
    assert {name for name, each in found.items() if each.state != "ok"} == {"master key", "accounts", "signs"}
    assert "onnxruntime-fp32: off by" in found["self-test"].found
    assert "signed by" in found["release"].found
    assert not (tmp_path / "clinic").exists()


def test_what_is_kept_is_looked_at(looked, tmp_path, database_url):
    """The database where it stands, the master key that it knows, and who can sign in."""
    with opened(folder=tmp_path / "clinic", database=database_url) as kept:
        set_administrator(kept.database, kept.vault, name="boss", password=PASSWORD, now=time.time())

    found = looked(database=database_url)

    assert "clinic_0" in found["database"].found
    assert "it is the one that the database knows" in found["master key"].found
    assert (found["accounts"].state, found["accounts"].found) == ("ok", "1 administrator")
    assert found["folder"].state == "ok"


@pytest.mark.parametrize("is_known", [True, False])
def test_a_lost_master_key_is_refused_as_the_start_would(looked, tmp_path, database_url, is_known):
    """Where the database knows one, or holds what only it opens; no word says that a new one would be made."""
    with opened(folder=tmp_path / "clinic", database=database_url) as kept:
        if not is_known:
            with kept.database.writing() as connection:
                new_case(connection, kept.vault, now=1)
                connection.execute(delete(STATE).where(STATE.c.name == MASTER_KEY))
    kept.settings.master_key_file.unlink()

    found = looked(database=database_url)["master key"]

    assert (found.state, "the master key is missing" in found.found) == ("refused", True)
    assert not kept.settings.master_key_file.exists()


def test_a_server_at_work_is_told_and_is_no_fault(tmp_path, release):
    """So that a reload can be tried before it is asked for."""
    port = free_port()
    with a_server(tmp_path / "clinic", *release.words, "--demonstration", port=port):
        settings = read_clinic_settings(
            release=release.folder, key=release.key, folder=tmp_path / "clinic", port=port, demonstration=True
        )
        found = {each.name: each for each in look_at(settings)}

    assert found["server"].found == "a server is at work in this folder"
    assert {each.state for each in found.values()} <= {"ok", "warn"}


def test_each_fault_has_its_line_and_its_mend(looked, tmp_path):
    """One look tells of all of them; a start would end at the first."""
    (tmp_path / "clinic").mkdir(mode=0o755)
    found = looked(
        address="https://cutis.example.org",
        engine="abacus",
        key=None,
        signs=tmp_path / "none.toml",
        translations=tmp_path / "none",
        demonstration=True,
    )

    assert found["release"].state == "refused"
    assert found["address"].state == "refused"
    assert "no administrator has a password" in found["address"].found
    assert found["folder"].state == "warn"
    assert found["signs"].state in ("fail", "refused")
    assert all(each.mend for each in found.values() if each.state in ("fail", "refused"))


def test_a_journal_that_was_changed_is_refused(looked, tmp_path):
    """Every entry is looked at, and held against the anchors."""
    with opened(folder=tmp_path / "clinic") as kept:
        folder = kept.settings.journal_folder
        with kept.database.writing() as connection:
            for _ in range(3):
                write(connection, kept.vault, Entry(kind=Kind.ACCOUNT, by=SERVER), now=1)
        anchor(kept.database, kept.vault, folder, now=1)
        whole = looked()["journal"]
        with kept.database.writing() as connection:
            for name in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.exec_driver_sql("DELETE FROM clinic_journal WHERE number = 3")

    assert whole.found == "3 entries, whole; 0 after the last anchor"
    assert looked()["journal"].state == "refused"


def test_whether_answers_are_shown_is_told(looked):
    """A site begins silent."""
    assert "not shown" in looked()["answers"].found
    assert "a demonstration" in looked(demonstration=True)["answers"].found


def test_a_proxy_that_is_not_known_is_told(looked, tmp_path):
    """All callers would look like one, and would have to wait for each other's wrong passwords."""
    with opened(folder=tmp_path / "clinic") as kept:
        set_administrator(kept.database, kept.vault, name="boss", password=PASSWORD, now=time.time())

    assert looked(address="https://cutis.example.org")["address"].state == "warn"
    assert looked(address="https://cutis.example.org", proxies=["127.0.0.1"])["address"].state == "ok"


def test_an_unsigned_release_is_let_pass_only_with_a_word(looked):
    """Where the settings allow it, it is said aloud."""
    found = looked(signed=False, key=None)["release"]

    assert found.state == "warn"
    assert "NOBODY VOUCHES" in found.found


def test_little_disk_is_told_and_none_is_a_fault(looked, monkeypatch):
    """Before a full disk stops the clinic."""
    from types import SimpleNamespace

    states = []
    for free in (4, 0.5):
        monkeypatch.setattr(check.shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free * 2**30))
        states.append(looked()["free disk"].state)

    assert states == ["warn", "fail"]


def test_the_verb_leaves_with_the_worst_that_it_found(tmp_path, release):
    """0 where it could start, 1 where a person must mend it, 3 where it would be refused; JSON says all of it."""
    unsigned = ["--release", str(release.folder)]
    codes, told = [], []
    for words in (release.words, [*release.words, "--engine", "abacus"], unsigned):
        command = [sys.executable, "-m", "cutis", "serve", "--check", "--json", "--port", "0", *words]
        folder = tmp_path / "clinic"
        run = subprocess.run(
            [*command, "--folder", str(folder)], capture_output=True, text=True, check=False, env=environment(folder)
        )
        codes.append(run.returncode)
        told.append([each["name"] for each in json.loads(run.stdout)["checks"]])

    assert codes == [0, 1, 3]
    assert told == [NAMES] * 3


def test_the_administrator_gets_a_password_where_the_server_stands(tmp_path):
    """Read from standard input; the same account again, with a new one; a short one is refused."""
    words = [
        sys.executable,
        "-m",
        "cutis",
        "clinic",
        "administrator",
        "--folder",
        str(tmp_path / "clinic"),
        "--name",
        "Boss",
    ]

    def given(password):
        return subprocess.run(
            words,
            input=f"{password}\n",
            capture_output=True,
            text=True,
            check=False,
            env=environment(tmp_path / "clinic"),
        )

    first, second, short = given(PASSWORD), given(f"another {PASSWORD}"), given("short")

    assert (first.returncode, second.returncode, short.returncode) == (0, 0, 1)
    assert "can sign in" in first.stdout
    assert "has a new password" in second.stdout
    assert "does not fit" in short.stderr
    assert "horse" not in first.stdout + first.stderr
    with opened(folder=tmp_path / "clinic") as kept, kept.database.reading() as connection:
        assert account_named(connection, "boss").role == "administrator"


def test_a_name_that_somebody_else_has_is_refused(tmp_path):
    """An administrator is not made of a clinician by the way."""
    from cutis.web.accounts import Role, make_account, set_password

    with opened(folder=tmp_path / "clinic") as kept:
        with kept.database.writing() as connection:
            account = make_account(connection, Role.CLINICIAN, now=1)
            set_password(connection, account.id, name="li", password="hash")  # noqa: S106
        with pytest.raises(UserError, match="somebody else has this name"):
            set_administrator(kept.database, kept.vault, name="Li", password=PASSWORD, now=2)
