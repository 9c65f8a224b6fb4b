"""The administrator's page of the release: what answers, what it is, and another one in its place."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cutis.runtime.ready import Trusted
from cutis.serve.changing import change_release
from cutis.serve.clinic import clinic_of
from cutis.serve.staff.frame import office_page
from cutis.serve.staff.releases import folder_of, offered, remember
from cutis.vocabulary.errors import UserError
from cutis.web.accounts import Role
from cutis.web.ground import allow, ground_of, visitor

router = APIRouter()
ADMINISTRATOR = Depends(allow(Role.ADMINISTRATOR))


@router.get("/releases", dependencies=[ADMINISTRATOR])
def releases(request: Request) -> Response:
    """Show which release answers, and which others lie ready."""
    return _page(request)


@router.post("/releases/change", dependencies=[ADMINISTRATOR])
def change(request: Request, name: Annotated[str, Form(max_length=120)]) -> Response:
    """Change over to another release, tested beside the one that answers; the site is silent until it is accepted."""
    clinic, ground = clinic_of(request), ground_of(request)
    folder = folder_of(clinic.settings, name)
    if folder is None:
        raise HTTPException(404)
    trusted = Trusted(folder, clinic.settings.key, required=clinic.settings.signed)
    try:
        change_release(clinic, ground, by=visitor(request).account.id, trusted=trusted)
    except UserError as error:
        ground.log.warning("release refused", what=error.what)
        return _page(request, said=f"{error.what}. {error.mend}", status=422)
    with ground.database.writing() as connection:
        remember(connection, name)
    return RedirectResponse("/releases", 303)


def _page(request: Request, *, said: str | None = None, status: int = 200) -> Response:
    clinic = clinic_of(request)
    release = clinic.answerer.release
    return office_page(
        request,
        "staff_releases.html",
        status=status,
        release=release,
        bundle=release.bundle,
        offered=offered(clinic.settings),
        folder=clinic.settings.releases,
        said=said,
    )
