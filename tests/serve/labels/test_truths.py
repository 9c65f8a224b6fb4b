"""What may become a label, and what never does."""

from __future__ import annotations

import pytest

from clinic_pasts import DAY, said_to_be
from cutis.serve.labels.truths import HOLDS_DAYS, Known, Said, known_truths, settled
from cutis.serve.record.erasure import erase_case
from cutis.serve.record.words import Says


def known(past, examination):
    """What is known of one examination; None where nothing is."""
    with past.knocked.ground.database.reading() as connection:
        return known_truths(connection, past.clinic.vault).get(examination.id)


def test_a_rater_who_saw_no_answer_gives_a_label(past):
    """The newest word of each counts; two who agree are a majority."""
    made = past.asked()

    assert past.label(made, "b", by="one")
    assert past.label(made, "a", by="one")
    assert past.label(made, "a", by="two")

    found = known(past, made)
    assert {rater: said.code for rater, said in found.votes.items()} == {"one": "a", "two": "a"}
    assert settled(found) == (Said("a", is_malignant=False), "majority")


def test_who_was_shown_an_answer_is_kept_as_aided_and_never_becomes_a_label(past):
    """The same diagnosis by somebody else still counts."""
    made = past.asked(shown_to="one")

    assert not past.label(made, "a", by="one")
    assert past.label(made, "b", by="two")

    found = known(past, made)
    assert (set(found.votes), found.aided) == ({"two"}, 1)


def test_who_saw_an_answer_to_the_same_lesion_earlier_is_not_blind_later(small_past):
    """A word given before the second answer, by who saw the first, is no vote, whatever it says of itself."""
    first = small_past.asked(shown_to="doctor")
    second = small_past.asked(case_id=first.case_id)

    small_past.word(second, Says.OTHER, "a", by="doctor")

    assert known(small_past, second).votes == {}
    assert known(small_past, second).aided == 1


def test_what_a_program_was_shown_counts_as_seen_by_everybody(small_past):
    """Nobody knows who looked at its screen."""
    made = small_past.asked()
    small_past.shown(made, to="token", to_program=True)
    later = small_past.asked(case_id=made.case_id)

    small_past.word(later, Says.OTHER, "a", by="doctor")

    assert not small_past.label(made, "a", by="rater")
    assert known(small_past, later).votes == {}


def test_a_clinicians_word_before_the_answer_is_a_vote_and_one_after_it_is_not(past):
    """Commit first gives labels; agreement afterwards gives none."""
    made = past.asked()
    past.word(made, Says.OTHER, "b", by="doctor")
    past.shown(made, to="doctor")
    past.word(made, Says.AGREES, by="doctor")
    past.word(made, Says.OTHER, "c", by="doctor")

    found = known(past, made)

    assert {rater: said.code for rater, said in found.votes.items()} == {"doctor": "b"}
    assert found.aided == 1


def test_a_clinicians_first_word_stays_their_vote(small_past):
    """After it they may hear what others said, so that a change of mind is no longer blind."""
    made = small_past.asked()
    small_past.word(made, Says.OTHER, "b", by="doctor")
    small_past.word(made, Says.OTHER, "c", by="doctor")

    assert [said.code for said in known(small_past, made).votes.values()] == ["b"]


def test_histology_decides_against_any_number_of_raters(past):
    """The newest report counts."""
    made = past.asked()
    for rater in ("one", "two", "three"):
        past.label(made, "a", by=rater)
    past.histology(made, "b")
    past.histology(made, "c")

    assert settled(known(past, made)) == (Said("c"), "histology")


def test_histology_holds_for_the_same_lesion_not_long_before(small_past):
    """Half a year back it was the same lesion; years ago, or afterwards, it need not have been."""
    now, before = small_past.asked(ago=20 * DAY), small_past.asked(ago=100 * DAY)
    old, later = small_past.asked(ago=(HOLDS_DAYS + 40) * DAY), small_past.asked(ago=0)
    several = [now]
    for each, ago in ((before, 100), (old, HOLDS_DAYS + 40), (later, 0)):
        several.append(small_past.asked(ago=ago * DAY, case_id=now.case_id))
        assert known(small_past, each) is None

    small_past.histology(now, "c", day="2026-12-30")

    assert [known(small_past, each) is not None for each in several] == [True, True, False, False]


@pytest.mark.parametrize(
    ("codes", "wanted"),
    [(["a"], None), (["a", "b"], None), (["a", "a", "b"], "a"), (["a", "b", "c"], None), (["a", "a", "b", "b"], None)],
)
def test_a_majority_is_more_than_half_of_two_raters_at_least(codes, wanted):
    """One rater alone, or a tie, settles nothing."""
    votes = {str(number): Said(code) for number, code in enumerate(codes)}
    found = settled(Known(examination_id="e", case_id="c", votes=votes))

    assert (found.said.code if found else None) == wanted


def test_where_histology_alone_counts_raters_settle_nothing():
    """A plan may ask for it."""
    votes = {"one": Said("a"), "two": Said("a")}

    assert settled(Known(examination_id="e", case_id="c", votes=votes), histology_only=True) is None


def test_words_that_mean_the_same_are_one_diagnosis():
    """In any case of their letters."""
    votes = {"one": Said(None, "Melanoma", is_malignant=True), "two": Said(None, "melanoma ", is_malignant=True)}

    assert settled(Known(examination_id="e", case_id="c", votes=votes)).by == "majority"


def test_of_an_erased_case_nothing_is_known(past):
    """Its key is gone, and with it what was said."""
    made = past.asked(said_to_be("c"))
    past.histology(made, "c")
    ground, folder = past.knocked.ground, past.clinic.settings.journal_folder

    erase_case(ground.database, past.clinic.vault, folder, made.case_id, by="boss", reason="asked", now=past.now)

    assert known(past, made) is None
