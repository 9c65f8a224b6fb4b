import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from cutis.curate.kappas import agreement
from cutis.vocabulary.case import Vote
from factories import a_case, a_manifest, a_taxonomy

# Krippendorff's example of 2011 (Gwet 2014, page 120): 12 cases, 4 raters, none of whom rated them all.
LABELS_WITH_GAPS = [
    *[(1, 1, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4)],
    *[(4, 4, 4, 4), (1, 1, 2, 1), (2, 2, 2, 2), (5, 5, 5), (1, 1), (3,)],
]


def voted(number, *codes, **fields):
    votes = tuple(Vote(rater=f"rater_{index}", code=code) for index, code in enumerate(codes, 1) if code)
    return a_case(number, votes=votes, **fields)


def some_votes(cases=80):
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, cases)
    said = np.where(random.random((cases, 3)) < 0.7, truth[:, None], random.integers(0, 3, (cases, 3)))
    return [["abc"[k] for k in row] for row in said]


def test_kappas_have_intervals_and_say_how_many_cases_they_rest_on():
    """Cohen's for each two raters, over the cases that both have seen."""
    votes = some_votes()
    votes[0][2] = None
    manifest = a_manifest([voted(number, *codes) for number, codes in enumerate(votes)])

    said = agreement(manifest)

    assert said["raters"] == 3
    assert said["fleiss"]["cases"] == 80
    assert said["fleiss"]["kappa"]["low"] < said["fleiss"]["kappa"]["value"] < said["fleiss"]["kappa"]["high"]
    assert [(pair["raters"], pair["cases"]) for pair in said["cohen"]] == [
        (["rater_1", "rater_2"], 80),
        (["rater_1", "rater_3"], 79),
        (["rater_2", "rater_3"], 79),
    ]
    expected = cohen_kappa_score(*np.array([codes[:2] for codes in votes]).T)
    assert said["cohen"][0]["kappa"]["value"] == pytest.approx(expected)


def test_a_single_vote_tells_how_frequent_a_diagnosis_is():
    """Gwet's own software prints 0.76117 for Krippendorff's data, where one of twelve cases was rated once."""
    cases = [voted(number, *map(str, labels)) for number, labels in enumerate(LABELS_WITH_GAPS)]

    said = agreement(a_manifest([*cases, voted(12)], taxonomy=a_taxonomy("12345")))

    assert said["fleiss"]["cases"] == 11
    assert said["fleiss"]["kappa"]["value"] == pytest.approx(0.76117, abs=5e-6)


def test_without_second_votes_there_is_no_kappa():
    """Nothing is invented, and why is said."""
    said = agreement(a_manifest([voted(0, "a"), voted(1)]))

    assert said["fleiss"]["kappa"]["value"] is None
    assert said["fleiss"]["kappa"]["note"] == "no case has two votes"
    assert said["cohen"] == []


def test_all_of_one_opinion_leave_no_room_for_chance():
    """Kappa is undefined where everybody always says the same."""
    said = agreement(a_manifest([voted(number, "a", "a") for number in range(5)]))

    assert said["fleiss"]["kappa"]["note"] == "all votes are the same"
