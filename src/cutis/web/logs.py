"""What a server says of itself: one line of JSON each, with a constant name for what happened.

Nothing that a caller sends becomes part of a line's form: JSON escapes line ends, control characters and everything
beyond ASCII.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import FilteringBoundLogger

LONGEST = 200  # letters of anything that a caller sent


def open_log(file: TextIO | None = None) -> FilteringBoundLogger:
    """Return what writes lines to a file; to standard error, if none is given."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(file or sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _shortened,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return log


def _shortened(_: Any, __: str, entry: Any) -> Any:
    return {
        key: value[:LONGEST] if isinstance(value, str) and key != "exception" else value for key, value in entry.items()
    }


class InLines(logging.Handler):
    """Brings what libraries log by Python's own means into the same lines."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        """Write to this log."""
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, whatever it holds, as one line."""
        told = {"library": record.name, "said": record.getMessage()}
        self._log.log(max(record.levelno, logging.INFO), "library", **told, exc_info=record.exc_info or None)
