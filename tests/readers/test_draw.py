"""Which cases are read."""

from collections import Counter

import pytest

from cutis.readers.draw import draw_cases
from cutis.readers.study import Study
from cutis.vocabulary.case import Vote
from cutis.vocabulary.errors import UserError
from factories import a_case, a_manifest

CODES = ("a", "b", "c")


def _manifest(**fields):
    """Ninety test pictures of thirty patients, each patient with three lesions of one diagnosis, and a tune split."""
    cases = [
        a_case(
            n,
            cluster_id=f"patient{n // 3:04d}",
            patient_id=f"patient{n // 3:04d}",
            diagnosis=CODES[n // 3 % 3],
            split="test",
            **fields,
        )
        for n in range(90)
    ]
    cases += [a_case(n, diagnosis=CODES[n % 3], split="tune") for n in range(100, 112)]
    return a_manifest(cases)


def _draw(study, manifest=None):
    return draw_cases(manifest or _manifest(), study, diagnoses=study.diagnoses or CODES, where="here")


def test_one_picture_of_each_patient_is_drawn_and_no_test_case_is_for_practice():
    """Whatever the seed."""
    for seed in range(20):
        drawn = _draw(Study(per_diagnosis=5, practice=6, seed=seed))

        patients = [case.cluster_id for case in (*drawn.measured, *drawn.practice)]
        assert len(set(patients)) == len(patients) == 21
        assert Counter(case.diagnosis for case in drawn.measured) == dict.fromkeys(CODES, 5)
        assert {case.split for case in drawn.practice} == {"tune"}
        assert Counter(case.diagnosis for case in drawn.practice) == dict.fromkeys(CODES, 2)


def test_a_patient_with_several_diagnoses_speaks_for_the_rarest():
    """Whoever chooses first is the diagnosis that has the fewest to choose from."""
    cases = [a_case(n, diagnosis="a", split="test") for n in range(6)]
    cases += [a_case(n, diagnosis="b", split="test", cluster_id=f"patient{n - 10:04d}") for n in range(10, 12)]

    for seed in range(20):
        study = Study(diagnoses=("a", "b"), per_diagnosis=2, practice=0, seed=seed)
        drawn = _draw(study, a_manifest(cases))

        assert Counter(case.diagnosis for case in drawn.measured) == {"a": 2, "b": 2}
        assert len({case.cluster_id for case in drawn.measured}) == 4


def test_by_prevalence_the_mix_is_that_of_the_patients():
    """Shares of twenty patients of a, six of b and four of c."""
    mix = "a" * 20 + "b" * 6 + "c" * 4
    cases = [a_case(n, diagnosis=code, split="test") for n, code in enumerate(mix)]

    drawn = _draw(Study(cases=15, practice=0), a_manifest(cases))

    assert Counter(case.diagnosis for case in drawn.measured) == {"a": 10, "b": 3, "c": 2}


def test_without_a_number_every_patient_is_read():
    """One of each."""
    assert len(_draw(Study(practice=0)).measured) == 30


def test_the_seed_decides():
    """The same seed draws the same, another one something else."""
    one, again, other = (_draw(Study(per_diagnosis=3, seed=seed)).measured for seed in (1, 1, 2))

    assert one == again != other


def test_nobody_reads_a_case_that_he_labelled():
    """Where everybody reads everything, no case of a named rater is drawn."""
    cases = [
        a_case(n, diagnosis=CODES[n % 3], split="test", votes=(Vote(rater="chen" if n < 9 else "wang", code="a"),))
        for n in range(18)
    ]

    drawn = _draw(Study(raters=("chen",), practice=0), a_manifest(cases))

    assert {vote.rater for case in drawn.measured for vote in case.votes} == {"wang"}
    with pytest.raises(UserError, match="unknown rater 'li'"):
        _draw(Study(raters=("li",), practice=0), a_manifest(cases))


def test_unsettled_cases_are_not_read():
    """Nobody can be right about them."""
    with pytest.raises(UserError, match="no settled case"):
        _draw(Study(practice=0), _manifest(indeterminate="unresolved votes"))


@pytest.mark.parametrize(
    ("study", "what"),
    [
        (Study(per_diagnosis=11), "11 cases of 'a' are asked for, and 10 are there"),
        (Study(cases=31), "31 cases are asked for, and 30"),
        (Study(practice=13), "13 cases for practice are asked for, and 12"),
    ],
)
def test_too_few_cases_are_told_with_their_number(study, what):
    """Nothing is drawn twice to make up for it."""
    with pytest.raises(UserError, match=what):
        _draw(study)
