"""Examines every method on the same cases; those that do not come with the answer on fewer of them."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from cutis.explain.sanity.asking import Methods
from cutis.explain.sanity.examined import Examined, Plan, Subject
from cutis.explain.sanity.measures import BLOB, MOVED, Untrained, pointing, redrawn, removals, small_changes


def examine(
    network: nn.Module, methods: Methods, subject: Subject, *, plan: Plan, untrained: Untrained
) -> dict[str, Examined]:
    """Measure every method on a subject; those that need a pass of their own on its first cases, without the cascade.

    Args:
        network: ready to answer; it is left as it is.
        methods: by name.
        subject: the cases.
        plan: how much is asked.
        untrained: makes networks of the same architecture that know nothing.
    """
    in_pass = {name: method for name, method in methods.items() if method.in_pass}
    found = _examine(network, in_pass, subject.first(plan.cases), plan=plan, untrained=untrained)
    few, without_cascade = subject.first(plan.own_pass_cases), replace(plan, cascade_seeds=0)
    for name in methods.keys() - in_pass.keys():
        own = {name: methods[name]}
        found |= _examine(network, own, few, plan=without_cascade, untrained=untrained, of_what=f" by {name}")
    return {name: found[name] for name in methods}


def _examine(
    network: nn.Module, methods: Methods, subject: Subject, *, plan: Plan, untrained: Untrained, of_what: str = ""
) -> dict[str, Examined]:
    if not methods:
        return {}
    maps, kept = small_changes(network, methods, subject, of_what=of_what)
    weights = redrawn(network, methods, subject, maps, plan=plan, untrained=untrained, of_what=of_what)
    curves = removals(maps, subject, steps=plan.steps, of_what=of_what)
    return {
        name: Examined(
            own=curves[name],
            moved=curves[MOVED.format(name)],
            blob=curves[BLOB],
            pointing={target: pointing(maps[name], subject, target) for target in subject.targets},
            stability=kept[name],
            redrawn=weights[name],
        )
        for name in methods
    }
