"""Silent first: limits beforehand, counts meanwhile, one test, and only then answers are shown."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from clinic_pasts import said_to_be
from cutis.serve.acceptance import standing
from cutis.serve.acceptance.limits import Plan
from cutis.serve.acceptance.standing import is_held_back
from cutis.serve.answer import State
from cutis.serve.facts import state_fact
from cutis.serve.journal import Kind, entries
from cutis.serve.visibility import make_silent, shows, visible_by
from cutis.vocabulary.errors import SafetyRefusal, UserError

PLAN = {"cases": 12, "malignant": 3, "limits": [{"figure": "accuracy", "limit": 0.6, "side": "value"}]}


class Office:
    """Somebody who may do all this, on one clinic."""

    def __init__(self, past):
        """Sit down."""
        self.past = past
        self.release = past.clinic.answerer.release

    def do(self, what, *arguments, **more):
        """Do one thing, and have it on the disk."""
        told = {"release_sha256": self.release.sha256, "by": "boss", "now": self.past.now} | more
        with self.past.knocked.ground.database.writing() as connection:
            return what(connection, self.past.clinic.vault, *arguments, **told)

    def freeze(self, **fields):
        """Put a plan into force."""
        return self.do(standing.freeze, Plan.model_validate(PLAN | fields))

    def test(self):
        """Run it."""
        told = {"release_sha256": self.release.sha256, "by": "boss", "now": self.past.now}
        database = self.past.knocked.ground.database
        return standing.run_test(database, self.past.clinic.vault, self.release.bundle, **told)

    def standing(self):
        """Where it stands."""
        with self.past.knocked.ground.database.reading() as connection:
            return standing.standing_of(
                connection, self.past.clinic.vault, self.release.bundle, release_sha256=self.release.sha256
            )

    def is_shown(self):
        """Whether answers are shown."""
        with self.past.knocked.ground.database.reading() as connection:
            return shows(connection, self.past.clinic.settings, self.release.sha256)

    def journal(self, kind=Kind.ACCEPTANCE):
        """What was written down."""
        with self.past.knocked.ground.database.reading() as connection:
            return [each.content for each in entries(connection, kinds=(kind,))]

    def cases(self, count, *, right=True, truths=True):
        """Let so many be answered, and their truth come back."""
        for number in range(count):
            self.past.knocked.site.time.now += 1
            code = "abc"[number % 3]
            made = self.past.asked(said_to_be(code if right else "abc"[(number + 1) % 3]), silent=True)
            if truths:
                self.past.histology(made, code)


@pytest.fixture
def office(past):
    """On either database."""
    return Office(past)


@pytest.fixture
def small_office(small_past):
    """On SQLite."""
    return Office(small_past)


def test_a_new_site_is_silent_and_stays_so_without_a_passed_test(office):
    """Nothing but a passed test shows an answer."""
    assert not office.is_shown()
    with pytest.raises(SafetyRefusal, match="passed no acceptance test"):
        office.do(standing.show)
    office.freeze()
    with pytest.raises(SafetyRefusal, match="passed no acceptance test"):
        office.do(standing.show)
    assert not office.is_shown()


def test_a_passed_test_lets_the_site_be_turned_visible_and_silent_again(office):
    """Limits, truths, test, visible: each is an entry in the journal, in this order."""
    frozen = office.freeze()
    office.cases(12)

    told = office.test()
    assert told["passed"]
    assert not office.is_shown()
    office.do(standing.show)
    assert office.is_shown()

    plan, test = office.journal()
    assert (plan["what"], plan["plan_sha256"]) == ("plan", frozen.plan.sha256)
    assert (test["what"], test["plan_sha256"], test["plan_number"]) == ("test", frozen.plan.sha256, frozen.number)
    assert office.journal(Kind.VISIBLE)[0]["test"] == told["number"]
    with office.past.knocked.ground.database.writing() as connection:
        assert make_silent(connection, office.past.clinic.vault, by="boss", now=office.past.now)
        assert not make_silent(connection, office.past.clinic.vault, by="boss", now=office.past.now)
    assert not office.is_shown()
    assert [each["is_visible"] for each in office.journal(Kind.VISIBLE)] == [True, False]


def test_an_old_test_turns_nothing_visible_while_new_limits_are_in_force(small_office):
    """By the page's button or without it."""
    small_office.freeze()
    small_office.cases(12)
    assert small_office.test()["passed"]
    small_office.freeze()

    with pytest.raises(SafetyRefusal, match="not tested yet"):
        small_office.do(standing.show)
    assert not small_office.is_shown()


def test_no_figure_is_computed_before_all_truths_are_there(office):
    """Counts of truths are told, nothing of what was answered; the test is refused, and the journal stays as it was."""
    office.freeze()
    office.cases(11)

    found = office.standing()
    assert (found.progress.with_truth, found.progress.malignant, found.is_ready) == (11, 3, False)
    with pytest.raises(UserError, match="11 of 12"):
        office.test()
    assert len(office.journal()) == 1

    office.cases(1)
    assert office.standing().is_ready


def test_enough_truths_of_which_too_few_are_malignant_are_not_enough(small_office):
    """The plan asks for both."""
    small_office.freeze(malignant=5)
    small_office.cases(12)

    assert not small_office.standing().is_ready
    with pytest.raises(UserError, match=r"12 of 12 .* 4 of 5"):
        small_office.test()


def test_progress_does_not_depend_on_what_was_answered(small_office):
    """Right or wrong, the counts are the same."""
    small_office.freeze()
    small_office.cases(6, right=True)
    right = small_office.standing().progress
    small_office.cases(6, right=False)
    both = small_office.standing().progress

    assert (both.with_truth, both.malignant) == (2 * right.with_truth, 2 * right.malignant)


def test_limits_cannot_be_changed_only_withdrawn_and_the_journal_keeps_both(office):
    """Whoever sets others must take the first ones back first."""
    first = office.freeze()
    with pytest.raises(SafetyRefusal, match="set already"):
        office.freeze(cases=20)
    office.do(standing.withdraw)
    second = office.freeze(cases=20)

    told = office.journal()
    assert [each["what"] for each in told] == ["plan", "withdrawn", "plan"]
    assert told[1]["plan_sha256"] == first.plan.sha256
    assert second.since == 0


def test_the_same_cases_never_decide_twice(office):
    """After a failed test with other limits only later examinations count, and none of a lesion that was tested."""
    office.freeze(limits=[{"figure": "accuracy", "limit": 0.9, "side": "value"}])
    office.cases(12, right=False)
    assert not office.test()["passed"]

    office.freeze(limits=[{"figure": "accuracy", "limit": 0.0, "side": "value"}])
    with office.past.knocked.ground.database.reading() as connection:
        tested = next(entries(connection, kinds=(Kind.ANSWER,))).case_id
    office.past.knocked.site.time.now += 1
    office.past.histology(office.past.asked(said_to_be("a"), silent=True, case_id=tested), "a")

    assert office.standing().progress.asked == 0
    office.cases(12)
    assert office.standing().progress.with_truth == 12
    assert office.test()["passed"]


def test_what_could_be_looked_at_before_the_limits_were_set_does_not_decide(office):
    """After a test the monitor shows how right the answers are; so a new plan counts what is made after it alone."""
    office.freeze(limits=[{"figure": "accuracy", "limit": 0.9, "side": "value"}])
    office.cases(12, right=False)
    office.test()
    office.cases(12)  # everybody may see how right these are

    office.freeze()

    assert office.standing().progress.asked == 0


def test_a_test_of_another_release_forgets_no_test_and_no_plan(office):
    """Back from another release, the cases that failed still do not decide again, and limits in force still are."""
    own, other = office.release, replace(office.release, sha256="f" * 64)
    office.freeze(limits=[{"figure": "accuracy", "limit": 0.9, "side": "value"}])
    office.cases(12, right=False)
    failed = office.test()
    office.release = other
    office.freeze(cases=10)
    with office.past.knocked.ground.database.writing() as connection:
        state_fact(connection, standing._of(standing.TEST, other.sha256), failed | {"passed": True})  # noqa: SLF001

    office.release = own
    assert office.standing().test["number"] == failed["number"]
    office.freeze()
    assert office.standing().progress.asked == 0
    office.release = other
    assert office.standing().frozen.plan.cases == 10


def test_a_visible_site_that_fails_a_new_test_is_silent_again(office):
    """Without anybody's doing."""
    office.freeze()
    office.cases(12)
    office.test()
    office.do(standing.show)

    office.freeze()
    office.cases(12, right=False)
    office.test()

    assert not office.is_shown()
    with pytest.raises(SafetyRefusal):
        office.do(standing.show)


def test_another_release_is_silent_by_itself_and_has_a_test_of_its_own(office):
    """Its plan, its answers, its test: what the one before passed does not count."""
    office.freeze()
    office.cases(12)
    office.test()
    office.do(standing.show)

    office.release = replace(office.release, sha256="f" * 64)

    assert not office.is_shown()
    assert office.standing() == standing.Standing(frozen=None, progress=None, is_ready=False, test=None)
    office.freeze()
    assert office.standing().progress.asked == 0
    with pytest.raises(SafetyRefusal):
        office.do(standing.show)


def test_examinations_without_an_answer_count_as_unanswered_and_not_as_wrong(small_office):
    """The truth of an abstention is a truth that came back."""
    small_office.freeze(malignant=0)
    small_office.cases(9)
    for _ in range(3):
        made = small_office.past.asked(said_to_be("a", state=State.UNSURE), silent=True)
        small_office.past.histology(made, "b")

    told = small_office.test()

    assert (told["with_truth"], told["scored"]) == (12, 9)
    assert told["estimates"]["accuracy"]["value"] == 1.0
    assert told["estimates"]["unanswered"]["value"] == 0.25


def test_figures_are_held_back_until_the_test_and_while_limits_are_in_force(small_office):
    """Whoever could see them would know when to stop."""
    sha256, settings = small_office.release.sha256, small_office.past.clinic.settings

    def held_back():
        with small_office.past.knocked.ground.database.reading() as connection:
            return is_held_back(connection, settings, sha256)

    assert held_back()
    small_office.freeze()
    assert held_back()
    small_office.cases(12)
    small_office.test()
    assert not held_back()
    small_office.freeze()
    assert held_back()


def test_a_demonstration_shows_everything(small_office):
    """It is for invented pictures alone, which the start of the server sees to."""
    settings = small_office.past.clinic.settings.model_copy(update={"demonstration": True})
    with small_office.past.knocked.ground.database.reading() as connection:
        assert shows(connection, settings, small_office.release.sha256)
        assert visible_by(connection) is None


def test_of_two_who_set_limits_at_once_one_is_refused(office):
    """On either database: the journal holds one plan, and that one is in force."""
    for _ in range(5):
        refused, start = [], threading.Barrier(2)

        def freeze(cases, refused=refused, start=start):
            start.wait()
            try:
                office.freeze(cases=cases)
            except SafetyRefusal:
                refused.append(cases)

        threads = [threading.Thread(target=freeze, args=(cases,)) for cases in (20, 30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(refused) == 1
        assert office.standing().frozen.plan.cases == 50 - refused[0]
        office.do(standing.withdraw)


def test_limits_that_change_while_figures_are_computed_stop_the_test(small_office, monkeypatch):
    """Nothing is kept of figures that belong to a plan which is no longer in force."""
    small_office.freeze()
    small_office.cases(12)
    compute = standing.estimates_of

    def meanwhile(*arguments, **more):
        small_office.do(standing.withdraw)
        small_office.freeze(cases=10)
        return compute(*arguments, **more)

    monkeypatch.setattr(standing, "estimates_of", meanwhile)
    with pytest.raises(UserError, match="other limits were set meanwhile"):
        small_office.test()

    assert [each["what"] for each in small_office.journal()] == ["plan", "withdrawn", "plan"]
    assert small_office.standing().test is None


def test_answers_are_kept_while_figures_are_computed(small_office, monkeypatch):
    """Nobody in the consulting room waits for the administrator's test."""
    small_office.freeze()
    small_office.cases(12)
    compute = standing.estimates_of

    def meanwhile(*arguments, **more):
        small_office.past.asked(said_to_be("a"), silent=True)
        return compute(*arguments, **more)

    monkeypatch.setattr(standing, "estimates_of", meanwhile)

    assert small_office.test()["passed"]
