"""Readers beside the network: what was asked beforehand, the differences, each diagnosis, agreement, votes and pace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutis.report.drawings import Drawing
from cutis.report.figures import inline_svg
from cutis.report.material import ReaderStudy
from cutis.report.tables import Cell, Row, Shown, Table, estimates_of, methods_of
from cutis.report.words import p_said, spoken
from cutis.vocabulary.estimate import Estimate

COUNTED = ("cases", "answers", "crossed")
MOST_READERS = 40  # whose rows are shown
AT_SPECIFICITY = "sensitivity_at_specificity"
CAPTIONS = {
    "readers": "How often each reader is right, with intervals.",
    "roc": "Each diagnosis against the rest: the network’s curve, and every reader as a point.",
    "differences": "How far the network lies from the mean reader.",
    "aided": "How far the mean reader with the network’s answer lies from the mean reader without it.",
    "votes": "How right the vote of several readers is.",
    "pace": "Accuracy and time by the quarter of the way.",
    "switches": "What becomes of answers once the network’s is seen.",
    "groups": "How far the network lies from each group of readers, by diagnosis.",
}
AGREEMENT = {
    "agreement": "share of pairs that agree",
    "same_answer": "share of the same answer",
    "fleiss_kappa": "Fleiss’ kappa",
    "krippendorff_nominal": "Krippendorff’s alpha",
    "gwet_ac1": "Gwet’s AC1",
    "cohen_kappa": "Cohen’s kappa",
}
SWITCHES = {
    "switched": "changed the answer",
    "helped": "helped: from wrong to right",
    "misled": "misled: from right to wrong",
    "net_gain": "helped less misled",
    "helped_where_it_was_right": "became right, where wrong before and the network right",
    "over_reliance": "followed it from right to wrong, where the network is wrong",
    "under_reliance": "kept to the wrong answer, where the network is right",
}


def readers_sections(studies: Mapping[str, ReaderStudy]) -> list[dict[str, Any]]:
    """Return what is shown of every score, by its name."""
    return [
        _of_votes(name, study) if study.content["what"] == "votes" else _of_readings(name, study)
        for name, study in studies.items()
    ]


def _of_readings(name: str, study: ReaderStudy) -> dict[str, Any]:
    content = study.content
    tested = [*content["aided_against_unaided"], *(each for arm in content["arms"].values() for each in arm["tested"])]
    pooled = [
        estimate
        for arm in content["arms"].values()
        for part in arm["pooled"].values()
        for estimate in estimates_of(part).values()
    ]
    first = next(iter(content["arms"].values()))
    return {
        "name": name,
        "what": "readings",
        "content": content,
        "arms": [
            {"name": arm, "readers": len(said["readers"])} | {what: said[what] for what in COUNTED}
            for arm, said in content["arms"].items()
        ],
        "dropped": {why: count for why, count in content["dropped"].items() if count},
        "verdicts": [each for each in tested if each["primary"] and each["outcome"]],
        "refused": list(dict.fromkeys(each["refused"] for each in tested if each["refused"])),
        "methods": methods_of(pooled),
        "tested": _tested_tables(content),
        "by_reader": [_by_reader_table(each) for each in tested if 0 < len(each.get("by_reader", ())) <= MOST_READERS],
        "diagnoses": _diagnoses_table(content, first),
        "readers": _readers_table(first) if len(first["readers"]) <= MOST_READERS else None,
        "groups": _groups_table(content, first),
        "agreement": _agreement_table(content),
        "votes": _votes_table(first),
        "switches": _switches_table(content["switches"]) if content["switches"] else None,
        "pace": _pace_table(content),
        "drawings": _drawings(study),
    }


def _of_votes(name: str, study: ReaderStudy) -> dict[str, Any]:
    content = study.content
    groups = content["groups"]
    return {
        "name": name,
        "what": "votes",
        "content": content,
        "methods": methods_of(estimates_of(groups[0]["estimates"]).values()),
        "groups": _voters_table(groups),
        "diagnoses": [_voters_by_diagnosis(group, content["diagnoses"]) for group in groups],
        "between": _between_table(content["between"]) if content["between"] else None,
        "drawings": _drawings(study),
    }


def _tested_tables(content: Mapping[str, Any]) -> list[Table]:
    tables = [_tested_table("Aided against unaided", content["aided_against_unaided"])]
    for name, arm in content["arms"].items():
        tables.append(_tested_table(f"Network against readers, {name}", arm["tested"]))
    return [table for table in tables if table.rows]


def _tested_table(caption: str, tested: list[dict[str, Any]]) -> Table:
    there = [each for each in tested if each["outcome"]]
    rows: list[Row] = []
    for each in there:
        first, second = (Estimate(**each["sides"][who]) for who in each["compared"])
        outcome = each["outcome"]
        adjusted = "primary" if each["primary"] else p_said(each["p_adjusted"])
        difference = Shown(Estimate(**outcome["difference"]), is_signed=True)
        rows.append((_endpoint(each["name"]), first, second, difference, p_said(outcome["p"]), adjusted))
    names = there[0]["compared"] if there else ("", "")
    columns = ("endpoint", *names, "difference", "p", "p by Holm")
    return Table(caption, columns, tuple(rows))


def _by_reader_table(tested: Mapping[str, Any]) -> Table:
    """Return the two treatments in the hands of each reader."""
    rows: list[Row] = []
    for each in tested["by_reader"]:
        first, second = (Estimate(**each["sides"][who]) for who in tested["compared"])
        difference = Shown(Estimate(**each["difference"]), is_signed=True)
        rows.append((each["reader"], first, second, difference, p_said(each["p"])))
    columns = ("reader", *tested["compared"], "difference", "p")
    return Table(f"Each reader by himself, {_endpoint(tested['name'])}", columns, tuple(rows))


def _diagnoses_table(content: Mapping[str, Any], arm: Mapping[str, Any]) -> Table:
    pooled = {who: estimates_of(said) for who, said in arm["pooled"].items()}
    network = estimates_of(content["network"]["estimates"]) if content["network"] else {}
    in_full = estimates_of(content["network"]["in_full"]) if content["network"] else {}
    points = {each["code"]: estimates_of(each["estimates"]) for each in arm["points"]}
    columns = ["diagnosis", "figure", "mean reader"]
    columns += ["network", "at the readers’ specificity"] if network else []
    columns += ["its full answer"] if in_full else []
    rows: list[Row] = []
    for code, name in content["diagnoses"].items():
        for what in ("sensitivity", "specificity"):
            key = f"{what}/{code}"
            if key not in pooled["readers"]:
                continue
            row: list[Cell] = [name, what, pooled["readers"][key]]
            if network:
                row.append(network.get(key, ""))
                row.append(points.get(code, {}).get(AT_SPECIFICITY, "") if what == "sensitivity" else "")
            if in_full:
                row.append(in_full.get(key, ""))
            rows.append(tuple(row))
    return Table("Each diagnosis against the rest", tuple(columns), tuple(rows))


def _readers_table(arm: Mapping[str, Any]) -> Table:
    rows: list[Row] = []
    for reader in sorted(arm["readers"], key=lambda each: -(each["estimates"]["accuracy"]["value"] or 0)):
        seconds = "" if reader["median_seconds"] is None else f"{reader['median_seconds']:.1f}"
        known = ", ".join(f"{what} {said}" for what, said in reader["profile"].items())
        accuracy = Estimate(**reader["estimates"]["accuracy"])
        rows.append((reader["name"], known, reader["cases"], accuracy, seconds))
    return Table("Each reader", ("reader", "profile", "cases", "accuracy", "median seconds"), tuple(rows))


def _groups_table(content: Mapping[str, Any], arm: Mapping[str, Any]) -> Table | None:
    """Return how many of each group the network outperforms, by accuracy and by its curves."""
    groups = content["groups"]
    if not groups or not arm["points"]:
        return None
    beaten = {reader["name"]: bool(reader["outperformed"]) for reader in arm["readers"]}
    own = [[beaten[name] for name in said["readers"]] for said in groups.values()]
    rows: list[Row] = [
        (
            "right less often than the network",
            *(f"{sum(each)} of {len(each)}" for each in [list(beaten.values()), *own]),
        )
    ]
    for each in arm["points"]:
        estimates = estimates_of(each["estimates"])
        shares = (estimates.get(f"share_beneath/{group}", "") for group in groups)
        name = content["diagnoses"].get(each["code"], each["code"])
        rows.append((f"beneath the curve of {name}", estimates["share_beneath"], *shares))
    by = next(iter(groups.values()))["by"]
    columns = ("share of readers", "all", *(f"{by} {group}" for group in groups))
    return Table("Readers whom the network outperforms, by what they told of themselves", columns, tuple(rows))


def _agreement_table(content: Mapping[str, Any]) -> Table:
    rows: list[Row] = []
    for arm, said in content["arms"].items():
        for who, found in said["agreement"].items():
            for name, estimate in estimates_of(found["estimates"] if found else {}).items():
                label = {"between": "of readers with one another", "within": "of readers with themselves"}.get(
                    who, "of readers with the network"
                )
                rows.append((label, arm, AGREEMENT.get(name, spoken(name)), found["cases"], estimate))
    return Table("Agreement", ("agreement", "arm", "figure", "cases", "estimate"), tuple(rows))


def _votes_table(arm: Mapping[str, Any]) -> Table:
    rows: list[Row] = []
    for vote in arm["votes"]:
        apart = vote["network − readers"]
        difference = (Shown(Estimate(**apart), is_signed=True),) if apart else ()
        rows.append((f"{vote['readers']}", Estimate(**vote["accuracy"]), *difference))
    columns = ("readers", "accuracy", "network − vote")
    return Table("The vote of several readers", columns[: max(map(len, rows), default=2)], tuple(rows))


def _pace_table(content: Mapping[str, Any]) -> Table | None:
    rows: list[Row] = []
    for arm, said in content["arms"].items():
        for name, estimate in estimates_of(said["pace"]["estimates"]).items():
            if estimate.value is not None:
                rows.append((spoken(name), arm, Shown(estimate, is_signed="from_first" in name)))
    return Table("Time, and what changes on the way", ("figure", "arm", "estimate"), tuple(rows)) if rows else None


def _switches_table(switches: Mapping[str, Any]) -> Table:
    found, counts = estimates_of(switches["estimates"]), switches["counts"]
    rows: list[Row] = [
        (label, f"{counts[name]:,} of {counts[f'{name}_of']:,}" if name in counts else "", found[name])
        for name, label in SWITCHES.items()
    ]
    return Table("What readers do with the network’s answer", ("what", "answers", "mean over readers"), tuple(rows))


def _voters_table(groups: list[dict[str, Any]]) -> Table:
    rows: list[Row] = []
    for group in groups:
        found = estimates_of(group["estimates"])
        for what in ("accuracy", "balanced_accuracy"):
            difference = Shown(found[f"network − readers/{what}"], is_signed=True)
            row = (spoken(what), found[f"readers/{what}"], found[f"network/{what}"], difference)
            rows.append((group["name"], group["images"], group["votes"], *row))
    columns = ("readers", "images", "votes", "figure", "share of votes", "network", "difference")
    return Table("Groups of readers beside the network, each on the images that it voted on", columns, tuple(rows))


def _voters_by_diagnosis(group: Mapping[str, Any], names: Mapping[str, str]) -> Table:
    found = estimates_of(group["estimates"])
    rows: list[Row] = []
    for code, name in names.items():
        for what in ("sensitivity", "specificity"):
            if f"readers/{what}/{code}" in found:
                key = f"network − readers/{AT_SPECIFICITY}/{code}"
                at: Cell = Shown(found[key], is_signed=True) if what == "sensitivity" else ""
                difference = Shown(found[f"network − readers/{what}/{code}"], is_signed=True)
                row = (found[f"readers/{what}/{code}"], found[f"network/{what}/{code}"], difference, at)
                rows.append((name, what, *row))
    columns = ("diagnosis", "figure", "share of votes", "network", "difference", "difference at their specificity")
    return Table(f"By diagnosis: {group['name']}", columns, tuple(rows))


def _between_table(between: Mapping[str, Any]) -> Table:
    wanted = ("accuracy", "balanced_accuracy")
    rows: list[Row] = [
        (pair, *(Shown(Estimate(**said[what]), is_signed=True) for what in wanted)) for pair, said in between.items()
    ]
    return Table("Groups of readers beside one another", ("difference", *map(spoken, wanted)), tuple(rows))


def _drawings(study: ReaderStudy) -> list[Drawing]:
    folder = study.folder / "figures"
    there = {path.stem: path for path in sorted(folder.glob("*.svg"))}
    ordered = [name for known in CAPTIONS for name in there if name in {known, f"{known}_aided"}]
    return [_drawing(name, there[name]) for name in ordered]


def _drawing(name: str, path: Any) -> Drawing:
    caption = CAPTIONS[name.removesuffix("_aided") if name not in CAPTIONS else name]
    caption += " With the network’s answer in view." if name.endswith("_aided") else ""
    return Drawing(inline_svg(path, alt=f"{caption} The numbers stand in the tables."), caption)


def _endpoint(name: str) -> str:
    what, _, code = name.partition("/")
    return ", ".join(filter(None, (spoken(what), code)))
