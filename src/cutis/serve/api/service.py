"""What answers, whether it does, its figures, and the contract."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Depends
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cutis.client.contract import INVENTED, Diagnosis, Readiness, Release
from cutis.runtime.batcher import Closed
from cutis.serve.api.meters import KIND
from cutis.serve.api.parts import parts_of
from cutis.serve.api.refusals import AFTER_A_START, later, told
from cutis.serve.clinic import clinic_of
from cutis.serve.tokens import SCOPES
from cutis.serve.visibility import shows
from cutis.web.accounts import Role
from cutis.web.database import Database
from cutis.web.ground import OPEN, allow, ground_of

router = APIRouter(tags=["service"])


@router.get("/v1/release", response_model=Release, dependencies=[Depends(allow(scopes=["diagnose", "read"]))])
def release(request: Request) -> Any:
    """Return which release answers now, what it can say, and how much may be sent to it."""
    clinic, ground = clinic_of(request), ground_of(request)
    try:
        now = clinic.answerer.release
    except Closed as error:
        return told(error)
    with ground.database.reading() as connection:
        is_shown = shows(connection, clinic.settings, now.sha256)
    bundle = now.bundle
    return Release(
        name=now.name,
        sha256=now.sha256,
        weights_sha256=now.weights_sha256,
        answers_by=now.answers_by,
        invented=bundle.invented,
        notice=INVENTED if bundle.invented else None,
        is_shown=is_shown,
        taxonomy=bundle.taxonomy.name,
        diagnoses=tuple(
            Diagnosis(code=each.code, name=each.name, malignant=each.malignant) for each in bundle.taxonomy.diseases
        ),
        cannot_say=bundle.taxonomy.cannot_say,
        maps=now.maps,
        warnings=bundle.warnings,
        pictures_of_a_lesion=clinic.settings.pictures_of_a_lesion,
        picture_bytes=clinic.settings.picture_bytes,
    )


@router.get("/ready", response_model=Readiness, dependencies=[Depends(OPEN)])
async def ready(request: Request) -> Any:
    """Say whether questions are answered: a release passed its self-test, and the database answers."""
    if not clinic_of(request).answerer.is_ready:
        return later(503, "no release answers", seconds=AFTER_A_START)
    if not await to_thread.run_sync(_answers, ground_of(request).database):
        return later(503, "the database does not answer", seconds=AFTER_A_START)
    return Readiness(ready=True)


@router.get(
    "/metrics",
    response_class=Response,
    dependencies=[Depends(allow(Role.ADMINISTRATOR, Role.AUDITOR, scopes=["metrics"]))],
)
def metrics(request: Request) -> Response:
    """Return the figures of operation, as Prometheus reads them."""
    content = parts_of(request).meters.page(clinic_of(request), ground_of(request).database)
    return Response(content, headers={"content-type": KIND})


@router.get(
    "/v1/openapi.json",
    response_class=JSONResponse,
    dependencies=[Depends(allow(Role.ADMINISTRATOR, scopes=SCOPES))],
)
async def openapi(request: Request) -> Response:
    """Return this contract."""
    return JSONResponse(dict(parts_of(request).document))


def _answers(database: Database) -> bool:
    try:
        with database.reading() as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError:
        return False
    return True
