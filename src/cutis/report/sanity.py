"""Whether the maps mean anything: what was measured of each method, and which may be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cutis.report.drawings import Drawing
from cutis.report.figures import inline_svg
from cutis.report.material import Explanation
from cutis.report.tables import Cell, Row, Shown, Table, estimates_of, methods_of
from cutis.vocabulary.estimate import Estimate

PASSED = {True: "passed", False: "failed", None: "not asked"}
CAPTIONS = {
    "sanity_weights": "Weights drawn anew: a map that stays does not depend on what was learned.",
    "sanity_removal": "What a map shows is taken away, or shown alone; dotted the same map elsewhere.",
    "sanity_pointing": "How much of a map lies where something is known to be.",
    "sanity_stability": "What a shift of a few pixels and a noise that nobody sees leave of a map.",
}


class Verdict(NamedTuple):
    """What is said of one method in a line."""

    method: str
    is_offered: bool
    failed: str  # what it failed, in words; "" where nothing


def sanity_section(explanation: Explanation) -> dict[str, Any] | None:
    """Return verdicts, tables and figures; None where it was not examined."""
    said = explanation.sanity
    if said is None:
        return None
    measured = Estimate(**next(iter(said["methods"].values()))["stability"]["shift"])
    return {
        "said": said,
        "verdicts": [_verdict(name, method, said) for name, method in said["methods"].items()],
        "rules": said["rules"],
        "tables": [_rules_table(said), _measures_table(said), *_pointing_tables(said), _compared_table(said)],
        "best": list(_best(said)),
        "methods": methods_of([measured]),
        "drawings": list(_drawings(explanation, said)),
    }


def _verdict(name: str, method: Mapping[str, Any], said: Mapping[str, Any]) -> Verdict:
    failed = [rule for rule, verdict in method["verdicts"].items() if verdict["passed"] is False]
    return Verdict(_spoken(name), name in said["offered"], ", ".join(failed))


def _rules_table(said: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            _spoken(name),
            *(PASSED[method["verdicts"][rule]["passed"]] for rule in said["rules"]),
            "offered" if name in said["offered"] else "not offered",
            method["cases"],
        )
        for name, method in said["methods"].items()
    )
    return Table("What each method passed", ("method", *said["rules"], "to clinicians", "cases"), rows)


def _measures_table(said: Mapping[str, Any]) -> Table:
    def row(name: str, method: Mapping[str, Any]) -> Row:
        weights, removal, stability = (estimates_of(method[part]) for part in ("weights", "removal", "stability"))
        return (
            _spoken(name),
            Shown(weights["trained"], is_signed=True, digits=2),
            Shown(weights["null"], is_signed=True, digits=2),
            Shown(weights["trained_absolute"], digits=2),
            Shown(removal["gained"], is_signed=True, digits=2),
            Shown(removal["over_blob"], is_signed=True, digits=2),
            Shown(stability["shift"], digits=2),
            Shown(stability["noise"], digits=2),
        )

    columns = (
        "method",
        "untrained",
        "two untrained",
        "without sign",
        "over elsewhere",
        "over the middle",
        "shift",
        "noise",
    )
    groups = (("", 1), ("weights: correlation", 3), ("removal: gain", 2), ("stability: correlation", 2))
    rows = tuple(row(name, method) for name, method in said["methods"].items())
    return Table("What was measured", columns, rows, groups=groups)


def _pointing_tables(said: Mapping[str, Any]) -> Iterator[Table]:
    for target, what in said["targets"].items():
        found = {name: estimates_of(each["pointing"][target]) for name, each in said["methods"].items()}
        rows: list[Row] = [
            (
                _spoken(name),
                Shown(each["share"], digits=2),
                Shown(each["over_chance"], is_signed=True, digits=2),
                Shown(each["over_others"], is_signed=True, digits=2),
                Shown(each["over_blob"], is_signed=True, digits=2),
                Shown(each["hit"], digits=2),
            )
            for name, each in found.items()
        ]
        fullest = max(found.values(), key=lambda each: each["share"].clusters)
        rows.append(("an even map", Shown(fullest["chance"], digits=2), "", "", "", Shown(fullest["chance"], digits=2)))
        rows.append(
            ("a blob in the middle", Shown(fullest["blob"], digits=2), "", "", "", Shown(fullest["blob_hit"], digits=2))
        )
        columns = (
            "method",
            "share inside",
            "over an even map",
            "over others' maps",
            "over a blob",
            "greatest point inside",
        )
        yield Table(f"How much of a map lies inside {what}", columns, tuple(rows))


def _compared_table(said: Mapping[str, Any]) -> Table:
    """Return the first method less each other one, on the same cases."""
    first, less = said["compared"]["first"], said["compared"]["less"]
    names = {"gap": "insertion less deletion", "shift": "stability under shifts"}
    measures = list(dict.fromkeys(measure for found in less.values() for measure in found))
    columns = tuple(names.get(each, f"share inside: {each.partition('/')[0]}") for each in measures)
    rows = tuple((_spoken(name), *_signed(estimates_of(found), measures)) for name, found in less.items())
    return Table(f"The map called {_spoken(first)}, less each other one on the same cases", ("less", *columns), rows)


def _signed(found: Mapping[str, Estimate], measures: Sequence[str]) -> tuple[Cell, ...]:
    return tuple(Shown(found[each], is_signed=True, digits=2) for each in measures)


def _best(said: Mapping[str, Any]) -> Iterator[str]:
    """Say which method has most, by each measure."""
    by_measure = {
        "Taking away and bringing in tell most by": [("removal", "gap")],
        **{f"Most of it lies inside {what} with": [("pointing", target)] for target, what in said["targets"].items()},
    }
    for words, ((part, key),) in by_measure.items():
        values = {
            name: (each[part][key]["share"] if part == "pointing" else each[part][key])
            for name, each in said["methods"].items()
        }
        known = {name: each for name, each in values.items() if each["value"] is not None}
        if known:
            best = max(known, key=lambda name: known[name]["value"])
            yield f"{words} {_spoken(best)}, {Estimate(**known[best])}."


def _drawings(explanation: Explanation, said: Mapping[str, Any]) -> Iterator[Drawing]:
    for name, caption in CAPTIONS.items():
        path = explanation.folder / "figures" / f"{name}.svg"
        if path.is_file():
            alt = f"Figure of {said['bundle']}. {caption} The figures stand in the tables."
            yield Drawing(inline_svg(path, alt=alt), caption)


def _spoken(name: str) -> str:
    return name.replace("_", " ")
