"""What a person reads when the test was measured, or several bundles compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cutis.evaluate.evidence import reasons
from cutis.evaluate.findings import Findings, Measured
from cutis.evaluate.material import Material
from cutis.evaluate.rivals import FOREST, Comparison
from cutis.evaluate.similar import Similar
from cutis.evaluate.subgroups import Subgroups
from cutis.vocabulary.estimate import Estimate, plain
from cutis.workspace import Finished

HEADLINES = {
    "macro AUC": "macro_auc",
    "arg-max accuracy": "argmax/accuracy",
    "arg-max balanced accuracy": "argmax/balanced_accuracy",
    "arg-max macro sensitivity": "argmax/macro_sensitivity",
    "arg-max macro specificity": "argmax/macro_specificity",
    "malignant or not, AUC": "malignant_auc",
    "malignant called malignant": "argmax/malignant_sensitivity",
    "benign called benign": "argmax/malignant_specificity",
    "one-vs-rest macro accuracy": "one_vs_rest/macro_accuracy",
    "one-vs-rest macro sensitivity": "one_vs_rest/macro_sensitivity",
    "one-vs-rest macro specificity": "one_vs_rest/macro_specificity",
}

TOLD_OF_A_COMPARISON = (
    *("reference", "bundles", "cases", "clusters", "cluster_kind", "openings"),
    *("estimates", "differences", "protocol", "warnings"),
)


def tell(material: Material, findings: Findings, *, wrote: Path) -> Finished:
    """Sum up an evaluation in a few lines."""
    bundle, evidence, openings = material.bundle, findings.evidence, findings.openings
    found = {name: evidence.estimates[name] for name in HEADLINES.values() if name in evidence.estimates}
    clusters = f"{evidence.clusters:,} {bundle.cluster_kind}s"
    unsettled = ", ".join(f"{count} for {reason}" for reason, count in reasons(material.indeterminate).items())
    note = found["macro_auc"].note
    lines = (
        f"test split: {len(findings.settled):,} pictures of {clusters}, {_opened(openings.of_workspace)}",
        *(f"{label:<31}{found[name]}" for label, name in HEADLINES.items() if name in found),
        *_of_sets_and_abstention(findings.measured),
        *_of_similar_cases(findings.similar),
        f"one-vs-rest: each diagnosis at its threshold by {bundle.thresholds.rule} on {bundle.thresholds.chosen_on}",
        *([f"note: {note}"] if note else []),
        *([f"beside them, indeterminate: {unsettled}"] if unsettled else []),
        *_of_groups(findings.measured.subgroups),
        *findings.protocol.lines(),
        *bundle.warnings,
    )
    facts = {
        "name": bundle.name,
        "cases": len(findings.settled),
        "clusters": evidence.clusters,
        "cluster_kind": bundle.cluster_kind,
        "indeterminate": len(material.indeterminate),
        "openings": openings.of_workspace,
        "estimates": plain(found),
        "protocol": findings.protocol.content(),
        "warnings": list(bundle.warnings),
    }
    return Finished(wrote=wrote, lines=lines, facts=facts, next_command=f"cutis explain --name {bundle.name}")


def tell_comparison(comparison: Comparison, *, evaluated: tuple[str, ...], wrote: Path) -> Finished:
    """Sum up a comparison in a table; the facts hold every figure of it."""
    content = comparison.content()
    facts = {name: content[name] for name in TOLD_OF_A_COMPARISON} | {
        "evaluated": list(evaluated),
        "reused": [name for name in comparison.names if name not in evaluated],
    }
    lines = tuple(_lines_of_comparison(comparison, evaluated))
    return Finished(wrote=wrote, lines=lines, facts=facts, next_command="cutis report")


def _lines_of_comparison(comparison: Comparison, evaluated: tuple[str, ...]) -> Iterator[str]:
    reference, *others = comparison.rivals
    reused = [name for name in comparison.names if name not in evaluated]
    found = reference.estimates["macro_auc"]
    clusters = f"{found.clusters:,} {found.cluster_kind}s"
    yield f"test split: {len(reference.predictions):,} pictures of {clusters}, {_opened(comparison.openings)}"
    if evaluated:
        yield f"evaluated now: {', '.join(evaluated)}"
    if reused:
        yield f"evaluated before, and unchanged since: {', '.join(reused)}"
    width = max(map(len, comparison.names))
    for name, label in FOREST.items():
        yield f"{label} (95% CI), and the difference to {reference.name}"
        yield f"  {reference.name:<{width}}  {_interval(reference.estimates[name])}"
        for other in others:
            difference = _difference(comparison.differences[other.name][name].difference)
            yield f"  {other.name:<{width}}  {_interval(other.estimates[name]):<22}{difference}"
    yield from comparison.protocol.lines()
    yield f"differences: the same {found.cluster_kind}s drawn for both; one by one, not corrected for their number"
    if found.note:
        yield f"note: {found.note}"
    yield from reference.material.bundle.warnings


def _of_sets_and_abstention(measured: Measured) -> Iterator[str]:
    for each in measured.sets[:1]:
        estimates, promised = each.estimates, each.thresholds.level
        yield f"{f'prediction sets, {100 * promised:g}%: coverage':<31}{estimates['coverage']}"
        yield f"{'diagnoses in a set':<31}{estimates['set_size']}"
    if measured.abstention is not None:
        for label, name in (("answered", "answered"), ("accuracy where answered", "accuracy_where_answered")):
            yield f"{label:<31}{measured.abstention.estimates[name]}"


def _of_similar_cases(similar: Similar | None) -> Iterator[str]:
    if similar is not None:
        estimates = similar.estimates
        yield f"{'similar cases share diagnosis':<31}{estimates['similar/precision_at_5']}"
        yield f"{'  of each diagnosis, on average':<31}{estimates['similar/macro_precision_at_5']}"


def _of_groups(subgroups: Subgroups) -> Iterator[str]:
    known = list(dict.fromkeys(group.attribute for group in subgroups.groups))
    if known:
        by = ", ".join(attribute.replace("_", " ") for attribute in known)
        apart = f"{subgroups.gaps_apart} of {subgroups.gaps_examined} gaps leave 0 out of their interval"
        yield f"by {by}: {apart}"


def _opened(times: int) -> str:
    return f"opened {'once' if times == 1 else f'{times} times'} so far"


def _interval(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not available" if estimate.value is None else f"{estimate.value:.3f} (no interval)"
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"


def _difference(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not available" if estimate.value is None else f"{estimate.value:+.3f} (no interval: {estimate.note})"
    return f"{estimate.value:+.3f} ({estimate.low:+.3f} to {estimate.high:+.3f})"
