"""Neighbours are the nearest, never one's own, and precision is what a hand would count."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.retrieval import (
    NOBODY,
    Found,
    Origin,
    Question,
    by_chance,
    choose_space,
    nearest,
    precision_at,
    shared,
)
from cutis.stats.spaces import SPACES, fit_space, placed


def on_the_sphere(random, count, width=6):
    """Return random places of length one."""
    places = random.normal(size=(count, width)).astype(np.float32)
    return places / np.linalg.norm(places, axis=1, keepdims=True)


def of_patients(names, groups=None):
    """Return whose pictures these are."""
    return Origin(tuple(names), tuple(groups or (None,) * len(names)))


def by_a_loop(place, known, k, forbidden):
    """Return the k nearest by looking at one after the other."""
    cosines = [(-float(np.dot(place, other)), row) for row, other in enumerate(known) if row not in forbidden]
    return [row for _, row in sorted(cosines)[:k]]


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_are_those_that_a_loop_finds(seed):
    """Whatever is asked: the same rows in the same order, and none of the same patient or group of duplicates."""
    random = np.random.default_rng(seed)
    asking, known = on_the_sphere(random, 300), on_the_sphere(random, 60)
    patients = [[f"p{n}" for n in random.integers(0, 20, count)] for count in (300, 60)]
    groups = [[f"g{n}" if n < 5 else None for n in random.integers(0, 12, count)] for count in (300, 60)]

    found = nearest(
        asking, known, k=7, origin=of_patients(patients[0], groups[0]), known_origin=of_patients(patients[1], groups[1])
    )

    for at, place in enumerate(asking):
        own = {
            row
            for row in range(60)
            if patients[1][row] == patients[0][at] or (groups[0][at] and groups[1][row] == groups[0][at])
        }
        assert found.rows[at].tolist() == by_a_loop(place, known, 7, own)
    assert (np.diff(found.similarities, axis=1) <= 0).all()


def test_equally_near_ones_come_in_the_order_of_their_rows():
    """So that the same question has the same answer everywhere."""
    known = np.ones((50, 1), np.float32)

    assert nearest(known[:1], known, k=4).rows.tolist() == [[0, 1, 2, 3]]


def test_what_is_left_out_is_never_told_even_if_all_else_is_farther():
    """A patient's own picture, identical to the one that asks, does not slip in behind the others."""
    known = np.array([[1, 0], [-1, 0], [0, 1]], np.float32)

    found = nearest(known[:1], known, k=3, origin=of_patients(["p"]), known_origin=of_patients(["p", "q", "q"]))

    assert found.rows.tolist() == [[2, 1, NOBODY]]
    assert np.isnan(found.similarities[0, 2])


@pytest.mark.parametrize("known", [0, 1, 3])
def test_more_neighbours_than_there_are_cases_gives_those_that_there_are(known):
    """And says of the others that there is nobody."""
    random = np.random.default_rng(0)

    found = nearest(on_the_sphere(random, 2), on_the_sphere(random, known), k=5)

    assert (found.rows != NOBODY).sum(axis=1).tolist() == [known, known]
    assert np.isnan(found.similarities[:, known:]).all()


def test_who_is_not_known_is_kept_apart_from_nobody():
    """Two cases without a group of duplicates are no duplicates of each other."""
    known = np.eye(3, dtype=np.float32)

    found = nearest(known, known, k=3, origin=of_patients([None] * 3), known_origin=of_patients([None] * 3))

    assert (found.rows != NOBODY).all()


def test_precision_is_what_a_hand_counts():
    """Of the first k that are there; nothing where there is nobody."""
    found = Found(np.array([[0, 1, 2, 3], [2, 3, 0, 1], [1, 0, NOBODY, NOBODY], [NOBODY] * 4]), np.zeros((4, 4)))
    same = shared(found, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 0]))

    assert precision_at(1, same).tolist()[:3] == [1, 1, 1]
    assert precision_at(2, same).tolist()[:3] == [0.5, 1, 0.5]
    assert precision_at(4, same).tolist()[:3] == [0.75, 0.75, 0.5]
    assert np.isnan(precision_at(2, same)[3])


def test_chance_is_the_mix_of_those_who_could_be_found():
    """Without the patient's own cases; nothing where all are their own."""
    known = of_patients(["p", "p", "q", "r"])

    shares = by_chance(
        np.array([0, 0, 1]), of_patients(["p", "new", "q"]), known_diagnosis=np.array([0, 0, 0, 1]), known_origin=known
    )
    alone = by_chance(np.array([0]), of_patients(["p"]), known_diagnosis=np.array([0]), known_origin=of_patients(["p"]))

    assert shares.tolist() == [1 / 2, 3 / 4, 1 / 3]
    assert np.isnan(alone).all()


def a_question(*, hidden, seed=0, pictures=240, width=12):
    """Three diagnoses told apart in two narrow features; `hidden` is how wide the others are, which tell nothing."""
    random = np.random.default_rng(seed)
    diagnosis = np.arange(pictures) % 3
    corners = np.array([[1, 0], [-0.5, 0.9], [-0.5, -0.9]])
    features = np.hstack(
        [
            corners[diagnosis] + 0.15 * random.normal(size=(pictures, 2)),
            hidden * random.normal(size=(pictures, width - 2)),
        ]
    )
    half, patients = pictures // 2, of_patients([f"p{n // 2}" for n in range(pictures)])
    parts = [Origin(*(names[part] for names in patients)) for part in (np.s_[:half], np.s_[half:])]
    return Question(features[half:], diagnosis[half:], parts[1], features[:half], diagnosis[:half], parts[0])


def test_a_space_is_chosen_where_it_finds_more():
    """Loud features that tell nothing drown the others in raw cosine, and not where each is brought to its spread."""
    kind, trials = choose_space([a_question(hidden=8.0)])

    reached = {trial.kind: trial.precision for trial in trials}
    assert kind in {"standardised", "whitened", "within"}
    assert reached[kind] > reached["raw"] + 0.1
    assert list(reached) == list(SPACES)


def test_the_simplest_space_is_chosen_where_all_find_the_same():
    """A difference that chance explains is no reason for a more involved one."""
    kind, trials = choose_space([a_question(hidden=0.05)])

    assert kind == "raw"
    assert min(trial.below_best for trial in trials) == 0
    assert all(trial.below_best <= trial.standard_error for trial in trials if trial.kind == kind)


def test_each_diagnosis_counts_the_same_for_the_choice():
    """The precision of a trial is the mean of the diagnoses' means."""
    question = a_question(hidden=1.0)
    rare = np.concatenate([np.flatnonzero(question.diagnosis != 0), np.flatnonzero(question.diagnosis == 0)[:3]])
    origin = Origin(*(tuple(names[at] for at in rare) for names in question.origin))
    question = question._replace(features=question.features[rare], diagnosis=question.diagnosis[rare], origin=origin)
    space = fit_space("raw", question.known_features, question.known_diagnosis)
    found = nearest(placed(question.features, space), placed(question.known_features, space), k=5)
    precision = precision_at(5, shared(found, question.diagnosis, question.known_diagnosis))

    _, (trial,) = choose_space([question], kinds=("raw",))

    by_diagnosis = [precision[question.diagnosis == kind].mean() for kind in range(3)]
    assert trial.precision == pytest.approx(np.mean(by_diagnosis))
    assert trial.precision != pytest.approx(precision.mean())


def test_where_all_are_of_one_patient_nobody_can_be_asked():
    """Then it is the simplest space, and no number is made up for it."""
    question = a_question(hidden=1.0)
    one = of_patients(["p"] * len(question.diagnosis))

    assert choose_space([question._replace(origin=one, known_origin=one)]) == ("raw", ())
