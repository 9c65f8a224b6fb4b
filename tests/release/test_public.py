"""What leaves the house holds no row of a patient, and keeps to the licence of the data."""

import pytest

from cutis.release.licence import restricts
from cutis.release.public import public_files, publish
from cutis.release.sign import seal
from cutis.runtime.release import read_release
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of
from factories import a_release_folder

PATIENTS = (
    "neighbours.safetensors",
    "atlas.safetensors",
    "atlas.parquet",
    "thumbnails.safetensors",
    "pictures/case0001.png",
    "case0001.png",
    "openvino/case0001.png",
    "saliency/case0001.svg",
    "predictions.parquet",
)


def released(folder, weights, *, licence="CC0-1.0"):
    """Return a release of these weights under this licence, with all that may hold a patient beside it."""
    weights.write_bytes(b"weights")
    a_release_folder(folder, licence=licence, weights_sha256=sha256_of(weights))
    for name in ("maps.json", "reference.json"):
        (folder / name).write_text("{}")
    for name in PATIENTS:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"of a patient")
    seal(folder, about={}, made_from={})
    return read_release(folder)


def test_only_what_is_known_to_hold_no_patient_is_public(tmp_path):
    """What nobody thought of is left out, too."""
    release = released(tmp_path / "release", tmp_path / "weights")

    public = public_files(release)

    assert not set(public) & set(PATIENTS)
    assert {"network.onnx", "openvino/network.bin", "release.json", "card.md", "self-test.png"} <= set(public)
    assert {"maps.json", "reference.json"} <= set(public)


def test_nothing_of_a_patient_is_written(tmp_path):
    """And what was left out is told."""
    release = released(tmp_path / "release", tmp_path / "weights")

    published = publish(release, tmp_path / "public", weights=tmp_path / "weights")

    assert set(published.left_out) == set(PATIENTS)
    assert not any(
        b"of a patient" in path.read_bytes() for path in (tmp_path / "public").rglob("*.*") if path.is_file()
    )


@pytest.mark.parametrize("licence", ["CC BY-NC 4.0", "CC-BY-NC-SA-4.0", "CC BY-ND 4.0", "not stated", "", "our own"])
def test_a_licence_that_restricts_blocks_what_nobody_consented_to(tmp_path, licence):
    """HAM10000's is for non-commercial use; one that nobody states allows nothing. Nothing is written."""
    release = released(tmp_path / "release", tmp_path / "weights", licence=licence)

    with pytest.raises(UserError, match="--consent-to-licence"):
        publish(release, tmp_path / "public", weights=tmp_path / "weights")

    assert not (tmp_path / "public").exists()


def test_who_consents_may_publish_and_the_licence_goes_along(tmp_path):
    """It stands in the card for people and for the hub, and that somebody consented in the manifest."""
    release = released(tmp_path / "release", tmp_path / "weights", licence="CC BY-NC 4.0")

    published = publish(release, tmp_path / "public", weights=tmp_path / "weights", consent=True)

    card = (tmp_path / "public" / "README.md").read_text()
    assert published.consented
    assert 'license: "cc-by-nc-4.0"' in card
    assert "restricts what you may do" in card
    assert read_release(tmp_path / "public").sealed.manifest["consented"] is True


@pytest.mark.parametrize("licence", ["CC0-1.0", "CC BY 4.0", "cc-by-sa-4.0", "Apache-2.0", "MIT", "CC BY 3.0 AT"])
def test_a_licence_that_lets_everybody_share_blocks_nothing(licence):
    """However it is written."""
    assert not restricts(licence)


def test_weights_of_another_training_are_not_published(tmp_path):
    """They must be those of which the release is made."""
    release = released(tmp_path / "release", tmp_path / "weights")
    (tmp_path / "weights").write_bytes(b"other weights")

    with pytest.raises(UserError, match="other weights"):
        publish(release, tmp_path / "public", weights=tmp_path / "weights")


def test_a_folder_that_is_there_is_not_written_over(tmp_path):
    """It may be somebody's."""
    release = released(tmp_path / "release", tmp_path / "weights")
    (tmp_path / "public").mkdir()

    with pytest.raises(UserError, match="there already"):
        publish(release, tmp_path / "public", weights=tmp_path / "weights")
