"""What a server says of itself (threat 18)."""

import io
import json
import logging

import pytest

from cutis.web.logs import InLines, open_log
from sites import ADDRESS

EVIL = 'a\r\nb\x1b[31mred\x1b[0m\x00\u2028\u2029\x85 "quoted" {json} \ud800'


def lines_of(text):
    """Return the entries of a log; every line is one."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("key", ["route", "status", "said", "name", "x"])
def test_whatever_a_caller_sends_stays_within_its_line(key):
    """Line ends, escapes and quotes in every field: one line that can be parsed, with the same words in it."""
    file = io.StringIO()

    open_log(file).info("answered", **{key: EVIL})

    assert file.getvalue().count("\n") == 1
    assert file.getvalue().isascii()
    assert lines_of(file.getvalue())[0][key] == EVIL


def test_a_request_is_one_line_without_what_it_carried(small_site):
    """Route, status and time; no path, no query, no header of the caller's."""
    browser = small_site.browser(**{"user-agent": "evil\x1b[31m", "referer": ADDRESS + "/?planted"})

    browser.get("/sign-in?planted=1%0d%0aforged")
    browser.get("/planted%0d%0a%1b[31mforged")
    browser.post("/sign-in", data={"name": "planted\r\nforged", "password": "planted"})

    log = small_site.log.getvalue()
    entries = lines_of(log)
    assert "planted" not in log
    assert {entry["event"] for entry in entries} == {"answered", "sign-in failed"}
    assert [entry["status"] for entry in entries if entry["event"] == "answered"] == [200, 404, 401]


def test_what_libraries_say_comes_in_the_same_lines():
    """With line ends in it, and with a traceback."""
    file = io.StringIO()
    handler = InLines(open_log(file))
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "x", 1, "bad %s", ("a\nb",), None)

    handler.emit(record)

    assert lines_of(file.getvalue())[0] | {"timestamp": ""} == {
        "event": "library",
        "level": "warning",
        "library": "uvicorn.error",
        "said": "bad a\nb",
        "timestamp": "",
    }


def test_what_is_endless_is_cut():
    """A caller does not fill the disk by one field."""
    file = io.StringIO()

    open_log(file).info("answered", said="x" * 10**6)

    assert len(file.getvalue()) < 500
