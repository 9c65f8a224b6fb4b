"""The client, against a served clinic and against servers that misbehave."""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from clinics import a_clinic, a_jpeg
from cutis.client import Client, Refused, Unreachable
from cutis.serve.api.room import room
from cutis.serve.api.sent import an_example
from cutis.serve.settings import ClinicSettings
from cutis.vocabulary.errors import SafetyRefusal, UserError
from programs import Programs
from sites import free_port, served


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """A clinic that is served at an address of its own."""
    folder, port = tmp_path_factory.mktemp("clinic"), free_port()
    url = f"sqlite:///{folder / 'clinic.sqlite'}"
    with a_clinic(folder, url, rooms=[room(ClinicSettings())], port=port) as opened, served(opened.site):
        yield Programs(opened)


@pytest.fixture
def client(clinic):
    """A client that may ask and read."""
    address, secret = clinic.clinic.site.settings.origin, clinic.token("diagnose", "read").secret
    with Client(address, secret) as opened:
        yield opened


@dataclass
class Odd:
    """A server that answers what it was told, in this order."""

    answers: list
    asked: list = field(default_factory=list)

    @contextmanager
    def at_work(self, tls=None):
        """Lend its address; by https, where there is a file with a certificate and its key."""
        odd = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                odd.asked.append((self.path, dict(self.headers), body))
                answer = odd.answers.pop(0)
                if answer is None:  # the line is cut
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in ({"content-length": str(len(content))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815  as the library has it

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()


def a_certificate(path):
    """Write one of this machine that nobody vouches for, with its key."""
    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "clinic")])
    here = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(here, critical=False)
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


EXAMPLE = (201, {}, json.dumps(an_example()).encode())
BUSY = (429, {"retry-after": "3"}, b'{"type": "about:blank", "title": "Too Many Requests", "status": 429}')


def test_pictures_go_out_and_an_examination_comes_back(client, tmp_path):
    """Files by their paths or their bytes; what came can be asked for again, with its map."""
    (tmp_path / "lesion.jpg").write_bytes(a_jpeg())

    asked = client.diagnose(tmp_path / "lesion.jpg", a_jpeg(seed=2), device="dermatoscope 3", note='naïve; "quote"')
    again = client.diagnosis(asked.id)
    drawn = client.map(asked.id, "a")

    assert asked == again
    assert (asked.state, asked.answer.findings[0].code, len(asked.answer.pictures)) == ("answered", "a", 2)
    assert drawn.startswith(b"\x89PNG")
    assert client.release().sha256 == asked.release.sha256
    assert client.ready()


def test_the_same_key_is_the_same_examination(client):
    """Also from a program that was started anew."""
    first, again, other = (client.diagnose(a_jpeg(seed=5), key=key) for key in ("visit-00001", "visit-00001", None))

    assert first.id == again.id != other.id


@pytest.mark.parametrize(
    ("asking", "status", "says"),
    [
        (lambda client: client.diagnose(a_jpeg(), b"none"), 422, "picture 2"),
        (lambda client: client.diagnose(), 422, "no picture"),
        (lambda client: client.diagnose(a_jpeg(), case_id="0" * 32), 404, "Not Found"),
        (lambda client: client.diagnosis("0" * 32), 404, "Not Found"),
        (lambda client: client.diagnosis("../release"), 404, "Not Found"),
        (lambda client: client.diagnose(a_jpeg(), device="x" * 81), 422, "80 letters"),
    ],
)
def test_what_is_refused_says_why(client, asking, status, says):
    """In one error, with what the server said."""
    with pytest.raises(Refused, match=says) as refused:
        asking(client)

    assert refused.value.problem.status == status


def test_a_picture_that_cannot_be_read_is_named(client):
    """By its number and in one word, for a program to act on."""
    with pytest.raises(Refused) as refused:
        client.diagnose(a_jpeg(), b"none")

    assert refused.value.problem.picture == 2
    assert refused.value.problem.reason


def test_a_token_that_is_wrong_is_said_with_the_cure(clinic):
    """Whatever is sent beside it: a large picture too."""
    with Client(clinic.clinic.site.settings.origin, "cutis_wrong", patience=2) as client:
        with pytest.raises(Refused, match="401") as refused:
            client.release()
        with pytest.raises((Refused, Unreachable)):
            client.diagnose(os.urandom(8 << 20))

    assert "administrator" in refused.value.mend


def test_who_is_told_to_come_back_comes_back_in_time():
    """After the seconds that the server names, with the same key: nothing is counted twice."""
    odd, waits = Odd([BUSY, BUSY, EXAMPLE]), []
    with odd.at_work() as address, Client(address, "x", sleep=waits.append) as client:
        said = client.diagnose(b"picture")

    assert said.state == "answered"
    assert waits == [3, 3]
    assert len({headers["idempotency-key"] for _, headers, _ in odd.asked}) == 1
    assert len({body for *_, body in odd.asked}) == 1


@pytest.mark.parametrize("status", [502, 504])
def test_a_proxy_whose_server_restarts_is_asked_again(status):
    """As Caddy and nginx say it, in a page of their own; with the same key."""
    odd, waits = Odd([(status, {}, b"<html>a proxy</html>"), EXAMPLE]), []
    with odd.at_work() as address, Client(address, "x", sleep=waits.append) as client:
        said = client.diagnose(b"picture")

    assert (said.state, waits) == ("answered", [0.5])
    assert len({headers["idempotency-key"] for _, headers, _ in odd.asked}) == 1


def test_a_certificate_that_cannot_be_verified_is_said_at_once(tmp_path):
    """It does not mend itself; with the clinic's own authority there is an answer."""
    odd, waits, tls = Odd([EXAMPLE]), [], a_certificate(tmp_path / "own.pem")
    with odd.at_work(tls) as address:
        with Client(address, "x", sleep=waits.append) as client, pytest.raises(UserError, match="verified") as caught:
            client.diagnose(b"picture")
        with Client(address, "x", authority=tls) as client:
            assert client.diagnose(b"picture").state == "answered"

    assert waits == []
    assert not isinstance(caught.value, Unreachable)
    assert "authority" in caught.value.mend


def test_a_line_that_is_cut_is_taken_up_again():
    """Waiting longer each time, with the same key."""
    odd, waits = Odd([None, None, EXAMPLE]), []
    with odd.at_work() as address, Client(address, "x", sleep=waits.append) as client:
        client.diagnose(b"picture")

    assert waits == [0.5, 1]
    assert len({headers["idempotency-key"] for _, headers, _ in odd.asked}) == 1


def test_a_line_that_was_closed_while_idle_is_opened_anew_at_once():
    """As servers do after some seconds; nobody waits for it."""
    odd, waits = Odd([EXAMPLE, None, EXAMPLE]), []
    with odd.at_work() as address, Client(address, "x", sleep=waits.append) as client:
        client.diagnose(b"one")
        client.diagnose(b"two")

    assert (waits, len(odd.asked)) == ([], 3)


def test_patience_ends(clinic):
    """And the error says what was in the way."""
    busy = pytest.raises(Unreachable, match="Too Many Requests")
    with Odd([BUSY] * 9).at_work() as address, Client(address, "x", patience=2) as client, busy:
        client.release()
    with Client(f"http://127.0.0.1:{free_port()}", "x", patience=0) as nobody:
        with pytest.raises(Unreachable, match="cut"):
            nobody.release()
        assert not nobody.ready()


def test_a_token_is_carried_to_nobody_else():
    """Not along a redirection, and not in the clear to another machine."""
    odd = Odd([(302, {"location": "http://127.0.0.1:1/steal"}, b"")])
    with odd.at_work() as address, Client(address, "x") as client, pytest.raises(Refused, match="302"):
        client.release()

    assert len(odd.asked) == 1
    with pytest.raises(SafetyRefusal, match="in the clear"):
        Client("http://clinic.example.org", "x")
    with pytest.raises(UserError, match="no address"):
        Client("clinic.example.org/v1", "x")


@pytest.mark.parametrize("content", [b"<html>a proxy</html>", b"{}", b""])
def test_what_is_no_answer_of_cutis_is_said_so(content):
    """A proxy's page, or another server."""
    with Odd([(200, {}, content), (500, {}, content)]).at_work() as address, Client(address, "x") as client:
        with pytest.raises(UserError, match="no answer of cutis"):
            client.release()
        with pytest.raises(Refused, match="500"):
            client.release()


def test_what_a_newer_server_adds_is_passed_over():
    """A client need not be as new as its server."""
    newer = an_example() | {"more": {"of": "it"}}
    with Odd([(200, {}, json.dumps(newer).encode())]).at_work() as address, Client(address, "x") as client:
        assert client.diagnosis("x").id == newer["id"]


def test_what_files_are_called_is_not_sent(tmp_path):
    """Names of files hold names of people (threat 8)."""
    (tmp_path / "Lovelace, Ada 1815-12-10.jpg").write_bytes(b"picture")
    odd = Odd([EXAMPLE])
    with odd.at_work() as address, Client(address, "x") as client:
        client.diagnose(tmp_path / "Lovelace, Ada 1815-12-10.jpg")

    path, headers, body = odd.asked[0]
    assert "Lovelace" not in path + str(headers)
    assert b"Lovelace" not in body
    assert body.count(b"picture") == 2


def test_the_client_needs_nothing_of_a_server():
    """No web framework, no database, no network library beside Python's own."""
    code = "import sys; import cutis.client; print(*sorted(name.partition('.')[0] for name in sys.modules))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )

    assert not loaded & {"fastapi", "starlette", "sqlalchemy", "uvicorn", "numpy", "PIL", "httpx", "httpx2", "requests"}
