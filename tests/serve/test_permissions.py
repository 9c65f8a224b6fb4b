"""Every route of the whole site × every role × every scope of a token (threat 14): who gets in stands here by hand."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from cutis.serve.tokens import SCOPES
from cutis.web.accounts import Role
from cutis.web.ground import policy_of
from servers import a_signed_release
from sites import proof_in
from whole_sites import Door, a_whole_site, bearer, doors_of, of_each_role


class Who(NamedTuple):
    """Who may use a door: people by their role, programs by a scope; or everybody."""

    roles: frozenset[Role] = frozenset()
    scopes: frozenset[str] = frozenset()
    everybody: bool = False


def people(*roles: Role, scopes: tuple[str, ...] = ()) -> Who:
    """Return people of these roles, and programs with one of these scopes."""
    return Who(frozenset(roles), frozenset(scopes))


EVERYBODY = Who(everybody=True)
SIGNED_IN = people(*Role)
CLINICIAN, CURATOR = people(Role.CLINICIAN), people(Role.CURATOR)
ADMINISTRATOR, AUDITOR = people(Role.ADMINISTRATOR), people(Role.AUDITOR)
DIAGNOSES = people(scopes=("diagnose",))
READS = people(scopes=("diagnose", "read"))
MATRIX = {
    "GET /": EVERYBODY,
    "GET /health": EVERYBODY,
    "GET /ready": EVERYBODY,
    "GET /static/{version}/{name:path}": EVERYBODY,
    "GET /sign-in": EVERYBODY,
    "POST /sign-in": EVERYBODY,
    "GET /join": EVERYBODY,
    "POST /join": EVERYBODY,
    "POST /language": EVERYBODY,
    "POST /sign-out": SIGNED_IN,
    "GET /account": SIGNED_IN,
    "POST /account": SIGNED_IN,
    # The clinician's pages: nobody else sees what a lesion looks like and what was answered.
    "GET /diagnose": CLINICIAN,
    "POST /diagnose": CLINICIAN,
    "GET /examinations/{examination_id}": CLINICIAN,
    "GET /examinations/{examination_id}/word": CLINICIAN,
    "POST /examinations/{examination_id}/word": CLINICIAN,
    "GET /examinations/{examination_id}/pictures/{place}": CLINICIAN,
    "GET /examinations/{examination_id}/thumbnails/{place}": CLINICIAN,
    "GET /examinations/{examination_id}/map": CLINICIAN,
    "GET /examinations/{examination_id}/similar": CLINICIAN,
    "GET /atlas/{release_sha256}": CLINICIAN,
    "GET /cases/{case_id}": CLINICIAN,
    "GET /cases/{case_id}/report.pdf": CLINICIAN,
    "GET /history": CLINICIAN,
    "POST /history/find": CLINICIAN,
    # Programs.
    "POST /v1/diagnoses": DIAGNOSES,
    "GET /v1/diagnoses/{examination_id}": READS,
    "GET /v1/diagnoses/{examination_id}/maps/{diagnosis}": READS,
    "GET /v1/release": READS,
    "GET /v1/openapi.json": people(Role.ADMINISTRATOR, scopes=SCOPES),
    "GET /metrics": people(Role.ADMINISTRATOR, Role.AUDITOR, scopes=("metrics",)),
    # Labels come from who has not seen an answer.
    "GET /labels": CURATOR,
    "POST /labels/find": CURATOR,
    "GET /labels/next": CURATOR,
    "POST /labels/export": CURATOR,
    "GET /labels/{examination_id}": CURATOR,
    "GET /labels/{examination_id}/{kind}/{place}": CURATOR,
    "POST /labels/{examination_id}/diagnosis": CURATOR,
    "POST /labels/{examination_id}/histology": CURATOR,
    # The house.
    "GET /acceptance": ADMINISTRATOR,
    "POST /acceptance/plan": ADMINISTRATOR,
    "POST /acceptance/withdraw": ADMINISTRATOR,
    "POST /acceptance/test": ADMINISTRATOR,
    "POST /acceptance/visible": ADMINISTRATOR,
    "POST /acceptance/silent": ADMINISTRATOR,
    "GET /monitor": people(Role.ADMINISTRATOR, Role.AUDITOR),
    "POST /monitor/rules": ADMINISTRATOR,
    "GET /staff": ADMINISTRATOR,
    "POST /staff/invite": ADMINISTRATOR,
    "POST /staff/link": ADMINISTRATOR,
    "POST /staff/role": ADMINISTRATOR,
    "POST /staff/sessions": ADMINISTRATOR,
    "POST /staff/remove": ADMINISTRATOR,
    "POST /staff/token": ADMINISTRATOR,
    "POST /staff/withdraw": ADMINISTRATOR,
    "POST /staff/verify": ADMINISTRATOR,
    "GET /releases": ADMINISTRATOR,
    "POST /releases/change": ADMINISTRATOR,
    "GET /journal": AUDITOR,
    "POST /journal/verify": AUDITOR,
    "GET /journal/export": AUDITOR,
}
DOORS = {Door(*named.split()): who for named, who in MATRIX.items()}
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
JSON = {"accept": "application/json"}


@pytest.fixture(scope="module")
def visited(tmp_path_factory):
    """The whole site with somebody of each role, a program of each scope, and a stranger."""
    folder = tmp_path_factory.mktemp("clinic")
    with a_whole_site(folder / "clinic", a_signed_release(folder / "signed")) as site:
        browsers = of_each_role(site)
        proofs = {role: proof_in(browser) for role, browser in browsers.items()}
        programs = {scope: site.browser(**bearer(site, scope)) for scope in SCOPES}
        yield site, browsers, proofs, programs


def test_the_matrix_names_every_door(visited):
    """One that is not in it would be in nobody's mind; one that is in it alone would be a mistake in it."""
    site, *_ = visited

    assert doors_of(site) == DOORS.keys()


def test_what_each_route_says_is_what_stands_here(visited):
    """Word by word, and for scopes too; no route is without a policy, or has two."""
    site, *_ = visited
    said = {}
    for route in site.site.bare.routes:
        policy = policy_of(route)
        assert policy is not None, route.path
        for method in route.methods:
            said[Door(method, route.path)] = Who(policy.roles, policy.scopes, policy.is_open)

    assert said == DOORS


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")
def test_a_door_opens_to_whom_it_is_for_and_to_nobody_else(visited, door):
    """401 without a session or token, 403 with the wrong one; a form without its proof is 403 for everybody."""
    site, browsers, proofs, programs = visited
    who = DOORS[door]
    if door.path == "/sign-out":  # whoever goes through it is gone
        browsers = of_each_role(site)
        proofs = {role: proof_in(browser) for role, browser in browsers.items()}
    asked = {None: _asked(site.browser(), door, proof="")}
    asked |= {role: _asked(browser, door, proof=proofs[role]) for role, browser in browsers.items()}
    asked |= {scope: _asked(program, door, proof="") for scope, program in programs.items()}

    let_in = {name for name, status in asked.items() if status not in (401, 403)}
    refused = {name: status for name, status in asked.items() if status in (401, 403)}
    if who.everybody:
        assert let_in >= {name for name in asked if not _needs_proof(door, name)}
    else:
        assert let_in == who.roles | who.scopes
        assert refused.pop(None) == 401
        assert set(refused.values()) <= {403}
    assert [name for name, status in asked.items() if status >= 500] == []


@pytest.mark.parametrize("door", [door for door in DOORS if door.method == "POST"], ids=lambda door: door.path)
def test_a_form_without_its_proof_changes_nothing(visited, door):
    """Whoever may use it: the session alone is not enough, for another site could make a browser send it."""
    _, browsers, _, _ = visited
    who = DOORS[door]

    for role in who.roles or set(Role):
        assert _asked(browsers[role], door, proof="") == 403


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")
def test_no_other_method_is_answered(visited, door):
    """Only those in the matrix, whoever asks."""
    _, browsers, proofs, _ = visited
    known = {other.method for other in DOORS if other.path == door.path}

    for method in set(OTHER_METHODS) - known:
        for role in (Role.ADMINISTRATOR, Role.CLINICIAN):
            headers = JSON | {"x-proof": proofs[role]}
            assert browsers[role].request(method, _path(door), headers=headers).status_code in (404, 405)


@pytest.mark.parametrize("hidden", ["", "x", "cutis_" + "A" * 43, "Basic YTpi"])
def test_a_token_that_is_none_opens_nothing(visited, hidden):
    """401, also with words that look like one; what is open to everybody stays open."""
    site, *_ = visited
    told = hidden if hidden.startswith("Basic") else f"Bearer {hidden}"
    program = site.browser(authorization=told)

    for door, who in DOORS.items():
        if not who.everybody and door.method == "GET":
            assert _asked(program, door, proof="") in (401, 429)


def test_a_token_beside_a_session_lends_it_nothing(visited):
    """A clinician's browser that carries a token of the metrics is still the clinician's, and no more."""
    site, browsers, proofs, _ = visited
    headers = JSON | bearer(site, "metrics", "read") | {"x-proof": proofs[Role.CLINICIAN]}

    assert browsers[Role.CLINICIAN].get("/metrics", headers=headers).status_code == 403
    assert browsers[Role.CLINICIAN].get("/v1/release", headers=headers).status_code == 403


def test_a_token_opens_nothing_after_its_day(visited):
    """It ends by itself."""
    site, *_ = visited
    program = site.browser(**bearer(site, "read", "diagnose"))
    before = program.get("/v1/release", headers=JSON).status_code

    site.time.now += 2 * 86_400
    after = program.get("/v1/release", headers=JSON).status_code
    site.time.now -= 2 * 86_400

    assert (before, after) == (200, 401)


def _asked(browser, door, *, proof) -> int:
    """Return with which status a door answers; what is sent is empty, so that nothing much comes of it."""
    headers = JSON | {"x-proof": proof}
    return browser.request(door.method, _path(door), headers=headers, **_sent(door)).status_code


def _sent(door):
    if door.method == "GET":
        return {}
    return {"json": {"token": "x"}} if door.path == "/join" else {"data": {"proof": ""}}


def _path(door) -> str:
    return door.path.replace("{name:path}", "x").replace("{", "").replace("}", "")


def _needs_proof(door, name) -> bool:
    """Say whether a stranger or a program may be refused there for what they said, such as a wrong password."""
    return door.method == "POST" and (name is None or isinstance(name, str))
