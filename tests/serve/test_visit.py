"""The visit: answered, kept, written down; and only then shown."""

import asyncio
import hashlib

import pytest
from sqlalchemy import func, select

from clinics import a_clinic, a_jpeg, an_answer
from coroutines import awaited
from cutis.serve.answer import Reason, State
from cutis.serve.journal import Kind, entries, opened
from cutis.serve.record.cases import cases_by_accession
from cutis.serve.record.examinations import Part, answer_of, contents_of, examination_of, examinations_of
from cutis.serve.record.words import Says, Word, note_word
from cutis.serve.tables import EXAMINATIONS, JOURNAL
from cutis.serve.visit import Asked, Hidden, OtherPictures, Shown, examine, reveal


@pytest.fixture
def clinic(tmp_path, database_url, answerer):
    """A clinic that shows its answers."""
    with a_clinic(tmp_path / "clinic", database_url, answerer=answerer) as knocked:
        yield knocked


def test_an_answer_is_in_the_journal_with_all_that_it_was_made_of(clinic):
    """Release, weights, input hashes, quality and the whole answer; nothing was shown yet."""
    made = clinic.examined(a_jpeg(seed=1), a_jpeg(seed=2), device="DermLite", note="new since spring")

    with clinic.ground.database.reading() as connection:
        [(kept, sealed)] = opened(connection, clinic.clinic.vault, JOURNAL.c.examination_id == made.id)
        answer = answer_of(connection, clinic.clinic.vault, made)
        again = examination_of(connection, made.id)
        pictures = contents_of(connection, clinic.clinic.vault, made, Part.PICTURE)
        note = contents_of(connection, clinic.clinic.vault, made, Part.NOTE)
    assert again == made
    assert (made.state, made.device, made.silent) == (State.ANSWERED, "DermLite", False)
    assert sealed["answer"]["pictures"][0]["sha256"] == answer.pictures[0].sha256
    assert kept.content["release_sha256"] == answer.release_sha256
    assert kept.content["weights_sha256"] == answer.weights_sha256
    assert (len(pictures), note) == (2, (b"new since spring",))


def test_examinations_of_one_lesion_stand_in_one_case(clinic):
    """A case that is named goes on; an accession number finds it, with blanks around it or without."""
    first = clinic.examined(accession="A-1")
    second = clinic.examined(case_id=first.case_id, accession="A-2")
    other = clinic.examined(accession="A-1")

    vault = clinic.clinic.vault
    with clinic.ground.database.reading() as connection:
        assert examinations_of(connection, first.case_id) == (first, second)
        assert [case.id for case in cases_by_accession(connection, vault, " A-2 ")] == [first.case_id]
        assert {case.id for case in cases_by_accession(connection, vault, "A-1")} == {first.case_id, other.case_id}


def test_a_case_that_is_not_there_is_refused_before_anything_is_read(clinic):
    """Nothing is kept of the question."""
    with pytest.raises(LookupError):
        clinic.examined(b"no picture", case_id="0" * 32)

    with clinic.ground.database.reading() as connection:
        assert list(entries(connection)) == []


def test_the_same_question_sent_twice_is_one_examination(clinic):
    """One after the other and both at once; another person's key is another question."""

    async def at_once(count):
        asked = Asked(pictures=[a_jpeg()], by="clinician", key="drawn")
        return await asyncio.gather(*(examine(clinic.clinic, clinic.ground, asked) for _ in range(count)))

    made = {each.id for each in awaited(at_once, 6)} | {clinic.examined(by="clinician", key="drawn").id}
    clinic.examined(by="another", key="drawn")

    with clinic.ground.database.reading() as connection:
        assert len(made) == 1
        assert connection.execute(select(func.count()).select_from(EXAMINATIONS)).scalar() == 2
        assert len(list(entries(connection, kinds=[Kind.ANSWER]))) == 2


def test_what_is_shown_is_written_down_first(clinic):
    """Who was shown what: the ranking, later a map with its diagnosis."""
    made, vault = clinic.examined(), clinic.clinic.vault

    revealed = reveal(clinic.clinic, clinic.ground, made, "clinician", shown=Shown())
    reveal(clinic.clinic, clinic.ground, made, "clinician", shown=Shown(parts=("map",), diagnosis="b", depth="final"))

    with clinic.ground.database.reading() as connection:
        first, second = opened(connection, vault, kinds=[Kind.SHOWN])
    assert revealed.answer.findings[0].code == "a"
    assert revealed.number == first.kept.number
    assert first.sealed["ranking"][0] == ["a", pytest.approx(revealed.answer.findings[0].probability)]
    assert (second.kept.by, second.sealed) == ("clinician", {"diagnosis": "b", "depth": "final"})


def test_no_ranking_is_written_down_as_shown_where_none_was(clinic, monkeypatch):
    """Of what the release abstains from, nobody is shown a ranking; and a report shows the one that there is."""
    made, vault = clinic.examined(), clinic.clinic.vault
    unsure = an_answer(state=State.UNSURE, reasons=(Reason(key="uncertainty", beyond=0.99),))

    reveal(clinic.clinic, clinic.ground, made, "clinician", shown=Shown(parts=("report",)))
    monkeypatch.setattr("cutis.serve.visit.answer_of", lambda *_: unsure)
    revealed = reveal(clinic.clinic, clinic.ground, made, "clinician", shown=Shown())

    with clinic.ground.database.reading() as connection:
        report, page = opened(connection, vault, kinds=[Kind.SHOWN])
    assert report.sealed["ranking"][0][0] == "a"
    assert (page.sealed["ranking"], page.sealed["prediction_set"]) == ([], [])
    assert page.sealed["reasons"][0]["key"] == "uncertainty"
    assert revealed.answer.findings == ()


def test_a_question_of_the_same_name_with_other_pictures_is_refused(clinic):
    """Whatever a browser or a program mixes up, the answer to one lesion never stands for another's."""
    clinic.examined(key="drawn")

    with pytest.raises(OtherPictures):
        clinic.examined(a_jpeg(colour="blue"), key="drawn")
    with pytest.raises(OtherPictures):
        clinic.examined(a_jpeg(), a_jpeg(), key="drawn")

    with clinic.ground.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(EXAMINATIONS)).scalar() == 1


def test_of_what_names_a_question_nothing_can_be_guessed(clinic):
    """A program may draw the name of a patient's number; what is kept is keyed, as the number itself is."""
    clinic.examined(by="program", key="A-1")

    with clinic.ground.database.reading() as connection:
        kept = connection.execute(select(EXAMINATIONS.c.asked_as)).scalar_one()
    assert kept == clinic.clinic.vault.question("program\0A-1")
    assert kept != hashlib.sha256(b"program\0A-1").hexdigest()


def test_a_silent_site_shows_nothing(tmp_path, database_url, answerer):
    """The answer is kept, and no entry says that it was shown."""
    with a_clinic(tmp_path / "clinic", database_url, answerer=answerer, demonstration=False) as clinic:
        made = clinic.examined()
        revealed = reveal(clinic.clinic, clinic.ground, made, "clinician", shown=Shown())

        with clinic.ground.database.reading() as connection:
            assert [each.kind for each in entries(connection)] == [Kind.ANSWER]
    assert made.silent
    assert (revealed.answer, revealed.hidden) == (None, Hidden.SILENT)


def test_with_commit_first_ones_own_word_comes_before_the_answer(tmp_path, database_url, answerer):
    """Another one's word does not count, and a program needs none."""
    with a_clinic(tmp_path / "clinic", database_url, answerer=answerer, commit_first=True) as clinic:
        made, vault = clinic.examined(), clinic.clinic.vault

        def look(**shown):
            return reveal(clinic.clinic, clinic.ground, made, "clinician", shown=Shown(**shown))

        def say(by):
            with clinic.ground.database.writing() as connection:
                word = Word(says=Says.OTHER, diagnosis="b")
                return note_word(connection, vault, made, word, by=by, now=1)

        assert look().hidden is Hidden.COMMIT_FIRST
        say("another")
        assert look().hidden is Hidden.COMMIT_FIRST
        assert not say("clinician").aided
        assert look().answer is not None
        assert say("clinician").aided
