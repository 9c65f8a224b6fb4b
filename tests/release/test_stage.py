"""From an evaluated bundle to a folder that a clinic installs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cutis.evaluate.stage import evaluate
from cutis.release.sign import new_keys
from cutis.release.stage import Signer, publish_release, release
from cutis.runtime.bundle import read_bundle
from cutis.runtime.release import read_release
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import sha256_of
from cutis.workspace import Workspace
from factories import a_tested_workspace, an_evaluated_workspace, with_training_cases
from releases import BF16, FAKE, INT8, judged, opened


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """A workspace with an evaluated bundle, its training cases beside it."""
    return an_evaluated_workspace(tmp_path_factory.mktemp("stage") / "work")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return new_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def finished(workspace, keys):
    return release(workspace, "invented", parts=FAKE, signer=Signer(keys.private))


def test_a_release_says_all_that_its_bundle_says(workspace, finished, keys):
    """It is signed, and answers as the bundle; what it was made from can be proven."""
    bundle = read_bundle(workspace.bundle("invented").resolve())

    made = read_release(workspace.release("invented"), key=keys.public, required=True)

    assert made.bundle.taxonomy == bundle.taxonomy
    assert made.bundle.temperatures == bundle.temperatures
    assert made.bundle_sha256 == sha256_of(bundle.folder / "bundle.json")
    assert finished.facts["signer"] == keys.fingerprint


def test_what_did_not_pass_does_not_ship(workspace, finished):
    """Neither its files nor its name."""
    made = read_release(workspace.release("invented"))

    assert [offer.name for offer in made.offers] == ["onnxruntime-fp32", "openvino-fp32", "openvino-bf16"]
    assert not any("int8" in name for name in made.sealed.entries)
    assert [each["offer"] for each in finished.facts["self_tests"]] == [offer.name for offer in made.offers]


def test_a_release_that_is_there_stays_unless_it_is_asked_for_again(workspace, finished):
    """The old one is kept beside it, as with every stage."""
    before = workspace.release("invented").resolve()

    with pytest.raises(UserError, match="--again"):
        release(workspace, "invented", parts=FAKE)
    release(workspace, "invented", parts=FAKE, again=True)

    assert workspace.release("invented").resolve() != before
    assert before.exists()


def test_without_an_exact_network_nothing_is_released(workspace):
    """A reduced precision alone has nothing to be held against."""
    parts = FAKE._replace(compare=judged(BF16, INT8))

    with pytest.raises(UserError, match="even in fp32"):
        release(workspace, "invented", parts=parts, again=True)


def test_a_network_that_fails_its_self_test_is_not_released(workspace):
    """What ships was tested from its checked files, as a clinic will."""

    def other(bundle, file=None, *, precision="fp32"):
        engine = opened(bundle)

        def run(pictures):
            return engine(pictures)._replace(logits=np.array([[9.0, 0.0, 0.0]], np.float32))

        return run

    before = workspace.release("invented").resolve()
    with pytest.raises(SafetyRefusal, match="self-test"):
        release(workspace, "invented", parts=FAKE._replace(engine=other), again=True)

    assert workspace.release("invented").resolve() == before


def test_a_bundle_that_was_not_evaluated_is_not_released(tmp_path):
    """Nobody knows how well it does."""
    workspace = a_tested_workspace(tmp_path / "work")

    with pytest.raises(UserError, match="cutis evaluate invented"):
        release(workspace, "invented", parts=FAKE)


def test_a_wrong_key_is_told_before_any_work(workspace, tmp_path):
    """Converting takes minutes."""

    def never(_, folder):
        raise AssertionError

    with pytest.raises(UserError, match="key"):
        release(workspace, "invented", parts=FAKE._replace(convert=never), signer=Signer(tmp_path / "no"), again=True)


def test_what_is_published_is_a_release_of_its_own(workspace, finished, keys, tmp_path):
    """With safetensors, config.json and card for the hub, signed anew, and answering as before."""
    publish_release(workspace, "invented", tmp_path / "public", signer=Signer(keys.private))

    made = read_release(tmp_path / "public", key=keys.public)
    assert {
        "model.safetensors",
        "config.json",
        "README.md",
        "network.onnx",
        "self-test.png",
    } <= made.sealed.entries.keys()
    assert sha256_of(tmp_path / "public" / "model.safetensors") == made.bundle.weights_sha256
    assert json.loads((tmp_path / "public" / "config.json").read_text())["num_classes"] == 3


def test_training_cases_travel_to_the_clinic_and_not_to_the_hub(tmp_path):
    """Rows of patients stay where the pictures are, and nothing that is published names one."""
    workspace = an_evaluated_workspace(tmp_path / "work")
    with_training_cases(workspace.bundle("invented").resolve())
    evaluate(workspace, "invented", again=True)
    told = release(workspace, "invented", parts=FAKE)
    published = publish_release(workspace, "invented", tmp_path / "public")

    made = read_release(workspace.release("invented"))
    assert len(made.index()) == 12
    assert any("are of patients" in line for line in told.lines)
    assert published.facts["left_out"] == ("neighbours.safetensors", "thumbnails.safetensors")
    for path in (tmp_path / "public").rglob("*.*"):
        content = path.read_bytes() if path.is_file() else b""
        assert b"patient00" not in content
        assert b"case00" not in content
