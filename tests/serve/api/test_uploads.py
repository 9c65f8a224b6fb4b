"""Bodies as they come (threats 11 and 12)."""

from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.requests import Request

from clinics import a_jpeg
from coroutines import awaited
from cutis.serve.api.uploads import Limits, Refused, upload_of
from programs import send

LIMITS = Limits(pictures=3, picture_bytes=10_000)
HEAD = 'Content-Disposition: form-data; name="{name}"'
PLANTED = "/var/tmp/cutis-planted"  # noqa: S108  it must not be there
# 60 names that have opened, overwritten or confused something somewhere.
HOSTILE = [
    *(
        climb * depth + leaf
        for climb in ("../", "..\\", "%2e%2e/", "..%2f", "..%5c")
        for depth in (1, 4, 9)
        for leaf in ("etc/passwd", "clinic.sqlite")
    ),
    *(
        "/etc/passwd",
        PLANTED,
        "C:\\windows\\win.ini",
        "\\\\server\\share\\x",
        "file:///etc/passwd",
        "~/.ssh/id",
    ),
    *("", ".", "..", "/", "\\", "con", "nul.jpg", "aux", "a" * 500, "a/" * 200, " ", "\t", "-rf", "--help", "|id"),
    *("$(id)", "`id`", "a;id", "a\r\nx: y", 'a"; name="note', "a\x00.jpg", "\u202egpj.exe", "..‥/x", "x.jpg/../../y"),
]


def part(name, content=b"x", more=""):
    """One part of a form."""
    return b"--x\r\n" + (HEAD.format(name=name) + more).encode() + b"\r\n\r\n" + content + b"\r\n"


def form(*parts, end=b"--x--\r\n"):
    """A form of parts."""
    return b"".join(parts) + end


def read(body, kind="multipart/form-data; boundary=x", *, limits=LIMITS, size=7):
    """Read a body that comes in small pieces."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]

    async def receive():
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    headers = [(b"content-type", kind.encode("latin-1"))]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    return awaited(upload_of, request, limits, lambda _: None)


def test_a_form_is_read_whatever_the_pieces_are():
    """Pictures in their order, fields as text."""
    body = form(part("picture", b"one"), part("note", "naïve\r\nthen".encode()), part("picture", b"\r\n--y\r\n"))

    for size in (1, 2, 5, 1000):
        upload = read(body, size=size)
        assert upload.pictures == (b"one", b"\r\n--y\r\n")
        assert upload.fields == {"note": "naïve\nthen"}


def test_a_picture_alone_is_the_body_itself():
    """By its kind, whatever stands behind it."""
    assert read(b"bytes", "image/jpeg; q=1").pictures == (b"bytes",)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (form(part("note")), 422),
        (form(part("picture", b"")), 422),
        (form(part("picture"), part("picture"), part("picture"), part("picture")), 422),
        (form(part("picture", bytes(10_001))), 413),
        (form(part("picture"), part("note", b"a" * 20_000)), 422),
        (form(part("picture"), part("device", b"a" * 81)), 422),
        (form(part("picture"), part("device"), part("device")), 422),
        (form(part("picture"), part("device", b"\xff\xfe")), 422),
        (form(part("picture"), part("device", b"a\x1b[31m")), 422),
        (form(part("picture"), part("device", b"a\rb")), 422),
        (form(part("picture"), part("device", b"a\x00b")), 422),
        (form(part("picture"), part("unknown")), 422),
        (form(part("picture"), end=b""), 422),
        (b"--y\r\nno form", 422),
        (b"", 422),
        (form(part("picture", more="\r\nX-A: b" * 20)), 422),
        (form(part("picture", more="\r\nX-A: " + "b" * 5000)), 422),
    ],
)
def test_a_form_that_does_not_fit_is_refused(body, status):
    """Too many, too large, not text, not whole: each in its own words, none of them kept."""
    with pytest.raises(Refused) as refused:
        read(body, size=1000)

    assert refused.value.status == status


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/mixed; boundary=x", "application/json", "application/x-www-form-urlencoded"]
)
def test_another_kind_of_body_is_refused(kind):
    """415, and it says what to send."""
    with pytest.raises(Refused, match="image/jpeg") as refused:
        read(b"x", kind)

    assert refused.value.status == 415


@pytest.mark.parametrize("kind", ["multipart/form-data", f"multipart/form-data; boundary={'x' * 300}"])
def test_a_form_without_a_boundary_that_is_one_is_refused(kind):
    """It could hold anything."""
    with pytest.raises(Refused) as refused:
        read(form(part("picture")), kind)

    assert refused.value.status == 422


def test_a_picture_alone_has_the_limit_of_one():
    """413 after it."""
    with pytest.raises(Refused) as refused:
        read(bytes(10_001), "image/png", size=1000)

    assert (refused.value.status, refused.value.picture) == (413, 1)


def test_no_name_of_a_client_becomes_a_path(few_programs, tmp_path):
    """Sixty hostile names, as file, as field and as the case: nothing is written but the database (threat 11)."""
    program = few_programs.program("diagnose")
    names = HOSTILE[:60]
    before, outside = _tree(tmp_path), _tree(tmp_path.parent)
    statuses = set()
    for name in names:
        body = form(part("picture", a_jpeg(), f'; filename="{name}"'))
        headers = {"content-type": "multipart/form-data; boundary=x"}
        statuses.add(program.post("/v1/diagnoses", content=body, headers=headers).status_code)
        statuses.add(send(program, a_jpeg(), case_id=name).status_code)
        statuses.add(program.get(f"/v1/diagnoses/{quote(name)}").status_code)

    assert len(names) == 60
    assert _tree(tmp_path) == before
    assert _tree(tmp_path.parent) == outside
    assert not Path(PLANTED).exists()
    assert statuses <= {201, 404, 405, 422}
    assert 201 in statuses


def _tree(folder):
    return sorted(path for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm")))
