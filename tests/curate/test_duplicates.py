from pathlib import Path

import pytest

from cutis.curate.consensus import Verdict
from cutis.curate.duplicates import duplicates_seen, mark_duplicates
from cutis.curate.row import Row
from cutis.curate.screen import Candidate, Picture
from cutis.imaging.fingerprint import fingerprint
from cutis.imaging.quality import measure_quality
from factories import a_case, a_picture


def seen(seed, *, brighter=1.0, histology=None, adjudicator=None):
    """A candidate who shows the picture of this seed."""
    picture = a_picture(width=176, height=132, seed=seed).point(lambda value: round(value * brighter))
    return Candidate(
        row=Row(number=2, file="a", source=Path("a")),
        verdict=Verdict(diagnosis="a", confirmed_by="majority", histology=histology, adjudicator=adjudicator),
        picture=Picture(
            source_sha256="",
            written=Path("a"),
            sha256="",
            quality=measure_quality(picture),
            fingerprint=fingerprint(picture),
            metadata=(),
        ),
    )


def test_copies_and_near_copies_are_one_group():
    """Named after its first case; what is seen once belongs to none."""
    cases = [a_case(number) for number in range(4)]

    marked = mark_duplicates(cases, [seen(0), seen(1), seen(0), seen(0, brighter=1.05)])

    assert [case.duplicate_group for case in marked] == ["case0000", None, "case0000", "case0000"]


@pytest.mark.parametrize(
    ("opinions", "diagnosis", "confirmed_by"),
    [
        ([{}, {}], None, None),
        ([{"adjudicator": "c"}, {}], "c", "adjudicator"),
        ([{"adjudicator": "c"}, {"adjudicator": "a"}], None, None),
        ([{"histology": "b"}, {"adjudicator": "c"}], "b", "histology"),
        ([{"histology": "b"}, {"histology": "a", "adjudicator": "a"}], "a", "adjudicator"),
    ],
)
def test_contradicting_labels_of_one_picture_go_to_histology_and_adjudicator(opinions, diagnosis, confirmed_by):
    """Each counts if it says one thing; else nobody knows, and the group is indeterminate."""
    cases = [a_case(0, diagnosis="a"), a_case(1, diagnosis="b")]

    marked = mark_duplicates(cases, [seen(0, **said) for said in opinions])

    assert [(case.diagnosis, case.confirmed_by) for case in marked] == [(diagnosis, confirmed_by)] * 2
    assert {case.indeterminate for case in marked} == {None if diagnosis else "contradicting labels"}


def test_an_unresolved_copy_contradicts_nothing():
    """It stays what it was, and so does the other."""
    cases = [a_case(0, diagnosis="a"), a_case(1, diagnosis=None, indeterminate="unresolved votes")]

    marked = mark_duplicates(cases, [seen(0), seen(0)])

    assert [(case.diagnosis, case.indeterminate) for case in marked] == [("a", None), (None, "unresolved votes")]


def test_groups_are_counted_with_those_that_cross_lesions():
    """The figures that are printed."""
    cases = [
        a_case(0, duplicate_group="g"),
        a_case(1, duplicate_group="g"),
        a_case(2, duplicate_group="h"),
        a_case(3, duplicate_group="h", lesion_id="lesion0002"),
        a_case(4, duplicate_group="h", lesion_id="lesion0002"),
        a_case(5),
    ]

    assert duplicates_seen(cases)._asdict() == {
        "groups": 2,
        "images": 5,
        "largest": 3,
        "crossing": 1,
        "share_crossing": 0.5,
    }
    assert duplicates_seen(cases[-1:]).groups == 0
