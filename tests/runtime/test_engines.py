"""Engines take prepared pictures and give outputs, in the precision that was asked for, on the threads there are."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cutis.imaging.prepare import Preparation
from cutis.runtime import engines
from cutis.runtime.engines import OFFERS, open_engine, threads, torch_engine
from cutis.runtime.unreported import openvino_unreported
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.outputs import Outputs, by_name, from_names
from factories import a_bundle, a_colour_network

BUNDLE = a_bundle(preparation=Preparation(size=4, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)))
FILES = ("network.onnx", "network.xml")


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A network whose three logits are the means of the three colours, and whose map is the picture."""
    folder = tmp_path_factory.mktemp("release")
    a_colour_network(folder / "network.onnx", size=4)
    openvino = openvino_unreported()
    openvino.save_model(openvino.Core().read_model(folder / "network.onnx"), folder / "network.xml")
    return folder


def _pictures(count=5):
    return np.random.default_rng(0).normal(size=(count, 3, 4, 4)).astype(np.float32)


@pytest.mark.parametrize("file", FILES)
def test_an_engine_answers_for_any_number_of_pictures(release, file):
    """In numpy, with maps, in their order; other layouts in memory and other kinds of number are taken too."""
    engine = open_engine(BUNDLE, release / file)

    for pictures in (_pictures(1), _pictures(5), _pictures(5)[::-1], _pictures(2).astype(np.float64)):
        said = engine(pictures)
        np.testing.assert_allclose(said.logits, pictures.mean(axis=(2, 3)), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(said.maps[0], pictures, rtol=1e-6)
        assert said.logits.dtype == np.float32
        assert said.auxiliary_logits == ()


@pytest.mark.parametrize("file", FILES)
def test_answers_stay_as_they_are_when_the_engine_goes_on(release, file):
    """What was given belongs to the caller."""
    engine = open_engine(BUNDLE, release / file)
    first = engine(_pictures(2))
    kept = first.logits.copy()

    engine(_pictures(2) + 1)

    np.testing.assert_array_equal(first.logits, kept)


@pytest.mark.parametrize("file", FILES)
def test_several_threads_may_ask_at_once(release, file):
    """Each gets its own answer."""
    engine = open_engine(BUNDLE, release / file)
    asked = [_pictures(2) + number for number in range(24)]

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(engine, asked))

    for pictures, outputs in zip(asked, said, strict=True):
        np.testing.assert_allclose(outputs.logits, pictures.mean(axis=(2, 3)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("file", FILES)
def test_pictures_of_another_size_are_refused(release, file):
    """In words of ours, before the library."""
    with pytest.raises(ValueError, match=r"takes pictures of \(3, 4, 4\)"):
        open_engine(BUNDLE, release / file)(np.zeros((1, 3, 8, 8), np.float32))


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_no_network_is_refused_in_three_lines(tmp_path, file):
    """As a user can mend it."""
    (tmp_path / file).write_text("no network")

    with pytest.raises(UserError, match="cannot be opened"):
        open_engine(BUNDLE, tmp_path / file)


@pytest.mark.parametrize("file", FILES)
def test_a_precision_that_an_engine_has_not_is_refused(release, file):
    """Rather than answered in another."""
    with pytest.raises(UserError, match="does not compute in 'fp8'"):
        open_engine(BUNDLE, release / file, precision="fp8")


def test_pytorch_computes_a_bundles_own_weights_in_fp32_alone(release):
    """It is what the others are held against."""
    with pytest.raises(UserError, match="does not compute in 'bf16'"):
        torch_engine(BUNDLE, precision="bf16")
    with pytest.raises(UserError, match="own weights"):
        torch_engine(BUNDLE, release / "network.onnx")


def test_a_processor_without_bf16_says_so(release, monkeypatch):
    """Rather than compute in fp32 under another name."""
    monkeypatch.setattr(engines, "bf16_is_here", lambda: False)

    with pytest.raises(UserError, match="does not compute in bf16"):
        open_engine(BUNDLE, release / "network.xml", precision="bf16")


@pytest.mark.parametrize(("file", "library"), [("network.onnx", "onnxruntime"), ("network.xml", "openvino")])
def test_a_library_that_is_not_installed_is_named(release, file, library, monkeypatch):
    """With what installs it."""
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(UserError, match="is not installed") as refused:
        open_engine(BUNDLE, release / file)

    assert "pip install" in refused.value.mend


def test_threads_are_those_that_are_set_or_the_cores_of_this_process(monkeypatch):
    """What is no number is not obeyed."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() == 3

    for unusable in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", unusable)
        assert threads() >= 1

    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    assert threads() == 1


def test_every_offer_has_a_name_of_its_own():
    """A person chooses by it."""
    assert len({offer.name for offer in OFFERS}) == len(OFFERS)


@pytest.mark.parametrize("depths", [0, 7])
def test_outputs_go_into_a_file_by_name_and_come_back(depths):
    """Ten depths and more stay in their order; stage features stay behind."""
    arrays = iter(np.arange(100.0))
    auxiliary, maps = (tuple(next(arrays) for _ in range(count)) for count in (depths, depths + 1))
    outputs = Outputs(next(arrays), auxiliary, next(arrays), maps)

    assert from_names(by_name(replace_stage_features(outputs))) == outputs


def replace_stage_features(outputs):
    """Give them some."""
    return outputs._replace(stage_features=(1.0,))
