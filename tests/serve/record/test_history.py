"""The history: what is looked for is found, page after page, and soon."""

import time

import pytest

from clinics import an_answer, an_opened_record
from cutis.serve.answer import State
from cutis.serve.record.cases import key_of, new_case
from cutis.serve.record.examinations import keep_examination
from cutis.serve.record.gist import open_gist
from cutis.serve.record.history import Filters, devices, examinations
from cutis.serve.record.words import Says, Source, Truth, Word, note_truth, note_word
from cutis.vocabulary.diagnosis import Finding


@pytest.fixture
def record(tmp_path, database_url):
    """A record without anything in it."""
    with an_opened_record(tmp_path / "clinic", database_url) as opened:
        yield opened


def kept(record, *, at, case_id=None, by="clinician", first="a", state=State.ANSWERED, **fields):
    """Keep an examination, answered so."""
    finding = Finding(code=first, name=first, malignant=False, probability=0.9)
    answer = an_answer(state=state, findings=(finding,))
    with record.database.writing() as connection:
        case_id = case_id or new_case(connection, record.vault, now=at).id
        return keep_examination(
            connection, record.vault, answer, case_id=case_id, by=by, silent=False, parts={}, now=at, **fields
        )


def found(record, *, after=None, limit=50, **filters):
    """Return the ids of a page."""
    with record.database.reading() as connection:
        page = examinations(connection, record.vault, Filters(**filters), after=after, limit=limit)
    return [each.examination.id for each in page.found]


def test_each_filter_finds_what_fits_it_and_nothing_else(record):
    """By number, time, person, state, device, diagnosis, words, truth, and several at once."""
    one = kept(record, at=1, accession="A-1", device="DermLite", note="Growing since MAY")
    two = kept(record, at=2, by="another", first="b", accession="A-2")
    three = kept(record, at=3, state=State.UNSURE, device="Heine", case_id=two.case_id)
    with record.database.writing() as connection:
        note_word(connection, record.vault, three, Word(says=Says.OTHER, other="Spitz naevus"), by="clinician", now=4)
    with record.database.writing() as connection:
        truth = Truth(source=Source.HISTOLOGY, diagnosis="c", other="lentigo maligna")
        note_truth(connection, record.vault, truth, case_id=one.case_id, by="clinician", now=5)

    assert found(record) == [three.id, two.id, one.id]
    assert found(record, accession=" A-2 ") == [two.id]
    assert found(record, since=2, until=3) == [two.id]
    assert found(record, made_by="another") == [two.id]
    assert found(record, state=State.UNSURE) == [three.id]
    assert found(record, device="Heine") == [three.id]
    assert found(record, first="b") == [two.id]
    assert found(record, words="may growing") == [one.id]
    assert found(record, words="spitz") == [three.id]
    assert found(record, words="MALIGNA") == [one.id]
    assert found(record, has_truth=True) == [one.id]
    assert found(record, has_truth=False) == [three.id, two.id]
    assert found(record, made_by="clinician", first="a", until=2) == [one.id]
    assert found(record, words="nowhere") == []
    assert found(record, first="a") == [one.id]  # the third was abstained from
    with record.database.reading() as connection:
        assert devices(connection) == ("DermLite", "Heine")


def test_a_page_carries_what_was_said_and_what_came_back(record):
    """Each with its own examination or case."""
    one, two = kept(record, at=1, note="soft"), kept(record, at=2)
    with record.database.writing() as connection:
        said = note_word(connection, record.vault, one, Word(says=Says.DOUBT), by="clinician", now=3)
    with record.database.writing() as connection:
        truth = Truth(source=Source.BLIND, diagnosis="b")
        came = note_truth(connection, record.vault, truth, case_id=two.case_id, by="rater", now=4)

    with record.database.reading() as connection:
        second, first = examinations(connection, record.vault).found
    assert (first.examination, first.gist, first.words, first.truths) == (one, ("a", "soft", ""), (said,), ())
    assert (second.examination, second.words, second.truths) == (two, (), (came,))


def test_of_a_gist_of_before_nobody_knows_what_was_the_note(record):
    """All of it counts as what people said, which is kept from who has not spoken."""
    one = kept(record, at=1)
    with record.database.reading() as connection:
        wrapped = key_of(connection, one.case_id)
    sealed = record.vault.seal(wrapped, b'["a", "soft\\nSpitz naevus"]', about=f"gist of {one.id}")

    gist = open_gist(record.vault, wrapped, sealed, examination_id=one.id)

    assert gist == ("a", "", "soft\nSpitz naevus")
    assert (gist.holds(["spitz"]), gist.holds(["spitz"], is_heard=False)) == (True, False)


@pytest.mark.parametrize("filters", [{}, {"first": "a"}])
def test_pages_follow_one_another_without_gap_or_repetition(record, filters):
    """Also where several were made at the same moment."""
    made = {kept(record, at=number // 4).id for number in range(23)}
    pages, after = [], None
    while page := found(record, after=after, limit=5, **filters):
        pages.append(page)
        after = page[-1]

    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    assert {each for page in pages for each in page} == made
    with record.database.reading() as connection:
        assert examinations(connection, record.vault, limit=23).further is None
        assert examinations(connection, record.vault, limit=22).further is not None


@pytest.mark.slow
def test_ten_thousand_examinations_are_searched_in_well_under_a_second(record):
    """Of processor time, and also where the words are nowhere, so that everything is opened."""
    with record.database.writing() as connection:
        for number in range(10_000):
            case = new_case(connection, record.vault, now=number)
            keep_examination(
                connection,
                record.vault,
                an_answer(),
                case_id=case.id,
                by="clinician",
                silent=False,
                parts={},
                now=number,
                note=f"number {number} of many, on the left forearm",
            )
    seconds = {}
    for name, filters in {"all": {}, "rare": {"words": "4711"}, "none": {"words": "nowhere"}}.items():
        started = time.process_time()
        count = len(found(record, **filters))
        seconds[name] = (time.process_time() - started, count)

    assert {name: count for name, (_, count) in seconds.items()} == {"all": 50, "rare": 1, "none": 0}
    assert max(each for each, _ in seconds.values()) < 0.6, seconds
