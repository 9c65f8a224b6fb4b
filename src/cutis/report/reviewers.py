"""What reporting guidelines ask for and the software knows, each with where it stands on the page; and the blanks.

The subjects are in words of our own. The guidelines themselves are to be read where they were published.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from cutis.report.dataset import missing_of
from cutis.report.material import Comparison, Dataset, Evaluation, Material, Trained
from cutis.report.network import architecture_of, prepared_by, rule_of
from cutis.report.words import counted, number, percent, times
from cutis.vocabulary.case import SPLITS
from cutis.vocabulary.estimate import Estimate

GUIDELINES = ("TRIPOD+AI", "CLAIM 2024", "STARD-AI", "CLEAR Derm")
FOR_PEOPLE = (
    "Setting: which clinics and countries, in which years",
    "Intended use, users, and the place in the care of a patient",
    "Ethics approval and consent",
    "Funding, and the part that funders had",
    "Competing interests",
    "Registration of the study, and where its protocol can be read",
    "Who the raters were, what they knew of the case, and whether they knew of each other",
    "What happened between the picture and the reference standard",
    "How the number of patients was arrived at",
    "Limits, possible harm, and what the authors conclude",
    "Whom to ask for data, code and weights",
)
NOT_RUN = "not asked of the network yet"


class Line(NamedTuple):
    """One subject: what is known of it, and where it stands."""

    subject: str
    known: str
    anchor: str  # id on the page; "" where it does not stand there


def reviewers_section(material: Material) -> dict[str, Any]:
    """Return what is known, by subject, and what people are to fill in."""
    parts = [("The data", tuple(_of_data(material.dataset)))] if material.dataset else []
    for place, trained in enumerate(material.trained, start=1):
        parts.append((f"Network {trained.name}", tuple(_of_network(trained, place))))
        if trained.evaluation:
            parts.append((f"Evidence about {trained.name}", tuple(_of_evidence(trained, trained.evaluation, place))))
    parts.append(("Availability", tuple(_of_availability(material))))
    return {"guidelines": GUIDELINES, "parts": parts, "blanks": FOR_PEOPLE}


def _of_data(dataset: Dataset) -> Iterator[Line]:
    card, splits, kind = dataset.card, dataset.splits, dataset.card["cluster_kind"]
    days, raters = card["days_from_first_to_last"], card["agreement"]["raters"]
    span = f"from first to last {days:,} days; the days themselves are shifted by patient" if days else "no days known"
    yield Line("Source and dates", f"{card['source']}; {span}", "dataset")
    lost = (
        f"{card['rows']['rejected']:,} of {card['rows']['in']:,} rows rejected ({counted(card['rejected']) or 'none'})"
    )
    yield Line(
        "Who was included, and who was not",
        f"{lost}; {sum(card['indeterminate'].values()):,} of {card['images']:,} pictures indeterminate, kept apart",
        "flow",
    )
    yield Line("Who they are", "age, sex, skin tone as recorded, body site, device", "people")
    standard = counted(card["confirmed_by"]) or "how a diagnosis was confirmed is not known"
    yield Line("Reference standard and raters", f"{standard}; raters: {raters}", "agreement")
    absent = [f"{name} {percent(share)}" for name, share in missing_of(dataset).items() if share]
    yield Line("Missing data", f"{', '.join(absent) or 'none'}; nothing was filled in", "people")
    sizes = ", ".join(f"{name} {splits['splits'][name]['images']:,}" for name in SPLITS)
    shared = sum(splits["proof"].values())
    proof = "nothing shared between two of them" if not shared else f"SHARED between them: {shared}"
    yield Line("Partitions and their independence", f"by {kind}: {sizes}; {proof}", "splits")


def _of_network(trained: Trained, place: int) -> Iterator[Line]:
    bundle, here = trained.bundle, f"network-{place}"
    yield Line("Preparation of pictures", prepared_by(bundle), here)
    yield Line("Architecture and training", f"{architecture_of(bundle)}; the whole recipe is printed", here)
    yield Line("Thresholds, and how they were chosen", rule_of(bundle), here)


def _of_evidence(trained: Trained, evaluation: Evaluation, place: int) -> Iterator[Line]:
    content = evaluation.content
    registration, openings = content["protocol"]["registration"], content["openings"]["of_workspace"]
    asked = f"protocol {registration['protocol_sha256'][:12]}" if registration["protocol_sha256"] else "no protocol"
    opened = f"written before the test was opened: {registration['before']}; test opened {times(openings)}"
    yield Line("What was asked beforehand", f"{asked}; {opened}", f"protocol-{place}")
    macro = Estimate(**content["estimates"]["macro_auc"])
    rests = f"{content['cases']:,} pictures of {content['clusters']:,} {content['cluster_kind']}s"
    yield Line("Performance with intervals", f"macro AUC {_said(macro)}, on {rests}", f"evidence-{place}")
    slope = content["calibration"]["estimates"].get("malignant_calibration_slope")
    yield Line(
        "Calibration",
        f"slope of malignant or not {_said(Estimate(**slope))}" if slope else "by diagnosis",
        f"calibration-{place}",
    )
    gaps = f"{evaluation.subgroups['gaps_apart']:,} of {evaluation.subgroups['gaps_examined']:,} gaps leave 0 out"
    absent = ", ".join(evaluation.subgroups["unrecorded"]) or "nothing"
    yield Line("Performance by subgroup", f"{gaps}; not recorded: {absent}", f"subgroups-{place}")
    yield Line("Who is not answered", _abstention(evaluation), f"abstention-{place}")
    wrong = content["cases"] - sum(row[at] for at, row in enumerate(content["confusion"]["truth_by_answer"]))
    shown = "the surest of them are shown" if trained.explanation else "none is shown yet"
    yield Line("Failures", f"{wrong:,} wrong answers of {content['cases']:,}; {shown}", f"explanation-{place}")
    disturbed = evaluation.robustness
    robust = f"{len(disturbed['disturbed'])} disturbances of {disturbed['cases']:,} pictures" if disturbed else NOT_RUN
    yield Line("Disturbed pictures", robust, f"robustness-{place}")
    others = ", ".join(trained.evaluations_elsewhere) or NOT_RUN
    yield Line("Other datasets", others, f"elsewhere-{place}")


def _of_availability(material: Material) -> Iterator[Line]:
    yield Line("Software", "cutis, open source under Apache-2.0; versions of all libraries", "provenance")
    if material.dataset:
        yield Line("Data", f"licence: {material.dataset.card['licence']}", "dataset")
    if material.trained:
        yield Line("Weights", "each bundle with the sha256 of its weights", "provenance")
    if isinstance(material.comparison, Comparison):
        yield Line("Other networks on the same cases", ", ".join(material.comparison.content["bundles"]), "comparison")
    yield Line("In a form for machines", "report.json, which lies beside this page", "")


def _abstention(evaluation: Evaluation) -> str:
    said = evaluation.content["abstention"]
    if said is None:
        return "everybody is answered"
    return f"answered: {_said(Estimate(**said['estimates']['answered']))}"


def _said(estimate: Estimate) -> str:
    """Return an estimate in a line; a note stands where the figure itself does."""
    if estimate.value is None:
        return "not available"
    if estimate.low is None or estimate.high is None:
        return f"{number(estimate.value)}, no interval"
    return f"{number(estimate.value)} ({percent(estimate.level)} CI {number(estimate.low)} to {number(estimate.high)})"
