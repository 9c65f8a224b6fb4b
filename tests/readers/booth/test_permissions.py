"""Every route × every role (threat 14): who gets in stands here once more, by hand."""

import pytest

from booths import a_booth
from cutis.web.accounts import Role

EVERYBODY = {None, *Role}
SIGNED_IN = set(Role)
READER, ADMINISTRATOR = {Role.READER}, {Role.ADMINISTRATOR}
MATRIX = {
    ("GET", "/"): EVERYBODY,
    ("GET", "/health"): EVERYBODY,
    ("GET", "/static/{version}/{name:path}"): EVERYBODY,
    ("GET", "/sign-in"): EVERYBODY,
    ("POST", "/sign-in"): EVERYBODY,
    ("GET", "/join"): EVERYBODY,
    ("POST", "/join"): EVERYBODY,
    ("POST", "/language"): EVERYBODY,
    ("POST", "/sign-out"): SIGNED_IN,
    ("GET", "/account"): SIGNED_IN,
    ("POST", "/account"): SIGNED_IN,
    ("GET", "/booth"): READER,
    ("GET", "/booth/consent"): READER,
    ("POST", "/booth/consent"): READER,
    ("GET", "/booth/profile"): READER,
    ("POST", "/booth/profile"): READER,
    ("GET", "/booth/turns"): READER,
    ("POST", "/booth/answers"): READER,
    ("GET", "/booth/pictures/{name}"): READER,
    ("GET", "/booth/maps/{name}"): READER,
    ("GET", "/booth/withdraw"): READER,
    ("POST", "/booth/withdraw"): READER,
    ("GET", "/booth/left"): EVERYBODY,
    ("GET", "/booth/readers"): ADMINISTRATOR,
    ("POST", "/booth/readers/invite"): ADMINISTRATOR,
    ("POST", "/booth/readers/link"): ADMINISTRATOR,
    ("POST", "/booth/readers/close"): ADMINISTRATOR,
    ("POST", "/booth/export"): ADMINISTRATOR,
    ("GET", "/booth/export/{name}"): ADMINISTRATOR,
}
SENT = {
    "/booth/answers": {"json": {}},
    "/join": {"json": {"token": "x"}},
}


@pytest.fixture(scope="module")
def visited(tmp_path_factory):
    """A booth with somebody of each role, and a stranger."""
    folder = tmp_path_factory.mktemp("booth")
    with a_booth(folder / "5_readers", f"sqlite:///{folder / 'booth.sqlite'}") as booth:
        browsers = {None: booth.site.browser(accept="application/json")}
        for role in Role:
            browser = booth.reader() if role is Role.READER else booth.site.joined(booth.site.account(role))
            browsers[role] = browser
        yield booth, browsers


def test_the_matrix_names_every_route(visited):
    """A route that is not in it would be in nobody's mind."""
    booth, _ = visited
    found = {(method, route.path) for route in booth.site.site.bare.routes for method in route.methods - {"HEAD"}}

    assert found == MATRIX.keys()


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role or "stranger")
@pytest.mark.parametrize("route", MATRIX, ids=lambda route: f"{route[0]} {route[1]}")
def test_a_route_lets_in_whom_it_is_for(visited, route, role):
    """Everybody else gets 401 without a session, and 403 with one; a form without its proof changes nothing here."""
    _, browsers = visited
    method, path = route
    sent = SENT.get(path, {"data": {}}) if method == "POST" else {}
    headers = {"accept": "application/json", "x-proof": ""}

    status = (
        browsers[role].request(method, path.split("{")[0] + "x" * ("{" in path), headers=headers, **sent).status_code
    )

    if role not in MATRIX[route]:
        assert status == (401 if role is None else 403)
    elif method == "GET":
        assert status in (200, 303, 404)
    else:  # who may send it is stopped by the proof alone; strangers have none to show
        assert status in ({401, 422} if role is None else {403, 422})


def test_a_head_asks_no_more_than_a_get(visited):
    """No method but those in the matrix is answered."""
    _, browsers = visited

    for method in ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
        status = browsers[None].request(method, "/booth/readers", headers={"x-proof": "", "accept": "a/b"}).status_code
        assert status in (401, 405)
