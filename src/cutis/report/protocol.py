"""What was asked of the test before it was opened, and how the answer came out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutis.report.tables import Cell, Row, Shown, Table
from cutis.report.words import number, p_said, percent, said_of, times
from cutis.vocabulary.estimate import Estimate

NOT_TESTABLE = "not_testable"
BEFORE = {"yes": "yes", "no": "NO", "no protocol": "there was no protocol"}


def protocol_section(said: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a protocol with its verdicts, or that there was none.

    Args:
        said: what the evaluation or the comparison wrote of it.
        names: of the diagnoses, by code.
    """
    registration = said["registration"]
    return {
        "said": said if registration["protocol_sha256"] else None,
        "registration": registration,
        "before": BEFORE[registration["before"]],
        "opened": times(registration["openings"]),
        "under_it": times(registration["under_it"]) if registration["under_it"] else "never",
        "endpoints": _endpoints(said.get("endpoints", ()), names) if said.get("endpoints") else None,
        "words": [(_asked(each, names), each["verdict"]["words"]) for each in said.get("endpoints", ())],
        "untested": any(each["verdict"]["outcome"] == NOT_TESTABLE for each in said.get("endpoints", ())),
        "departures": said.get("departures", ()),
    }


def _endpoints(endpoints: list[Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    rows: tuple[Row, ...] = tuple(
        (
            _asked(each, names),
            "primary" if place == 0 else "secondary",
            f"{each['hypothesis']}, margin {number(each['margin'])}",
            _gain(each["verdict"]),
            p_said(each["verdict"]["p"]),
            p_said(each["verdict"]["p_adjusted"]) if place else "stands alone",
            _verdict(each["verdict"]),
        )
        for place, each in enumerate(endpoints)
    )
    columns = ("endpoint", "which", "hypothesis", "gain (interval)", "p, one-sided", "p by Holm", "verdict")
    return Table("What was asked, and what came out", columns, rows)


def _asked(endpoint: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return f"{said_of(endpoint['measure'], names)}, against {endpoint['reference']}"


def _gain(verdict: Mapping[str, Any]) -> Cell:
    """Return how far the figure lies on the better side of its reference."""
    if verdict["outcome"] == NOT_TESTABLE:
        return "not available"
    ends = {end: verdict[end] for end in ("low", "high", "level")}
    gain = Estimate(value=verdict["gain"], **ends, method="", clusters=0, cluster_kind="")
    return Shown(gain, is_signed=True, beneath=f"interval of {percent(gain.level)}")


def _verdict(verdict: Mapping[str, Any]) -> str:
    if verdict["outcome"] == NOT_TESTABLE:
        return "not tested"
    return "shown" if verdict["shown"] else "not shown"
