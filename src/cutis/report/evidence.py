"""What evaluation found of a bundle on settled cases: headlines, by diagnosis, all figures, and their drawings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cutis.report.drawings import drawings_of
from cutis.report.material import Evaluation
from cutis.report.network import rule_of
from cutis.report.tables import Row, Table, cells_of, estimates_of, joined, methods_of
from cutis.report.words import AVERAGES, MALIGNANT, is_average, parts_of, spoken
from cutis.runtime.bundle import Bundle
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.taxonomy import Taxonomy

HEADLINES = {
    "macro_auc": "macro AUC: how well a diagnosis is told from all others",
    "argmax/balanced_accuracy": "balanced accuracy: share of right answers, each diagnosis counting the same",
    "argmax/accuracy": "accuracy: share of right answers",
    "top_3_accuracy": "the diagnosis is among the first three",
    "malignant_auc": "malignant or not: AUC",
    "argmax/malignant_sensitivity": "malignant called malignant, by the most probable diagnosis",
    "argmax/malignant_specificity": "benign called benign, by the most probable diagnosis",
    "one_vs_rest/malignant_sensitivity": "malignant called malignant, at the threshold",
    "one_vs_rest/malignant_specificity": "benign called benign, at the threshold",
}
BY_DIAGNOSIS = {
    ("", "auc"): "AUC",
    ("", "average_precision"): "average precision",
    ("one_vs_rest", "sensitivity"): "sensitivity",
    ("one_vs_rest", "specificity"): "specificity",
    ("one_vs_rest", "ppv"): "PPV",
    ("one_vs_rest", "npv"): "NPV",
    ("argmax", "sensitivity"): "sensitivity",
}
CONVENTIONS = {"": "by probability alone", "argmax": "arg-max", "one_vs_rest": "one-vs-rest"}
MACRO = "macro_"


def evidence_section(evaluation: Evaluation, bundle: Bundle) -> dict[str, Any]:
    """Return the figures of settled cases, per picture and per lesion, and the indeterminate beside them."""
    content, taxonomy = evaluation.content, bundle.taxonomy
    estimates, beside = (estimates_of(part["estimates"]) for part in (content, content["indeterminate"]))
    lesions = content["by_lesion"]
    return {
        "content": content,
        "methods": methods_of(estimates.values()),
        "rule": rule_of(bundle),
        "headlines": headlines_table(estimates, estimates_of(lesions["estimates"]) if lesions else {}),
        "lesions": lesions and {"rule": lesions["rule"], "count": _count(lesions)},
        "by_diagnosis": table_by_diagnosis(estimates, taxonomy, content, kind=content["cluster_kind"]),
        "drawings": drawings_of(evaluation, taxonomy),
        "overall": [averages_table(estimates), together_table(estimates, taxonomy.codes)],
        "beside": _beside(beside),
    }


def headlines_table(estimates: Mapping[str, Estimate], by_lesion: Mapping[str, Estimate]) -> Table:
    """Return the figures to be read first, per picture and, where lesions have several, per lesion."""
    ways = (estimates, by_lesion) if by_lesion else (estimates,)
    rows = tuple(
        (label, *(cell for way in ways for cell in cells_of(way, (name,))))
        for name, label in HEADLINES.items()
        if name in estimates
    )
    return Table("The figures to be read first", ("figure", "per picture", "per lesion")[: 1 + len(ways)], rows)


def table_by_diagnosis(
    estimates: Mapping[str, Estimate], taxonomy: Taxonomy, content: Mapping[str, Any], *, kind: str
) -> Table:
    """Return a row per diagnosis with the figures that are read most; each convention under its own name."""
    support, thresholds = content["support"], content["thresholds"]["values"]
    rows: tuple[Row, ...] = tuple(
        (
            f"{disease.name} (malignant)" if disease.malignant else disease.name,
            f"{support[disease.code]['cases']:,} ({support[disease.code]['clusters']:,})",
            f"{thresholds[disease.code]:.3f}",
            *cells_of(estimates, (_named(figure, disease.code) for figure in BY_DIAGNOSIS), code=disease.code),
        )
        for disease in taxonomy.diseases
        if disease.code in support
    )
    before = ("diagnosis", f"pictures ({kind}s)", "threshold")
    conventions = [convention for convention, _ in BY_DIAGNOSIS]
    groups = tuple((CONVENTIONS[each], conventions.count(each)) for each in dict.fromkeys(conventions))
    return Table("By diagnosis", (*before, *BY_DIAGNOSIS.values()), rows, (("", len(before)), *groups))


def averages_table(estimates: Mapping[str, Estimate]) -> Table:
    """Return every figure that is averaged over the diagnoses, its three averages side by side."""
    parts = ((said, _averages(estimates, convention)) for convention, said in CONVENTIONS.items())
    return joined(parts, caption="Averages over the diagnoses", columns=("figure", *AVERAGES))


def together_table(estimates: Mapping[str, Estimate], codes: Sequence[str]) -> Table:
    """Return every other figure of all diagnoses together, the conventions side by side."""
    figures = [parts_of(name, codes) for name in estimates]
    whats = dict.fromkeys(figure.what for figure in figures if not figure.code and not is_average(figure.what))
    rows = {
        what: (
            spoken(what.removeprefix(MALIGNANT)),
            *cells_of(estimates, (f"{convention}/{what}".strip("/") for convention in CONVENTIONS)),
        )
        for what in whats
    }
    of_malignant = [what for what in whats if what.startswith(MALIGNANT)]
    return joined(
        (
            ("malignant or not", (rows[what] for what in of_malignant)),
            ("which diagnosis", (rows[what] for what in whats if what not in of_malignant)),
        ),
        caption="All diagnoses together",
        columns=("figure", *CONVENTIONS.values()),
    )


def _averages(estimates: Mapping[str, Estimate], convention: str) -> Iterator[Row]:
    start = f"{convention}/" if convention else ""
    names = [name.removeprefix(start) for name in estimates if name.startswith(start)]
    for what in (name.removeprefix(MACRO) for name in names if name.startswith(MACRO) and "/" not in name):
        yield spoken(what), *cells_of(estimates, (f"{start}{average}_{what}" for average in AVERAGES))


def _beside(beside: Mapping[str, Estimate]) -> Table:
    rows = tuple(
        (spoken(figure.what), spoken(figure.convention), estimate)
        for name, estimate in beside.items()
        for figure in [parts_of(name, ())]
    )
    return Table("The indeterminate beside the settled", ("figure", "among", "estimate (interval)"), rows)


def _named(figure: tuple[str, str], code: str) -> str:
    return "/".join(filter(None, (*figure, code)))


def _count(lesions: Mapping[str, Any]) -> int:
    return sum(each["cases"] for each in lesions["support"].values())
