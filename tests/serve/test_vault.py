"""The vault: what tells of a patient is noise without the key of its case, and that one without the master key."""

import stat

import pytest

from cutis.serve.vault import Erased, make_vault, read_vault, vault_of
from cutis.vocabulary.errors import SafetyRefusal, UserError

SECRET = b"histology 4711: melanoma"


@pytest.fixture
def vault(tmp_path):
    """The vault of a new site."""
    return make_vault(tmp_path / "private" / "master.key")


def test_what_was_sealed_is_opened_by_its_own_key_alone(vault):
    """Sealed twice it is another noise each time; under another case's key it stays shut."""
    key, other = vault.new_key(), vault.new_key()

    first, second = (vault.seal(key, SECRET, about="note") for _ in range(2))

    assert vault.open(key, first, about="note") == vault.open(key, second, about="note") == SECRET
    assert first != second
    assert SECRET not in first + second
    with pytest.raises(SafetyRefusal):
        vault.open(other, first, about="note")


@pytest.mark.parametrize("place", [0, 11, 12, 20, -1])
def test_a_changed_byte_is_refused(vault, place):
    """Of the nonce, of the content and of the tag."""
    key = vault.new_key()
    sealed = bytearray(vault.seal(key, SECRET, about="note"))
    sealed[place] ^= 1

    with pytest.raises(SafetyRefusal, match="was changed"):
        vault.open(key, bytes(sealed), about="note")


def test_a_content_is_not_opened_under_another_name(vault):
    """What was moved to another examination, or another place of it, is refused."""
    key = vault.new_key()
    sealed = vault.seal(key, SECRET, about="picture 0 of one")

    with pytest.raises(SafetyRefusal, match="another master key") as caught:
        vault.open(key, sealed, about="picture 0 of another")

    assert SECRET.decode() not in str(caught.value)


@pytest.mark.parametrize("cut", [0, 1, 12, 27])
def test_what_is_cut_short_is_refused(vault, cut):
    """And is no error of the program."""
    key = vault.new_key()

    with pytest.raises(SafetyRefusal):
        vault.open(key, vault.seal(key, SECRET, about="note")[:cut], about="note")


def test_without_its_key_nothing_is_sealed_or_opened(vault):
    """The key was destroyed: that is said, and is something else than damage."""
    sealed = vault.seal(vault.new_key(), SECRET, about="note")

    with pytest.raises(Erased):
        vault.open(None, sealed, about="note")
    with pytest.raises(Erased):
        vault.seal(None, SECRET, about="note")


def test_an_accession_number_is_known_again_by_its_site_alone(vault):
    """The same number gives the same word, at another site another one, and nobody reads the number from it."""
    assert vault.accession("A-4711") == vault.accession(" A-4711 ")
    assert vault.accession("A-4711") != vault.accession("A-4712")
    assert vault.accession("A-4711") != vault_of(b"y" * 32).accession("A-4711")
    assert "4711" not in vault.accession("A-4711")


def test_the_master_key_is_read_again_and_never_made_twice(tmp_path, vault):
    """What was sealed before is opened after; the file is the owner's alone."""
    path = tmp_path / "private" / "master.key"
    key = vault.new_key()
    sealed = vault.seal(key, SECRET, about="note")

    assert read_vault(path).open(key, sealed, about="note") == SECRET
    assert read_vault(path).fingerprint == vault.fingerprint
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    with pytest.raises(FileExistsError):
        make_vault(path)
    assert [each.name for each in path.parent.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_master_key_that_others_may_touch_is_refused(tmp_path, vault, mode):
    """Group and world, reading and writing (threat 22)."""
    path = tmp_path / "private" / "master.key"
    path.chmod(mode)

    with pytest.raises(SafetyRefusal, match="others may read"):
        read_vault(path)


@pytest.mark.parametrize(
    "content", ['{"kind": "master-key", "format": 1}', '{"kind": "master-key", "format": 1, "key": "00"}', "x", "[]"]
)
def test_a_damaged_master_key_is_said_to_be_one(tmp_path, content):
    """In three lines, and nothing is made in its place."""
    path = tmp_path / "master.key"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(UserError):
        read_vault(path)
    assert path.read_text() == content


@pytest.mark.parametrize("content", ['{"kind": "master', "[]", None])
def test_no_word_asks_to_make_a_lost_master_key_again(tmp_path, content):
    """Torn or gone: a new one would open nothing, so it is brought back."""
    path = tmp_path / "master.key"
    if content is not None:
        path.write_text(content)

    with pytest.raises(UserError) as caught:
        read_vault(path)

    assert caught.value.mend == "bring it back from where you keep it safe"


def test_a_vault_tells_nothing_of_itself(vault):
    """What is printed by accident holds no key."""
    assert repr(vault) == f"Vault(fingerprint={vault.fingerprint!r})"
