"""How many readers and cases a study needs: each number of readers with the smallest number of cases that will do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cutis.progress import say
from cutis.stats.mrmc.power import DESIGNS, STUDIES, Plan, Tried, power_of, search, smallest
from cutis.stats.mrmc.roe_metz import STRUCTURES

SIDES = {
    "auc": ("diseased", "healthy"),
    "balanced_accuracy": ("diseased", "healthy"),
    "sensitivity": ("diseased", ""),
    "specificity": ("healthy", ""),
    "accuracy": ("cases", ""),
}


class Size(NamedTuple):
    """What a number of readers needs."""

    readers: int
    found: Tried | None  # None where no number of cases that was tried will do
    tried: tuple[Tried, ...]


class Powered(NamedTuple):
    """What is told of a plan, to a person and to a program."""

    lines: tuple[str, ...]
    content: dict[str, Any]


def power(
    plan: Plan,
    *,
    readers: Sequence[int],
    cases: int | None = None,
    wanted: float = 0.8,
    studies: int = STUDIES,
    seed: int = 0,
) -> Powered:
    """Return the power of a size, or the size for a power, for each number of readers.

    Args:
        plan: what is asked, and what is taken to be true.
        readers: how many; one answer for each.
        cases: of the side that the endpoint is of; searched for, if not given.
        wanted: the power that is searched for.
        studies: how many are invented for each size.
        seed: another seed, other studies.

    Raises:
        UserError: a size for which there is no sound analysis.
    """
    sizes = []
    for count in readers:
        if cases is not None:
            tried = [power_of(plan, readers=count, cases=cases, studies=studies, seed=seed)]
            sizes.append(Size(count, tried[0], tuple(tried)))
            say(_line(plan, tried[0]))
            continue
        tried = []
        for each in search(plan, readers=count, power=wanted, studies=studies, seed=seed):
            say(f"tried {_line(plan, each)}")
            tried.append(each)
        sizes.append(Size(count, smallest(tried, power=wanted), tuple(tried)))
    return Powered(lines=(*_head(plan, studies), *_rows(plan, sizes, wanted)), content=_content(plan, sizes, wanted))


def _head(plan: Plan, studies: int) -> tuple[str, ...]:
    asked = plan.asked
    margin = f", margin {asked.margin:g}" if asked.margin else ""
    return (
        f"{DESIGNS[plan.design]}; {asked.endpoint}, {asked.hypothesis}{margin}",
        f"taken to be true: reference {plan.reference:g}, gain {plan.gain:+g}",
        f"{studies} studies invented for each size, Roe–Metz {plan.structure}: {STRUCTURES[plan.structure]}",
    )


def _rows(plan: Plan, sizes: Sequence[Size], wanted: float) -> list[str]:
    rows = []
    for size in sizes:
        if size.found is not None:
            rows.append(_line(plan, size.found))
        else:
            rows.append(f"{size.readers} readers: a power of {wanted:g} was not reached; {_line(plan, size.tried[-1])}")
    return rows


def _line(plan: Plan, tried: Tried) -> str:
    side, other = SIDES[plan.asked.endpoint]
    others = f" and {tried.others} {other}" if other else ""
    of = side if side == "cases" else f"{side}{others} cases"
    found = tried.power
    interval = f"simulation {found.low:.3f}–{found.high:.3f}"
    return f"{tried.readers} readers, {tried.cases} {of}: power {found.value:.3f} ({interval})"


def _content(plan: Plan, sizes: Sequence[Size], wanted: float) -> dict[str, Any]:
    return {
        "design": plan.design,
        "endpoint": plan.asked.endpoint,
        "hypothesis": plan.asked.hypothesis,
        "margin": plan.asked.margin,
        "reference": plan.reference,
        "gain": plan.gain,
        "structure": plan.structure,
        "power": wanted,
        "sizes": [
            {
                "readers": size.readers,
                "found": None if size.found is None else _plain(size.found),
                "tried": [_plain(each) for each in size.tried],
            }
            for size in sizes
        ],
    }


def _plain(tried: Tried) -> dict[str, Any]:
    return {"cases": tried.cases, "others": tried.others, "power": tried.power.to_dict()}
