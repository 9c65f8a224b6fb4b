"""Pictures of one lesion are answered together."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.evaluate.lesions import by_lesion
from factories import a_case, a_manifest, some_predictions


def recorded(lesions):
    """Cases of these lesions."""
    return a_manifest([a_case(number, lesion_id=lesion) for number, lesion in enumerate(lesions)])


def test_the_answer_to_a_lesion_is_the_mean_of_its_pictures():
    """With its truth and its patient; lesions of one picture stay as they are."""
    predictions = some_predictions(
        cases=4,
        truth=np.array([0, 1, 1, 1]),
        cluster_ids=("one", "two", "two", "two"),
        probabilities=np.array([[0.7, 0.2, 0.1], [0.6, 0.4, 0.0], [0.2, 0.5, 0.3], [0.1, 0.9, 0.0]]),
    )

    found = by_lesion(predictions, recorded(["nose", "arm", "arm", "leg"]))

    rows = {lesion: row for row, lesion in enumerate(found.case_ids)}
    assert set(rows) == {"nose", "arm", "leg"}
    assert found.probabilities[rows["arm"]] == pytest.approx([0.4, 0.45, 0.15])
    assert found.probabilities[rows["nose"]] == pytest.approx([0.7, 0.2, 0.1])
    assert {lesion: int(found.truth[row]) for lesion, row in rows.items()} == {"nose": 0, "arm": 1, "leg": 1}
    assert {lesion: found.cluster_ids[row] for lesion, row in rows.items()} == {
        "nose": "one",
        "arm": "two",
        "leg": "two",
    }


def test_means_are_those_of_a_loop():
    """Whatever the order of the pictures."""
    predictions = some_predictions(cases=90, cluster_ids=tuple(f"patient{n % 20}" for n in range(90)))
    lesions = [f"lesion{n % 20}" for n in range(90)]
    order = np.random.default_rng(0).permutation(90)
    truth = predictions.truth[:20][np.arange(90) % 20]
    shuffled = some_predictions(
        cases=90,
        truth=truth[order],
        probabilities=predictions.probabilities[order],
        cluster_ids=tuple(predictions.cluster_ids[case] for case in order),
    )

    found = by_lesion(shuffled, recorded([lesions[case] for case in order]))

    assert len(found) == 20
    for lesion, cluster, diagnosis, chances in zip(
        found.case_ids, found.cluster_ids, found.truth, found.probabilities, strict=True
    ):
        pictures = [case for case in range(90) if lesions[case] == lesion]
        assert chances == pytest.approx(sum(predictions.probabilities[case] for case in pictures) / len(pictures))
        assert diagnosis == truth[pictures[0]]
        assert cluster == predictions.cluster_ids[pictures[0]]


def test_a_picture_of_an_unknown_lesion_is_a_lesion_of_its_own():
    """Two of them are not taken for one."""
    predictions = some_predictions(cases=4, truth=np.zeros(4, dtype=np.int64))

    found = by_lesion(predictions, recorded([None, "arm", None, "arm"]))

    assert len(found) == 3
    assert {"case0000", "case0002", "arm"} == set(found.case_ids)


def test_a_lesion_with_two_diagnoses_is_two():
    """As where it was taken out in parts: no mean is made of different truths."""
    predictions = some_predictions(cases=3, truth=np.array([0, 2, 2]), cluster_ids=("one",) * 3)

    found = by_lesion(predictions, recorded(["arm"] * 3))

    assert sorted(found.truth.tolist()) == [0, 2]
    assert found.probabilities[found.truth.tolist().index(2)] == pytest.approx(
        predictions.probabilities[1:].mean(axis=0)
    )


@pytest.mark.parametrize("lesions", [["nose", "arm", "leg"], [None, None, None], ["nose", None, "leg"]], ids=str)
def test_where_every_lesion_has_one_picture_there_is_nothing_to_add(lesions):
    """Nor where none is known."""
    assert by_lesion(some_predictions(cases=3), recorded(lesions)) is None
