"""What a report prints of a protocol, beside the verdict."""

from __future__ import annotations

import json

import pytest

from cutis.vocabulary.registration import Registration


@pytest.mark.parametrize(("openings", "times"), [(1, "once"), (3, "3 times")])
def test_a_registration_says_in_words_when_the_protocol_was_written(openings, times):
    """And how often the test was opened."""
    registration = Registration(
        protocol_sha256="ab12", before="yes", openings=openings, under_it=1, why="unchanged since"
    )

    assert str(registration) == (f"written before the test was opened: yes (unchanged since); opened {times} so far")


def test_a_registration_survives_json():
    """Also the one of no protocol."""
    registration = Registration(
        protocol_sha256=None, before="no protocol", openings=2, under_it=0, why="none was given"
    )

    assert Registration(**json.loads(json.dumps(registration.to_dict()))) == registration
