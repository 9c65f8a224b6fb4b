"""What a server refuses to start with (threat 22), one test each; and what it says about it."""

import json
import os
import stat

import pytest
from sqlalchemy import text

from cutis.release.sign import read_private_key, seal
from cutis.runtime.engines import OFFERS
from cutis.serve import stage
from cutis.serve.journal import SERVER, Entry, Kind, write
from cutis.serve.journal.anchors import anchor
from cutis.serve.opening import opened
from cutis.serve.settings import ClinicSettings
from cutis.vocabulary.errors import SafetyRefusal, UserError
from servers import a_signed_release
from sites import free_port


@pytest.fixture
def start(tmp_path, release, monkeypatch):
    """Start a server with some settings changed; none of these starts gets as far as serving."""
    for name in [name for name in os.environ if name.startswith("CUTIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(stage, "serve_site", lambda *_: pytest.fail("it was served"))

    def started(settings=None, **changes):
        usual = {"release": release.folder, "key": release.key, "folder": tmp_path / "clinic", "port": free_port()}
        return stage.serve(settings, **usual | changes)

    return started


def test_a_public_address_without_accounts(start):
    """Strangers could make themselves its administrator."""
    with pytest.raises(SafetyRefusal, match="no administrator has a password yet"):
        start(address="https://cutis.example.org")


def test_a_public_address_without_encryption(start):
    """Pictures and passwords would travel in the clear."""
    with pytest.raises(SafetyRefusal, match="in the clear"):
        start(host="0.0.0.0")  # noqa: S104  that is the matter


def test_a_placeholder_of_the_example(start, tmp_path):
    """There is no default secret: what an example says in its place is refused."""
    file = tmp_path / "clinic.toml"
    file.write_text('database = "postgresql://cutis:CHANGE-ME@/cutis"\n')

    with pytest.raises(SafetyRefusal, match="database: the placeholder CHANGE-ME"):
        start(file)


def test_no_setting_has_a_secret_by_default():
    """Every secret of a site is drawn at random at its first start, or told by whoever runs it."""
    texts = {
        name: field.default for name, field in ClinicSettings.model_fields.items() if isinstance(field.default, str)
    }

    assert texts == {"database": "", "host": "127.0.0.1", "address": "", "engine": "auto"}


def test_an_unsigned_release_where_signing_is_required(start, tmp_path):
    """It is required, unless the settings say otherwise."""
    unsigned = a_signed_release(tmp_path / "unsigned")
    (unsigned.folder / "manifest.sig").unlink()

    with pytest.raises(SafetyRefusal, match=r"manifest\.sig|do not fit one another"):
        start(release=unsigned.folder)


def test_a_release_without_a_key_to_check_it_by(start):
    """A signature that nobody checks is none."""
    with pytest.raises(SafetyRefusal, match="there is no key to do so"):
        start(key=None)


def test_a_release_that_another_key_has_signed(start, tmp_path):
    """Whoever can write the folder could have sealed it anew."""
    other = a_signed_release(tmp_path / "other")

    with pytest.raises(SafetyRefusal, match="does not vouch"):
        start(key=other.key)


def test_a_newer_database(start, tmp_path, release):
    """An older cutis would not know what it writes into."""
    folder = tmp_path / "clinic"
    with opened(folder=folder) as kept, kept.database.writing() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('clinic_9999')"))

    with pytest.raises(UserError, match="made by a newer cutis: clinic_9999"):
        start()


@pytest.mark.parametrize(("offer", "off_by"), [(0, 2e-4), (1, 2e-4)], ids=["onnxruntime", "openvino"])
def test_a_self_test_that_is_off_in_fp32(start, tmp_path, offer, off_by):
    """By more than 1e-4 of a probability."""
    changed = _expecting(tmp_path, OFFERS[offer].name, off_by)

    with pytest.raises(SafetyRefusal, match="a probability is off by"):
        start(release=changed.folder, key=changed.key, engine=OFFERS[offer].name)


def test_a_self_test_that_is_off_by_less(start, tmp_path):
    """Half of what is allowed is let pass."""
    changed = _expecting(tmp_path, OFFERS[0].name, 5e-5)

    with pytest.raises(pytest.fail.Exception, match="it was served"):
        start(release=changed.folder, key=changed.key, engine=OFFERS[0].name)


def test_a_reduced_precision_is_held_to_the_bound_of_its_parity(start, tmp_path):
    """What its own file states, and no more."""
    name = OFFERS[0].name
    within, beyond = (
        _expecting(tmp_path / each, name, 0.015, tolerance=bound) for each, bound in (("a", 0.02), ("b", 0.01))
    )

    with pytest.raises(pytest.fail.Exception, match="it was served"):
        start(release=within.folder, key=within.key, engine=name)
    with pytest.raises(SafetyRefusal, match=r"off by 0\.015, more than 0\.01"):
        start(release=beyond.folder, key=beyond.key, engine=name, folder=tmp_path / "another")


def test_a_demonstration_with_a_release_of_real_pictures(start, tmp_path):
    """Its answers would be shown without an acceptance test."""
    real = a_signed_release(tmp_path / "real", invented=False)

    with pytest.raises(SafetyRefusal, match="this release is no toy"):
        start(release=real.folder, key=real.key, demonstration=True)


def test_a_master_key_that_others_can_read(start, tmp_path):
    """By its group, or by anybody."""
    with opened(folder=tmp_path / "clinic") as kept:
        key = kept.settings.master_key_file
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    for mode in (0o640, 0o604, 0o660):
        key.chmod(mode)
        with pytest.raises(SafetyRefusal, match="others may read the master key"):
            start()


def test_a_master_key_that_is_missing_or_another_one(start, tmp_path):
    """A new one would open nothing of what is there."""
    with opened(folder=tmp_path / "clinic") as kept:
        key = kept.settings.master_key_file
    with opened(folder=tmp_path / "elsewhere") as kept:
        other = kept.settings.master_key_file

    key.rename(tmp_path / "away")
    with pytest.raises(SafetyRefusal, match="master key is missing"):
        start()
    other.rename(key)
    with pytest.raises(SafetyRefusal, match="does not open what is in the database"):
        start()


def test_a_journal_that_lost_what_was_anchored(start, tmp_path):
    """Such as a database that somebody put back by hand: nothing more is written into it."""
    with opened(folder=tmp_path / "clinic") as kept:
        with kept.database.writing() as connection:
            for _ in range(2):
                write(connection, kept.vault, Entry(kind=Kind.ACCOUNT, by=SERVER), now=1)
        anchor(kept.database, kept.vault, kept.settings.journal_folder, now=1)
        with kept.database.writing() as connection:
            for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars():
                connection.execute(text(f"DROP TRIGGER {name}"))
            connection.execute(text("DELETE FROM clinic_journal WHERE number = 2"))

    with pytest.raises(SafetyRefusal, match="entry 2 of the journal is missing"):
        start()


def test_no_release_at_all(start):
    """It says how one is named."""
    with pytest.raises(UserError, match="no release is named") as told:
        start(release=None)

    assert "--release" in told.value.mend


def test_an_address_at_which_somebody_listens(start, tmp_path):
    """Before anything slow is done, and with nothing left behind."""
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UserError, match="nobody can listen here"):
            start(port=other.getsockname()[1])

    assert not (tmp_path / "clinic").exists()


def _expecting(root, name, off_by, *, tolerance=None):
    """Return a release whose self-test expects an answer that is off by so much, signed all the same."""
    made = a_signed_release(root / "changed")
    path = made.folder / "self-test.json"
    said = json.loads(path.read_text())
    own = said["expected"][name]
    codes = sorted(own["probabilities"], key=own["probabilities"].get)
    own["probabilities"][codes[0]] += off_by
    own["probabilities"][codes[-1]] -= off_by
    own["tolerance"] = tolerance or own["tolerance"]
    path.write_text(json.dumps(said))
    for each in ("manifest.json", "manifest.sig", "manifest.sha256"):
        (made.folder / each).unlink()
    seal(made.folder, about={"name": "invented"}, made_from={}, key=read_private_key(made.private))
    return made
