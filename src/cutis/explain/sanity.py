"""Does a map mean anything? What was measured of each method, the verdicts, and who may be shown which."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from cutis.explain.asking import Methods
from cutis.explain.evaluated import Evaluated
from cutis.explain.examination import examine
from cutis.explain.examined import Examined, Plan
from cutis.explain.figures import save_figure
from cutis.explain.findings import Clusters, Findings, findings_of, paired
from cutis.explain.masks import TARGETS, Masks
from cutis.explain.methods import methods_of
from cutis.explain.sanity_figures import sanity_figures
from cutis.explain.subject import choose_subject
from cutis.explain.verdicts import Limit, Verdict, offered, rules_in_words, verdicts_of
from cutis.runtime.engines import untrained_network
from cutis.runtime.maps import FINAL, FUSED
from cutis.vocabulary.estimate import plain
from cutis.vocabulary.files import read_json, write_json

SANITY = "sanity.json"
FIGURES = ("sanity_removal.svg", "sanity_weights.svg", "sanity_pointing.svg", "sanity_stability.svg")


def write_sanity(
    folder: Path, evaluated: Evaluated, network: nn.Module, *, plan: Plan, masks: Masks | None
) -> dict[str, Any]:
    """Examine every method that a network has, and write sanity.json and its figures into `folder`.

    Raises:
        UserError: too few cases, a picture that was changed, or a mask that does not fit its picture.
    """
    bundle = evaluated.bundle
    methods = methods_of(bundle.auxiliary)
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
    methods: Methods, findings: Mapping[str, Findings], examined: Mapping[str, Examined], clusters: Clusters
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
