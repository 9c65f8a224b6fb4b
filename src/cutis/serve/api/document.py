"""The contract as an OpenAPI 3.1 document, made of the routes and of the types that they send."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from cutis import __version__
from cutis.client.contract import Problem
from cutis.serve.api.meters import KIND as FIGURES
from cutis.serve.api.sent import an_example
from cutis.serve.api.uploads import FIELDS, FORM, PICTURE, Limits
from cutis.web.ground import policy_of
from cutis.web.problems import KIND as PROBLEM

PATH = "/v1/diagnoses"
ONE = f"{PATH}/{{examination_id}}"
PICTURES = ("image/jpeg", "image/png", "image/tiff", "image/webp", "image/bmp")
ABOUT = """What one or more dermoscopic pictures of a lesion show, by the release that answers at this site.

Errors are problem details (RFC 9457). A question that carries an Idempotency-Key can be sent again after a cut line.
Where the state is `silent` the answer was kept and is not shown. Research software: no medical device."""
# What a route is refused with beside what its policy says; 400 (an unknown host), 408 and 500 may meet every request.
REFUSED = {
    ("post", PATH): (404, 408, 410, 413, 415, 422, 429, 503),
    ("get", ONE): (404, 410, 422),
    ("get", f"{ONE}/maps/{{diagnosis}}"): (404, 410, 422),
    ("get", "/v1/release"): (503,),
    ("get", "/ready"): (503,),
}
WAIT = {"Retry-After": {"description": "seconds after which to ask again", "schema": {"type": "integer"}}}


def document_of(routes: Sequence[BaseRoute], limits: Limits) -> dict[str, Any]:
    """Return the document of these routes."""
    made = get_openapi(title="cutis", version=__version__, description=ABOUT, routes=routes)
    for route in routes:
        assert isinstance(route, APIRoute)
        for method in route.methods or ():
            _complete(made["paths"][route.path_format][method.lower()], method.lower(), route)
    made["paths"][PATH]["post"]["requestBody"] = _body(limits)
    _describe_answers(made["paths"])
    parts = made.setdefault("components", {})
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schemas = {name: each for name, each in parts.get("schemas", {}).items() if "ValidationError" not in name}
    parts["schemas"] = schemas | {"Problem": Problem.model_json_schema()}
    return made


def _complete(operation: dict[str, Any], method: str, route: APIRoute) -> None:
    """Say who may use a route, and with what it is refused."""
    policy = policy_of(route)
    assert policy is not None
    refused = {400, 500, *REFUSED.get((method, route.path_format), ())}
    if not policy.is_open:
        operation["security"] = [{"token": [scope]} for scope in sorted(policy.scopes)]
        refused |= {401, 403, 429}
    operation["responses"].pop("422", None)  # the library's own words for it
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _one_type(parameter["schema"])
    operation["responses"] |= {str(status): _problem(status) for status in sorted(refused)}


def _one_type(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that can be left out: there is no way to send that it is none."""
    said: list[dict[str, Any]] = schema.pop("anyOf", [{}])
    return schema | next(each for each in said if each != {"type": "null"})


def _problem(status: int) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    example = {"type": "about:blank", "title": title, "status": status}
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    return {"description": title, "content": content} | ({"headers": WAIT} if status in {429, 503} else {})


def _body(limits: Limits) -> dict[str, Any]:
    binary = {"type": "string", "format": "binary", "maxLength": limits.picture_bytes}
    pictures = {"type": "array", "items": binary, "minItems": 1, "maxItems": limits.pictures}
    fields = {name: {"type": "string", "maxLength": letters} for name, letters in FIELDS.items()}
    fields["case_id"] |= {"pattern": "^[0-9a-f]{32}$", "description": "of the lesion, where it was seen before"}
    fields["accession"] |= {"description": "number of the visit; what is kept of it is a keyed hash"}
    fields["device"] |= {"description": "the dermatoscope"}
    form = {
        "type": "object",
        "properties": {PICTURE: pictures} | fields,
        "required": [PICTURE],
        "additionalProperties": False,
    }
    alone = {"schema": binary | {"minLength": 1}}
    return {"required": True, "content": dict.fromkeys(PICTURES, alone) | {FORM: {"schema": form}}}


def _describe_answers(paths: dict[str, Any]) -> None:
    example = an_example()
    for operation, status in ((paths[PATH]["post"], "201"), (paths[ONE]["get"], "200")):
        operation["responses"][status]["content"]["application/json"]["example"] = example
    location = {"description": "where the examination can be read again", "schema": {"type": "string"}}
    paths[PATH]["post"]["responses"]["201"]["headers"] = {"Location": location}
    png = {"schema": {"type": "string", "format": "binary"}}
    paths[f"{ONE}/maps/{{diagnosis}}"]["get"]["responses"]["200"]["content"] = {"image/png": png}
    paths["/metrics"]["get"]["responses"]["200"]["content"] = {FIGURES: {"schema": {"type": "string"}}}
    paths["/ready"]["get"]["responses"]["200"]["content"]["application/json"]["example"] = {"ready": True}
