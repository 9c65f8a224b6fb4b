"""Keys that only their owner reads, and a seal that says what is in a folder."""

import json
import subprocess
from shutil import which

import pytest

from cutis.release.sign import PRIVATE, new_keys, read_private_key, seal
from cutis.runtime.sealed import read_sealed
from cutis.runtime.signature import has_signed, read_public_key
from cutis.vocabulary.errors import SafetyRefusal, UserError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "one.bin").write_bytes(b"one")
    (tmp_path / "folder" / "deep" / "two.bin").write_bytes(b"two")
    return tmp_path / "folder"


def test_a_private_key_is_its_owners_alone(tmp_path):
    """Nobody else on the machine reads it, and both halves belong together."""
    keys = new_keys(tmp_path / "keys")

    assert keys.private.stat().st_mode & 0o777 == 0o600
    signature = read_private_key(keys.private).sign(b"words")
    public = read_public_key(keys.public, outside=tmp_path / "release")
    assert has_signed(public, b"words", signature)
    assert not has_signed(public, b"other words", signature)
    assert public.fingerprint == keys.fingerprint


def test_a_key_is_never_written_over(tmp_path):
    """What it signed could not be signed again."""
    new_keys(tmp_path)
    before = (tmp_path / PRIVATE).read_bytes()

    with pytest.raises(UserError, match="a key already"):
        new_keys(tmp_path)

    assert (tmp_path / PRIVATE).read_bytes() == before


def test_a_passphrase_locks_the_private_key(tmp_path):
    """Without it, or with another one, the key is of no use."""
    words = "of the clinic"
    keys = new_keys(tmp_path, passphrase=words)

    assert read_private_key(keys.private, passphrase=words)
    for wrong in ("", "of nobody"):
        with pytest.raises(UserError, match="CUTIS_KEY_PASSPHRASE"):
            read_private_key(keys.private, passphrase=wrong)


def test_a_private_key_that_others_may_read_is_refused(tmp_path):
    """They may have signed with it, too."""
    private = new_keys(tmp_path).private
    private.chmod(0o640)

    with pytest.raises(SafetyRefusal, match="others"):
        read_private_key(private)


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff" * 200, b"x" * 20_000])
def test_what_is_no_key_is_one_clear_error(tmp_path, content):
    """Private or public."""
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(UserError, match="key"):
        read_private_key(path)
    with pytest.raises(UserError, match="key"):
        read_public_key(path, outside=tmp_path / "release")


def test_keys_of_another_kind_and_the_wrong_half_are_refused(tmp_path):
    """Ed25519 alone; and a private key has no business in the clinic."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    other, keys = generate_private_key(SECP256R1()), new_keys(tmp_path / "keys")
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.chmod(0o600)
    public.write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    with pytest.raises(UserError, match="another kind"):
        read_private_key(private)
    with pytest.raises(UserError, match="another kind"):
        read_public_key(public, outside=tmp_path / "release")
    with pytest.raises(UserError, match="private one"):
        read_public_key(keys.private, outside=tmp_path / "release")


def test_a_seal_names_every_file_and_who_signed(folder, tmp_path):
    """Size and sum of each; the signer's fingerprint, so that a wrong key can be told from damage."""
    keys = new_keys(tmp_path / "keys")

    seal(folder, about={"name": "it"}, made_from={"bundle": "1"}, key=read_private_key(keys.private))

    said = json.loads((folder / "manifest.json").read_text())
    assert sorted(said["files"]) == ["deep/two.bin", "one.bin"]
    assert said["files"]["one.bin"]["size"] == 3
    assert (said["signer"], said["made_from"], said["name"]) == (keys.fingerprint, {"bundle": "1"}, "it")
    assert len((folder / "manifest.sig").read_bytes()) == 64


def test_a_folder_that_is_sealed_anew_loses_its_old_signature(folder, tmp_path):
    """It vouched for what was there before."""
    key = read_private_key(new_keys(tmp_path / "keys").private)
    seal(folder, about={}, made_from={}, key=key)
    (folder / "one.bin").write_bytes(b"another one")

    seal(folder, about={}, made_from={})

    assert not read_sealed(folder).signed


def test_what_cannot_be_part_of_a_release_is_not_sealed(folder):
    """A reader would refuse it."""
    (folder / "ünder.bin").write_bytes(b"?")

    with pytest.raises(ValueError, match="cannot be part"):
        seal(folder, about={}, made_from={})


@pytest.mark.skipif(which("openssl") is None, reason="openssl is not installed")
def test_openssl_checks_the_same_signature(folder, tmp_path):
    """Nobody needs our word for it: another program finds the signature of the exact bytes valid."""
    keys = new_keys(tmp_path / "keys")
    seal(folder, about={}, made_from={}, key=read_private_key(keys.private))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(keys.public), "-rawin"]

    checked = subprocess.run(
        [*command, "-in", "manifest.json", "-sigfile", "manifest.sig"], cwd=folder, capture_output=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


@pytest.mark.skipif(which("sha256sum") is None, reason="sha256sum is not installed")
def test_sha256sum_checks_the_same_sums(folder):
    """Damage of the seal shows without cutis."""
    seal(folder, about={}, made_from={})

    assert subprocess.run(["sha256sum", "-c", "manifest.sha256"], cwd=folder, check=False).returncode == 0
