"""Putting a site together."""

import pytest
from fastapi import APIRouter, Depends

from cutis.web.accounts import Role
from cutis.web.application import WEB, Room
from cutis.web.ground import OPEN, allow
from sites import a_site, proof_in


def a_room(router, **fields):
    """A room with nothing of its own but routes."""
    return Room(name="room", router=router, folder=WEB / "nowhere", **fields)


def test_a_route_without_a_policy_does_not_start(tmp_path):
    """Who may use it is said where it is made, or there is no site (threat 14)."""
    router = APIRouter()
    router.get("/secret")(lambda: 1)

    with pytest.raises(LookupError, match="/secret"), a_site(f"sqlite:///{tmp_path / 'a'}", rooms=[a_room(router)]):
        pass


def test_two_policies_are_none(tmp_path):
    """Which of them would count?"""
    router = APIRouter()
    router.get("/twice", dependencies=[Depends(OPEN), Depends(allow(Role.AUDITOR))])(lambda: 1)

    with pytest.raises(LookupError, match="/twice"), a_site(f"sqlite:///{tmp_path / 'a'}", rooms=[a_room(router)]):
        pass


def test_a_role_gets_what_its_policy_says(tmp_path):
    """Two roles in, the others out, strangers to the door."""
    router = APIRouter()
    router.get("/both", dependencies=[Depends(allow(Role.CURATOR, Role.AUDITOR))])(lambda: {"in": True})

    with a_site(f"sqlite:///{tmp_path / 'a'}", rooms=[a_room(router)]) as site:
        found = {role: site.joined(site.account(role)).get("/both").status_code for role in Role}
        page, program = site.browser().get("/both"), site.browser(accept="application/json").get("/both")

    assert {role for role, status in found.items() if status == 200} == {Role.CURATOR, Role.AUDITOR}
    assert set(found.values()) == {200, 403}
    assert (page.status_code, page.headers["location"], program.status_code) == (303, "/sign-in", 401)


def test_no_page_tells_how_the_site_is_made(small_site):
    """There is no list of routes for strangers."""
    browser = small_site.browser()

    assert [browser.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404, 404, 404]


def test_what_was_sent_wrong_is_not_sent_back(small_site):
    """A refusal names fields, and repeats nothing."""
    browser = small_site.browser(accept="application/json")

    answer = browser.post("/join", json={"token": ["<script>planted</script>"]})

    assert (answer.status_code, answer.json()["fields"]) == (422, ["token"])
    assert "planted" not in answer.text


@pytest.mark.parametrize(("path", "form"), [("/sign-in", {"name": "a\0b", "password": "x"}), ("/account", None)])
def test_a_text_that_a_database_cannot_hold_is_refused(site, path, form):
    """A NUL, or a name too long for its column: no error of ours, and nothing of it in the log."""
    browser = site.joined(site.account(Role.CLINICIAN))
    names = {"name": "n" * 200, "password": "correct horse", "again": "correct horse", "proof": proof_in(browser)}

    answer = (site.browser() if form else browser).post(path, data=form or names)

    assert answer.status_code in ({401, 422} if form else {303, 422})  # SQLite holds both
    assert "argon2" not in site.log.getvalue()
    assert '"failed"' not in site.log.getvalue()


def test_a_room_leads_its_people_home(tmp_path):
    """Each role has a place; who has none sees the account."""
    from cutis.web.ground import Home

    router = APIRouter()
    router.get("/desk", dependencies=[Depends(allow(Role.CURATOR))])(lambda: 1)
    room = a_room(router, homes={Role.CURATOR: Home("/desk", "account.title")})

    with a_site(f"sqlite:///{tmp_path / 'a'}", rooms=[room]) as site:
        places = [site.joined(site.account(role)).get("/").headers["location"] for role in (Role.CURATOR, Role.AUDITOR)]
        stranger = site.browser().get("/").headers["location"]
        named = proof_in(site.joined(site.account(Role.CURATOR)))

    assert (places, stranger) == (["/desk", "/account"], "/sign-in")
    assert len(named) == 32
