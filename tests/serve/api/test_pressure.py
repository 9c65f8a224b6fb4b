"""Programs that send too much, too slowly, or all at once (threats 12 and 13)."""

import io
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import ExitStack

import numpy as np
import pytest
from PIL import Image

from clinics import a_jpeg
from programs import ask, figures
from sites import free_port, served

SLOW, BUSY = 200, 16


def forty_megapixels():
    """A large picture with something on it."""
    tile = np.asarray(Image.open(io.BytesIO(a_jpeg())).resize((728, 550)))
    written = io.BytesIO()
    Image.fromarray(np.tile(tile, (10, 10, 1))).save(written, "JPEG", quality=85)
    return written.getvalue()


def percentile(times, share):
    """Return the time within which so many were answered."""
    return sorted(times)[int(share * (len(times) - 1))]


def looks(origin, count):
    """Ask so many times whether it lives; return the seconds of each."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        with urllib.request.urlopen(f"{origin}/health") as answer:  # noqa: S310  our own address
            assert answer.status == 200
        times.append(time.perf_counter() - started)
    return times


def test_slow_bodies_hold_nobody_up(other_programs):
    """200 lines that send half a picture: others' p95 at most doubles, and each line is cut (threat 12)."""
    port = free_port()
    with (
        other_programs(port=port, body_seconds=2) as programs,
        served(programs.clinic.site) as origin,
        ExitStack() as ends,
    ):
        head = f"POST /v1/diagnoses HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: image/jpeg\r\n"
        head += f"authorization: Bearer {programs.token('diagnose').secret}\r\ncontent-length: 100000\r\n\r\nhalf"
        alone = percentile(looks(origin, 100), 0.95)
        lines = [ends.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(SLOW)]
        for line in lines:
            line.sendall(head.encode())
        among = percentile(looks(origin, 100), 0.95)
        answered = ask(programs.program("diagnose")).status_code
        said = [told(line) for line in lines]
        alone = max(alone, percentile(looks(origin, 100), 0.95))

    assert answered == 201
    assert {each[:12] for each in said} == {b"HTTP/1.1 408"}
    assert among <= 2 * alone + 0.03


def told(line):
    """Return what was said on a line until it was cut."""
    line.settimeout(20)
    said = b""
    while piece := line.recv(4096):
        said += piece
    return said


PRESSING = """
import sys, threading, time
from pathlib import Path
from cutis.client import Client, Unreachable
origin, secret, seconds, count = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
picture, ends, said = Path(sys.argv[5]).read_bytes(), time.monotonic() + seconds, []
def press():
    with Client(origin, secret, patience=0, timeout=120) as client:
        while time.monotonic() < ends:
            try:
                client.diagnose(picture)
                said.append("answered")
            except Unreachable as error:
                said.append("told to come back" if "others wait already" in error.what else error.what)
                time.sleep(0.5)
threads = [threading.Thread(target=press) for _ in range(count)]
[each.start() for each in threads]
[each.join() for each in threads]
print(*said, sep="\\n")
"""


@pytest.mark.slow
def test_many_large_pictures_at_once_are_answered_or_told_to_come_back(other_programs, tmp_path, capsys):
    """16 programs that send 40 megapixels without a pause: no 5xx, and the server lives all the while (threat 13)."""
    port, seconds = free_port(), float(os.environ.get("CUTIS_PRESSURE_SECONDS", "30"))
    (tmp_path / "large.jpg").write_bytes(forty_megapixels())
    with other_programs(port=port) as programs, served(programs.clinic.site) as origin:
        secret = programs.token("diagnose").secret
        words = [origin, secret, str(seconds), str(BUSY), str(tmp_path / "large.jpg")]
        pressing = subprocess.Popen([sys.executable, "-c", PRESSING, *words], stdout=subprocess.PIPE, text=True)
        times = []
        while pressing.poll() is None:
            times += looks(origin, 1)
            time.sleep(0.05)
        said = pressing.communicate()[0].splitlines()
        statuses = {name for name in figures(programs) if name[0] == "cutis_requests_total"}

    with capsys.disabled():
        p50, p99 = (percentile(times, share) for share in (0.5, 0.99))
        print(f"\n{dict(Counter(said))}, health p50 {p50:.3f} s, p99 {p99:.3f} s")  # noqa: T201
    assert pressing.returncode == 0
    assert set(said) <= {"answered", "told to come back"}
    assert "answered" in said
    assert not [name for name in statuses if ("status", "5") in [(key, value[:1]) for key, value in name[1:]]]
    assert p99 < 0.2
