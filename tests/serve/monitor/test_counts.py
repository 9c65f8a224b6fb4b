"""What is counted of some weeks."""

from __future__ import annotations

import pytest

from clinic_pasts import DAY, said_to_be
from clinics import a_seen_picture
from cutis.serve.answer import State
from cutis.serve.monitor.counts import counted, midnight_after
from cutis.serve.monitor.past import seen_between
from cutis.serve.record.erasure import erase_case
from cutis.serve.record.words import Says


def seen(past, *, days=28):
    """What happened in the last days, and when they begin and end."""
    until = midnight_after(past.now)
    since = until - days * DAY
    with past.knocked.ground.database.reading() as connection:
        found = seen_between(connection, past.clinic.vault, since=since, until=until)
    return found, {"since": since, "until": until}


def counts(past, **asked):
    """Their counts."""
    found, span = seen(past, **asked)
    return counted(found, **span)


def test_states_times_and_devices_are_counted(past):
    """By state, by device, half and 95 % of the response times."""
    for number in range(21):
        state, device = (State.UNSURE if number < 3 else State.ANSWERED), ("A" if number % 2 else None)
        past.asked(said_to_be("a", state=state, seconds=number / 10), ago=number * DAY, device=device)

    found = counts(past)

    assert (found.total, found.states["unsure"], found.states["answered"]) == (21, 3, 18)
    assert (found.p50, found.p95) == (pytest.approx(1.0), pytest.approx(1.9))
    devices = [(each.device, each.examinations, each.without_answer) for each in found.devices]
    assert devices == [("", 11, 2), ("A", 10, 1)]


@pytest.mark.parametrize(("days", "bars", "by_week"), [(7, 7, False), (28, 28, False), (91, 13, True)])
def test_each_examination_lies_in_one_day_or_week(small_past, days, bars, by_week):
    """None is lost between them, and none from before is counted."""
    for number in range(120):
        small_past.asked(ago=number * DAY)

    found = counts(small_past, days=days)

    assert (len(found.bars), found.is_by_week) == (bars, by_week)
    assert {bar.total for bar in found.bars} == {7 if by_week else 1}
    assert found.total == days


def test_refusals_are_counted_by_picture_and_by_why(small_past):
    """A picture with a remark was judged."""
    blurred = a_seen_picture(verdict="blurred", marks=("blurred",))
    small = a_seen_picture(verdict="poor", marks=("small",))
    small_past.asked(said_to_be("a", state=State.UNUSABLE, pictures=(blurred, blurred)))
    small_past.asked(said_to_be("a", pictures=(small, blurred)))

    found = counts(small_past)

    assert (found.refused, found.pictures) == ({"blurred": 3}, 4)


def test_an_override_is_a_word_that_names_another_diagnosis_than_the_first(past):
    """Agreement is none, nor is a doubt, nor a word beside no answer; the newest word counts."""
    for says, diagnosis in ((Says.OTHER, "b"), (Says.OTHER, "a"), (Says.DOUBT, None)):
        past.word(past.asked(said_to_be("a")), says, diagnosis)
    past.word(past.asked(said_to_be("a", state=State.UNSURE)), Says.OTHER, "b")
    agreed = past.asked(said_to_be("a"), shown_to="clinician")
    past.word(agreed, Says.OTHER, "c")
    past.word(agreed, Says.AGREES)

    found = counts(past)

    assert (found.words, found.comparable, found.overridden, found.agreed, found.doubted) == (5, 3, 1, 2, 1)


def test_what_a_rater_says_who_is_not_blind_is_no_override(small_past):
    """It does not take the place of the clinician's word, which came before."""
    made = small_past.asked(said_to_be("a"), shown_to="rater")
    small_past.word(made, Says.OTHER, "a")
    is_blind = small_past.label(made, "b", by="rater")
    small_past.label(small_past.asked(said_to_be("a"), shown_to="rater"), "b", by="rater")

    found = counts(small_past)

    assert not is_blind
    assert (found.words, found.comparable, found.overridden) == (1, 1, 0)


def test_a_word_that_comes_after_the_time_still_belongs_to_its_examination(small_past):
    """Clinicians write down later what they think."""
    made = small_past.asked(said_to_be("a"), ago=3 * DAY)
    until = midnight_after(small_past.now - 2 * DAY)
    small_past.word(made, Says.OTHER, "b")

    with small_past.knocked.ground.database.reading() as connection:
        found = seen_between(connection, small_past.clinic.vault, since=until - 7 * DAY, until=until)

    assert [each.is_override for each in found] == [True]


def test_of_an_erased_case_only_what_tells_of_nobody_is_counted(past):
    """That it was asked, when, and what became of it."""
    made = past.asked(said_to_be("c", seconds=0.5))
    ground, folder = past.knocked.ground, past.clinic.settings.journal_folder
    erase_case(ground.database, past.clinic.vault, folder, made.case_id, by="boss", reason="asked", now=past.now)

    (found,), _ = seen(past)
    told = counts(past)

    assert (found.answer, found.first, found.word) == (None, None, None)
    assert (told.total, told.erased, told.p50) == (1, 1, 0.5)


def test_an_empty_time_has_counts_too(small_past):
    """Nought, and no times."""
    found = counts(small_past)

    assert (found.total, found.p50, found.devices, len(found.bars)) == (0, None, (), 28)
