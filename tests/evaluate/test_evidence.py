"""From answers to figures, and what is said of cases without a truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_score, roc_auc_score

from cutis.evaluate.evidence import UNANSWERED, evidence_beside, evidence_of, predictions_of, reasons
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
    """Cases and patients by diagnosis, and the confusion matrix."""
    predictions = some_predictions(cases=60)

    found = evidence_of(predictions, thresholds=THRESHOLDS, generator=chance(0, "test"))

    counts = np.bincount(predictions.truth).tolist()
    assert [support["cases"] for support in found.support.values()] == counts
    assert all(support["clusters"] <= support["cases"] for support in found.support.values())
    assert found.clusters == 30
    assert found.confusion.sum(axis=1).tolist() == counts
    assert np.trace(found.confusion) / 60 == pytest.approx(found.estimates["argmax/accuracy"].value)


def test_areas_and_shares_are_those_of_scikit_learn_with_intervals_by_formula():
    """All else is resampled, and says so."""
    predictions = some_predictions(cases=90)
    malignant = np.array([False, True, True])

    found = evidence_of(
        predictions,
        thresholds=THRESHOLDS,
        generator=chance(0, "test"),
        malignant=malignant,
        malignant_threshold=0.4,
    ).estimates

    has, score = predictions.truth > 0, predictions.probabilities[:, 1:].sum(axis=1)
    assert found["malignant_auc"].value == pytest.approx(roc_auc_score(has, score), abs=1e-12)
    assert found["auc/b"].value == pytest.approx(
        roc_auc_score(predictions.truth == 1, predictions.probabilities[:, 1]), abs=1e-12
    )
    assert found["one_vs_rest/malignant_sensitivity"].value == pytest.approx(np.mean(score[has] >= 0.4))
    assert found["argmax/ppv/c"].value == pytest.approx(
        precision_score(predictions.truth == 2, predictions.probabilities.argmax(axis=1) == 2)
    )
    methods = {name: found[name].method.split(",")[0] for name in ("auc/b", "argmax/sensitivity/c", "macro_auc")}
    assert methods == {
        "auc/b": "Obuchowski",
        "argmax/sensitivity/c": "Wilson",
        "macro_auc": "cluster bootstrap",
    }


def test_what_no_answer_gives_is_none_and_says_why():
    """A network that always says the same has no predictive values of the rest, and so no mean of them."""
    predictions = some_predictions(cases=90, probabilities=np.tile([0.6, 0.3, 0.1], (90, 1)))

    found = evidence_of(predictions, thresholds=THRESHOLDS, generator=chance(0, "test")).estimates

    missing = {name: estimate.note for name, estimate in found.items() if estimate.value is None}
    assert missing["argmax/ppv/b"] == "no patients with such an answer"
    assert missing["argmax/macro_ppv"] == UNANSWERED
    assert missing["argmax/matthews_correlation"] == UNANSWERED
    assert all(missing.values())


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
