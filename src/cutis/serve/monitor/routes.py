"""The monitor's page: for the auditor and the administrator; shares of what is answered would tell a clinician."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cutis.serve.acceptance.standing import is_held_back
from cutis.serve.clinic import clinic_of
from cutis.serve.labels.truths import known_truths
from cutis.serve.monitor import drawing
from cutis.serve.monitor.calibration import FEWEST, RATERS, calibration_of
from cutis.serve.monitor.counts import DAY, counted, midnight_after
from cutis.serve.monitor.look import drifts_of_release, look_again
from cutis.serve.monitor.past import glimpses_of, seen_between
from cutis.serve.monitor.rules import MOST_WINDOWS, rules_from, rules_of, set_rules
from cutis.serve.reference import FEWEST as FEWEST_LESIONS
from cutis.serve.staff.frame import office_page
from cutis.serve.staff.past import names_of
from cutis.vocabulary.errors import UserError
from cutis.web.accounts import Role
from cutis.web.ground import allow, ground_of, visitor

router = APIRouter()
ONLOOKERS = Depends(allow(Role.AUDITOR, Role.ADMINISTRATOR))
ADMINISTRATOR = Depends(allow(Role.ADMINISTRATOR))
SPANS = (7, 28, 91, 364)
Number = Annotated[str, Form(max_length=12)]


@router.get("/monitor", dependencies=[ONLOOKERS])
def monitor(request: Request, days: Annotated[int, Query(ge=1, le=SPANS[-1])] = SPANS[1]) -> Response:
    """Show counts, drift and calibration."""
    return _page(request, days=days)


@router.post("/monitor/rules", dependencies=[ADMINISTRATOR])
def rules(
    request: Request,
    days: Number,
    windows: Number,
    lesions: Number,
    index: Number,
    distance: Number,
    share: Number,
) -> Response:
    """Set when it is an alarm."""
    clinic, ground, by = clinic_of(request), ground_of(request), visitor(request).account.id
    named = {"days": days, "windows": windows, "lesions": lesions, "index": index, "distance": distance}
    content = {name: text.strip().replace(",", ".") for name, text in (named | {"share": share}).items()}
    try:
        wanted = rules_from(content)
    except UserError as error:
        return _page(request, days=SPANS[1], said=f"{error.what}: {error.mend}", status=422)
    with ground.database.writing() as connection:
        set_rules(connection, clinic.vault, wanted, by=by, now=ground.now())
    ground.log.info("monitor rules set", **wanted.model_dump())
    look_again(clinic, ground)
    return RedirectResponse("/monitor", 303)


def _page(request: Request, *, days: int, said: str | None = None, status: int = 200) -> Response:
    clinic, ground = clinic_of(request), ground_of(request)
    release, now = clinic.answerer.release, ground.now()
    until = midnight_after(now)
    since = until - days * DAY
    with ground.database.reading() as connection:
        in_force, set_by = rules_of(connection)
        oldest = min(since, now - in_force.days * in_force.windows * DAY)
        seen = seen_between(connection, clinic.vault, since=oldest, until=until)
        held_back = is_held_back(connection, clinic.settings, release.sha256)
        known = {} if held_back else known_truths(connection, clinic.vault)
        names = names_of(connection)
    shown = [each for each in seen if each.at >= since]
    counts = counted(shown, since=since, until=until)
    drifts = drifts_of_release(release, glimpses_of(seen, release_sha256=release.sha256), rules=in_force, now=now)
    calibration = (
        None if held_back else calibration_of(shown, known, bundle=release.bundle, release_sha256=release.sha256)
    )
    return office_page(
        request,
        "monitor.html",
        status=status,
        said=said,
        days=days,
        spans=SPANS,
        counts=counts,
        bars=drawing.stacked(counts.bars),
        times=drawing.times(counts.bars),
        reference=release.reference,
        drifts=drifts,
        alarms=[each for each in drifts if each.state == "alarm"],
        spreads={each.what: drawing.spread(each.shape) for each in drifts if each.shape},
        rules=in_force,
        set_by=names.get(set_by["by"] or "", set_by["by"]),
        set_at=set_by["at"],
        most_windows=MOST_WINDOWS,
        fewest_lesions=FEWEST_LESIONS,
        calibration=calibration,
        dots={event.name: drawing.dots(event) for event in calibration.events} if calibration else {},
        fewest=FEWEST,
        raters=RATERS,
        diseases={disease.code: disease.name for disease in release.bundle.taxonomy.diseases},
        may_set=visitor(request).account.role is Role.ADMINISTRATOR,
    )
