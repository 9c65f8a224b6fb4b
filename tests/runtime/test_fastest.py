"""Engines are timed once on a machine, and what was found is remembered outside the release."""

from __future__ import annotations

import time

import numpy as np
import pytest

from cutis.runtime.engines import OFFERS
from cutis.runtime.fastest import FILE, fastest
from cutis.vocabulary.errors import UserError


def _opening(opened, **milliseconds):
    """Open engines that take so long; those that are not named are not installed."""

    def open_one(offer):
        opened.append(offer.name)
        takes = milliseconds.get(offer.name.replace("-", "_"))
        if takes is None:
            raise UserError(f"{offer.engine} is not installed", where="here", mend="install it")

        def engine(pictures: np.ndarray):
            assert pictures.shape == (1, 3, 8, 8)
            time.sleep(takes / 1000)

        return engine

    return open_one


def _ask(memory, opening, offers=OFFERS, release="a" * 64):
    return fastest(offers, opening, size=8, release_sha256=release, memory=memory)


def test_the_fastest_is_chosen_and_remembered(tmp_path):
    """The second time nothing is opened; what each took can be told."""
    opened = []
    opening = _opening(opened, onnxruntime_fp32=9, openvino_fp32=6, openvino_bf16=1, openvino_int8=4)

    first, second = _ask(tmp_path, opening), _ask(tmp_path, opening)

    assert first.fastest.name == second.fastest.name == "openvino-bf16"
    assert (first.remembered, second.remembered) == (False, True)
    assert len(opened) == len(OFFERS)
    assert second.seconds == first.seconds
    assert first.seconds["onnxruntime-fp32"] > first.seconds["openvino-bf16"]


def test_what_is_not_installed_is_told_and_left_out(tmp_path):
    """One engine is enough."""
    timed = _ask(tmp_path, _opening([], onnxruntime_fp32=1))

    assert timed.fastest.name == "onnxruntime-fp32"
    assert set(timed.refused) == {"openvino-fp32", "openvino-bf16", "openvino-int8"}


def test_without_any_engine_it_says_why(tmp_path):
    """Each with its reason."""
    with pytest.raises(UserError, match="openvino is not installed"):
        _ask(tmp_path, _opening([]))


@pytest.mark.parametrize("other", [{"release": "b" * 64}, {"offers": OFFERS[:2]}])
def test_another_release_or_another_choice_is_timed_anew(tmp_path, other):
    """And the first one is still remembered beside it."""
    opened = []
    opening = _opening(opened, onnxruntime_fp32=1, openvino_fp32=2)
    _ask(tmp_path, opening)

    timed = _ask(tmp_path, opening, **other)

    assert not timed.remembered
    assert _ask(tmp_path, opening).remembered


def test_another_number_of_threads_is_timed_anew(tmp_path, monkeypatch):
    """What was fastest on one core need not be on two."""
    opening = _opening([], onnxruntime_fp32=1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    _ask(tmp_path, opening)

    monkeypatch.setenv("OMP_NUM_THREADS", "2")

    assert not _ask(tmp_path, opening).remembered


@pytest.mark.parametrize("content", ["", "{}", '{"kind": "engines", "format": 1, "timed": [1]}', "\x00"])
def test_a_torn_memory_is_done_without(tmp_path, content):
    """It is timed again, and written anew."""
    (tmp_path / FILE).write_text(content)
    opening = _opening([], onnxruntime_fp32=1)

    assert not _ask(tmp_path, opening).remembered
    assert _ask(tmp_path, opening).remembered


def test_a_memory_that_cannot_be_written_stops_nobody(tmp_path):
    """A file lies where the folder should be."""
    (tmp_path / "file").write_text("")

    assert _ask(tmp_path / "file" / "memory", _opening([], onnxruntime_fp32=1)).fastest.name == "onnxruntime-fp32"
