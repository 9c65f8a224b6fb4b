"""From the content of all sections to one page of HTML."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cutis import __version__
from cutis.report.words import counted, listed, number, percent, spoken, times
from cutis.vocabulary.files import FORMATS

FILTERS = {"counted": counted, "listed": listed, "number": number, "percent": percent, "spoken": spoken, "times": times}


def render(sections: dict[str, Any]) -> str:
    """Return the page as HTML; whatever comes from data is escaped."""
    today = datetime.now(UTC).date().isoformat()
    template = page_environment().get_template("page.html")
    return template.render(sections, version=__version__, format=FORMATS["report"], today=today)


def page_environment() -> Environment:
    """Return what fills the templates: it escapes everything, and stops at anything that is not there."""
    environment = Environment(
        loader=PackageLoader("cutis.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment
