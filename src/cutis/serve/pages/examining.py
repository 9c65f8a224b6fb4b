"""One examination: what was seen, what may be shown of the answer, and the clinician's word."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Form
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cutis.serve.answer import Answer, State
from cutis.serve.journal import Kept, Kind, entries
from cutis.serve.pages.listing import may_hear_truths, write_access
from cutis.serve.pages.saying import (
    cannot_say,
    code_meant,
    named,
    quality_of,
    reason_text,
    remarks_of,
    rows_of,
    set_text,
    summed,
    within,
)
from cutis.serve.pages.standing import (
    CLINICIAN,
    Here,
    Said,
    clinic_page,
    examination_here,
    here_of,
    names_here,
    names_of,
    said_of,
    truth_of,
)
from cutis.serve.record.examinations import Examination, Part, answer_of, contents_of
from cutis.serve.record.words import Says, Word, note_word, truths_of, words_of
from cutis.serve.signs import Signs
from cutis.serve.tables import JOURNAL
from cutis.serve.visit import Hidden, Shown, reveal
from cutis.web.translations import Words

router = APIRouter()
SAID_BY_THE_SCRIPT = ("picture_of", "map_failed", "loading", "none_similar", "cut", "failed")
KEYS = (
    ("map", ("H",)),
    ("similar", ("S",)),
    ("rest", ("R",)),
    ("word", ("W",)),
    ("pictures", (",", ".")),
    ("case", ("C",)),
    ("report", ("P",)),
    ("next", ("N",)),
    ("zoom", ("+", "−", "0")),
    ("move", ("←", "↑", "→", "↓")),
    ("list", ("?",)),
)


class Whole(NamedTuple):
    """What lies in the record of an examination, shown or not."""

    answer: Answer
    words: tuple[Said, ...]
    has_mine: bool  # whoever asks has given their word
    truths: tuple[Said, ...]  # none where whoever asks may not hear them yet
    note: str
    journal: Kept  # entry of the answer


@router.get("/examinations/{examination_id}", dependencies=[CLINICIAN])
def examination(request: Request, examination_id: str) -> Response:
    """Show an examination, and its answer as far as it may be shown; what is shown is written down before."""
    return _page(request, examination_id)


@router.get("/examinations/{examination_id}/word", dependencies=[CLINICIAN])
def back(examination_id: str) -> Response:
    """Lead back who comes here by changing the language of a page that answered a form."""
    return RedirectResponse(f"/examinations/{examination_id}", 303)


@router.post("/examinations/{examination_id}/word", dependencies=[CLINICIAN])
def word(
    request: Request,
    examination_id: str,
    says: Annotated[Says, Form()],
    diagnosis: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    """Keep what the clinician says; what they said before stays in the journal."""
    here = here_of(request)
    languages = list(here.ground.languages.values())
    code = code_meant(diagnosis, here.clinic.answerer.release.taxonomy, languages) if says is Says.OTHER else None
    text = diagnosis.strip() if says is Says.OTHER and code is None else ""
    given = Word(says=says, diagnosis=code, other=text)
    try:
        with here.ground.database.writing() as connection:
            found = examination_here(connection, examination_id)
            note_word(connection, here.clinic.vault, found, given, by=here.by, now=here.ground.now())
    except ValueError:
        said = "clinic_word.needed" if says is Says.OTHER else "clinic_word.not_shown"
        return _page(request, examination_id, status=422, said=said)
    return RedirectResponse(f"/examinations/{examination_id}#word", 303)


def whole_of(connection: Connection, here: Here, found: Examination) -> Whole:
    """Return what lies in the record of an examination."""
    vault = here.clinic.vault
    said = words_of(connection, vault, found.id)
    truths = truths_of(connection, vault, found.case_id) if may_hear_truths(connection, here, found.case_id) else ()
    people = names_of(connection, {each.by for each in said} | {each.by for each in truths}, here.words)
    diagnoses = names_here(here)
    note = contents_of(connection, vault, found, Part.NOTE)
    return Whole(
        answer=answer_of(connection, vault, found),
        words=tuple(said_of(each, people, diagnoses) for each in said),
        has_mine=any(each.by == here.by for each in said),
        truths=tuple(truth_of(each, people, diagnoses) for each in truths),
        note=note[0].decode() if note else "",
        journal=next(entries(connection, JOURNAL.c.examination_id == found.id, kinds=[Kind.ANSWER])),
    )


def _page(request: Request, examination_id: str, *, status: int = 200, said: str | None = None) -> Response:
    here = here_of(request)
    with here.ground.database.reading() as connection:
        found = examination_here(connection, examination_id)
    revealed = reveal(here.clinic, here.ground, found, here.by, shown=Shown(parts=("answer", "atlas")))
    if revealed.hidden is not None:  # pictures, note and words are read all the same
        write_access(here, "examination", case_id=found.case_id)
    with here.ground.database.reading() as connection:
        whole = whole_of(connection, here, found)
    values = _always(here, found, whole, hidden=revealed.hidden)
    if revealed.answer is not None:
        values |= _answered(request, here, revealed.answer.as_shown())
    return clinic_page(
        request, "clinic_examination.html", status=status, said=said, invented=whole.answer.invented, **values
    )


def _always(here: Here, found: Examination, whole: Whole, *, hidden: Hidden | None) -> dict[str, Any]:
    """Return what stands on the page whether the answer is hidden or not: nothing of the answer."""
    words, journal = here.words, whole.journal
    may_hear = hidden is None or whole.has_mine  # a word of one's own comes before what others know
    diagnoses = sorted(
        {*names_here(here).values(), *(named(each, each, words).name for each in whole.answer.cannot_say)}
    )
    return {
        "hidden": hidden.value if hidden else None,
        "state": "hidden" if hidden else whole.answer.state.value,
        "quality": quality_of(whole.answer, words, hidden=hidden is not None),
        "cannot_say": cannot_say(whole.answer.cannot_say, words),
        "given": whole.words if may_hear else (),
        "truths": whole.truths,
        "diagnoses": diagnoses,
        "case": {"id": found.case_id},
        "at": found.made_at,
        "device": found.device,
        "note": whole.note,
        "release": {"name": journal.content["release"], "sha256": found.release_sha256},
        "journal": {"number": journal.number, "hash": journal.hash},
        "keys": KEYS,
        "rows": (),
        "checked_by": "",
        "agreed": "",
        "within": (),
        "reasons": (),
        "warnings": (),
        "maps": (),
        "set_text": "",
        "malignancy": None,
        "told": {
            "path": f"/examinations/{found.id}",
            "pictures": len(whole.answer.pictures),
            "words": _for_the_script(words),
            "place": None,
            "has_similar": False,
        },
    }


def _answered(request: Request, here: Here, answer: Answer) -> dict[str, Any]:
    """Return the answer as the page shows it."""
    words = here.words
    signs: Signs = request.app.state.signs
    rows = [{**row._asdict(), "look": signs.of(row.code, words.language)} for row in rows_of(answer, words)]
    stands = answer.state is State.ANSWERED
    release = here.clinic.answerer.release
    has_atlas = stands and answer.place is not None and release.atlas is not None
    return {
        "rows": rows,
        "checked_by": signs.checked_by,
        "agreed": rows[0]["name"] if rows else "",
        "within": within(answer, words),
        "reasons": [reason_text(each, words) for each in answer.reasons],
        "warnings": remarks_of(answer, words),
        "maps": [(name, _depth(name, here)) for name in answer.maps],
        "set_text": set_text(answer, words),
        "malignancy": summed(answer.malignancy, answer.findings, words),
        "told": {
            "path": request.url.path.removesuffix("/word"),
            "pictures": len(answer.pictures),
            "words": _for_the_script(words),
            "has_similar": bool(answer.neighbours),
            "atlas": f"/atlas/{answer.release_sha256}",
            "place": answer.place if has_atlas and release.sha256 == answer.release_sha256 else None,
            "likely": [row["code"] for row in rows[:3]],
        },
    }


def _for_the_script(words: Words) -> dict[str, str]:
    return {name: words.texts[f"clinic_answer.{name}"] for name in SAID_BY_THE_SCRIPT}


def _depth(name: str, here: Here) -> str:
    stage = name.partition("stage_")[2]
    return here.words("clinic_answer.depth_stage", number=stage) if stage else here.words(f"clinic_answer.depth_{name}")
