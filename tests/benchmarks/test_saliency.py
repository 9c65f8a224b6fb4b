"""What is measured is the same network both times, and ratios are of one round."""

from itertools import count

import numpy as np
import pytest
import torch


@pytest.fixture
def saliency(benchmark_named):
    """The benchmark."""
    return benchmark_named("saliency")


def test_timms_network_and_ours_give_the_same_answer(saliency):
    """So that what ours costs more is its maps, and nothing else."""
    theirs, ours = saliency.networks(saliency.Sizes("efficientnet_b0", 64))
    picture = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    with torch.inference_mode():
        said, answered = theirs(picture), ours(picture).logits

    torch.testing.assert_close(said, answered, rtol=1e-4, atol=1e-9)


def test_a_ratio_is_of_the_plain_pass_of_the_same_round(saliency, monkeypatch):
    """Every way runs once a round; a machine that slows down slows both."""
    clock, paces, turns = count(), {"plain": 2.0, "twice": 4.0}, []

    def seconds(way):
        return paces[way()] * (1 + next(clock) // 2)

    monkeypatch.setattr(saliency, "seconds", seconds)

    def way(name):
        return lambda: turns.append(name) or name

    table = saliency.paired(way("plain"), {"twice": way("twice")}, rounds=4)

    np.testing.assert_allclose(table["twice"], 2)
    np.testing.assert_allclose(table[saliency.PLAIN], [4, 6, 8, 10])
    assert turns[:4] == ["plain", "twice", "twice", "plain"]


def test_the_page_says_what_was_left_out(saliency):
    """A peer that is not installed is named, and the ratios stand as medians with their middle half."""
    table = {saliency.PLAIN: np.array([0.2, 0.2]), saliency.OURS: np.array([1.0, 1.2])}

    page = saliency.page_of(saliency.Sizes(), "channels last", [table], peer=False)

    assert f"| {saliency.OURS} | 2 | 1.10 | 1.05 to 1.15 |" in page
    assert page[-1] == "pytorch-grad-cam is not installed here, and was left out."
