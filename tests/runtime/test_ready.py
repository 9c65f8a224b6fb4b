"""A clinic opens a release: checked first, by the engine that is fastest there, and without PyTorch."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cutis.release.sign import new_keys, read_private_key, seal
from cutis.runtime import ready
from cutis.runtime.ready import Trusted, ready_bundle, ready_release
from cutis.vocabulary.errors import SafetyRefusal, UserError
from factories import a_bundle_folder, a_running_release, with_training_cases

PICTURES = np.random.default_rng(0).normal(size=(2, 3, 16, 16)).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    return a_running_release(tmp_path / "release")


def test_the_fastest_engine_answers_and_is_remembered_outside_of_the_release(folder, tmp_path):
    """The second time nothing is timed."""
    first = ready_release(Trusted(folder), memory=tmp_path / "cache")
    second = ready_release(Trusted(folder), memory=tmp_path / "cache")

    assert first.answers_by == second.answers_by
    assert first.answers_by in {"onnxruntime-fp32", "openvino-fp32"}
    np.testing.assert_allclose(first.engine(PICTURES).logits, PICTURES.mean(axis=(2, 3)), atol=1e-6)
    assert (tmp_path / "cache" / "engines.json").exists()


@pytest.mark.parametrize("name", ["onnxruntime-fp32", "openvino-fp32"])
def test_an_engine_may_be_asked_for_by_name(folder, name):
    """One that is not offered is refused, and the others are named."""
    assert ready_release(Trusted(folder), engine=name).answers_by == name

    with pytest.raises(UserError, match="does not offer openvino-int8") as refused:
        ready_release(Trusted(folder), engine="openvino-int8")
    assert name in refused.value.mend


def test_an_engine_that_is_new_here_answers_the_self_test_first(folder, tmp_path, monkeypatch):
    """Once it has passed it is not asked again."""
    asked = []
    monkeypatch.setattr(ready, "self_test", lambda _, __, offer: asked.append(offer.name))
    for _ in range(3):
        ready_release(Trusted(folder), memory=tmp_path / "cache")

    assert asked == ["onnxruntime-fp32", "openvino-fp32"]


@pytest.mark.parametrize("engine", ["auto", "onnxruntime-fp32"])
def test_an_engine_that_answers_otherwise_here_is_refused_however_often_it_is_tried(folder, tmp_path, engine):
    """What was timed but refused is not remembered as safe."""
    said = json.loads((folder / "self-test.json").read_text())
    expected = said["expected"]["onnxruntime-fp32"]
    expected["probabilities"] = dict(zip(expected["probabilities"], (1.0, 0.0, 0.0), strict=True))
    (folder / "self-test.json").write_text(json.dumps(said))
    seal(folder, about={}, made_from={})

    for _ in range(2):
        with pytest.raises(SafetyRefusal, match="self-test of onnxruntime-fp32"):
            ready_release(Trusted(folder), engine=engine, memory=tmp_path / "cache")


def test_a_release_is_trusted_by_the_key_that_is_given(tmp_path):
    """An unsigned one is refused where a signature is asked for, before anything of it is used."""
    keys, other = new_keys(tmp_path / "keys"), new_keys(tmp_path / "other")
    signed = a_running_release(tmp_path / "signed", key=read_private_key(keys.private))
    unsigned = a_running_release(tmp_path / "unsigned")

    assert ready_release(Trusted(signed, keys.public, required=True), engine="onnxruntime-fp32").bundle.folder == signed
    for trusted in (Trusted(signed, other.public), Trusted(unsigned, keys.public), Trusted(unsigned, required=True)):
        with pytest.raises(SafetyRefusal):
            ready_release(trusted)


def test_a_bundle_is_run_by_pytorch(tmp_path):
    """Its training cases come where they are asked for."""
    folder = a_bundle_folder(tmp_path / "bundle")
    with_training_cases(folder)

    assert ready_bundle(folder).answers_by == "pytorch-fp32"
    assert ready_bundle(folder).among is None
    assert len(ready_bundle(folder, similar=True).among) == 12
