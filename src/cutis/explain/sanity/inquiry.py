"""Does a map mean anything? What was measured of each method, the verdicts, and who may be shown which."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cutis.explain.evaluated import Evaluated
from cutis.explain.figures import save_figure
from cutis.explain.saliency.methods import methods_of
from cutis.explain.sanity.asking import Methods
from cutis.explain.sanity.examination import examine
from cutis.explain.sanity.examined import Examined, Plan
from cutis.explain.sanity.figures import sanity_figures
from cutis.explain.sanity.findings import ClusterIds, Findings, findings_of, paired
from cutis.explain.sanity.masks import TARGETS, Masks, find_masks
from cutis.explain.sanity.subject import choose_subject
from cutis.explain.sanity.verdicts import Limit, Verdict, offered, rules_in_words, verdicts_of
from cutis.runtime.engines import untrained_network
from cutis.runtime.maps import FINAL, FUSED
from cutis.vocabulary.estimate import plain
from cutis.vocabulary.files import read_json, write_json

SANITY = "sanity.json"
SLOW = frozenset({"smoothgrad", "integrated_gradients", "occlusion"})  # many passes for one map
FIGURES = ("sanity_removal.svg", "sanity_weights.svg", "sanity_pointing.svg", "sanity_stability.svg")


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """What shall be asked of the maps."""

    plan: Plan = field(default_factory=Plan)
    masks: Path | None = None  # a folder of what is known to be there
    pictures: Path | None = None  # the clinic's folder, where masks are named like its files


def masks_for(inquiry: Inquiry | None, evaluated: Evaluated) -> Masks | None:
    """Return the masks of test cases that an inquiry names; None where it names none.

    Raises:
        UserError: no such folder, no mask in it, or none that belongs to a test case.
    """
    if inquiry is None or inquiry.masks is None:
        return None
    cases = [evaluated.case(case_id) for case_id in evaluated.predictions.case_ids]
    return find_masks(inquiry.masks, cases, evaluated.dataset, pictures=inquiry.pictures)


def write_sanity(
    folder: Path, evaluated: Evaluated, network: Any, plan: Plan, *, masks: Masks | None
) -> dict[str, Any]:
    """Examine the methods that a network has, and write sanity.json and its figures into `folder`.

    Raises:
        UserError: too few cases, a picture that was changed, or a mask that does not fit its picture.
    """
    bundle = evaluated.bundle
    known = methods_of(bundle.auxiliary)
    methods = {name: known[name] for name in reversed(known) if plan.with_slow or name not in SLOW}  # the joined first
    subject, clusters = choose_subject(evaluated, network, most=plan.cases, masks=masks)
    examined = examine(
        network, methods, subject, plan=plan, untrained=lambda seed: untrained_network(bundle, seed=seed)
    )
    findings = {name: findings_of(each, clusters) for name, each in examined.items()}
    content = {
        "bundle": bundle.name,
        "plan": asdict(plan) | {"cases": len(subject)},
        "cluster_kind": clusters.kind,
        "targets": {target: TARGETS[target] for target in subject.targets},
        **content_of(methods, findings, examined, clusters),
        "source": evaluated.manifest.source,
        "licence": evaluated.manifest.licence,
        "invented": evaluated.manifest.invented,
    }
    write_json(folder / SANITY, "sanity", content, made_from=evaluated.made_from)
    (folder / "figures").mkdir(exist_ok=True)
    of_what = f"{bundle.name}, {len(subject):,} test pictures{', invented' * evaluated.bundle.invented}"
    for name, figure in sanity_figures(findings, offered(findings), of_what=of_what).items():
        save_figure(folder / "figures" / name, figure)
    return content


def content_of(
    methods: Methods, findings: Mapping[str, Findings], examined: Mapping[str, Examined], clusters: ClusterIds
) -> dict[str, Any]:
    """Return rules, findings, verdicts and comparisons as plain data."""
    first = FUSED if FUSED in examined else FINAL
    return {
        "rules": rules_in_words(),
        "offered": list(offered(findings)),
        "methods": {
            name: {
                **methods[name].in_words(),
                **found.content(),
                "verdicts": {rule: _verdict(verdict) for rule, verdict in verdicts_of(found).items()},
            }
            for name, found in findings.items()
        },
        "compared": {
            "first": first,
            "less": {
                name: plain(paired(examined[first], other, clusters))
                for name, other in examined.items()
                if name != first
            },
        },
    }


def offered_methods(folder: Path) -> tuple[str, ...] | None:
    """Return the methods that an explanation's folder offers to clinicians; None where they were not examined."""
    return tuple(read_json(folder / SANITY, "sanity")["offered"]) if (folder / SANITY).is_file() else None


def drawn_methods(folder: Path, asked: Sequence[str]) -> tuple[str, ...] | None:
    """Return whose maps may be drawn: what is offered, and what was asked for by name and never examined."""
    if (offered := offered_methods(folder)) is None:
        return None
    examined = read_json(folder / SANITY, "sanity")["methods"]
    return (*offered, *(name for name in asked if name not in examined))


def offered_in_words(offered: Sequence[str] | None) -> str:
    """Return in a line which methods are offered."""
    if offered is None:
        return "not examined whether the maps mean anything: --sanity does it"
    return f"offered, since they failed nothing: {', '.join(offered)}" if offered else "no map passed what it was asked"


def failed_in_words(folder: Path, asked: Sequence[str]) -> tuple[str, ...]:
    """Say which methods were asked for by name and are not drawn."""
    drawn = drawn_methods(folder, asked)
    failed = [] if drawn is None else [name for name in asked if name not in drawn]
    return (f"not drawn, since it failed its examination: {', '.join(failed)}",) if failed else ()


def carry_over(earlier: Path, folder: Path, *, made_from: Mapping[str, str]) -> bool:
    """Copy what an earlier explanation found of the same bundle, evaluation and dataset; return whether it did."""
    if not (earlier / SANITY).is_file() or read_json(earlier / SANITY, "sanity")["made_from"] != dict(made_from):
        return False
    (folder / "figures").mkdir(exist_ok=True)
    for name in (SANITY, *(f"figures/{figure}" for figure in FIGURES)):
        if (earlier / name).is_file():
            shutil.copy(earlier / name, folder / name)
    return True


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"passed": verdict.is_passed, "tests": [_limit(test) for test in verdict.tests]}


def _limit(test: Limit) -> dict[str, Any]:
    return {"estimate": test.estimate.to_dict(), "limit": test.limit, "must_be_above": test.must_be_above}
