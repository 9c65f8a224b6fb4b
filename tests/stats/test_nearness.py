"""What a similarity means rises with it, is told by the neighbour's diagnosis, and says on how many it rests."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cutis.stats.nearness import FEWEST, fit_nearness, nearness_from
from cutis.stats.resampling import clusters_of


def fitted(*, pictures=400, k=5, seed=0, rising=True, rare=0.02):
    """Neighbours of diagnoses a, b and the rare c; those with a are right more often, and the nearer the more often."""
    random = np.random.default_rng(seed)
    similarities = np.sort(random.uniform(0, 1, (pictures, k)).astype(np.float32), axis=1)[:, ::-1]
    diagnosis = random.choice(3, (pictures, k), p=[0.6, 0.4 - rare, rare])
    chance = np.where(diagnosis == 0, 0.5, 0.2) + (0.4 if rising else -0.15) * similarities
    same = (random.uniform(size=(pictures, k)) < chance).astype(float)
    clusters = clusters_of([f"p{n // 2}" for n in range(pictures)], kind="patient")
    return fit_nearness(similarities, same, diagnosis, codes="abc", clusters=clusters), (similarities, same, diagnosis)


def test_steps_rise_with_the_similarity():
    """Each step promises more than the one before, and rests on enough patients."""
    nearness, _ = fitted()

    for steps in nearness.of_diagnosis.values():
        assert [step.similarity for step in steps] == sorted(step.similarity for step in steps)
        assert (np.diff([step.share.value for step in steps]) > 0).all()
        assert min(step.share.clusters for step in steps) >= FEWEST
    assert len(nearness.of_diagnosis["a"]) > 1


def test_a_share_is_that_of_the_neighbours_of_its_step():
    """Counted by hand, with all neighbours in some step."""
    nearness, (similarities, same, diagnosis) = fitted()
    steps = nearness.of_diagnosis["a"]
    ends = [*(step.similarity for step in steps[1:]), np.inf]

    for step, end in zip(steps, ends, strict=True):
        here = (diagnosis == 0) & (similarities >= step.similarity) & (similarities < end)
        assert step.share.value == pytest.approx(same[here].mean())
        assert step.neighbours == here.sum()
    assert sum(step.neighbours for step in steps) == (diagnosis == 0).sum()


def test_where_being_near_tells_nothing_there_is_one_step():
    """A share that falls with the similarity is noise, or worse; it is not shown as if it rose."""
    nearness, (_, same, diagnosis) = fitted(rising=False)

    (step,) = nearness.of_diagnosis["a"]
    assert step.share.value == pytest.approx(same[diagnosis == 0].mean())


def test_a_diagnosis_that_few_have_met_shares_the_steps_of_its_like():
    """And where even together they are too few, nothing is said."""
    nearness, _ = fitted(pictures=800, rare=0.01)
    few, _ = fitted(pictures=60, rare=0.01)

    assert "c" in nearness.of_diagnosis or nearness.of_the_others
    assert "c" not in few.of_diagnosis
    assert few.said_of("c", 0.9) is None


def test_a_neighbour_is_told_by_its_own_diagnosis_and_similarity():
    """What is farther than any was lies on the lowest step, what is nearer on the highest."""
    nearness, _ = fitted()
    steps = nearness.of_diagnosis["a"]

    assert nearness.said_of("a", -1) == steps[0]
    assert nearness.said_of("a", 1) == steps[-1]
    assert nearness.said_of("a", steps[1].similarity) == steps[1]
    assert nearness.said_of("a", 0.9).share.value > nearness.said_of("b", 0.9).share.value


def test_nearness_reads_back_from_json():
    """To the last figure."""
    nearness, _ = fitted()

    assert nearness_from(json.loads(json.dumps(nearness.to_dict()))) == nearness


def test_nobody_to_be_found_tells_nothing():
    """All neighbours are of the same patient: no step, and no error."""
    clusters = clusters_of(["p"] * 4, kind="patient")
    nothing = np.full((4, 3), np.nan)

    nearness = fit_nearness(nothing, nothing, np.zeros((4, 3), int), codes="ab", clusters=clusters)

    assert nearness.of_diagnosis == {}
    assert nearness.said_of("a", 1) is None
