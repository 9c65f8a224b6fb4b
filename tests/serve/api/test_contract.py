"""The contract is kept (threat 21): every operation, with what fits it and with what does not."""

import dataclasses

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from sqlalchemy import delete

from clinics import a_jpeg
from cutis.client.contract import Examination, Neighbour
from cutis.serve import answer
from cutis.serve.api.document import PICTURES
from cutis.serve.api.sent import an_example
from cutis.web.tables import FAILURES
from programs import ask

QUICK, THOROUGH = 30, 200
HOST = {"host": "127.0.0.1:8471"}
OPERATIONS = (
    ("POST", "/v1/diagnoses"),
    ("GET", "/v1/diagnoses/{examination_id}"),
    ("GET", "/v1/diagnoses/{examination_id}/maps/{diagnosis}"),
    ("GET", "/v1/release"),
    ("GET", "/ready"),
    ("GET", "/metrics"),
    ("GET", "/v1/openapi.json"),
    ("GET", "/health"),
)
WITH_SOMETHING_TO_SEND = OPERATIONS[:3]
# That a body is a picture cannot be said in a schema: a form of bytes at random is rightly refused.
CHECKS = {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "422", "429"]}}


def test_the_document_is_openapi_and_names_every_route(few_programs):
    """Version 3.1, by the validator of the specification; nothing is answered that it does not describe."""
    document = few_programs.program("read").get("/v1/openapi.json").json()

    OpenAPIV31SpecValidator(document).validate()
    named = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert named == set(OPERATIONS)
    assert document["openapi"].startswith("3.1")


def test_the_example_is_what_is_sent(few_programs):
    """The examples in the document fit its types, and an answer has their fields."""
    sent = ask(few_programs.program("diagnose")).json()

    assert Examination.model_validate(an_example()).model_dump(mode="json") == an_example()
    assert sent.keys() == an_example().keys()
    assert sent["answer"].keys() == an_example()["answer"].keys()


def test_of_a_similar_case_programs_are_told_what_the_page_tells():
    """That it is perhaps the same picture, too."""
    kept = {field.name for field in dataclasses.fields(answer.Neighbour)}

    assert set(Neighbour.model_fields) == kept
    assert an_example()["answer"]["neighbours"][0].keys() == kept


def test_the_document_says_which_scope_opens_what(few_programs):
    """One entry per scope, any of which is enough; who needs none is not asked."""
    paths = few_programs.program("metrics").get("/v1/openapi.json").json()["paths"]

    assert paths["/v1/diagnoses"]["post"]["security"] == [{"token": ["diagnose"]}]
    assert paths["/v1/release"]["get"]["security"] == [{"token": ["diagnose"]}, {"token": ["read"]}]
    assert "security" not in paths["/ready"]["get"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_an_operation_keeps_its_contract(few_programs, operation):
    """Thirty examples of each kind: what fits the document, and what is wrong on purpose."""
    assert _tried(few_programs, operation, examples=QUICK) >= QUICK


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_an_operation_keeps_its_contract_for_long(few_programs, operation):
    """Two hundred examples of each kind per operation, no failure (threat 21)."""
    assert _tried(few_programs, operation, examples=THOROUGH) >= THOROUGH


def _tried(programs, operation, *, examples):
    """Try an operation with what fits its description, and with what does not; return how often."""
    headers = {"Authorization": f"Bearer {programs.token('diagnose', 'read', 'metrics').secret}"}
    known = ask(programs.program("diagnose")).json()["id"]
    for kind in PICTURES:
        schemathesis.openapi.media_type(kind, strategies.sampled_from([a_jpeg(), a_jpeg(colour="blue", seed=1)]))
    app = programs.clinic.site.site.behind_border
    tested = schemathesis.openapi.from_asgi(
        "/v1/openapi.json", app, headers=headers | HOST, config=SchemathesisConfig.from_dict({"checks": CHECKS})
    )
    method, path = operation
    one, tries = tested[path][method], 0

    def check(case):
        nonlocal tries
        tries += 1
        case.call_and_validate(headers=headers | HOST)
        with programs.clinic.site.database.writing() as connection:
            connection.execute(delete(FAILURES))  # the checks try wrong tokens too, and would have to wait

    fitting = one.as_strategy(GenerationMode.POSITIVE)
    if "examination_id" in path:
        here = {"examination_id": known} | ({"diagnosis": "a"} if "diagnosis" in path else {})
        fitting = strategies.one_of(fitting, one.as_strategy(GenerationMode.POSITIVE, path_parameters=here))
    told = settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    while tries < examples:  # where nothing can be told apart, one is all there is
        told(given(fitting)(check))()
    if operation in WITH_SOMETHING_TO_SEND:
        told(given(one.as_strategy(GenerationMode.NEGATIVE))(check))()
    return tries
