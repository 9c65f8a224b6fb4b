"""Nothing of a release is used before all of it was checked, and what is used is what was checked."""

import json
import os
import shutil

import numpy as np
import pytest

from cutis.release.sign import new_keys, read_private_key, seal
from cutis.runtime.release import read_release
from cutis.runtime.sealed import LONGEST_MANIFEST, lent, read_sealed, sums_text
from cutis.runtime.signature import read_public_key
from cutis.vocabulary.errors import SafetyRefusal, UserError
from factories import a_release_folder

FLIPS = 1_000


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return new_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def made(tmp_path_factory, keys):
    return a_release_folder(tmp_path_factory.mktemp("made") / "release", key=read_private_key(keys.private))


@pytest.fixture
def folder(tmp_path, made):
    return shutil.copytree(made, tmp_path / "release")


def files_of(folder):
    """Return the name of every file in it."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def resealed(folder, text, *, private=None):
    """Put another manifest in place, with sums that fit it, and with a signature if there is a key."""
    content = text if isinstance(text, bytes) else text.encode()
    signature = read_private_key(private).sign(content) if private else None
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.sig").unlink(missing_ok=True)
    if signature is not None:
        (folder / "manifest.sig").write_bytes(signature)
    (folder / "manifest.sha256").write_bytes(sums_text(content, signature))


def manifest_of(folder):
    """Return the manifest as plain data."""
    return json.loads((folder / "manifest.json").read_text())


def test_a_whole_release_is_read(folder, keys):
    """Every file is there, and the key that signed it is named."""
    sealed = read_sealed(folder, key=read_public_key(keys.public, outside=folder), required=True)

    assert sealed.signed_by == keys.fingerprint
    assert sorted(sealed.entries) == [name for name in files_of(folder) if not name.startswith("manifest.")]
    assert sealed.read("network.onnx") == (folder / "network.onnx").read_bytes()


@pytest.mark.parametrize("with_key", [True, False], ids=["with the key", "without a key"])
def test_a_thousand_flipped_bits_are_a_thousand_refusals_that_name_the_file(folder, keys, with_key):
    """Damage is found in every file of a release, the seal's own among them, whether or not a key is at hand."""
    random = np.random.default_rng(0)
    names = files_of(folder)
    refused = 0
    for _ in range(FLIPS):
        name = names[random.integers(len(names))]
        whole = (folder / name).read_bytes()
        flipped = bytearray(whole)
        flipped[random.integers(len(flipped))] ^= 1 << int(random.integers(8))
        (folder / name).write_bytes(flipped)
        with pytest.raises(SafetyRefusal) as refusal:
            read_release(folder, key=keys.public if with_key else None)
        refused += name in refusal.value.what
        (folder / name).write_bytes(whole)

    assert refused == FLIPS
    read_release(folder, key=keys.public)


@pytest.mark.parametrize("place", ["extra.bin", "openvino/extra.bin", ".hidden", "release-private.pem", "extra/a"])
def test_a_file_that_the_manifest_does_not_name_is_refused(folder, place):
    """Nothing travels along unseen, hidden or not."""
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).write_bytes(b"?")

    with pytest.raises(SafetyRefusal, match=place.partition("/")[0]):
        read_sealed(folder)


def test_an_empty_folder_that_should_not_be_there_is_refused(folder):
    """A library may look into it."""
    (folder / "openvino" / "plugins").mkdir()

    with pytest.raises(SafetyRefusal, match="openvino/plugins"):
        read_sealed(folder)


def test_every_missing_file_is_refused_by_its_name(folder):
    """The seal's own files among them: a signature that was there cannot be dropped."""
    for name in files_of(folder):
        whole = (folder / name).read_bytes()
        (folder / name).unlink()

        with pytest.raises(SafetyRefusal, match=name):
            read_sealed(folder)

        (folder / name).write_bytes(whole)


@pytest.mark.parametrize("name", ["network.onnx", "release.json", "manifest.json", "manifest.sig", "manifest.sha256"])
def test_a_link_is_refused_even_where_it_leads_to_the_same_bytes(folder, tmp_path, name):
    """Where it leads later nobody has signed."""
    shutil.move(folder / name, tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(SafetyRefusal, match=name):
        read_sealed(folder)


def test_a_folder_that_is_a_link_is_refused(folder, tmp_path):
    """The same holds for a folder of it."""
    shutil.move(folder / "openvino", tmp_path / "elsewhere")
    (folder / "openvino").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(SafetyRefusal, match="openvino is a link"):
        read_sealed(folder)


@pytest.mark.parametrize("name", ["network.onnx", "manifest.json", "waiting"])
def test_a_pipe_is_refused_and_not_waited_for(folder, name):
    """Opening one would wait for somebody at its other end."""
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)

    with pytest.raises(SafetyRefusal, match=name):
        read_sealed(folder)


def test_a_release_may_lie_behind_a_pointer(folder, tmp_path):
    """A workspace's folder is one: what is checked is where it leads."""
    (tmp_path / "pointer").symlink_to(folder)

    assert read_sealed(tmp_path / "pointer").entries


def test_no_release_is_one_clear_error(tmp_path):
    """A wrong path can be mended."""
    with pytest.raises(UserError, match="no release here") as error:
        read_sealed(tmp_path / "nothing")

    assert error.value.exit_code == 1


def test_another_key_is_refused(folder, tmp_path):
    """Whoever signs by it vouches for something, but nobody knows who it is."""
    other = new_keys(tmp_path / "other").public

    with pytest.raises(SafetyRefusal, match=r"manifest\.sig does not vouch for manifest\.json") as refusal:
        read_release(folder, key=other)

    assert refusal.value.exit_code == 3


def test_a_forged_release_is_refused(folder, tmp_path, keys):
    """Changed, sealed anew and signed by another key, it is whole in itself and yet not what was signed."""
    forger = new_keys(tmp_path / "forger")
    (folder / "network.onnx").write_bytes(b"another network")
    seal(folder, about={}, made_from={}, key=read_private_key(forger.private))

    assert read_sealed(folder).signed

    with pytest.raises(SafetyRefusal, match=r"manifest\.sig"):
        read_release(folder, key=keys.public)


def test_a_release_without_the_signature_that_is_required_is_refused(tmp_path, keys):
    """Where there is a key, or a signature is required, nobody's word is no word."""
    folder = a_release_folder(tmp_path / "release")

    assert read_release(folder).bundle.name == "invented"
    for asked in ({"key": keys.public}, {"required": True}, {"key": keys.public, "required": True}):
        with pytest.raises(SafetyRefusal, match=r"manifest\.sig is missing"):
            read_release(folder, **asked)


def test_a_required_signature_without_a_key_is_refused(folder):
    """What nobody can check was not checked."""
    with pytest.raises(SafetyRefusal, match="no key"):
        read_release(folder, required=True)


@pytest.mark.parametrize("swapped", [("manifest.json",), ("manifest.json", "manifest.sig"), ("manifest.sig",)])
@pytest.mark.parametrize("with_sums", [True, False])
def test_a_swapped_manifest_is_refused(folder, tmp_path, keys, swapped, with_sums):
    """The seal of another release by the same key does not fit this one's files, and half a seal fits nothing."""
    key = read_private_key(keys.private)
    other = a_release_folder(tmp_path / "other", key=key, name="other", codes=("a", "b", "d"))
    for name in (*swapped, *(["manifest.sha256"] * with_sums)):
        shutil.copyfile(other / name, folder / name)
    if with_sums and len(swapped) == 1:
        content, signature = ((folder / name).read_bytes() for name in ("manifest.json", "manifest.sig"))
        (folder / "manifest.sha256").write_bytes(sums_text(content, signature))

    with pytest.raises(SafetyRefusal, match=r"manifest\.|was changed|bytes, not"):
        read_release(folder, key=keys.public)


def test_a_key_within_the_release_is_refused(folder, keys):
    """Whoever changed the one could have changed the other."""
    shutil.copyfile(keys.public, folder / "key.pem")

    with pytest.raises(SafetyRefusal, match="lies within the release"):
        read_release(folder, key=folder / "key.pem")


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/passwd",
        "openvino/../../secret",
        "openvino//network.xml",
        "./network.onnx",
        "openvino\\network.xml",
        "C:network",
        ".hidden",
        "a\x00b",
        "a\nb",
        "näme",
        "",
        "manifest.json",
        "manifest.sig",
        "a/b/c/d/e",
        "x/",
    ],
)
def test_a_name_that_no_file_of_a_release_may_have_is_refused(folder, keys, name):
    """Even signed, a manifest does not lead out of its folder."""
    manifest = manifest_of(folder)
    manifest["files"][name] = {"size": 1, "sha256": "0" * 64}
    resealed(folder, json.dumps(manifest), private=keys.private)

    with pytest.raises(SafetyRefusal, match=r"manifest\.json names what is no file"):
        read_release(folder, key=keys.public)


@pytest.mark.parametrize(
    "said",
    [
        {"size": -1, "sha256": "0" * 64},
        {"size": 1.5, "sha256": "0" * 64},
        {"size": True, "sha256": "0" * 64},
        {"size": "1", "sha256": "0" * 64},
        {"size": 1, "sha256": "0" * 63},
        {"size": 1, "sha256": "A" * 64},
        {"size": 1},
        {"size": 1, "sha256": "0" * 64, "url": "http://elsewhere"},
        [],
        None,
    ],
)
def test_what_is_said_of_a_file_must_be_a_size_and_a_sum(folder, said):
    """Nothing is guessed from it."""
    manifest = manifest_of(folder)
    manifest["files"]["network.onnx"] = said
    resealed(folder, json.dumps(manifest))

    with pytest.raises(SafetyRefusal, match=r"network\.onnx"):
        read_sealed(folder)


def test_a_huge_size_takes_no_memory(folder):
    """It is compared with the file's, and nothing of that size is made."""
    manifest = manifest_of(folder)
    manifest["files"]["network.onnx"]["size"] = 10**30
    resealed(folder, json.dumps(manifest))

    with pytest.raises(SafetyRefusal, match=r"network\.onnx has \d+ bytes"):
        read_sealed(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "[]",
        "null",
        '{"kind": "contents", "format": 1}',
        '{"kind": "contents", "format": 1, "files": {}}',
        '{"kind": "contents", "format": 1, "files": []}',
        '{"kind": "contents", "format": NaN, "files": {}}',
        '{"kind": "contents", "format": 1, "files": {"a": 1, "a": 2}}',
        '{"a": ' + "9" * 5000 + "}",
        "[" * 100_000,
        b"\xff\xfe{}",
    ],
)
def test_a_manifest_that_is_none_is_refused(folder, keys, text):
    """Empty, torn, of another shape, with a name twice, endless numbers or nesting without end: signed or not."""
    resealed(folder, text, private=keys.private)

    with pytest.raises(SafetyRefusal, match=r"manifest\.json"):
        read_release(folder, key=keys.public)


@pytest.mark.parametrize("change", [{"format": 99}, {"format": "x"}, {"kind": "bundle"}, {"format": None}])
def test_a_manifest_of_another_format_is_refused(folder, change):
    """Nothing is guessed from a newer one; updating mends it."""
    resealed(folder, json.dumps(manifest_of(folder) | change))

    with pytest.raises(UserError, match="contents"):
        read_sealed(folder)


def test_a_file_that_is_named_twice_is_refused(folder):
    """Two readers could take two different sums for the right one."""
    text = (folder / "manifest.json").read_text()
    again = json.dumps(manifest_of(folder)["files"]["network.onnx"])
    resealed(folder, text.replace('"files": {', f'"files": {{"network.onnx": {again},'))

    with pytest.raises(SafetyRefusal, match="a name stands twice"):
        read_sealed(folder)


def test_names_that_differ_only_in_case_are_refused(folder):
    """On some systems they are one file."""
    manifest = manifest_of(folder)
    manifest["files"]["NETWORK.onnx"] = manifest["files"]["network.onnx"]
    (folder / "NETWORK.onnx").write_bytes((folder / "network.onnx").read_bytes())
    resealed(folder, json.dumps(manifest))

    with pytest.raises(SafetyRefusal, match="twice"):
        read_sealed(folder)


def test_an_endless_manifest_is_not_read_to_its_end(folder):
    """A megabyte names thousands of files."""
    resealed(folder, " " * (LONGEST_MANIFEST + 1))

    with pytest.raises(SafetyRefusal, match=r"manifest\.json is longer"):
        read_sealed(folder)


def test_a_file_that_is_changed_after_the_check_is_refused_when_it_is_read(folder, monkeypatch):
    """Between the check and the use somebody may write; what is kept from the check stays what it was."""
    kept, large = (folder / "openvino/network.xml").read_bytes(), (folder / "network.onnx").read_bytes() * 2
    (folder / "network.onnx").write_bytes(large)
    seal(folder, about={}, made_from={})
    monkeypatch.setattr("cutis.runtime.sealed.HELD", len(large) - 1)
    sealed = read_sealed(folder)
    for name in ("network.onnx", "openvino/network.xml"):
        (folder / name).write_bytes(bytes(reversed((folder / name).read_bytes())))

    assert sealed.read("openvino/network.xml") == kept
    with pytest.raises(SafetyRefusal, match=r"network\.onnx was changed"):
        sealed.read("network.onnx")


def test_what_is_lent_by_a_path_are_the_checked_bytes(folder):
    """A library that wants a path gets a copy that nobody else can write, and it is gone afterwards."""
    sealed = read_sealed(folder)

    with lent(sealed, "network.onnx", "openvino/network.bin") as private:
        assert (private / "openvino/network.bin").read_bytes() == (folder / "openvino/network.bin").read_bytes()
        assert private.stat().st_mode & 0o077 == 0

    assert not private.exists()


def test_what_the_manifest_does_not_name_cannot_be_read(folder):
    """Not even from outside of the folder."""
    with pytest.raises(UserError, match="has no"):
        read_sealed(folder).read("../keys/release-private.pem")
