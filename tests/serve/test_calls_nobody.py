"""The server answers, and calls nobody (threat 17): there are no push targets, and nothing that could reach one."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from documents import REPOSITORY

SOURCE = REPOSITORY / "src" / "cutis"
SERVED = ("serve", "web", "runtime", "imaging", "vocabulary")  # all that a running server is made of
CALLERS = {
    "aiohttp", "ftplib", "grpc", "http.client", "httpx", "httpx2", "imaplib", "nntplib", "poplib", "requests",
    "smtplib", "telnetlib", "urllib.request", "urllib3", "webbrowser", "websockets", "xmlrpc",
}  # fmt: skip
CALLS = {"create_connection", "open_connection", "open_unix_connection", "urlopen", "sock_connect", "getaddrinfo"}
LISTENS = SOURCE / "serve" / "safe.py"  # tries whether its own address is free, and binds it for that


def test_nothing_that_a_server_is_made_of_can_call_out():
    """No library that fetches or sends is imported, no function that opens a connection is named."""
    found = [line for room in SERVED for path in sorted((SOURCE / room).rglob("*.py")) for line in callers(path)]

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "import urllib.request",
        "from urllib import request",
        "from http import client",
        "def late():\n    import httpx2",
        "import socket\nsocket.create_connection(('a', 1))",
        "import socket",
        "async def f(loop):\n    await loop.sock_connect(1, 2)",
    ],
)
def test_what_calls_out_is_noticed(tmp_path, text):
    """At the top, inside a function, and by another spelling."""
    path = tmp_path / "planted.py"
    path.write_text(text)

    assert callers(path)


def test_a_url_in_any_field_of_any_page_is_text(tmp_path):
    """25 URLs in every parameter of every route, by somebody of each role: 0 connections to a canary, or anywhere."""
    run = subprocess.run(
        [sys.executable, REPOSITORY / "tests" / "urls_everywhere.py", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": f"{SOURCE.parent}{os.pathsep}{REPOSITORY / 'tests'}"},
    )

    assert run.returncode == 0, run.stderr[-3000:]
    urls, requests, events, knocks = map(int, run.stdout.split())
    assert urls == 25
    assert requests >= 25 * 30
    assert (events, knocks) == (0, 0)


def callers(path: Path) -> list[str]:
    """Return what in a file could reach another machine."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                named = {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names):
                named = {module, *(f"{module}.{alias.name}" for alias in names)}
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in CALLS:
                found.append(f"{path}, line {node.lineno}: {name}")
                continue
            case _:
                continue
        forbidden = CALLERS | (set() if path == LISTENS else {"socket"})
        found += [f"{path}, line {node.lineno}: {name}" for name in sorted(named & forbidden)]
    return found
