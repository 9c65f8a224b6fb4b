"""Tokens of programs (threat 14)."""

import pytest
from fastapi import APIRouter, Depends
from sqlalchemy import select
from starlette.requests import Request

from cutis.vocabulary.errors import UserError
from cutis.web.accounts import Role
from cutis.web.application import WEB, Room
from cutis.web.ground import OPEN, SIGNED_IN, allow, asker_of
from cutis.web.tables import TOKENS
from cutis.web.tokens import make_token, revoke_token, tokens
from sites import a_site, proof_in

router = APIRouter()


@router.get("/readable", dependencies=[Depends(allow(Role.AUDITOR, scopes=("read", "all")))])
@router.post("/readable", dependencies=[Depends(allow(Role.AUDITOR, scopes=("read", "all")))])
def _readable(request: Request) -> dict[str, str]:
    return {"by": asker_of(request)}


@router.get("/people", dependencies=[Depends(SIGNED_IN)])
def _people() -> None:
    pass


@router.get("/everybody", dependencies=[Depends(OPEN)])
def _everybody() -> None:
    pass


@pytest.fixture
def guarded(database_url):
    """A site with a route for programs that may read, one for people, and one for everybody."""
    with a_site(database_url, rooms=[Room(name="room", router=router, folder=WEB / "nowhere")]) as site:
        yield site


def made(site, *scopes, days=1.0, name="reporting system"):
    """Make a token."""
    with site.database.writing() as connection:
        return make_token(connection, name, scopes=scopes or ("read",), now=site.time.now, days=days)


def program(site, secret, **headers):
    """Return a program that comes with a token."""
    return site.browser(accept="application/json", authorization=f"Bearer {secret}", origin="", **headers)


def test_a_token_opens_what_its_scope_names_and_nothing_else(guarded):
    """200 with the scope, 403 with another, 401 where it is unknown; for people's routes a token is never enough."""
    right, wrong = made(guarded, "read"), made(guarded, "metrics", name="watch")

    answers = [program(guarded, each).get("/readable") for each in (right.secret, wrong.secret, "cutis_x", "")]

    assert [answer.status_code for answer in answers] == [200, 403, 401, 401]
    assert answers[0].json() == {"by": right.token.id}
    assert answers[2].headers["www-authenticate"] == "Bearer"
    assert program(guarded, right.secret).get("/people").status_code == 403
    assert program(guarded, "cutis_x").get("/everybody").status_code == 200


def test_a_program_may_post_without_coming_from_a_page(guarded):
    """It has no cookie that a page of somebody else could use (threat 15)."""
    assert program(guarded, made(guarded).secret).post("/readable").status_code == 200


def test_a_token_beside_a_cookie_is_not_looked_at(guarded):
    """A browser was there: its session counts, with its role, its proof, and the page that it comes from."""
    secret = made(guarded).secret
    reader, auditor = (guarded.joined(guarded.account(role)) for role in (Role.READER, Role.AUDITOR))
    proof = proof_in(auditor)
    for browser in (reader, auditor):
        browser.headers["authorization"] = f"Bearer {secret}"

    assert (reader.get("/readable").status_code, auditor.get("/readable").status_code) == (403, 200)
    assert auditor.post("/readable").status_code == 403
    assert auditor.post("/readable", headers={"x-proof": proof}).status_code == 200
    assert auditor.post("/readable", headers={"x-proof": proof, "origin": "https://evil.example"}).status_code == 403
    assert program(guarded, secret, cookie="language=en").get("/readable").status_code == 401


@pytest.mark.parametrize("kind", ["Basic", "bearer-", "", "Bearer,"])
def test_no_other_kind_of_authorization_is_known(guarded, kind):
    """Only a bearer's token."""
    browser = guarded.browser(accept="application/json", authorization=f"{kind} {made(guarded).secret}")

    assert browser.get("/readable").status_code == 401


def test_a_token_ends_on_its_day_and_when_it_is_revoked(guarded):
    """And stays in the list, for what it did bears its id; its name is free again."""
    ended, revoked = made(guarded, days=2), made(guarded, name="old", days=9)
    guarded.time.now += 2 * 86_400
    with guarded.database.writing() as connection:
        was_good = [
            revoke_token(connection, revoked.token.id, now=guarded.time.now),
            revoke_token(connection, revoked.token.id, now=guarded.time.now),
        ]

    answers = [program(guarded, each.secret).get("/readable").status_code for each in (ended, revoked)]
    again = made(guarded, name="old")

    with guarded.database.reading() as connection:
        names = [token.name for token in tokens(connection)]
    assert (answers, was_good) == ([401, 401], [True, False])
    assert names == ["old", "reporting system", "old"] or sorted(names) == ["old", "old", "reporting system"]
    assert program(guarded, again.secret).get("/readable").status_code == 200


def test_the_secret_is_nowhere_but_in_the_hand(guarded):
    """The database holds its hash, and the log nothing of it."""
    secret = made(guarded).secret
    program(guarded, secret).get("/readable")
    program(guarded, secret + "x").get("/readable")

    with guarded.database.reading() as connection:
        rows = str(connection.execute(select(TOKENS)).all())
    assert secret not in rows
    assert secret.removeprefix("cutis_") not in rows
    assert secret not in guarded.log.getvalue()


def test_wrong_tokens_cost_time_and_right_ones_never_wait(guarded):
    """Twenty are free; then 429, longer each time. A good token of the same address is answered all the while."""
    good, wrong = program(guarded, made(guarded).secret), program(guarded, "cutis_guessed")
    first = [wrong.get("/readable").status_code for _ in range(20)]
    waits = []
    for _ in range(3):
        refused = wrong.get("/readable")
        waits.append((refused.status_code, int(refused.headers["retry-after"])))
        assert good.get("/readable").status_code == 200
        guarded.time.now += waits[-1][1]
        assert wrong.get("/readable").status_code == 401

    assert first == [401] * 20
    assert waits == [(429, 1), (429, 2), (429, 4)]


def test_wrong_tokens_lock_no_person_out(guarded):
    """A program with an old token does not close the door to those who sign in from the same address."""
    account = guarded.account(Role.READER)
    for _ in range(25):
        program(guarded, "cutis_old").get("/readable")

    assert guarded.joined(account).get("/account").status_code == 200


def test_a_use_is_written_down_to_the_hour(guarded):
    """So that a token that nobody uses can be found."""
    token = made(guarded)
    seen = []
    for seconds in (0, 600, 3600):
        guarded.time.now += seconds
        program(guarded, token.secret).get("/readable")
        with guarded.database.reading() as connection:
            seen.append(tokens(connection)[0].used_at - token.token.made_at)

    assert seen == [0, 0, 4200]


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [(" ", ["a"], 1), ("a\x1b[31m", ["a"], 1), ("a", [], 1), ("a", ["a b"], 1), ("a", ["a"], 0), ("a" * 81, ["a"], 1)],
)
def test_a_token_needs_a_name_scopes_and_days(guarded, name, scopes, days):
    """Nothing opens everything, or for ever."""
    with guarded.database.writing() as connection, pytest.raises(UserError, match="needs a name"):
        make_token(connection, name, scopes=scopes, now=0, days=days)


def test_two_tokens_in_use_have_two_names(guarded):
    """Whoever revokes one must know which."""
    made(guarded)

    with pytest.raises(UserError, match="in use"):
        made(guarded)
