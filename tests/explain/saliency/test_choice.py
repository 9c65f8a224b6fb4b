"""Which cases are shown follows from the predictions, and what is asked of them from a wish."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.explain.saliency.choice import (
    ANSWER,
    MOST_CASES,
    Asked,
    Choice,
    Wish,
    asked_for,
    choose_cases,
    question_of,
    wish_of,
)
from cutis.runtime.maps import Question
from cutis.vocabulary.errors import UserError
from factories import a_taxonomy, some_predictions


def _of_patients(truth, probabilities):
    """Predictions of as many patients as cases."""
    cases, kinds = probabilities.shape
    return some_predictions(
        cases=cases,
        codes=tuple("abcd"[:kinds]),
        truth=truth,
        probabilities=probabilities,
        cluster_ids=tuple(f"patient{number}" for number in range(cases)),
    )


def test_the_choice_shows_the_surest_wrong_answers_and_a_right_one_per_diagnosis():
    """The choice follows from the predictions alone, and each case comes with its reason."""
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.05, 0.95], [0.4, 0.6], [0.55, 0.45]])
    truth = np.array([0, 0, 1, 0, 0, 1])
    predictions = _of_patients(truth, probabilities)

    choices = choose_cases(predictions, malignant=(False, False))

    assert choices == (
        Choice("case0003", "among the surest wrong answers"),
        Choice("case0004", "among the surest wrong answers"),
        Choice("case0005", "among the surest wrong answers"),
        Choice("case0000", "surest right answer for its diagnosis"),
        Choice("case0002", "surest right answer for its diagnosis"),
    )


def test_what_is_malignant_and_was_called_benign_is_shown_first_however_sure_other_errors_are():
    """A missed melanoma weighs more than a surer false alarm; one malignant diagnosis for another is no miss."""
    truth = np.array([2, 2, 2, 0, 2])
    answers = np.array([0, 1, 3, 2, 2])
    sure = np.array([0.6, 0.7, 0.8, 0.95, 0.99])
    probabilities = np.full((5, 4), 0.0)
    probabilities[np.arange(5), answers] = sure
    probabilities[np.arange(5), (answers + 1) % 4] = 1 - sure

    choices = choose_cases(_of_patients(truth, probabilities), malignant=(False, False, True, True))

    missed, wrong = "malignant called benign, among the surest", "among the surest wrong answers"
    assert [tuple(choice) for choice in choices[:4]] == [
        ("case0001", missed),
        ("case0000", missed),
        ("case0003", wrong),
        ("case0002", wrong),
    ]


def test_a_patient_is_shown_wrong_once_by_the_surest_picture():
    """Five pictures of one mistaken lesion would fill the gallery and teach nothing more."""
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.7, 0.3], [0.8, 0.2]])
    owners = ("p1", "p1", "p1", "p2")
    predictions = some_predictions(
        cases=4, codes=("a", "b"), truth=np.ones(4, int), probabilities=probabilities, cluster_ids=owners
    )

    choices = choose_cases(predictions, malignant=(False, True))

    assert [choice.case_id for choice in choices] == ["case0001", "case0003"]


def test_the_choice_stays_small_and_leaves_out_what_was_never_answered_rightly():
    """With more diagnoses than places the wrong answers keep theirs."""
    codes = tuple(f"d{number}" for number in range(30))
    many = choose_cases(some_predictions(cases=600, codes=codes), malignant=(False,) * 29 + (True,))
    always_wrong = _of_patients(np.zeros(4, int), np.eye(2)[[1] * 4])

    whys = [choice.why for choice in many]
    assert len(many) == MOST_CASES
    assert whys.count("among the surest wrong answers") == 4
    assert whys.count("malignant called benign, among the surest") == 4
    assert {choice.why for choice in choose_cases(always_wrong, malignant=(False, False))} == {
        "among the surest wrong answers"
    }


def test_a_choice_needs_a_truth():
    """Without one nobody knows what is right."""
    with pytest.raises(ValueError, match="truth"):
        choose_cases(some_predictions(truth=None), malignant=(False, False, True))


def test_each_case_that_is_asked_for_is_shown_once():
    """Typing a case twice shows it once."""
    assert [choice.case_id for choice in asked_for(("x", "y", "x"))] == ["x", "y"]


def test_without_a_wish_the_answer_is_explained_rather_than_the_runner_up():
    """What the network said, and what it would have said else."""
    assert question_of(ANSWER, [2, 0, 1]) == Question(2, 0)


@pytest.mark.parametrize(
    ("wish", "question"),
    [
        (Wish(1, None), Question(1, 2)),
        (Wish(None, 1), Question(2, 1)),
        (Wish(None, 2), Question(0, 2)),
        (Wish(2, None), Question(2, 0)),
        (Wish(1, 0), Question(1, 0)),
    ],
)
def test_what_is_wished_for_is_kept_and_the_rest_is_the_most_probable_other(wish, question):
    """No diagnosis is ever compared with itself."""
    assert question_of(wish, [2, 0, 1]) == question


def test_a_wish_is_read_from_codes():
    """In the order of the taxonomy."""
    assert wish_of(Asked("c", "a"), a_taxonomy()) == Wish(2, 0)
    assert wish_of(Asked(), a_taxonomy()) == ANSWER


@pytest.mark.parametrize(
    ("diagnosis", "rather_than", "what"),
    [("z", None, "does not know 'z'"), (None, "z", "does not know 'z'"), ("b", "b", "compared with itself")],
)
def test_a_diagnosis_that_the_network_does_not_know_is_refused(diagnosis, rather_than, what):
    """One error, which names the codes there are."""
    with pytest.raises(UserError, match=what) as refusal:
        wish_of(Asked(diagnosis, rather_than), a_taxonomy())

    if "z" in what:
        assert refusal.value.mend == "use one of: a, b, c"
