"""The acceptance test as lines on a terminal, with the same facts as plain data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cutis.runtime.bundle import Bundle
from cutis.serve.acceptance import standing
from cutis.serve.acceptance.asked import offered
from cutis.serve.acceptance.limits import AT_LEAST, AT_MOST, Limit, plan_from
from cutis.serve.acceptance.standing import Standing
from cutis.serve.beside import release_of
from cutis.serve.opening import opened
from cutis.serve.vault import Vault
from cutis.serve.visibility import visible_by
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import read_toml
from cutis.web.database import Database

SIGNS = {AT_LEAST: "≥", AT_MOST: "≤"}
TERMINAL = "command line"  # who did it, where nobody was signed in


class Told(NamedTuple):
    """What there is to say."""

    lines: tuple[str, ...]
    content: dict[str, Any]


def acceptance(
    database: Database,
    vault: Vault,
    bundle: Bundle,
    *,
    release_sha256: str,
    limits: Path | None,
    withdraw: bool,
    test: bool,
    now: float,
) -> Told:
    """Put limits into force, withdraw them, run the test, or only say where it stands.

    Args:
        database: of the clinic.
        vault: opens answers and truths.
        bundle: of the release that answers.
        release_sha256: of its manifest.
        limits: a TOML file of the plan to be put into force; None: none is.
        withdraw: take the plan out of force.
        test: run the test that was planned.
        now: the time.

    Raises:
        UserError: the file does not fit, or truths are missing.
        SafetyRefusal: limits are in force already.
    """
    asked: dict[str, Any] = {"release_sha256": release_sha256, "by": TERMINAL, "now": now}
    with database.writing() as connection:
        if withdraw:
            standing.withdraw(connection, vault, **asked)
        if limits is not None:
            content = {name: value for name, value in read_toml(limits, "limits").items() if name != "format"}
            plan = plan_from(content, where=str(limits), figures=offered(bundle))
            standing.freeze(connection, vault, plan, **asked)
    if test:
        standing.run_test(database, vault, bundle, **asked)
    with database.reading() as connection:
        found = standing.standing_of(connection, vault, bundle, release_sha256=release_sha256)
        shown = visible_by(connection)
    is_visible = shown is not None and shown["release_sha256"] == release_sha256
    lines = (f"release {release_sha256[:12]}: {'shown' if is_visible else 'silent'}", *_lines(found))
    return Told(lines, {"is_visible": is_visible, "release_sha256": release_sha256} | _content(found))


def _lines(found: Standing) -> Iterator[str]:
    if found.frozen is not None and found.progress is not None:
        plan = found.frozen.plan
        yield f"limits in force: number {found.frozen.number} in the journal, {plan.sha256[:12]}"
        yield f"truths: {found.progress.with_truth} of {plan.cases}, malignant {found.progress.malignant}"
        yield "ready to be tested: --test" if found.is_ready else "no figure is computed before they are all there"
    if found.test is not None:
        verdict = "passed" if found.test["passed"] else "not passed"
        yield f"last test: {verdict}, number {found.test['number']} in the journal"
        for each in found.test["limits"]:
            limit = Limit(figure=each["figure"], limit=each["limit"], side=each["side"])
            sign, mark = SIGNS[limit.direction], "holds" if each["clears"] else "does not hold"
            reached = Estimate(**each["estimate"])
            yield f"  {limit.figure}: {reached}; {limit.side} {sign} {limit.limit:g}: {mark}"
    if found.frozen is None and found.test is None:
        yield "no limits are set: --limits LIMITS.toml, or the page /acceptance"


def _content(found: Standing) -> dict[str, Any]:
    frozen, progress = found.frozen, found.progress
    plan = None
    if frozen is not None:
        plan = {"plan": frozen.plan.model_dump(mode="json"), "sha256": frozen.plan.sha256, "number": frozen.number}
    counts = None if progress is None else {"asked": progress.asked, "with_truth": progress.with_truth}
    return {"plan": plan, "progress": counts, "is_ready": found.is_ready, "test": found.test}


def at_the_terminal(
    *, limits: Path | None, withdraw: bool, test: bool, settings: Path | None = None, **flags: Any
) -> Told:
    """Do what `acceptance` does, for the clinic of these settings; its server may run meanwhile.

    Raises:
        UserError, SafetyRefusal: see `acceptance`, `opened` and `read_release`.
    """
    with opened(settings, **flags) as kept:
        release = release_of(kept.settings, kept.database)
        return acceptance(
            kept.database,
            kept.vault,
            release.bundle,
            release_sha256=release.sealed.manifest_sha256,
            limits=limits,
            withdraw=withdraw,
            test=test,
            now=time.time(),
        )
