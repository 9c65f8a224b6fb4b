"""What every request passes (threats 12, 15, 16)."""

import asyncio

import pytest

from coroutines import awaited
from cutis.web.border import small_and_soon
from sites import a_site

HOSTILE = [
    "evil.example",
    "127.0.0.1:8471.evil.example",
    "127.0.0.1:8471@evil.example",
    "evil.example:8471",
    "127.0.0.1:80",
    "127.0.0.1",
    "localhost:8471/",
    "127.0.0.1:8471 evil.example",
    "",
    "127.0.0.1:8471\tx",
]


@pytest.mark.parametrize("host", HOSTILE)
def test_a_hostile_host_is_refused(small_site, host):
    """Ten names that are not ours: 400, and no page (threat 16)."""
    answer = small_site.browser().get("/sign-in", headers={"host": host})

    assert (answer.status_code, "<html" in answer.text) == (400, False)


@pytest.mark.parametrize("host", ["127.0.0.1:8471", "localhost:8471", "LOCALHOST:8471"])
def test_our_own_names_are_answered(small_site, host):
    """In any case of their letters."""
    assert small_site.browser().get("/health", headers={"host": host}).status_code == 200


def test_a_proxys_address_is_known_and_nothing_else(tmp_path):
    """Behind a proxy, the name in the address is the host."""
    with a_site(f"sqlite:///{tmp_path / 'a'}", address="https://booth.example.org", hosts=("alias.example",)) as site:
        browser = site.browser()

        known = [
            browser.get("/health", headers={"host": host}).status_code
            for host in ("booth.example.org", "alias.example")
        ]
        forwarded = browser.get("/health", headers={"x-forwarded-host": "evil.example"}).status_code

        assert (known, forwarded) == ([200, 200], 200)
        assert browser.get("/health", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://127.0.0.1:9", "http://127.0.0.1:8471.evil"]
)
def test_a_form_from_elsewhere_is_refused(small_site, origin):
    """Signing in, joining and everything else that changes something (threat 15)."""
    browser = small_site.browser(origin=origin)

    answers = [
        browser.post("/sign-in", data={"name": "a", "password": "b"}),
        browser.post("/join", json={"token": "x"}),
        browser.post("/language", data={"to": "zh"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_every_answer_tells_browsers_what_we_never_do(small_site):
    """Pages, files, refusals and failures alike."""
    browser = small_site.browser()
    for path in ("/sign-in", "/health", "/nothing", "/static/x/y"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert browser.get("/sign-in").headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


def test_a_body_that_says_it_is_large_is_refused_unread(small_site):
    """By its Content-Length."""
    answer = small_site.browser().post("/sign-in", content=b"x" * 70_000)

    assert answer.status_code == 413


def test_a_gigabyte_without_a_length_is_refused_after_the_limit():
    """One GB in chunks of 64 KiB: 413, and no more is taken than the limit and one chunk (threat 12)."""
    taken = 0

    async def application(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        nonlocal taken
        taken += 65_536
        return {"type": "http.request", "body": bytes(65_536), "more_body": taken < 2**30}

    sent = awaited(_asked, small_and_soon(application, limit_of=lambda _: 100_000, seconds=1), receive)

    assert sent[0]["status"] == 413
    assert taken == 131_072


def test_a_body_that_does_not_come_is_refused_in_time():
    """408, and the application is left alone with nothing (threat 12)."""

    async def application(scope, receive, send):
        assert (await receive())["type"] == "http.disconnect"

    async def receive():
        await asyncio.sleep(60)

    sent = awaited(_asked, small_and_soon(application, limit_of=lambda _: 9, seconds=0.05), receive)

    assert sent[0]["status"] == 408


async def _asked(application, receive):
    sent = []

    async def send(message):
        sent.append(message)

    await application({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    return sent
