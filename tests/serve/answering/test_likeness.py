"""Which confirmed cases a lesion is like, and where it belongs on the atlas."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.runtime.atlas import Atlas, place
from cutis.runtime.neighbours import Likeness, index_of, kept
from cutis.serve.answering.likeness import agreement, neighbours_of, place_of
from cutis.stats.retrieval import Trial
from cutis.stats.spaces import fit_space
from factories import a_bundle, a_case
from opened_releases import an_open_release, outputs_for

CODES = ("a", "b", "c")


def an_index():
    """Nine cases around three directions, one for each diagnosis."""
    rows = kept(np.repeat(np.eye(3), 3, axis=0) + np.linspace(0, 0.2, 9)[:, None])
    cases = [a_case(n, diagnosis=CODES[n // 3], confirmed_by="histology", sha256=f"{n:064x}") for n in range(9)]
    return index_of(rows, cases, codes=CODES, space=fit_space("raw", rows, np.zeros(9, np.int64)))


def a_release(**fields):
    trials = (Trial("raw", 0.5, 0.01, 0.02),)
    likeness = Likeness(space="raw", cases=9, chosen_on="tune", trials=trials, strangers=2.0, nearness=None)
    return an_open_release(a_bundle(likeness=likeness), **{"index": an_index()} | fields)


def test_the_nearest_cases_come_first_with_what_settled_them():
    """Their similarity falls, and each says how it was confirmed."""
    found = neighbours_of(a_release(), [outputs_for((0, 0, 0), features=(1.0, 0.0, 0.0))], ["f" * 64])

    assert len(found) == 5
    assert [case.code for case in found[:3]] == ["a", "a", "a"]
    assert [case.similarity for case in found] == sorted((case.similarity for case in found), reverse=True)
    assert {case.confirmed_by for case in found} == {"histology"}
    assert agreement(found, "a") == pytest.approx(3 / 5)
    assert agreement((), "a") is None


def test_a_case_is_as_near_as_to_the_picture_that_it_is_nearest_to():
    """Several pictures of a lesion find the union of what they find, each case once."""
    sides = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)]
    said = [outputs_for((0, 0, 0), features=side) for side in sides]
    alone = [neighbours_of(a_release(), [one], ["f" * 64]) for one in said]

    found = neighbours_of(a_release(), said, ["f" * 64] * 2)

    best = {}
    for case in (*alone[0], *alone[1]):
        best[case.case_id] = max(case.similarity, best.get(case.case_id, -1))
    assert [case.similarity for case in found] == sorted(best.values(), reverse=True)[:5]
    assert len({case.case_id for case in found}) == 5


def test_the_same_picture_is_told():
    """By its bytes."""
    found = neighbours_of(a_release(), [outputs_for((0, 0, 0), features=(1.0, 0.0, 0.0))], [f"{1:064x}"])

    assert [case.case_id for case in found if case.perhaps_the_same_picture] == ["case0001"]


def test_a_release_without_cases_or_atlas_finds_nothing():
    """What is published carries neither."""
    said = [outputs_for((0, 0, 0))]

    assert neighbours_of(a_release(index=None), said, ["f" * 64]) == ()
    assert place_of(a_release(), said) is None


def test_a_lesion_is_placed_by_the_mean_of_its_pictures_features():
    """Where the atlas itself would put it."""
    random = np.random.default_rng(0)
    atlas = Atlas(
        mean=np.zeros(3, np.float32),
        axes=np.eye(3, dtype=np.float32)[:, :2],
        features=random.normal(size=(40, 2)).astype(np.float32),
        places=random.normal(size=(40, 2)) * 10,
    )
    said = [outputs_for((0, 0, 0), features=(0.5, 0.0, 0.0)), outputs_for((0, 0, 0), features=(0.0, 0.5, 0.0))]
    expected = place(atlas, np.array([[0.25, 0.25, 0.0]], np.float32)).places[0]

    assert place_of(a_release(atlas=atlas), said) == tuple(expected.tolist())
