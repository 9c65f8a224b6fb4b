"""Where the acceptance of a site stands: no plan, waiting for truth, ready to be tested, passed or failed.

A plan is hashed into the journal before anything is computed, and nothing is computed before the planned number of
truths is there. Whoever plans anew after a test counts examinations alone that are made after the new plan: the same
cases never decide twice, and none that could be looked at before the limits were set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from cutis.runtime.bundle import Bundle
from cutis.serve.acceptance.figures import estimates_of
from cutis.serve.acceptance.limits import Frozen, Plan
from cutis.serve.acceptance.material import Pair, Progress, pairs_of, progress_of, scored_of
from cutis.serve.acceptance.verdict import judged, passed
from cutis.serve.facts import fact, state_fact
from cutis.serve.journal import Entry, Kind, write
from cutis.serve.journal.writing import take_the_pen
from cutis.serve.settings import ClinicSettings
from cutis.serve.vault import Vault
from cutis.serve.visibility import make_silent, make_visible
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.web.database import Database

PLAN, TEST = "acceptance plan", "acceptance test"  # beginnings of a fact's name, which ends with the release's
WHERE = "the acceptance test"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Everything that may be known of it now."""

    frozen: Frozen | None  # the plan in force, for the release that answers
    progress: Progress | None
    is_ready: bool  # all truths that were planned are there
    test: dict[str, Any] | None  # the newest one of the release that answers, as the journal holds it


def standing_of(connection: Connection, vault: Vault, bundle: Bundle, *, release_sha256: str) -> Standing:
    """Return where it stands for the release that answers."""
    frozen, test = frozen_for(connection, release_sha256), newest_test(connection, release_sha256)
    if frozen is None:
        return Standing(frozen=None, progress=None, is_ready=False, test=test)
    pairs = _pairs(connection, vault, frozen)
    progress = progress_of(pairs, bundle)
    return Standing(frozen=frozen, progress=progress, is_ready=_is_enough(progress, frozen.plan), test=test)


def is_held_back(connection: Connection, settings: ClinicSettings, release_sha256: str) -> bool:
    """Say whether nobody may look at how right the answers are: limits are in force, or nothing was tested yet."""
    if settings.demonstration:
        return False
    return frozen_for(connection, release_sha256) is not None or newest_test(connection, release_sha256) is None


def frozen_for(connection: Connection, release_sha256: str) -> Frozen | None:
    """Return the plan in force; None where there is none, or it is for another release."""
    found = fact(connection, _of(PLAN, release_sha256))
    if found is None:
        return None
    return Frozen(Plan.model_validate(found["plan"]), release_sha256, found["at"], found["number"], found["since"])


def newest_test(connection: Connection, release_sha256: str) -> dict[str, Any] | None:
    """Return the newest test of a release; None where it was never tested."""
    found: dict[str, Any] | None = fact(connection, _of(TEST, release_sha256))
    return found


def freeze(connection: Connection, vault: Vault, plan: Plan, *, release_sha256: str, by: str, now: float) -> Frozen:
    """Put a plan into force, and its hash into the journal.

    Raises:
        SafetyRefusal: there is one already.
    """
    take_the_pen(connection)
    if frozen_for(connection, release_sha256) is not None:
        mend = "run it, or withdraw it first: the journal keeps both"
        raise SafetyRefusal("limits are set already", where=WHERE, mend=mend)
    since = now if newest_test(connection, release_sha256) else 0.0  # until the first test nobody could look
    told = {"what": "plan", "plan": plan.model_dump(mode="json"), "plan_sha256": plan.sha256, "since": since}
    told |= {"release_sha256": release_sha256}
    number = write(connection, vault, Entry(kind=Kind.ACCEPTANCE, by=by, open=told), now=now)
    state_fact(connection, _of(PLAN, release_sha256), told | {"at": now, "number": number})
    return Frozen(plan, release_sha256, now, number, since)


def withdraw(connection: Connection, vault: Vault, *, release_sha256: str, by: str, now: float) -> None:
    """Take a plan out of force before it was tested; the journal keeps that there was one."""
    take_the_pen(connection)
    frozen = frozen_for(connection, release_sha256)
    if frozen is None:
        return
    told = {"what": "withdrawn", "plan_sha256": frozen.plan.sha256, "plan_number": frozen.number}
    write(connection, vault, Entry(kind=Kind.ACCEPTANCE, by=by, open=told), now=now)
    state_fact(connection, _of(PLAN, release_sha256), None)


def run_test(
    database: Database, vault: Vault, bundle: Bundle, *, release_sha256: str, by: str, now: float
) -> dict[str, Any]:
    """Run the test that was planned, once; return what the journal now holds of it.

    Nobody who writes waits for the figures: they are computed first, and kept if the plan is still the same.
    A site that does not pass is silent from then on, whatever it was before.

    Raises:
        UserError: nothing is planned, or truths are missing.
    """
    with database.reading() as connection:
        frozen = _require_plan(connection, release_sha256)
        pairs = _pairs(connection, vault, frozen)
    told = _tested(frozen, pairs, bundle)
    with database.writing() as connection:
        take_the_pen(connection)
        if _require_plan(connection, release_sha256).number != frozen.number:
            raise UserError("other limits were set meanwhile", where=WHERE, mend="look at the page once more")
        number = write(connection, vault, Entry(kind=Kind.ACCEPTANCE, by=by, open=told), now=now)
        kept = told | {"at": now, "number": number}
        state_fact(connection, _of(TEST, release_sha256), kept)
        state_fact(connection, _of(PLAN, release_sha256), None)
        if not told["passed"]:
            make_silent(connection, vault, by=by, now=now)
    return kept


def _require_plan(connection: Connection, release_sha256: str) -> Frozen:
    frozen = frozen_for(connection, release_sha256)
    if frozen is None:
        raise UserError("no limits are set", where=WHERE, mend="set them first")
    return frozen


def _tested(frozen: Frozen, pairs: tuple[Pair, ...], bundle: Bundle) -> dict[str, Any]:
    """Return everything that a test found, as plain data."""
    plan, progress = frozen.plan, progress_of(pairs, bundle)
    if not _is_enough(progress, plan):
        what = (
            f"{progress.with_truth} of {plan.cases} examinations have their truth, "
            f"{progress.malignant} of {plan.malignant} a malignant one"
        )
        raise UserError(what, where=WHERE, mend="wait for histology and raters; nothing is computed before")
    scored = scored_of(pairs, bundle)
    estimates = estimates_of(scored, seed=plan.sha256)
    verdict = judged(plan, estimates)
    return {
        "what": "test",
        "plan_sha256": plan.sha256,
        "plan_number": frozen.number,
        "release_sha256": frozen.release_sha256,
        "passed": passed(verdict),
        "limits": [each.to_dict() for each in verdict],
        "estimates": {name: estimate.to_dict() for name, estimate in estimates.items()},
        "asked": progress.asked,
        "with_truth": progress.with_truth,
        "scored": len(scored),
        "malignant": progress.malignant,
        "by": progress.by,
        "of": progress.of,
    }


def show(connection: Connection, vault: Vault, *, release_sha256: str, by: str, now: float) -> None:
    """Turn the site visible, by the newest test of the release that answers.

    Raises:
        SafetyRefusal: there is none, it was not passed, or other limits are in force by now.
    """
    take_the_pen(connection)
    found = newest_test(connection, release_sha256)
    if found is None or not found["passed"]:
        mend = "set limits, wait for the truth, and pass the test"
        raise SafetyRefusal("this release has passed no acceptance test here", where=WHERE, mend=mend)
    if frozen_for(connection, release_sha256) is not None:
        mend = "run the test that is planned, or withdraw its limits"
        raise SafetyRefusal("limits are in force that were not tested yet", where=WHERE, mend=mend)
    make_visible(connection, vault, release_sha256=release_sha256, test=found["number"], by=by, now=now)


def _of(name: str, release_sha256: str) -> str:
    """Return the name of a release's own fact: what another one passed or failed takes nothing from it."""
    return f"{name} {release_sha256[:20]}"


def _pairs(connection: Connection, vault: Vault, frozen: Frozen) -> tuple[Pair, ...]:
    plan = frozen.plan
    return pairs_of(
        connection,
        vault,
        release_sha256=frozen.release_sha256,
        since=frozen.since,
        histology_only=plan.histology_only,
        raters=plan.raters,
    )


def _is_enough(progress: Progress, plan: Plan) -> bool:
    return progress.with_truth >= plan.cases and progress.malignant >= plan.malignant
