"""Similar training cases: found exactly, never of the same patient, and told with what their nearness means."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from cutis.runtime.neighbours import (
    Likeness,
    Search,
    about_the_patient,
    in_space,
    index_of,
    kept,
    likeness_from,
    read_index,
    similar_cases,
    write_index,
)
from cutis.stats.nearness import Nearness, Step
from cutis.stats.retrieval import Trial
from cutis.stats.spaces import SPACES, fit_space, placed
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from factories import a_case, a_taxonomy

CODES = ("a", "b", "c")
SHARE = Estimate(value=0.7, low=0.6, high=0.8, method="invented", clusters=40, cluster_kind="patient")


def a_likeness(**fields):
    """What a bundle says of its training cases: a neighbour with a from 0.5 on is right in 0.7."""
    plain = {
        "space": "raw",
        "cases": 20,
        "chosen_on": "tune",
        "trials": (Trial("raw", 0.5, 0.0, 0.0),),
        "strangers": 0.9,
        "nearness": Nearness({"a": (Step(0.5, SHARE, 100),)}, ()),
    }
    return Likeness(**plain | fields)


def an_index(*, cases=20, seed=0, kind="raw", **fields):
    """Training cases of two pictures a patient, with features at random."""
    features = kept(np.random.default_rng(seed).normal(size=(cases, 8)))
    known = [
        a_case(n, cluster_id=f"patient{n // 2}", diagnosis=CODES[n % 3], confirmed_by="histology" if n % 2 else None)
        for n in range(cases)
    ]
    return index_of(features, known, codes=CODES, space=fit_space(kind, features, np.arange(cases) % 3))


def asked(index, features, *, cases=5, patient=None, **fields):
    """Ask for similar cases as the prediction does."""
    search = Search(cases, patient)
    return similar_cases(index, a_likeness(**fields), features, search=search, taxonomy=a_taxonomy())


def test_the_most_similar_comes_first_with_all_that_is_known_of_it():
    """Case, diagnosis, what settled it, how similar it is, and what that means."""
    index = an_index()
    picture = index.features[[3]].astype(np.float32) + 0.1

    found = asked(index, picture)

    first = found[0]
    cosine = picture[0] @ index.features[3] / np.linalg.norm(picture) / np.linalg.norm(index.features[3])
    assert (first.case_id, first.code, first.name, first.malignant) == ("case0003", "a", "disease a", False)
    assert first.confirmed_by == "histology"
    assert first.similarity == pytest.approx(float(cosine), abs=1e-3)
    assert first.shared == SHARE
    assert [each.similarity for each in found] == sorted((each.similarity for each in found), reverse=True)
    assert {each.shared for each in found if each.code != "a"} <= {None}


def test_no_case_of_the_patient_who_is_named_is_found():
    """However similar it is."""
    index = an_index()
    picture = index.features[[3]]

    found = asked(index, picture, cases=20, patient="patient1")

    assert {"case0002", "case0003"} & {each.case_id for each in found} == set()
    assert len(found) == 18
    assert about_the_patient(index, Search(5, "patient1")).startswith("2 training cases of patient1 left out")
    assert about_the_patient(index, Search(5, "patient99")).startswith("No training case is of patient99")
    assert "nobody was named" in about_the_patient(index, Search(5))


def test_what_is_perhaps_the_same_picture_is_said():
    """By its bytes, or by lying nearer than pictures of different patients ever did."""
    index = an_index()
    picture = index.features[[3]].astype(np.float32)
    near = picture + 0.05

    by_bytes = similar_cases(
        index, a_likeness(strangers=1.0), near, search=Search(20), taxonomy=a_taxonomy(), sha256=index.sha256s[7]
    )

    assert [each.case_id for each in asked(index, picture) if each.perhaps_the_same_picture] == ["case0003"]
    assert not any(each.perhaps_the_same_picture for each in asked(index, picture, strangers=1.0))
    assert not any(each.perhaps_the_same_picture for each in asked(index, near + 3 * np.eye(1, 8)))
    assert [each.case_id for each in by_bytes if each.perhaps_the_same_picture] == ["case0007"]


@pytest.mark.parametrize("cases", [1, 2])
def test_an_index_of_one_patient_has_nobody_else_to_show(cases):
    """An empty list, and no error; and all of it where the patient is another."""
    index = an_index(cases=cases)

    assert asked(index, index.features[[0]], patient="patient0") == ()
    assert len(asked(index, index.features[[0]], patient="patient7")) == cases


def test_where_nothing_tells_what_a_similarity_means_nothing_is_said():
    """A share is found on patients, or not at all."""
    index = an_index()

    assert {each.shared for each in asked(index, index.features[[0]], nearness=None)} == {None}


@pytest.mark.parametrize("kind", SPACES)
def test_an_index_reads_back(tmp_path, kind):
    """To the bit, in any space, with names of any letters and what is not known."""
    index = an_index(kind=kind)

    write_index(tmp_path / "neighbours.safetensors", index, made_from={"weights": "0" * 64})
    found = read_index(tmp_path / "neighbours.safetensors")

    assert found.space.kind == kind
    assert found.features.dtype == np.float16
    for name in ("features", "places", "diagnosis"):
        assert np.array_equal(getattr(found, name), getattr(index, name))
    for name in ("case_ids", "confirmed_by", "sha256s", "origin"):
        assert getattr(found, name) == getattr(index, name)


def test_a_likeness_reads_back_from_json():
    """With and without what a similarity means."""
    for likeness in (a_likeness(), a_likeness(nearness=None, trials=())):
        assert likeness_from(json.loads(json.dumps(likeness.to_dict()))) == likeness


def test_half_precision_is_kept_unless_a_feature_is_too_great_for_it():
    """Rounding moves a place by less than a thousandth; an overflow would lose it."""
    features = np.random.default_rng(0).normal(size=(200, 64)).astype(np.float32)
    space = fit_space("raw", features, np.zeros(200, int))

    assert kept(features).dtype == np.float16
    assert (placed(kept(features), space) * placed(features, space)).sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert kept(features * 1e6).dtype == np.float32


def test_another_space_leaves_the_cases_as_they_are():
    """Only the places move."""
    index = an_index()

    moved = in_space(index, fit_space("standardised", index.features, index.diagnosis))

    assert moved.case_ids == index.case_ids
    assert not np.allclose(moved.places, index.places)


def test_a_bundle_without_training_cases_says_how_to_mend_it(tmp_path):
    """One clear error where they are asked for."""
    with pytest.raises(UserError, match="carries no training cases") as error:
        read_index(tmp_path / "neighbours.safetensors")

    assert "similar_cases=true" in error.value.mend


def test_a_damaged_or_newer_index_is_refused(tmp_path):
    """Nothing is guessed from it."""
    path = tmp_path / "neighbours.safetensors"
    path.write_bytes(b"torn")
    with pytest.raises(UserError, match="cannot be read"):
        read_index(path)
    write_index(path, an_index(), made_from={})
    path.write_bytes(path.read_bytes().replace(b'\\"format\\": 1', b'\\"format\\": 9'))

    with pytest.raises(UserError, match="format 9 is not known"):
        read_index(path)


def test_similar_cases_need_numpy_alone():
    """A clinic's installation has no torch, and does not wait for scipy or scikit-learn."""
    asked = "import sys, cutis.runtime.neighbours, cutis.runtime.told"
    script = f"{asked}; print({{'torch', 'scipy', 'sklearn'}} & {{*sys.modules}})"

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "set()"
