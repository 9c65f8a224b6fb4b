"""Names and forwarders (threat 16), on the whole site and over real sockets."""

import http.client
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from cutis.web.failures import attempts_of
from cutis.web.tables import FAILURES
from sites import free_port, served
from whole_sites import a_whole_site

PATHS = ("/", "/sign-in", "/diagnose", "/v1/release", "/health", "/ready", "/metrics", "/static/x/y.js")
HOSTILE = (
    "evil.example",
    "127.0.0.1.evil.example",
    "evil.example:{port}",
    "127.0.0.1:{port}@evil.example",
    "127.0.0.1:{port}#evil",
    "127.0.0.1:{port}/evil",
    "127.0.0.1:1",
    "127.0.0.1:{port}, evil.example",
    "[::1]evil.example",
    "",
)


@pytest.fixture
def site(tmp_path, release):
    """The whole site at a port, before which no proxy stands."""
    with a_whole_site(tmp_path / "clinic", release, port=free_port()) as found, served(found):
        yield found


def test_ten_hostile_names_are_refused_everywhere(site):
    """400, before any page sees them, and nothing of the name comes back."""
    for host in HOSTILE:
        name = host.format(port=site.settings.port)
        for path in PATHS:
            answer = asked(site, "GET", path, host=name)
            assert answer.status == 400, (name, path)
            assert b"evil" not in answer.content
        assert asked(site, "POST", "/sign-in", host=name, origin=f"http://{name}").status == 400
    assert len(HOSTILE) == 10


def test_two_names_at_once_or_none_are_refused(site):
    """A proxy could look at the first one and we at the second."""
    port = site.settings.port
    for hosts in ([f"127.0.0.1:{port}", "evil.example"], []):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        line.putrequest("GET", "/health", skip_host=True)
        for host in hosts:
            line.putheader("host", host)
        line.endheaders()
        assert line.getresponse().status == 400
        line.close()


def test_the_own_names_are_answered(site):
    """By address, by name, in any case of its letters."""
    port = site.settings.port
    for name in (f"127.0.0.1:{port}", f"localhost:{port}", f"LocalHost:{port}"):
        assert asked(site, "GET", "/health", host=name).status == 200


@pytest.mark.parametrize("header", ["x-forwarded-host", "forwarded", "x-host", "x-original-host", "x-forwarded-server"])
def test_no_header_gives_the_site_another_name(site, header):
    """Whatever stands in it, nothing that is sent names it."""
    told = {header: "host=evil.example" if header == "forwarded" else "evil.example"}
    for path in ("/", "/sign-in", "/diagnose"):
        answer = asked(site, "GET", path, accept="text/html", **told)
        assert answer.status in (200, 303)
        assert b"evil" not in answer.content
        assert "evil" not in str(answer.headers)


def test_a_caller_without_a_proxy_does_not_choose_its_address(site):
    """X-Forwarded-For is what anybody can write: failed sign-ins count for the address that really called."""
    for number in range(4):
        sign_in(site, **{"x-forwarded-for": f"203.0.113.{number}", "x-real-ip": f"203.0.113.{number}"})

    assert counted(site, "127.0.0.1") == 3  # the fourth has to wait, and is not looked at
    assert all(counted(site, f"203.0.113.{number}") == 0 for number in range(4))


def test_a_known_proxy_is_believed_as_far_as_it_has_seen(tmp_path, release):
    """The last address counts, which the proxy itself wrote; what the caller wrote before it does not."""
    with a_whole_site(tmp_path / "clinic", release, port=free_port(), proxies=("127.0.0.1",)) as site, served(site):
        sign_in(site, **{"x-forwarded-for": "198.51.100.9, 203.0.113.7"})
        sign_in(site, **{"x-forwarded-for": "203.0.113.8"})

        assert [counted(site, each) for each in ("203.0.113.7", "203.0.113.8", "198.51.100.9", "127.0.0.1")] == [
            1,
            1,
            0,
            0,
        ]


def test_an_unknown_proxy_is_not_believed(tmp_path, release):
    """Only the addresses that the settings name."""
    with a_whole_site(tmp_path / "clinic", release, port=free_port(), proxies=("192.0.2.1",)) as site, served(site):
        sign_in(site, **{"x-forwarded-for": "203.0.113.7"})

        assert (counted(site, "203.0.113.7"), counted(site, "127.0.0.1")) == (0, 1)


def test_a_claim_of_encryption_changes_nothing(site):
    """Who comes in the clear gets no cookie that is meant for an encrypted line, and no promise of one."""
    answer = asked(site, "GET", "/sign-in", **{"x-forwarded-proto": "https"})

    assert "strict-transport-security" not in {name.lower() for name in answer.headers}


class Answer:
    """What came back."""

    def __init__(self, answer):
        self.status, self.headers, self.content = answer.status, dict(answer.getheaders()), answer.read()


def asked(site, method, path, **headers):
    """Ask over a socket, with these headers and no others but the usual host."""
    line = http.client.HTTPConnection("127.0.0.1", site.settings.port, timeout=10)
    body = headers.pop("body", None)
    usual = {"host": f"127.0.0.1:{site.settings.port}", "accept": "application/json"}
    line.request(method, path, body=body, headers=usual | headers)
    try:
        return Answer(line.getresponse())
    finally:
        line.close()


def sign_in(site, **headers):
    """Try a wrong password."""
    sent = {"origin": site.settings.origin, "content-type": "application/x-www-form-urlencoded"}
    body = urlencode({"name": "boss", "password": "wrong"})
    return asked(site, "POST", "/sign-in", body=body, **sent | headers)


def counted(site, address):
    """Return how many failures are kept for this name and address."""
    of = attempts_of("boss", address)[0].of
    with site.database.reading() as connection:
        return connection.execute(select(FAILURES.c["count"]).where(FAILURES.c.of == of)).scalar_one_or_none() or 0
