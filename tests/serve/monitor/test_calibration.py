"""Probabilities beside what came true, and whose truth came back."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from clinic_pasts import said_to_be
from cutis.serve.answer import State
from cutis.serve.labels.truths import Known, Said
from cutis.serve.monitor.calibration import FEWEST, calibration_of
from cutis.serve.monitor.past import Seen
from cutis.stats.reliability import reliability
from factories import a_taxonomy

BUNDLE = SimpleNamespace(taxonomy=a_taxonomy())


def answers(count, *, seed=0, state=State.ANSWERED):
    """Answers, and what each of them is."""
    chance = np.random.default_rng(seed)
    seen, truths = [], []
    for number in range(count):
        code, sure = str(chance.choice(["a", "b", "c"])), float(chance.uniform(0.4, 0.99))
        answer = said_to_be(code, sure, state=state)
        plain = {"at": 0.0, "is_silent": False, "device": None, "seconds": 0.1, "release_sha256": "r"}
        seen.append(Seen(id=str(number), case_id=f"c{number}", state=state, answer=answer, **plain))
        truths.append(code if chance.random() < sure else str(chance.choice([x for x in "abc" if x != code])))
    return seen, truths


def by_histology(seen, truths):
    """All of them cut out."""
    return {
        each.id: Known(examination_id=each.id, case_id=each.case_id, histology=Said(truth))
        for each, truth in zip(seen, truths, strict=True)
    }


def calibration(seen, known):
    """Of these answers."""
    return calibration_of(seen, known, bundle=BUNDLE, release_sha256="r")


def test_the_bins_are_those_of_the_evaluation():
    """The same cases in each, the same means; the share lies in its interval, and the counts add up."""
    seen, truths = answers(200)

    first, malignant = calibration(seen, by_histology(seen, truths)).events

    sure = np.array([each.answer.findings[0].probability for each in seen])
    right = np.array([each.first == truth for each, truth in zip(seen, truths, strict=True)])
    theirs = reliability(sure, right, of_case=np.arange(200))
    assert [each.predicted for each in first.bins] == pytest.approx(theirs.predicted)
    assert [each.observed.value for each in first.bins] == pytest.approx(theirs.observed)
    assert all(each.observed.low <= each.observed.value <= each.observed.high for each in first.bins)
    assert (first.examinations, first.came_true) == (200, right.sum())
    assert first.expected == pytest.approx(sure.sum())
    assert malignant.came_true == truths.count("c")


def test_few_truths_make_no_curve():
    """Only how many were expected and how many came true."""
    seen, truths = answers(FEWEST - 1)

    first, _ = calibration(seen, by_histology(seen, truths)).events

    assert (first.bins, first.examinations) == ((), FEWEST - 1)


def test_the_shares_that_were_verified_are_told_by_what_was_answered():
    """Where all that is called malignant is cut out and nothing else, the table says so."""
    seen, truths = answers(90)
    known = by_histology(seen, truths)
    cut_out = {each.id: known[each.id] for each in seen if each.first == "c"}
    votes = {"one": Said("a"), "two": Said("a")}
    (looked_at,) = [each for each in seen if each.first == "a"][:1]
    by_raters = {looked_at.id: Known(examination_id=looked_at.id, case_id=looked_at.case_id, votes=votes)}

    found = {each.code: each for each in calibration(seen, cut_out | by_raters).verified}

    assert found["c"].share == 1
    assert found["b"].share == 0
    assert (found["a"].by_histology, found["a"].by_raters) == (0, 1)
    assert sum(each.answered for each in found.values()) == 90


def test_abstentions_other_releases_and_unknown_truths_are_not_held_against_it():
    """It did not answer them, or not it."""
    seen, truths = answers(30, state=State.UNSURE)
    assert calibration(seen, by_histology(seen, truths)).with_truth == 0
    seen, truths = answers(30)
    assert calibration(seen, {}).events == ()
    assert calibration_of(seen, by_histology(seen, truths), bundle=BUNDLE, release_sha256="x").answered == 0
