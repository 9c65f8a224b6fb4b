"""Whoever asks a batcher gets the answer to their own picture, or an error, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait

import numpy as np
import pytest

from coroutines import awaited
from cutis.imaging.prepare import Preparation, normalise
from cutis.runtime.batcher import Batcher, Closed, TooManyWait
from cutis.vocabulary.outputs import Outputs

SIDE = 4
PREPARATION = Preparation(SIDE, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
SOON = 10  # seconds, after which a test has failed


def numbered(number):
    """A prepared picture that an engine can tell from all others."""
    return np.full((3, SIDE, SIDE), number, np.float32)


def echo(pictures):
    """An engine that says the number of each picture at every place where it says something."""
    numbers = pictures[:, 0, :1, 0]
    maps = (np.tile(numbers[:, :, None, None], (1, 1, 2, 2)),)
    return Outputs(logits=numbers, auxiliary_logits=(numbers,), features=numbers, maps=maps, stage_features=(numbers,))


class Gate:
    """An engine that echoes, but only when it is let, and notes what it was given."""

    def __init__(self):
        self.batches = []
        self.entered = threading.Semaphore(0)
        self.open = threading.Semaphore(0)

    def __call__(self, pictures):
        """Wait at the gate."""
        self.batches.append(pictures[:, 0, 0, 0].tolist())
        self.entered.release()
        assert self.open.acquire(timeout=SOON)
        return echo(pictures)


@pytest.fixture
def gate():
    """A closed gate."""
    return Gate()


def busy(batcher, gate):
    """Let one picture be at work, so that what is asked next must wait; its future."""
    first = batcher.ask(numbered(0))
    assert gate.entered.acquire(timeout=SOON)
    return first


@pytest.mark.parametrize(
    ("largest", "at_once", "delay"), [(1, 1, 0), (1, 2, 0), (3, 1, 0), (3, 3, 0.001), (8, 1, 0.002), (64, 1, 0)]
)
def test_no_answer_is_swapped_under_load(largest, at_once, delay):
    """Twenty-four threads, 200 pictures each: every part of every answer is of the picture that was asked about."""

    def ask_often(thread):
        for each in range(200):
            number = thread * 1_000 + each
            said = batcher.ask(numbered(number)).result(SOON)
            parts = [said.logits, *said.auxiliary_logits, said.features, *said.maps, *said.stage_features]
            assert all((part == number).all() and len(part) == 1 for part in parts)
        return 200

    with (
        Batcher(echo, PREPARATION, largest=largest, at_once=at_once, wait=delay) as batcher,
        ThreadPoolExecutor(24) as threads,
    ):
        assert sum(threads.map(ask_often, range(24))) == 24 * 200


def test_what_comes_while_the_engine_works_goes_together(gate):
    """In the order of asking, and never more than the largest batch."""
    with Batcher(gate, PREPARATION, largest=3) as batcher:
        first = busy(batcher, gate)
        others = [batcher.ask(numbered(number)) for number in range(1, 6)]
        gate.open.release(9)
        wait([first, *others], SOON)

    assert gate.batches == [[0], [1, 2, 3], [4, 5]]


def test_a_batch_waits_for_others_until_it_is_full_or_its_time_is_over(gate):
    """The time runs from the first, whoever comes after it."""
    gate.open.release(9)
    with Batcher(gate, PREPARATION, largest=2, wait=0.3) as batcher:
        started = time.monotonic()
        wait([batcher.ask(numbered(1)), batcher.ask(numbered(2))], SOON)
        full = time.monotonic() - started
        batcher.ask(numbered(3)).result(SOON)
        alone = time.monotonic() - started - full

    assert gate.batches == [[1, 2], [3]]
    assert full < 0.3 <= alone < 2


def test_several_batches_are_at_work_at_once_where_that_is_asked_for(gate):
    """And no more than that; all their threads end with the batcher."""
    with Batcher(gate, PREPARATION, largest=1, at_once=2) as batcher:
        asked = [batcher.ask(numbered(number)) for number in range(3)]
        assert gate.entered.acquire(timeout=SOON)
        assert gate.entered.acquire(timeout=SOON)
        assert not gate.entered.acquire(timeout=0.1)
        gate.open.release(9)
        assert [each.result(SOON).logits.item() for each in asked] == [0, 1, 2]

    assert not [thread for thread in threading.enumerate() if thread.name == "cutis batcher"]


def test_a_full_queue_refuses_at_once(gate):
    """Nobody waits to hear that; those who wait already are answered."""
    with Batcher(gate, PREPARATION, largest=1, most_waiting=2) as batcher:
        asked = [busy(batcher, gate), batcher.ask(numbered(1)), batcher.ask(numbered(2))]
        started = time.monotonic()

        with pytest.raises(TooManyWait, match="2 pictures wait already"):
            batcher.ask(numbered(3))

        assert time.monotonic() - started < 0.5
        gate.open.release(9)
        assert [each.result(SOON).logits.item() for each in asked] == [0, 1, 2]


def test_those_who_gave_up_keep_nobody_out_and_disturb_nobody(gate):
    """They cost no pass, their places in the queue are free, and the others of their batch are answered."""
    with Batcher(gate, PREPARATION, largest=9, most_waiting=3) as batcher:
        first = busy(batcher, gate)
        waiting = [batcher.ask(numbered(number)) for number in (1, 2, 3)]
        assert waiting[0].cancel()
        assert waiting[2].cancel()
        waiting.append(batcher.ask(numbered(4)))
        assert not first.cancel()  # it is at work
        assert waiting[1].cancel() is True
        gate.open.release(9)
        assert waiting[3].result(SOON).logits.item() == 4

    assert gate.batches == [[0], [4]]
    assert first.result(0).logits.item() == 0


def test_a_batch_that_everybody_gave_up_is_not_run(gate):
    """And the next one is."""
    with Batcher(gate, PREPARATION, largest=1) as batcher:
        busy(batcher, gate)
        assert batcher.ask(numbered(1)).cancel()
        last = batcher.ask(numbered(2))
        gate.open.release(9)
        assert last.result(SOON).logits.item() == 2

    assert gate.batches == [[0], [2]]


@pytest.mark.parametrize("wrong", [ZeroDivisionError("of the engine"), MemoryError(), SystemExit(3)], ids=repr)
def test_an_error_of_the_engine_reaches_its_batch_and_nobody_else(gate, wrong):
    """All of it; the batches before and after are answered by the same thread."""

    def engine(pictures):
        said = gate(pictures)
        if 2 in pictures[:, 0, 0, 0]:
            raise wrong
        return said

    with Batcher(engine, PREPARATION, largest=2) as batcher:
        first = busy(batcher, gate)
        others = [batcher.ask(numbered(number)) for number in range(1, 5)]
        gate.open.release(9)
        wait(others, SOON)

        assert [each.exception() for each in others] == [wrong, wrong, None, None]
        assert first.exception() is None


def test_an_engine_that_gives_another_number_of_answers_is_not_believed():
    """Or answers would be of other pictures."""
    with Batcher(lambda pictures: echo(np.repeat(pictures, 2, axis=0)), PREPARATION, largest=4) as batcher:
        asked = batcher.ask(numbered(1))

        with pytest.raises(RuntimeError, match="2 answers for 1 pictures"):
            asked.result(SOON)


def test_closing_ends_the_wait_of_everybody(gate):
    """What is at work is answered, what waits hears that it is closed, and who asks later hears it too."""
    batcher = Batcher(gate, PREPARATION, largest=1)
    first = busy(batcher, gate)
    waiting = [batcher.ask(numbered(number)) for number in range(1, 4)]
    waiting[1].cancel()

    closing = threading.Thread(target=batcher.close)
    closing.start()
    with pytest.raises(Closed):
        waiting[0].result(SOON)  # before the one at work has ended
    gate.open.release()
    closing.join(SOON)

    assert first.result(0).logits.item() == 0
    assert isinstance(waiting[2].exception(0), Closed)
    with pytest.raises(CancelledError):
        waiting[1].result(0)
    with pytest.raises(Closed):
        batcher.ask(numbered(9))
    batcher.close()  # twice does no harm
    assert not [thread for thread in threading.enumerate() if thread.name == "cutis batcher"]


def test_a_batcher_that_waits_for_a_full_batch_can_be_closed():
    """However long it would have waited."""
    started = time.monotonic()

    with Batcher(echo, PREPARATION, largest=2, wait=60) as batcher:
        asked = batcher.ask(numbered(1))
        time.sleep(0.1)  # until it waits

    assert time.monotonic() - started < SOON
    assert isinstance(asked.exception(0), Closed)


def test_coroutines_are_answered_and_may_give_up(gate):
    """By `asyncio.wrap_future`; a client that went away disturbs nobody."""

    async def ask_as_a_server_does():
        with Batcher(gate, PREPARATION, largest=8) as batcher:
            busy(batcher, gate)
            tasks = [asyncio.ensure_future(asyncio.wrap_future(batcher.ask(numbered(each)))) for each in range(1, 5)]
            tasks[0].cancel()
            await asyncio.sleep(0)
            gate.open.release(9)
            return await asyncio.gather(*tasks, return_exceptions=True)

    gone, *answered = awaited(ask_as_a_server_does)

    assert isinstance(gone, asyncio.CancelledError)
    assert [said.logits.item() for said in answered] == [2, 3, 4]
    assert gate.batches == [[0], [2, 3, 4]]


def test_a_picture_may_be_handed_in_as_it_was_prepared():
    """It is normalised as everywhere else, beside others that are already."""
    seen = []
    prepared = np.arange(SIDE * SIDE * 3, dtype=np.uint8).reshape(SIDE, SIDE, 3)

    def engine(pictures):
        seen.extend(pictures)
        return echo(pictures)

    with Batcher(engine, PREPARATION, largest=2, wait=SOON) as batcher:
        wait([batcher.ask(prepared), batcher.ask(numbered(7))], SOON)

    np.testing.assert_array_equal(seen, [normalise(prepared[None], PREPARATION)[0], numbered(7)])


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((SIDE, SIDE, 3), np.float32),
        np.zeros((3, SIDE, SIDE), np.uint8),
        np.zeros((3, SIDE, SIDE), np.float64),
        np.zeros((3, SIDE + 1, SIDE), np.float32),
        np.zeros((1, 3, SIDE, SIDE), np.float32),
    ],
    ids=lambda picture: f"{picture.shape} {picture.dtype}",
)
def test_a_picture_that_does_not_fit_is_refused_before_it_spoils_a_batch(picture):
    """It is the caller's bug, told to the caller alone."""
    with Batcher(echo, PREPARATION, largest=2) as batcher, pytest.raises(ValueError, match="4 pixels a side"):
        batcher.ask(picture)


def test_an_answer_can_be_kept_and_changed_without_the_others(gate):
    """It is a row of its own, and what a caller does to it nobody else sees."""
    gate.open.release(9)
    with Batcher(gate, PREPARATION, largest=2, wait=SOON) as batcher:
        one, other = (each.result(SOON) for each in [batcher.ask(numbered(1)), batcher.ask(numbered(2))])
    one.logits[:] = 9

    assert gate.batches == [[1, 2]]
    assert one.maps[0].base is None or one.maps[0].base.shape == one.maps[0].shape
    assert other.logits.item() == 2


@pytest.mark.parametrize("fields", [{"largest": 0}, {"at_once": 0}, {"most_waiting": 0}, {"wait": -1}], ids=str)
def test_batches_of_nothing_are_refused(fields):
    """By a ValueError, and no thread begins."""
    with pytest.raises(ValueError, match="no batches"):
        Batcher(echo, PREPARATION, **{"largest": 1} | fields)
