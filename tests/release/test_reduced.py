"""The first layers of a network keep fp32 where others are rounded, as few of them as is enough."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from cutis.release import reduced
from cutis.release.reduced import SHARES, keep_first_layers, mark_first_layers
from cutis.runtime.engines import BF16, FP32, bf16_is_here, openvino_engine
from cutis.vocabulary.errors import UserError


@pytest.fixture
def network(converted, tmp_path):
    """A copy of the network that may be marked."""
    path = tmp_path / "network.xml"
    for suffix in (".xml", ".bin"):
        shutil.copy((converted.folder / "openvino/network.xml").with_suffix(suffix), path.with_suffix(suffix))
    return path


def logits(converted, network, precision):
    return openvino_engine(converted.bundle, network, precision)(converted.pictures).logits


def test_a_mark_changes_nothing_in_fp32(converted, network):
    """So one file serves both precisions."""
    before = logits(converted, network, "fp32")

    assert mark_first_layers(network, 1 / 2)

    np.testing.assert_array_equal(logits(converted, network, "fp32"), before)


def test_what_is_marked_is_computed_in_fp32_though_bf16_is_asked_for(converted, network):
    """The more of it, the less a logit moves; unmarked again it moves as before."""
    if not bf16_is_here():
        with pytest.raises(UserError, match="does not compute in bf16"):
            logits(converted, network, "bf16")
        return
    exact = logits(converted, network, "fp32")
    moved = []
    for share in (0, 1 / 2, 0.99, 0):
        mark_first_layers(network, share)
        moved.append(np.abs(logits(converted, network, "bf16") - exact).max())

    assert moved[0] == moved[3]
    assert moved[0] > moved[2]
    assert moved[1] != moved[0]


def test_layers_are_marked_from_the_picture_on_and_named(network):
    """By the order in which they are computed; a share of nothing names none."""
    few, more = mark_first_layers(network, 1 / 6), mark_first_layers(network, 1 / 2)

    assert few == more[: len(few)]
    assert len(few) < len(more)
    assert mark_first_layers(network, 0) == ()
    assert "precise" not in network.read_text(encoding="utf-8")


def test_no_more_is_kept_than_is_enough(converted, network, monkeypatch):
    """The shares are tried from nothing on; where none is enough, the largest is left and the gates decide."""
    said = {FP32: 0.0, BF16: 0.1}  # whatever this processor computes
    monkeypatch.setattr(reduced, "bf16_is_here", lambda: True)
    monkeypatch.setattr(reduced, "_probabilities", lambda _, precision, *__: np.full((6, 3), said[precision]))
    pictures = list(converted.pictures[:, None])

    assert keep_first_layers(network, converted.bundle, pictures) == mark_first_layers(network, SHARES[-1])

    said[BF16] = 0.001
    assert keep_first_layers(network, converted.bundle, pictures) == ()


def test_a_processor_without_bf16_keeps_a_share_that_it_cannot_try(converted, network, monkeypatch):
    """Its parity is not judged there either."""
    monkeypatch.setattr(reduced, "bf16_is_here", lambda: False)

    kept = keep_first_layers(network, converted.bundle, list(converted.pictures[:, None]))

    assert kept == mark_first_layers(network, reduced.WHERE_UNKNOWN)
