"""The history: examinations by date, state, clinician, diagnosis, device, word and truth, or by words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cutis.serve.answer import State
from cutis.serve.pages.listing import Told, has_spoken, last_words, listed, write_access
from cutis.serve.pages.searches import Searches
from cutis.serve.pages.standing import CLINICIAN, Here, clinic_page, here_of, names_here, names_of
from cutis.serve.record.cases import cases_by_accession
from cutis.serve.record.history import Filters, Found, devices, examinations
from cutis.serve.visit import hidden_from
from cutis.web.accounts import Role
from cutis.web.tables import ACCOUNTS

router = APIRouter()
PAGE = 25
WORDS = ("none", "agrees", "other", "doubt")


class Wanted(BaseModel):
    """What stands in the address of a history page; nothing of it tells of a patient."""

    model_config = ConfigDict(frozen=True)

    since: date | None = None
    until: date | None = None
    state: State | None = None
    clinician: str = Field(default="", max_length=32)
    diagnosis: str = Field(default="", max_length=80)
    device: str = Field(default="", max_length=80)
    word: str = Field(default="", max_length=20)
    truth: str = Field(default="", max_length=5)
    search: str = Field(default="", max_length=40)
    after: str = Field(default="", max_length=32)

    @field_validator("since", "until", "state", mode="before")
    @classmethod
    def _not_asked(cls, value: Any) -> Any:
        return value or None

    @property
    def is_of_the_answer(self) -> bool:
        """Whether it asks for something that the network said."""
        return bool(self.state or self.diagnosis)

    @property
    def is_of_others(self) -> bool:
        """Whether it asks for what is kept from who has not spoken."""
        return self.is_of_the_answer or bool(self.word)

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for anything but a page or what was searched for."""
        return any(self.model_dump(exclude={"search", "after"}).values())

    def address(self, **changes: Any) -> str:
        """Return the address of another page of the same."""
        told = {name: value for name, value in (self.model_dump(mode="json") | changes).items() if value}
        return f"/history?{urlencode(told)}" if told else "/history"


@router.get("/history", dependencies=[CLINICIAN])
def history(request: Request, wanted: Annotated[Wanted, Query()]) -> Response:
    """Show a page of the history."""
    here = here_of(request)
    searches: Searches = request.app.state.searches
    sought = searches.of(here.by, wanted.search) if wanted.search else ""
    with here.ground.database.reading() as connection:
        found, further = _page(here, wanted, sought or "") if sought is not None else ([], None)
        people = connection.execute(ACCOUNTS.select().where(ACCOUNTS.c.role == Role.CLINICIAN.value)).all()
        names = names_of(connection, {each.id for each in people}, here.words)
        known = devices(connection)
    write_access(here, "history")
    rows = listed(here, [Told(each.examination, each.words, each.truths) for each in found])
    return clinic_page(
        request,
        "clinic_history.html",
        rows=rows,
        invented=any(each.invented for each in rows),
        asked=wanted.model_dump(mode="json"),
        choices=_choices(here, names, known),
        is_sought=bool(sought),
        is_forgotten=sought is None,
        is_filtered=wanted.is_filtered,
        is_of_the_answer=wanted.is_of_the_answer,
        older=wanted.address(after=further) if further else None,
        newest=wanted.address(after="") if wanted.after else None,
    )


@router.post("/history/find", dependencies=[CLINICIAN])
def find(request: Request, number: Annotated[str, Form(max_length=120)]) -> Response:
    """Search for an accession number, or for words; they do not come to stand in an address."""
    here = here_of(request)
    searches: Searches = request.app.state.searches
    with here.ground.database.reading() as connection:
        cases = cases_by_accession(connection, here.clinic.vault, number)
    if len(cases) == 1 and cases[0].erased_at is None:
        return RedirectResponse(f"/cases/{cases[0].id}", 303)
    return RedirectResponse(f"/history?search={searches.keep(here.by, number)}", 303)


def _page(here: Here, wanted: Wanted, sought: str) -> tuple[list[Found], str | None]:
    """Return one page, and after which examination the next begins."""
    found: list[Found] = []
    for each in _fitting(here, wanted, sought):
        if len(found) == PAGE:
            return found, found[-1].examination.id
        found.append(each)
    return found, None


def _fitting(here: Here, wanted: Wanted, sought: str) -> Iterator[Found]:
    filters, after = _filters(here, wanted, sought), wanted.after or None
    while True:
        with here.ground.database.reading() as connection:
            page = examinations(connection, here.clinic.vault, filters, after=after, limit=2 * PAGE)
            hidden = {
                each.examination.id
                for each in page.found
                if (wanted.is_of_others or filters.words)
                and hidden_from(connection, here.clinic, each.examination, here.by)
            }
        for each in page.found:
            if _fits(each, wanted, filters, by=here.by, hidden=each.examination.id in hidden):
                yield each
        after = page.further
        if after is None:
            return


def _filters(here: Here, wanted: Wanted, sought: str) -> Filters:
    with here.ground.database.reading() as connection:
        is_number = bool(sought) and bool(cases_by_accession(connection, here.clinic.vault, sought))
    return Filters(
        accession=sought if is_number else "",
        words="" if is_number else sought,
        since=_midnight(wanted.since) if wanted.since else None,
        until=_midnight(wanted.until + timedelta(days=1)) if wanted.until else None,
        made_by=wanted.clinician or None,
        state=wanted.state,
        device=wanted.device or None,
        first=wanted.diagnosis or None,
        has_truth={"yes": True, "no": False}.get(wanted.truth),
    )


def _fits(found: Found, wanted: Wanted, filters: Filters, *, by: str, hidden: bool) -> bool:
    """Say whether an examination fits what the record does not look for; what is kept from somebody fits nothing."""
    if wanted.is_of_the_answer and hidden:
        return False
    is_heard = not hidden or has_spoken(by, found.words)
    if not found.gist.holds(filters.wanted, is_heard=is_heard):
        return False
    if wanted.word not in WORDS:
        return True
    said = {each.says.value for each in last_words(found.words if is_heard else ())}
    return not said if wanted.word == "none" else wanted.word in said


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _choices(here: Here, people: dict[str, str], known: tuple[str, ...]) -> dict[str, list[tuple[str, str]]]:
    words = here.words
    return {
        "state": [(each.value, words(f"clinic_state.{each.value}")) for each in State],
        "clinician": sorted(people.items(), key=lambda each: each[1]),
        "diagnosis": list(names_here(here).items()),
        "device": [(each, each) for each in known],
        "word": [(each, words(f"clinic_history.word_{each}")) for each in WORDS],
        "truth": [(each, words(f"clinic_history.truth_{each}")) for each in ("yes", "no")],
    }
