"""The administrator's acceptance test: limits beforehand, counts meanwhile, figures once, and only then visible."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cutis.serve.acceptance import standing
from cutis.serve.acceptance.asked import content_of, offered, sides_of
from cutis.serve.acceptance.limits import FEWEST_CASES, plan_from
from cutis.serve.clinic import clinic_of
from cutis.serve.staff.frame import office_page
from cutis.serve.visibility import make_silent, visible_by
from cutis.vocabulary.errors import UserError
from cutis.web.accounts import Role
from cutis.web.ground import allow, ground_of, visitor

router = APIRouter()
ADMINISTRATOR = Depends(allow(Role.ADMINISTRATOR))
HERE = "/acceptance"


@router.get(HERE, dependencies=[ADMINISTRATOR])
def acceptance(request: Request) -> Response:
    """Show the limits, how far it is, and the newest test."""
    return _page(request)


@router.post("/acceptance/plan", dependencies=[ADMINISTRATOR])
async def plan(request: Request) -> Response:
    """Put limits into force; from here on they can be withdrawn, and not changed."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    return await to_thread.run_sync(_set, request, form)


@router.post("/acceptance/withdraw", dependencies=[ADMINISTRATOR])
def withdraw(request: Request) -> Response:
    """Take limits out of force before they were tested."""
    clinic, ground, by = clinic_of(request), ground_of(request), visitor(request).account.id
    sha256 = clinic.answerer.release.sha256
    with ground.database.writing() as connection:
        standing.withdraw(connection, clinic.vault, release_sha256=sha256, by=by, now=ground.now())
    return RedirectResponse(HERE, 303)


@router.post("/acceptance/test", dependencies=[ADMINISTRATOR])
def test(request: Request) -> Response:
    """Run the test that was planned, once."""
    clinic, ground, by = clinic_of(request), ground_of(request), visitor(request).account.id
    release = clinic.answerer.release
    try:
        told = standing.run_test(
            ground.database, clinic.vault, release.bundle, release_sha256=release.sha256, by=by, now=ground.now()
        )
    except UserError as error:
        return _page(request, said=f"{error.what}: {error.mend}", status=422)
    ground.log.info("acceptance tested", passed=told["passed"], cases=told["with_truth"])
    return RedirectResponse(HERE, 303)


@router.post("/acceptance/visible", dependencies=[ADMINISTRATOR])
def visible(request: Request) -> Response:
    """Show answers from now on, where the newest test was passed."""
    clinic, ground, by = clinic_of(request), ground_of(request), visitor(request).account.id
    sha256 = clinic.answerer.release.sha256
    try:
        with ground.database.writing() as connection:
            standing.show(connection, clinic.vault, release_sha256=sha256, by=by, now=ground.now())
    except UserError as error:
        return _page(request, said=f"{error.what}: {error.mend}", status=422)
    ground.log.warning("answers are shown", release=sha256)
    return RedirectResponse(HERE, 303)


@router.post("/acceptance/silent", dependencies=[ADMINISTRATOR])
def silent(request: Request) -> Response:
    """Keep answers and show none from now on; always possible."""
    clinic, ground, by = clinic_of(request), ground_of(request), visitor(request).account.id
    with ground.database.writing() as connection:
        make_silent(connection, clinic.vault, by=by, now=ground.now())
    ground.log.warning("answers are kept and not shown")
    return RedirectResponse(HERE, 303)


def _set(request: Request, form: dict[str, str]) -> Response:
    clinic, ground, by = clinic_of(request), ground_of(request), visitor(request).account.id
    release = clinic.answerer.release
    try:
        content, figures = content_of(form, release.bundle), offered(release.bundle)
        wanted = plan_from(content, where="the form", figures=figures)
        with ground.database.writing() as connection:
            standing.freeze(connection, clinic.vault, wanted, release_sha256=release.sha256, by=by, now=ground.now())
    except UserError as error:
        return _page(request, said=f"{error.what}: {error.mend}", form=form, status=422)
    return RedirectResponse(HERE, 303)


def _page(
    request: Request, *, said: str | None = None, form: dict[str, str] | None = None, status: int = 200
) -> Response:
    clinic, ground = clinic_of(request), ground_of(request)
    release = clinic.answerer.release
    with ground.database.reading() as connection:
        now = standing.standing_of(connection, clinic.vault, release.bundle, release_sha256=release.sha256)
        shown = visible_by(connection)
    taxonomy = release.bundle.taxonomy
    return office_page(
        request,
        "acceptance.html",
        status=status,
        standing=now,
        visible=shown if shown and shown["release_sha256"] == release.sha256 else None,
        visible_before=shown is not None and shown["release_sha256"] != release.sha256,
        release=release,
        figures=[(figure, sides_of(figure)) for figure in offered(release.bundle)],
        names={f"sensitivity/{disease.code}": disease.name for disease in taxonomy.diseases},
        form=form or {},
        said=said,
        fewest=FEWEST_CASES,
    )
