"""Nothing is told to anybody when an engine is opened."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

WATCHED = """
import socket, sys
def refuse(*a, **k):
    raise SystemExit("something was told to " + repr(a))
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
"""
IMPORTS = {
    "openvino": "from cutis.runtime.unreported import openvino_unreported; openvino_unreported().Core()",
    "nncf": "from cutis.runtime.unreported import unreported\nwith unreported():\n    import nncf",
}


@pytest.mark.parametrize("library", IMPORTS)
def test_a_library_is_imported_without_a_word_to_its_makers(library, tmp_path):
    """No connection, no number of this user in the home folder, and the reporter itself is never loaded."""
    pytest.importorskip("openvino_telemetry")
    program = f"{WATCHED}{IMPORTS[library]}\nassert not [m for m in sys.modules if 'openvino_telemetry' in m]"
    program += "\nimport threading; [each.join() for each in threading.enumerate()[1:] if not each.daemon]"
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "TF_BUILD", "JENKINS_URL"}}

    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=kept | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert not (tmp_path / "intel").exists()
