"""A release answers as the bundle that it was made from."""

import json
from pathlib import Path

import pytest

from cutis.release.sign import seal
from cutis.runtime.predict import diagnose
from cutis.runtime.release import read_release
from cutis.runtime.verified import verify
from cutis.vocabulary.errors import UserError
from factories import a_bundle, a_picture, a_release_folder, an_engine


@pytest.fixture
def folder(tmp_path):
    return a_release_folder(tmp_path / "release")


def rewritten(folder: Path, **changes):
    """Change what release.json says, and seal it anew."""
    said = json.loads((folder / "release.json").read_text())
    (folder / "release.json").write_text(json.dumps(said | changes))
    seal(folder, about={}, made_from={})


def test_a_release_answers_as_its_bundle(folder, tmp_path):
    """Taxonomy, preparation, calibration, thresholds and warnings are those of training."""
    a_picture().save(tmp_path / "picture.png")

    release = read_release(folder)

    assert release.bundle == a_bundle(folder=folder)
    of_release, of_bundle = (
        diagnose(an_engine(), bundle, tmp_path / "picture.png").diagnosis for bundle in (release.bundle, a_bundle())
    )
    assert of_release == of_bundle


def test_a_release_offers_what_passed(folder):
    """The exact precision first; what it was made from goes with it."""
    release = read_release(folder)

    assert [each.name for each in release.offers] == ["onnxruntime-fp32", "openvino-bf16"]
    assert release.bundle_sha256 == "1" * 64


def test_a_release_without_training_cases_says_so(folder):
    """Who asks for similar cases learns why there are none."""
    (folder / "neighbours.safetensors").unlink()
    seal(folder, about={}, made_from={})

    with pytest.raises(UserError, match="no training cases"):
        read_release(folder).index()


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"kind": "bundle"},
        {"bundle": {}},
        {"bundle": None},
        {"offers": None},
        {"offers": [{"engine": "x", "precision": "fp32", "file": "x.onnx"}]},
    ],
)
def test_a_description_that_is_none_is_refused(folder, changes):
    """A newer format is not guessed at, and half a description is none."""
    rewritten(folder, **changes)

    with pytest.raises(UserError):
        read_release(folder)


def test_a_release_without_its_description_is_refused(folder):
    """Sealed or not, it is none."""
    (folder / "release.json").unlink()
    seal(folder, about={}, made_from={})

    with pytest.raises(UserError, match=r"has no release\.json"):
        read_release(folder)


def test_who_checks_a_release_learns_that_nobody_signed_it(folder):
    """Sums alone find damage and no forgery, and the answer does not say more than that."""
    verified = verify(folder)

    assert verified.facts["signature"] == "none"
    assert any("NOT SIGNED" in line for line in verified.lines)
    assert "For research. Not a medical device." in verified.lines
