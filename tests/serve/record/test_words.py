"""What people say, whether they had seen the answer, and the truth that comes back."""

from threading import Event, Thread

import pytest
from sqlalchemy import select

from clinics import a_clinic
from cutis.serve.journal import Kind, entries
from cutis.serve.record import words
from cutis.serve.record.cases import key_of
from cutis.serve.record.words import (
    NotBlindError,
    Says,
    Source,
    Truth,
    Word,
    note_truth,
    note_word,
    truths_of,
    words_of,
)
from cutis.serve.tables import EXAMINATIONS
from cutis.serve.visit import Shown, reveal


@pytest.fixture
def clinic(tmp_path, database_url, answerer):
    """A clinic that shows its answers."""
    with a_clinic(tmp_path / "clinic", database_url, answerer=answerer) as knocked:
        yield knocked


def say(clinic, examination, by="clinician", **fields):
    """Say something."""
    with clinic.ground.database.writing() as connection:
        word = Word(**{"says": Says.OTHER, "diagnosis": "b"} | fields)
        return note_word(connection, clinic.clinic.vault, examination, word, by=by, now=clinic.ground.now())


def see(clinic, examination, by="clinician", **shown):
    """Look at the answer."""
    return reveal(clinic.clinic, clinic.ground, examination, by, shown=Shown(**shown))


def tell(clinic, examination, by="rater", **fields):
    """Bring the truth."""
    with clinic.ground.database.writing() as connection:
        truth = Truth(**{"source": Source.BLIND, "diagnosis": "c"} | fields)
        return note_truth(connection, clinic.clinic.vault, truth, case_id=examination.case_id, by=by, now=1)


def test_a_word_is_aided_once_an_answer_was_shown_to_who_says_it(clinic):
    """The journal decides, for this person and this examination; what the page says does not matter."""
    made, other = clinic.examined(), clinic.examined()
    before = say(clinic, made, aided=True)
    see(clinic, other)
    still_before = say(clinic, made)
    see(clinic, made)
    after, somebody_else = say(clinic, made), say(clinic, made, by="another")

    with clinic.ground.database.reading() as connection:
        said = words_of(connection, clinic.clinic.vault, made.id)
    assert [word.aided for word in (before, still_before, after, somebody_else)] == [False, False, True, False]
    assert said == (before, still_before, after, somebody_else)


def test_what_a_program_was_shown_counts_as_shown_to_everybody(clinic):
    """Nobody knows who looked at its screen."""
    made = clinic.examined()
    see(clinic, made, by="token", to_program=True)

    assert say(clinic, made).aided
    with pytest.raises(NotBlindError):
        tell(clinic, made)


def test_nobody_agrees_with_what_they_were_not_shown(clinic):
    """After it was shown they may; doubt needs nothing."""
    made = clinic.examined()

    with pytest.raises(ValueError, match="nobody agrees"):
        say(clinic, made, says=Says.AGREES)
    assert say(clinic, made, says=Says.DOUBT, diagnosis=None).says is Says.DOUBT
    see(clinic, made)
    assert say(clinic, made, says=Says.AGREES, diagnosis=None).aided


def test_a_diagnosis_has_a_name(clinic):
    """A code of the taxonomy, or words; nothing is kept of one without."""
    made = clinic.examined()

    with pytest.raises(ValueError, match="a code or a text"):
        say(clinic, made, diagnosis=None, other=" ")
    with pytest.raises(ValueError, match="a code or a text"):
        tell(clinic, made, diagnosis=None)
    assert say(clinic, made, diagnosis=None, other="Spitz naevus").other == "Spitz naevus"
    with clinic.ground.database.reading() as connection:
        assert len(list(entries(connection, kinds=[Kind.WORD, Kind.TRUTH]))) == 1


def test_a_rater_who_saw_any_answer_of_the_case_is_refused(clinic):
    """Another visit of the same lesion counts too; histology may come from anybody."""
    first = clinic.examined()
    second = clinic.examined(case_id=first.case_id)
    see(clinic, first, by="rater")

    with pytest.raises(NotBlindError):
        tell(clinic, second, by="rater")
    blind = tell(clinic, second, by="another")
    histology = tell(clinic, second, by="rater", source=Source.HISTOLOGY, day="2026-11-20", is_malignant=True)

    with clinic.ground.database.reading() as connection:
        assert truths_of(connection, clinic.clinic.vault, first.case_id) == (blind, histology)


@pytest.mark.parametrize("speak", [say, tell])
def test_nothing_is_shown_between_the_look_and_what_is_said(clinic, monkeypatch, speak):
    """A sight of the answer waits until a blind word is written, and stands after it in the journal."""
    made, looked, seen = clinic.examined(), Event(), words.saw_answer

    def slowly(*args, **named):
        found = seen(*args, **named)
        looked.set()
        seeing.join(1)
        return found

    monkeypatch.setattr(words, "saw_answer", slowly)
    seeing = Thread(target=lambda: looked.wait(10) and see(clinic, made, by="one"))
    seeing.start()
    speak(clinic, made, by="one")
    seeing.join(10)

    with clinic.ground.database.reading() as connection:
        told = [each.kind for each in entries(connection, kinds=[Kind.SHOWN, Kind.WORD, Kind.TRUTH])]
    assert told == ["word" if speak is say else "truth", "shown"]


def test_of_two_who_speak_at_once_the_history_finds_both(clinic, monkeypatch):
    """Words are added to those that are there, one after the other."""
    made, opened, others = clinic.examined(), Event(), words.open_gist

    def slowly(*args, **named):
        found = others(*args, **named)
        if not opened.is_set():
            opened.set()
            second.join(1)
        return found

    monkeypatch.setattr(words, "open_gist", slowly)
    second = Thread(target=lambda: opened.wait(10) and say(clinic, made, by="second", other="amelanotic"))
    second.start()
    say(clinic, made, by="first", other="Spitz")
    second.join(10)

    with clinic.ground.database.reading() as connection:
        sealed = connection.execute(select(EXAMINATIONS.c.gist)).scalar_one()
        gist = others(clinic.clinic.vault, key_of(connection, made.case_id), sealed, examination_id=made.id)
    assert gist.said.split() == ["Spitz", "amelanotic"]


def test_what_is_said_is_sealed(clinic):
    """The open part of the journal names no diagnosis."""
    made = clinic.examined()
    say(clinic, made, other="amelanotic")
    tell(clinic, made, other="amelanotic melanoma")

    with clinic.ground.database.reading() as connection:
        told = [each.content for each in entries(connection, kinds=[Kind.WORD, Kind.TRUTH])]
    assert told == [{"says": "other", "aided": False}, {"source": "blind"}]
