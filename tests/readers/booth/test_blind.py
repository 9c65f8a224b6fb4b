"""Blind: the booth knows no truth that counts, and a reader reaches nobody else's answers."""

import ast
import re

import pytest
from sqlalchemy import select

from booths import CODES, a_booth, an_answer, answer_all, turns
from cutis.readers.booth.site import ROOM
from cutis.readers.booth.tables import ANSWERS, BOOTH
from cutis.vocabulary.errors import UserError

MAY_IMPORT = (
    "cutis.readers.booth",
    "cutis.readers.protocol",
    "cutis.web",
    "cutis.vocabulary.errors",
    "cutis.vocabulary.files",
    "cutis.vocabulary.reading",
    "cutis.workspace",
    "cutis.progress",
)


def test_no_module_of_the_booth_can_read_a_manifest():
    """What it imports knows protocols and readings, and neither cases nor their diagnoses nor any score."""
    sources = sorted(ROOM.glob("*.py"))
    names = [
        (path.name, node.module)
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("cutis")
    ]

    assert [(file, name) for file, name in names if not name.startswith(MAY_IMPORT)] == []
    assert len(sources) > 8
    assert not re.search(r"1_dataset|manifest|drawn\.json|DRAWN", "".join(path.read_text() for path in sources))


def test_no_table_has_a_place_for_the_truth():
    """Its columns are what readers said, and who they are."""
    names = {column.name for table in BOOTH.tables.values() for column in table.columns}

    assert not {name for name in names if re.search("truth|correct|right|label_|score", name)}


def test_the_booth_serves_the_same_whatever_the_truth_is(tmp_path):
    """Two studies that differ in their datasets alone: every byte that a reader gets is the same."""
    served = []
    for number in range(2):
        folder = tmp_path / str(number)
        (folder / "1_dataset").mkdir(parents=True)
        (folder / "1_dataset" / "manifest.parquet").write_text("planted" * number)
        with a_booth(folder / "5_readers", f"sqlite:///{folder / 'b.sqlite'}") as booth:
            browser = booth.reader()
            _same_key(booth)
            seen = []
            while open_turns := turns(browser):
                seen.append((open_turns, browser.get(open_turns[0]["picture"]).content))
                seen.append(
                    browser.post(
                        "/booth/answers", json=an_answer(open_turns[0], answer_id="a" * 20 + str(len(seen)))
                    ).json()
                )
            served.append(seen)

    assert served[0] == served[1]
    assert len(served[0]) == 16


def test_a_feedback_of_a_case_that_counts_is_refused(tmp_path):
    """A plan that would tell the truth opens no booth."""
    from booths import a_study
    from cutis.readers.booth.study import open_study
    from cutis.vocabulary.files import write_json, write_sums

    a_study(tmp_path)
    write_json(tmp_path / "booth" / "feedback.json", "feedback", {"cases": {"case0": "nv"}})
    write_sums(tmp_path / "booth")

    with pytest.raises(UserError, match="feedback"):
        open_study(tmp_path)


def test_a_reader_gets_the_pictures_of_their_own_turn_and_the_next(small_booth):
    """By names that are drawn for this reader and place; every other name is nothing, whosever it is."""
    li, wang = small_booth.reader("Li"), small_booth.reader("Wang")
    own, others = turns(li), turns(wang)
    files = sorted((small_booth.study.folder / "booth" / "pictures").iterdir())

    assert [li.get(turn["picture"]).status_code for turn in own] == [200, 200]
    assert [li.get(turn["picture"]).status_code for turn in others] == [404, 404]
    assert [li.get(f"/booth/pictures/{path.name}").status_code for path in files] == [404] * 8
    assert len({turn["picture"] for turn in [*own, *others]}) == 4
    li.post("/booth/answers", json=an_answer(own[0]))
    assert li.get(own[0]["picture"]).status_code == 404


def test_a_picture_comes_without_anything_that_tells_pictures_apart(small_booth):
    """No file's name, no time of writing, no tag: the headers of all are the same but for what we number."""
    browser = small_booth.reader()
    told = []
    while open_turns := turns(browser):
        headers = dict(browser.get(open_turns[0]["picture"]).headers)
        told.append({name: value for name, value in headers.items() if name not in {"x-request-id", "content-length"}})
        browser.post("/booth/answers", json=an_answer(open_turns[0]))

    assert all(each == told[0] for each in told)
    assert not told[0].keys() & {"etag", "last-modified", "content-disposition"}


def test_names_and_order_say_nothing_about_the_diagnosis(tmp_path):
    """A repeated case has another name; nothing that a reader is told holds a case's or a file's name."""
    with a_booth(tmp_path / "5", f"sqlite:///{tmp_path / 'b'}", cases=20) as booth:
        browser, texts = booth.reader(), []
        while True:
            said = browser.get("/booth/turns")
            texts.append(said.text)
            if said.json()["state"] == "done":
                break
            texts.append(browser.post("/booth/answers", json=an_answer(said.json()["turns"][0])).text)
        page = booth.site.browser().get("/sign-in").text + browser.get("/booth").text

    everything = page + "".join(texts)
    files = [path.stem for path in (tmp_path / "5" / "booth" / "pictures").iterdir()]
    assert not re.search(r"case\d", everything)
    assert [name for name in files if name in everything] == []


@pytest.mark.parametrize("name", ["../feedback.json", "..%2ffeedback.json", "feedback.json", "%00", "x" * 5000])
def test_no_path_leads_to_a_file(small_booth, name):
    """Names are compared, never joined to a folder (threat 11)."""
    browser = small_booth.reader()

    for place in ("pictures", "maps"):
        assert browser.get(f"/booth/{place}/{name}").status_code == 404


def test_a_reader_sees_nothing_of_what_others_answered(small_booth):
    """Whatever they ask for, the planted words of another reader's answers are not in it."""
    li, wang = small_booth.reader("Li"), small_booth.reader("Wang")
    answer_all(wang, diagnosis="bcc", confidence=0.123456)
    with small_booth.site.database.reading() as connection:
        ids = connection.execute(select(ANSWERS.c.answer_id)).scalars().all()

    seen = [li.get(path).text for path in ("/booth", "/booth/turns", "/account", "/booth/withdraw", "/booth/readers")]
    stolen = li.post("/booth/answers", json=an_answer(turns(li)[0], answer_id=ids[0])).json()

    assert not [text for text in seen if "0.123456" in text or any(each in text for each in ids)]
    assert stolen["kept"] == ids[0]  # the same letters as another reader's are no way to theirs
    assert len(ids) == 8


def test_diagnoses_stand_in_the_same_order_for_all(small_booth):
    """How often each is the truth is told by no order, number or count."""
    page = small_booth.reader().get("/booth").text

    places = [page.index(f"&#34;{code}&#34;") for code in CODES]
    assert places == sorted(places)


def _same_key(booth):
    from sqlalchemy import update

    from cutis.readers.booth.tables import READERS

    with booth.site.database.writing() as connection:
        connection.execute(update(READERS).values(picture_key="ab" * 32, reader_id="r-1"))


def test_the_rule_would_notice_what_breaks_it():
    """The list of what may be imported would notice the dataset's words."""
    assert not "cutis.vocabulary.case".startswith(MAY_IMPORT)
    assert not "cutis.readers.scoring.truth".startswith(MAY_IMPORT)
