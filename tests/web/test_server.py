"""Serving, and what is refused before it (threats 12, 14, 22)."""

import socket
import time
import urllib.request

import pytest

from cutis.vocabulary.errors import SafetyRefusal
from cutis.web.accounts import Role
from cutis.web.server import require_safe
from sites import a_site, free_port, served

SLOW = 200


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({}, None),
        ({"host": "0.0.0.0"}, "in the clear"),  # noqa: S104
        ({"address": "http://booth.example.org"}, "in the clear"),
        ({"host": "0.0.0.0", "plain_http": True}, "no administrator"),  # noqa: S104
        ({"address": "https://booth.example.org"}, "no administrator"),
    ],
)
def test_nobody_is_let_in_unsafely(tmp_path, settings, refused):
    """A public address without encryption, or before an administrator has a password, does not start."""
    with a_site(f"sqlite:///{tmp_path / 'a'}", **settings) as site:
        site.account(Role.ADMINISTRATOR)
        if refused is None:
            require_safe(site.settings, site.database)
        else:
            with pytest.raises(SafetyRefusal, match=refused):
                require_safe(site.settings, site.database)
            site.account(Role.ADMINISTRATOR, name="boss")
        if refused == "no administrator":
            require_safe(site.settings, site.database)


def test_slow_callers_do_not_slow_others_and_are_cut(tmp_path):
    """200 sockets that send half a head, half a body or nothing: others' p95 at most doubles, and each is cut."""
    port = free_port()
    with a_site(f"sqlite:///{tmp_path / 'a'}", port=port, header_seconds=2, body_seconds=2) as site, served(site):
        alone = _asked(port)
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(SLOW)]
        for number, each in enumerate(slow):
            each.sendall((b"GET /health HT", _half_a_form(port), b"")[number % 3])
        among = _asked(port)
        time.sleep(2.5)
        cut = sum(_is_cut(each) for each in slow)
        for each in slow:
            each.close()
        alone = max(alone, _asked(port))

    assert cut == SLOW
    assert among <= 2 * alone + 0.02


def test_a_connection_that_is_kept_alive_is_not_cut_while_it_asks(tmp_path):
    """The time for a head begins anew with each request."""
    port = free_port()
    with a_site(f"sqlite:///{tmp_path / 'a'}", port=port, header_seconds=1) as site, served(site):
        said = []
        with socket.create_connection(("127.0.0.1", port)) as line:
            for _ in range(3):
                line.sendall(f"GET /health HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode())
                answer = b""
                while not answer.endswith(b"}"):
                    answer += line.recv(4096)
                said.append(answer[:15])
                time.sleep(0.8)

    assert said == [b"HTTP/1.1 200 OK"] * 3


def test_the_server_does_not_say_what_it_is(tmp_path):
    """No header names a program or a version."""
    port = free_port()
    with a_site(f"sqlite:///{tmp_path / 'a'}", port=port) as site, served(site):
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
        answer.close()

    assert "server" not in {name.lower() for name in answer.headers}


def _asked(port):
    """Return the 95th percentile of a hundred requests, in seconds."""
    times = []
    for _ in range(100):
        started = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
            answer.read()
        times.append(time.perf_counter() - started)
    return sorted(times)[94]


def _half_a_form(port):
    head = f"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\n"
    return (head + "content-type: application/x-www-form-urlencoded\r\ncontent-length: 40\r\n\r\nname=").encode()


def _is_cut(line):
    """Say whether the other side has ended it."""
    line.settimeout(2)
    try:
        while said := line.recv(4096):
            assert said
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True
