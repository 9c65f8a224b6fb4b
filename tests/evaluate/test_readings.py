"""Two readings of the same answers, and what is said of diagnoses that a network does not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cutis.evaluate.readings import foreign_diagnoses, foreign_estimates, restricted_to
from cutis.vocabulary.chance import chance
from cutis.vocabulary.predictions import Predictions
from factories import a_case, a_manifest, a_taxonomy, some_predictions

MALIGNANT = np.array([False, False, True])


def test_restricted_probabilities_keep_their_ratios_and_sum_to_one():
    """As if the network knew a and c alone."""
    predictions = some_predictions(cases=40)
    predictions = replace(predictions, truth=2 * (predictions.truth // 2))

    found = restricted_to(predictions, ("a", "c"), a_taxonomy())

    ratio = predictions.probabilities[:, 0] / predictions.probabilities[:, 2]
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(found.probabilities[:, 0] / found.probabilities[:, 1], ratio)
    assert (found.codes, found.taxonomy_sha256) == (("a", "c"), a_taxonomy(("a", "c")).sha256)
    np.testing.assert_array_equal(found.truth, predictions.truth // 2)


def test_where_nothing_is_left_all_common_diagnoses_are_alike():
    """A network that is wholly sure of something else says nothing of them."""
    predictions = some_predictions(cases=2)
    predictions = replace(predictions, truth=np.array([0, 2]), probabilities=np.array([[0.0, 1, 0]] * 2))

    assert restricted_to(predictions, ("a", "c"), a_taxonomy()).probabilities.tolist() == [[0.5, 0.5]] * 2


def foreign_cases(answers, codes):
    """Predictions without truth and what is recorded of the cases; y is malignant elsewhere, x is not."""
    said = Predictions(
        case_ids=tuple(f"foreign{n}" for n in range(len(answers))),
        cluster_ids=tuple(f"person{n}" for n in range(len(answers))),
        cluster_kind="patient",
        truth=None,
        probabilities=np.full((len(answers), 3), 0.1) + 0.7 * np.eye(3)[["abc".index(answer) for answer in answers]],
        codes=("a", "b", "c"),
        taxonomy_sha256=a_taxonomy().sha256,
        split="all",
        rater="invented",
    )
    return said, a_manifest(
        [a_case(n, diagnosis=code) for n, code in enumerate(codes)], taxonomy=a_taxonomy(("x", "y"))
    )


def test_it_is_asked_how_sure_it_is_and_whether_it_calls_them_malignant():
    """Malignant foreign cases apart from benign ones, which their own taxonomy tells."""
    known = some_predictions(cases=60)
    said, cases = foreign_cases("ccab" * 10, "yyyx" * 10)

    found = foreign_estimates(known, said, cases, malignant=MALIGNANT, generator=chance(0))

    signal = 1 - np.concatenate([known.probabilities.max(axis=1), said.probabilities.max(axis=1)])
    assert found["foreign/mean_top_probability"].value == pytest.approx(0.8)
    assert found["known/mean_top_probability"].value == pytest.approx(known.probabilities.max(axis=1).mean())
    assert found["foreign_malignant/called_malignant"].value == pytest.approx(2 / 3)
    assert found["foreign_benign/called_malignant"].value == 0.0
    assert found["uncertainty/auroc"].value == pytest.approx(roc_auc_score(np.arange(100) >= 60, signal))


def test_without_a_benign_foreign_case_nothing_is_said_of_them():
    """No number is made up."""
    said, cases = foreign_cases("ccab", "yyyy")

    found = foreign_estimates(some_predictions(), said, cases, malignant=MALIGNANT, generator=chance(0))

    assert "foreign_benign/called_malignant" not in found
    assert found["foreign_malignant/called_malignant"].value == 0.5
    assert "only 4 patients" in found["foreign_malignant/called_malignant"].note


def test_each_foreign_diagnosis_is_told_with_its_answers():
    """In the order of its own taxonomy, with counts."""
    said, cases = foreign_cases("ccab" * 5, "yyyx" * 5)

    first, second = foreign_diagnoses(said, cases, malignant=MALIGNANT, generator=chance(0))

    assert (first.disease.code, first.cases, first.answers) == ("x", 5, {"b": 5})
    assert (second.cases, second.clusters, second.answers) == (15, 15, {"c": 10, "a": 5})
    assert second.called_malignant.value == pytest.approx(2 / 3)
    assert second.content()["malignant"] is True
