"""What came to a clinic beside what came where its release was made."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cutis.release.sign import seal
from cutis.runtime.release import read_release
from cutis.serve.reference import (
    DIFFERENCE,
    DISTANCE,
    FEWEST,
    INDEX,
    Kinds,
    Recent,
    Reference,
    Share,
    drifts_of,
    kind_drift,
    number_drifts,
    reference_of,
    share_drift,
)
from cutis.stats.drift import binned
from cutis.vocabulary.errors import UserError
from factories import a_release_folder

SAID = {
    "kind": "reference",
    "format": 1,
    "splits": ["calibrate", "test"],
    "pictures": 480,
    "clusters": 400,
    "cluster_kind": "lesion",
    "numbers": {"sharpness": {"edges": [0.3, 0.4], "clusters": [100, 200, 100]}},
    "kinds": {"first": {"clusters": {"a": 300, "b": 80}, "others": ["c", "d"], "of_others": 20}},
    "shares": {"abstained": {"clusters": 20, "of": 400}, "unusual": {"clusters": None, "of": 400}},
}


def a_reference(**fields):
    """Return what was counted of 400 lesions."""
    values = np.random.default_rng(0).normal(0.4, 0.1, 400)
    bins = binned(values, fewest=5)
    assert bins is not None
    plain = {
        "splits": ("calibrate", "test"),
        "pictures": 480,
        "clusters": 400,
        "cluster_kind": "lesion",
        "numbers": {"sharpness": bins},
        "kinds": {
            "first": Kinds(clusters={"a": 300, "b": 80}, others=("c", "d"), of_others=20),
            "device": Kinds(clusters={"one": 400}, others=(), of_others=0),
        },
        "shares": {"abstained": Share(20, 400), "unusual": Share(None, 400)},
    }
    return Reference(**plain | fields)


def chance():
    return np.random.default_rng(7)


def names(count):
    return [f"lesion {number}" for number in range(count)]


def test_a_release_gives_its_reference(tmp_path):
    """As it was counted where the release was made."""
    folder = a_release_folder(tmp_path / "release")
    (folder / "reference.json").write_text(json.dumps(SAID))
    seal(folder, about={}, made_from={})

    reference = reference_of(read_release(folder))

    assert reference is not None
    assert (reference.clusters, reference.cluster_kind) == (400, "lesion")
    assert reference.numbers["sharpness"].counts == (100, 200, 100)
    assert reference.kinds["first"].of_others == 20
    assert reference.shares["unusual"].clusters is None


def test_an_older_release_has_none(tmp_path):
    """It opens all the same."""
    assert reference_of(read_release(a_release_folder(tmp_path / "release"))) is None


@pytest.mark.parametrize(
    "changes", [{"format": 2}, {"kind": "release"}, {"numbers": None}, {"kinds": {"first": {}}}, {"shares": {"x": {}}}]
)
def test_what_is_no_reference_is_one_error(tmp_path, changes):
    """A newer format is not guessed at."""
    folder = a_release_folder(tmp_path / "release")
    (folder / "reference.json").write_text(json.dumps(SAID | changes))
    seal(folder, about={}, made_from={})

    with pytest.raises(UserError):
        reference_of(read_release(folder))


def test_a_number_that_moved_is_found_by_both_figures():
    """Pictures that became blurred; those that did not are not called so."""
    random = np.random.default_rng(1)
    moved, same = random.normal(0.32, 0.1, 120).tolist(), random.normal(0.4, 0.1, 120).tolist()

    index, distance = number_drifts(a_reference(), "sharpness", moved, names(120), generator=chance())
    unmoved = number_drifts(a_reference(), "sharpness", same, names(120), generator=chance())

    assert (index.figure, distance.figure) == (INDEX, DISTANCE)
    assert max(index.p, distance.p) < 0.001
    assert index.estimate.low > 0.1
    assert min(each.p for each in unmoved) > 0.05
    assert (index.recent, index.reference) == (120, 400)


def test_a_case_counts_once_by_what_is_first_known():
    """A hundred pictures of one lesion are one lesion."""
    values = [None, *[0.1] * 99, *np.random.default_rng(1).normal(0.4, 0.1, FEWEST - 1).tolist()]
    case_ids = ["the same"] * 100 + names(FEWEST - 1)

    index, _ = number_drifts(a_reference(), "sharpness", values, case_ids, generator=chance())

    assert index.recent == FEWEST
    assert index.p > 0.05


def test_too_few_are_told_without_a_number():
    """Neither of a few cases nor against a small reference."""
    few, _ = number_drifts(a_reference(), "sharpness", [0.4] * 49, names(49), generator=chance())
    small = share_drift(
        a_reference(shares={"abstained": Share(5, 40)}), "abstained", [True] * 60, names(60), generator=chance()
    )

    assert few.estimate.value is None
    assert few.p is None
    assert str(few.estimate) == "not available (49 came, which are too few to compare: 50 are needed)"
    assert "40 are in the reference" in small.estimate.note


def test_another_mix_of_diagnoses_is_found():
    """Rare ones count together; a word that the reference does not know is one of them."""
    usual = ["a"] * 75 + ["b"] * 20 + ["c"] * 3 + ["d", None]
    other = ["a"] * 40 + ["b"] * 20 + ["c"] * 20 + ["new"] * 20

    same, moved = (
        kind_drift(a_reference(), "first", words, names(100), generator=chance()) for words in (usual, other)
    )

    assert same.p > 0.3
    assert same.recent == 99
    assert moved.p < 0.001
    assert moved.estimate.low > 0.25


def test_a_new_device_is_found():
    """Where all were taken by one."""
    drift = kind_drift(a_reference(), "device", ["one"] * 50 + ["two"] * 10, names(60), generator=chance())

    assert drift.p < 0.001


def test_a_share_that_grew_is_told_with_its_interval():
    """More answers are withheld than where the release was made."""
    flags = [number % 5 == 0 for number in range(100)]

    drift = share_drift(a_reference(), "abstained", flags, names(100), generator=chance())

    assert drift.figure == DIFFERENCE
    assert drift.estimate.value == pytest.approx(0.15)
    assert drift.estimate.low > 0.05
    assert drift.p < 0.001


def test_what_the_reference_does_not_tell_is_not_compared():
    """Its few are nobody's business."""
    drift = share_drift(a_reference(), "unusual", [False] * 100, names(100), generator=chance())

    assert drift.estimate.value is None
    assert "not told" in drift.estimate.note


def test_everything_that_both_know_is_compared():
    """In one call, and what only one of them knows is left out."""
    recent = Recent(
        case_ids=names(60),
        numbers={"sharpness": [0.4] * 60, "something else": [1.0] * 60},
        kinds={"first": ["a"] * 60},
        shares={"abstained": [False] * 60},
    )

    drifts = drifts_of(a_reference(), recent, generator=chance())

    assert [(each.what, each.figure) for each in drifts] == [
        ("sharpness", INDEX),
        ("sharpness", DISTANCE),
        ("first", INDEX),
        ("abstained", DIFFERENCE),
    ]
