"""Who reads what."""

from collections import Counter

import numpy as np
import pytest

from cutis.readers.places import crossed_places, shared_places
from cutis.vocabulary.errors import UserError

CASES = {f"c{n:03d}": "abc"[n % 3] for n in range(60)}


def _shared(**fields):
    plain = {"readers": 40, "reads_per_case": 10, "labelled_by": {}, "seed": 1}
    return shared_places(CASES, **plain | fields)


def test_every_case_is_read_a_set_number_of_times_in_equal_shares_of_one_mix():
    """40 readers, 10 reads of each of 60 cases: 15 cases each, five of each diagnosis."""
    places = _shared()

    reads = Counter(case for place in places for case in place.cases)
    assert set(reads.values()) == {10}
    assert {len(place.cases) for place in places} == {15}
    assert all(Counter(CASES[case] for case in place.cases) == dict.fromkeys("abc", 5) for place in places)


def test_nobody_reads_his_own_cases_and_the_numbers_stay():
    """Whatever raters labelled, as long as somebody else can read it."""
    random = np.random.default_rng(0)
    for seed in range(10):
        labelled_by = {case: {f"rater{random.integers(4)}"} for case in CASES}
        raters = ("rater0", "rater1", "rater2")

        places = _shared(raters=raters, labelled_by=labelled_by, seed=seed)

        own = [(place.rater, case) for place in places if place.rater for case in place.cases]
        assert [place.rater for place in places[:4]] == [*raters, None]
        assert not any(rater in labelled_by[case] for rater, case in own)
        assert set(Counter(case for place in places for case in place.cases).values()) == {10}
        assert {len(place.cases) for place in places} == {15}


def test_who_labelled_everything_can_read_nothing():
    """It is told who and which case."""
    with pytest.raises(UserError, match=r"'chen' labelled case .* and nobody can read it instead"):
        _shared(raters=("chen",), labelled_by={case: {"chen"} for case in CASES})


def test_more_shares_than_cases_are_refused():
    """A reader without a case is none."""
    with pytest.raises(UserError, match="80 shares of 60 cases"):
        _shared(readers=80, reads_per_case=1)


def test_where_everybody_reads_everything_places_are_numbered():
    """The first ones are those of named raters."""
    places = crossed_places(12, raters=("chen",))

    assert [place.name for place in places[:2]] == ["r01", "r02"]
    assert (places[0].rater, places[1].rater, places[0].cases) == ("chen", None, None)
