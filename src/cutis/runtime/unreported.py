"""A clinic tells nobody what it does: libraries that report their use to their makers are imported without that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REPORTER = "openvino_telemetry"


@contextmanager
def unreported() -> Iterator[None]:
    """Let OpenVINO and NNCF find nothing to report by while they are imported; both then go on in silence.

    Left alone, ``import openvino`` writes a number for this user into the home folder and sends it to Google Analytics,
    unasked, with every import (openvino-telemetry 2025.2).
    """
    modules: dict[str, Any] = sys.modules
    before = {name: modules.pop(name) for name in list(modules) if name.partition(".")[0] == REPORTER}
    modules[REPORTER] = None  # so that an import of it fails
    try:
        yield
    finally:
        del modules[REPORTER]
        modules |= before


def openvino_unreported() -> Any:
    """Import OpenVINO so that it reports nothing.

    Raises:
        ImportError: it is not installed.
    """
    with unreported():
        import openvino

        return openvino
