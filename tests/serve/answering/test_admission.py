"""Who may wait for an answer."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

import bombs
from cutis.imaging.limits import MEGA
from cutis.runtime.batcher import TooManyWait
from cutis.serve.answering.admission import Admission
from factories import a_picture

SMALL = bombs.saved(a_picture(width=100, height=100))  # a hundredth of a megapixel


def test_so_many_examinations_may_wait_and_no_more():
    """The next one is told to come back, and let in when one has left."""
    admission = Admission(2)
    with ExitStack() as first, admission.admitted([SMALL, SMALL]):
        first.enter_context(admission.admitted([SMALL]))
        assert admission.is_full
        with pytest.raises(TooManyWait), admission.admitted([SMALL]):
            pass
        first.close()

        with admission.admitted([SMALL]):
            assert admission.within == 2
    assert admission.within == 0


def test_large_pictures_fill_the_queue_sooner():
    """It is pixels that take time and memory."""
    admission = Admission(100, pixels=MEGA // 20)
    with ExitStack() as waiting:
        for _ in range(5):
            waiting.enter_context(admission.admitted([SMALL]))

        assert admission.is_full
        with pytest.raises(TooManyWait), admission.admitted([SMALL]):
            pass
    assert not admission.is_full


def test_an_examination_that_is_larger_than_the_queue_is_let_in_alone():
    """Else it would be refused for ever."""
    admission = Admission(100, pixels=MEGA // 200)

    with admission.admitted([SMALL]), pytest.raises(TooManyWait), admission.admitted([SMALL]):
        pass
    with admission.admitted([SMALL]):
        pass


def test_who_fails_gives_the_place_back():
    """Whatever the failure."""
    admission = Admission(1)
    with pytest.raises(ZeroDivisionError), admission.admitted([SMALL]):
        raise ZeroDivisionError

    assert not admission.is_full


def test_a_file_without_a_size_counts_as_a_large_one():
    """What cannot be seen is taken to be dear."""
    admission = Admission(100, pixels=20 * MEGA)

    with admission.admitted([b"no picture"]), pytest.raises(TooManyWait), admission.admitted([b"no picture"]):
        pass
