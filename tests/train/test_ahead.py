"""A step made ready beforehand is the same step."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from cutis.train.ahead import ahead
from cutis.train.batches import Batch, Step

CPU = torch.device("cpu")


def test_steps_made_ahead_are_the_same_steps():
    """The thread changes when a step is made, not which."""
    steps = [Step((), n) for n in range(20)]

    assert [step.pictures for step in ahead(iter(steps), device=CPU)] == list(range(20))


def test_what_goes_wrong_ahead_is_raised_where_it_is_waited_for():
    """An error in the thread is no silence."""

    def broken():
        yield Step((), 1)
        raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        list(ahead(broken(), device=CPU))


def test_nobody_makes_steps_for_a_listener_who_left():
    """When the loop ends early, the thread ends too."""
    before = threading.active_count()

    for _ in ahead((Step((), n) for n in iter(int, 1)), device=CPU):
        break

    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


@pytest.mark.gpu
def test_on_a_graphics_card_a_step_is_whole_when_it_is_handed_over():
    """The stream that computes waits for the one that prepares."""
    device = torch.device("cuda")

    def steps():
        for number in range(20):
            images = torch.full((64, 3, 256, 256), float(number)).to(device)
            for _ in range(20):
                images = images + 0
            yield Step((Batch(images, images[:, :, 0, 0], ("a",) * 64),), 64)

    for number, step in enumerate(ahead(steps(), device=device)):
        assert (step.parts[0].images == number).all()
