"""From answers to figures, and what is said of cases without a truth."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.evaluate.evidence import evidence_beside, evidence_of, predictions_of, reasons
from cutis.vocabulary.case import Vote
from cutis.vocabulary.chance import chance
from factories import a_case, a_manifest, some_predictions

THRESHOLDS = np.array([0.3, 0.3, 0.3])


def answering(codes):
    """Probabilities (N, 3) whose highest is the given one."""
    return np.full((len(codes), 3), 0.2) + 0.4 * np.eye(3)[["abc".index(code) for code in codes]]


def beside(stratum, answers):
    said = predictions_of(stratum, answering(answers), rater="invented")
    return evidence_beside(some_predictions(cases=30), stratum, said, generator=chance(0, "test"))


def test_predictions_keep_the_order_of_the_cases():
    """Truth, cluster and probabilities stand in the row of their case."""
    cases = a_manifest([a_case(2, diagnosis="c"), a_case(1, diagnosis="a", cluster_id="patient0002")])

    found = predictions_of(cases, answering("ca"), rater="pocket")

    assert found.case_ids == ("case0002", "case0001")
    assert found.cluster_ids == ("patient0002", "patient0002")
    assert found.truth.tolist() == [2, 0]
    assert (found.split, found.rater) == ("test", "pocket")


def test_indeterminate_cases_have_no_truth():
    """Not even where the dataset knows a diagnosis of a poor picture."""
    cases = a_manifest([a_case(1, indeterminate="poor picture")])

    assert predictions_of(cases, answering("a"), rater="pocket").truth is None


def test_evidence_counts_what_it_rests_on():
    """Cases and patients by diagnosis, the confusion matrix, and bins that hold every case."""
    predictions = some_predictions(cases=60)

    found = evidence_of(predictions, thresholds=THRESHOLDS, generator=chance(0, "test"))

    counts = np.bincount(predictions.truth).tolist()
    assert [support["cases"] for support in found.support.values()] == counts
    assert all(support["clusters"] <= support["cases"] for support in found.support.values())
    assert found.clusters == 30
    assert found.confusion.sum(axis=1).tolist() == counts
    assert sum(each.cases for each in found.reliability) == 60
    mean = np.average([each.right.value for each in found.reliability], weights=[b.cases for b in found.reliability])
    assert mean == pytest.approx(found.estimates["argmax/accuracy"].value)


def test_the_calibration_error_has_no_interval_and_says_why():
    """No number is reported bare, and no interval invented."""
    found = evidence_of(some_predictions(), thresholds=THRESHOLDS, generator=chance(0, "test"))

    error = found.estimates["expected_calibration_error"]
    assert error.value > 0
    assert "no interval: resampling makes this figure larger" in str(error)


def test_agreement_with_raters_counts_any_of_their_votes():
    """The first answer was one rater's, the second nobody's; the case without votes does not count."""
    votes = (Vote(rater="one", code="a"), Vote(rater="two", code="b"))
    stratum = a_manifest(
        [
            *(a_case(n, diagnosis=None, indeterminate="unresolved votes", votes=votes) for n in range(2)),
            a_case(2, diagnosis="c", indeterminate="poor picture"),
        ]
    )

    found = beside(stratum, "bcc")

    assert found["indeterminate/agrees_with_a_rater"].value == 0.5
    assert found["indeterminate/agrees_with_a_rater"].clusters == 2
    assert found["indeterminate/agrees_with_the_diagnosis"].value == 1.0
    assert found["indeterminate/agrees_with_the_diagnosis"].clusters == 1
    assert found["indeterminate/mean_top_probability"].value == pytest.approx(0.6)
    assert reasons(stratum) == {"unresolved votes": 2, "poor picture": 1}


def test_hard_cases_left_out_would_flatter():
    """The accuracy that no settling of the indeterminate can undercut: right answers over all cases."""
    settled = some_predictions(cases=30)
    right = (settled.probabilities.argmax(axis=1) == settled.truth).sum()
    stratum = a_manifest([a_case(n, indeterminate="poor picture", cluster_id=f"other{n}") for n in range(10)])

    found = beside(stratum, "a" * 10)["both/accuracy_if_indeterminate_were_wrong"]

    assert found.value == pytest.approx(right / 40)
    assert found.clusters == 15 + 10


def test_without_votes_there_is_nothing_to_agree_with():
    """None and a reason."""
    stratum = a_manifest([a_case(0, diagnosis=None, indeterminate="unresolved votes")])

    found = beside(stratum, "a")["indeterminate/agrees_with_a_rater"]

    assert str(found) == "not available (no case of the stratum has any)"


def test_an_empty_stratum_leaves_the_settled_alone():
    """Only how sure the network is of the settled cases is said."""
    found = evidence_beside(some_predictions(), a_manifest(), None, generator=chance(0, "test"))

    assert list(found) == ["settled/mean_top_probability"]
