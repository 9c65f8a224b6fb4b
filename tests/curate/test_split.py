from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutis.curate.clusters import join_clusters
from cutis.curate.ledger import Ledger, Place
from cutis.curate.row import Row
from cutis.curate.split import Drawn, SplitPlan, meant_for_test, split
from cutis.vocabulary.errors import UserError
from factories import a_case

CODES = ("a", "b", "c")
PLAN = SplitPlan()
EMPTY = Ledger(plan=PLAN.to_dict())


def drawn(cases, *, tested=(), plan=PLAN, ledger=EMPTY):
    joined = join_clusters(cases)
    lots = [Drawn(lot=case.case_id, tested=case.case_id in tested) for case in joined]
    return split(joined, lots, codes=CODES, plan=plan, ledger=ledger)


def some_cases(patients=24, first=0, **fields):
    """Two pictures of each patient, the diagnoses in turn."""
    return [
        a_case(
            2 * number + side, diagnosis=CODES[number % 3], patient_id=f"p{number}", lesion_id=f"l{number}", **fields
        )
        for number in range(first, first + patients)
        for side in (0, 1)
    ]


def places(result):
    return {case.case_id: (case.split, case.fold) for case in result.cases}


@st.composite
def archives(draw):
    """Cases of patients with several lesions and diagnoses, some of them duplicates of others' pictures."""
    cases = []
    for number in range(draw(st.integers(30, 60))):
        patient = draw(st.integers(0, 29)) if number >= 30 else number
        cases.append(
            a_case(
                number,
                patient_id=f"p{patient}" if patient % 5 else None,
                lesion_id=f"l{patient}.{draw(st.integers(0, 1))}",
                diagnosis=CODES[number % 3],
                duplicate_group=draw(st.sampled_from([None] * 8 + ["g1", "g2"])),
                indeterminate=draw(st.sampled_from([None] * 9 + ["poor picture"])),
            )
        )
    return cases


@settings(max_examples=40, deadline=None)
@given(archives(), st.integers(0, 3))
def test_nobody_is_in_two_splits_or_folds(cases, seed):
    """Neither a patient, nor a lesion, nor a picture under two names; the test has no fold, all else has one."""
    plan = SplitPlan(seed=seed)

    result = drawn(cases, plan=plan, ledger=Ledger(plan=plan.to_dict()))

    for name in ("patient_id", "lesion_id", "duplicate_group", "cluster_id"):
        held = defaultdict(set)
        for case in result.cases:
            held[getattr(case, name)].add((case.split, case.fold))
        assert all(len(found) == 1 for value, found in held.items() if value)
    assert all((case.fold is None) == (case.split == "test") for case in result.cases)
    settled = {(case.diagnosis, case.split) for case in result.cases if not case.indeterminate}
    assert len(settled) == 12


@settings(max_examples=30, deadline=None)
@given(st.integers(12, 40), st.integers(0, 30), st.randoms())
def test_who_comes_later_moves_nobody(before, later, random):
    """Whatever the order in which the archive is read, and whoever has left it meanwhile."""
    first = drawn(some_cases(before))
    grown = some_cases(before + later)
    random.shuffle(grown)

    second = drawn(grown, ledger=first.ledger)

    moved = {name for name, place in places(first).items() if places(second)[name] != place}
    assert moved == set()
    assert second.moved == 0


def test_newcomers_are_balanced_against_those_who_were_there():
    """The shares hold for all, not for each delivery."""
    first = drawn(some_cases(60))

    second = drawn(some_cases(240), ledger=first.ledger)

    tested = sum(case.split == "test" for case in second.cases) / len(second.cases)
    assert tested == pytest.approx(0.15, abs=0.01)


def test_who_left_and_comes_back_finds_the_old_place():
    """The ledger forgets nobody."""
    first = drawn(some_cases(90))
    without = drawn(some_cases(60), ledger=first.ledger)

    again = drawn(some_cases(90), ledger=without.ledger)

    assert places(again) == places(first)


def test_a_link_across_splits_leads_to_the_one_nearest_to_training():
    """A picture that was trained on never becomes a test, by whatever is found later."""
    first = drawn(some_cases(40))
    trained = next(case for case in first.cases if case.split == "train")
    tested = next(case for case in first.cases if case.split == "test")
    linked = [
        a_case(number, patient_id=case.patient_id, lesion_id=case.lesion_id, diagnosis=case.diagnosis)
        if case.case_id not in {trained.case_id, tested.case_id}
        else a_case(
            number,
            patient_id=case.patient_id,
            lesion_id=case.lesion_id,
            diagnosis=case.diagnosis,
            duplicate_group="the same picture",
        )
        for number, case in enumerate(some_cases(40))
    ]

    second = drawn(linked, ledger=first.ledger)

    both = [case for case in second.cases if case.patient_id in {trained.patient_id, tested.patient_id}]
    assert {case.split for case in both} == {"train"}
    assert len({case.cluster_id for case in both}) == 1
    assert second.moved == 1
    unlinked = {name: place for name, place in places(first).items() if name not in {case.case_id for case in both}}
    assert unlinked.items() <= places(second).items()


def test_a_picture_that_is_given_to_another_patient_stays_where_it_was():
    """The ledger knows pictures, too: a corrected patient number moves no picture from training to test."""
    first = drawn(some_cases(24))
    corrected = [
        a_case(2 * n + s, diagnosis=CODES[n % 3], patient_id=f"new{n}", lesion_id=f"new{n}")
        for n in range(24)
        for s in (0, 1)
    ]

    second = drawn(corrected, ledger=first.ledger)

    assert places(second) == places(first)


def test_a_diagnosis_with_fewer_patients_than_splits_is_told_with_how_to_leave_it_out():
    """One error for all of them, with what to write."""
    cases = [*some_cases(24), a_case(900, diagnosis="b")]
    scarce = [case for case in cases if case.diagnosis != "c"] + [
        a_case(1000 + number, diagnosis="c", patient_id=f"x{number}", lesion_id=f"y{number}") for number in range(3)
    ]

    with pytest.raises(UserError, match=r"fewer patients than splits \(4\): c \(3\)") as error:
        drawn(scarce)

    assert 'leave_out = ["c"]' in error.value.mend


def test_a_split_that_has_lost_a_diagnosis_is_told():
    """It was drawn once: who remains is not moved to fill the gap."""
    first = drawn(some_cases(24))
    gone = {case.patient_id for case in first.cases if case.split == "tune" and case.diagnosis == "b"}

    with pytest.raises(UserError, match="since their patients were placed earlier"):
        drawn([case for case in some_cases(24) if case.patient_id not in gone], ledger=first.ledger)


def test_indeterminate_cases_have_a_split_and_fill_none():
    """They follow their patient, and do not count as cases of a diagnosis."""
    unclear = [
        a_case(500 + n, diagnosis="c", indeterminate="poor picture", patient_id=f"q{n}", lesion_id=None)
        for n in range(9)
    ]
    settled = [case for case in some_cases(24) if case.diagnosis != "c"]

    with pytest.raises(UserError, match=r"c \(0\)"):
        drawn(settled + unclear)
    assert all(case.split for case in drawn(some_cases(24) + unclear).cases)


def test_a_named_test_holds_what_is_named_and_nothing_else():
    """One picture from there takes its whole patient along; the rest is dealt to the other splits."""
    plan = SplitPlan(test_from="2024-01-01")
    named = {"case0000", "case0007"}

    result = drawn(some_cases(40), tested=named, plan=plan, ledger=Ledger(plan=plan.to_dict()))

    assert {case.case_id for case in result.cases if case.split == "test"} == {
        "case0000",
        "case0001",
        "case0006",
        "case0007",
    }
    assert {case.split for case in result.cases} == {"train", "tune", "calibrate", "test"}


def test_who_was_trained_on_is_not_tested_on_for_a_new_visit():
    """With a test by date, a known patient who comes again stays where he was."""
    plan = SplitPlan(test_from="2024-01-01")
    first = drawn(some_cases(40), tested={"case0000"}, plan=plan, ledger=Ledger(plan=plan.to_dict()))
    trained = next(case for case in first.cases if case.split == "train")

    second = drawn(some_cases(40), tested={"case0000", trained.case_id}, plan=plan, ledger=first.ledger)

    assert places(second) == places(first)


def test_an_empty_named_test_is_told():
    """Nobody has come since that day."""
    plan = SplitPlan(test_from="2099-01-01")

    with pytest.raises(UserError, match="test split is empty"):
        drawn(some_cases(24), plan=plan, ledger=Ledger(plan=plan.to_dict()))


def a_row(name, **fields):
    return Row(number=None, file=name, source=Path(name), **fields)


def test_the_test_is_named_by_the_real_day_or_the_place():
    """A place is the column `clinic`, or the device where there is none; a picture without a date is earlier."""
    day = SplitPlan(test_from="2024-01-01").first_test_day
    rows = [
        a_row("old", date=day.replace(year=2023), device="scope A"),
        a_row("new", date=day, device="scope B"),
        a_row("undated", device="scope B", clinic="north"),
    ]

    assert meant_for_test(rows, PLAN) == frozenset()
    assert meant_for_test(rows, SplitPlan(test_from="2024-01-01")) == {Path("new")}
    assert meant_for_test(rows, SplitPlan(test_sites=("scope B",))) == {Path("new")}
    assert meant_for_test(rows, SplitPlan(test_sites=("north", "scope A"))) == {Path("undated"), Path("old")}


@pytest.mark.parametrize(
    ("plan", "what", "mend"),
    [
        ({"test_from": "2024-01-01"}, "no picture has a date", "map the column"),
        ({"test_sites": ("moon",)}, "no picture is from moon", "known: scope A"),
    ],
)
def test_a_test_that_cannot_be_named_is_told(plan, what, mend):
    """With the places that there are."""
    with pytest.raises(UserError, match=what) as error:
        meant_for_test([a_row("a", device="scope A")], SplitPlan(**plan))

    assert mend in error.value.mend


@pytest.mark.parametrize(
    "plan", [{"shares": (1.0, 0.0, 0.0, 0.0)}, {"shares": (0.5, 0.5, 0.5, 0.5)}, {"folds": 1}, {"test_from": "May"}]
)
def test_an_impossible_plan_is_told(plan):
    """Before any work is done."""
    with pytest.raises(UserError):
        SplitPlan(**plan)


def test_the_same_seed_draws_the_same_split_and_another_another():
    """Whatever the order of the cases."""
    cases = some_cases(60)
    other = SplitPlan(seed=1)

    assert places(drawn(cases)) == places(drawn(cases[::-1]))
    assert places(drawn(cases)) != places(drawn(cases, plan=other, ledger=Ledger(plan=other.to_dict())))


def test_a_ledger_s_place_is_a_split_and_a_fold():
    """What is remembered of a tested patient has no fold."""
    result = drawn(some_cases(24))

    assert result.ledger.places["p0"] == Place(*places(result)["case0000"])
    assert len(result.ledger.places) == 24 * 4
