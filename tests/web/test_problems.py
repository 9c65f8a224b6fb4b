"""What programs are told when they are refused."""

import pytest

ASKED = {
    404: ("GET", "/nothing", {}),
    405: ("DELETE", "/sign-in", {}),
    401: ("GET", "/account", {}),
    403: ("POST", "/sign-in", {"headers": {"origin": "https://evil.example"}}),
    413: ("POST", "/sign-in", {"content": b"x" * 70_000}),
    422: ("POST", "/join", {"json": {}}),
    400: ("GET", "/sign-in", {"headers": {"host": "evil.example"}}),
}


@pytest.mark.parametrize("status", ASKED)
def test_every_refusal_is_a_problem_in_one_form(small_site, status):
    """From the border and from the rooms alike (RFC 9457)."""
    method, path, sent = ASKED[status]

    answer = small_site.browser(accept="application/json").request(method, path, **sent)

    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status"} <= answer.json().keys()
    assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_people_are_told_in_words(small_site):
    """No JSON in a browser's window."""
    answers = [small_site.browser().request(*ASKED[status][:2], **ASKED[status][2]) for status in (400, 403, 404, 413)]

    assert all("json" not in answer.headers["content-type"] for answer in answers)


def test_a_method_that_is_not_known_is_answered_with_those_that_are(small_site):
    """405 says what would be answered."""
    assert "GET" in small_site.browser(accept="application/json").delete("/sign-in").headers["allow"]
