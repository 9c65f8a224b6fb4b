"""What a training will take is told from a few steps."""

from __future__ import annotations

import time
import tomllib

import pytest

from cutis.train import dry_run
from cutis.train.config import TrainConfig
from cutis.train.dry_run import STEPS, Rehearsal, Work, rehearse, spoken_time
from cutis.train.memory import Need
from cutis.vocabulary.errors import UserError

NEED = Need(fixed=10**9, per_picture=10**8)
CONFIG = TrainConfig(batch_size=10, epochs=3)


class Clock:
    """A watch that runs only while a step is taken; the first step takes longer."""

    def __init__(self, *, first: float, later: float) -> None:
        self.now, self.first, self.later, self.steps = 0.0, first, later, 0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def step(self) -> None:
        """Let it pass."""
        self.now += self.later if self.steps else self.first
        self.steps += 1


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """Two seconds a step, after a first one of five."""
    clock = Clock(first=5.0, later=2.0)
    monkeypatch.setattr(dry_run, "time", clock)
    return clock


def rehearsed(clock: Clock, config: TrainConfig = CONFIG, **fields: int) -> Rehearsal:
    """Rehearse 100 steps an epoch and 30 pictures to listen to, with 5 GB free."""
    work = Work(**{"parameters": 1234567, "steps": 100, "tuning": 30} | fields)
    return rehearse(clock.step, config, work=work, need=NEED, available=5 * 10**9)


def test_the_time_is_that_of_steps_and_of_listening(clock):
    """100 steps of 2 s, 30 pictures at a third of 0.2 s each; three epochs of that, and the last answer."""
    facts = rehearsed(clock).facts

    assert facts["seconds_per_step"] == 2.0
    assert facts["seconds_per_epoch"] == pytest.approx(202)
    assert facts["seconds"] == pytest.approx(608)


def test_every_network_and_every_view_costs_its_time(clock):
    """Five networks train one after another; at the end of each, four views are listened to."""
    facts = rehearsed(clock, CONFIG.model_copy(update={"views": 4}), members=5).facts

    assert facts["seconds_per_epoch"] == pytest.approx(202)
    assert facts["seconds"] == pytest.approx(5 * (3 * 202 + 4 * 2))


def test_the_first_step_does_not_count_and_a_few_are_enough(clock):
    """It also prepares the libraries."""
    rehearsed(clock)

    assert clock.steps == 1 + STEPS


@pytest.mark.parametrize(("seconds", "steps"), [(70, 1), (35, 1), (20, 2), (9, 6)])
def test_a_rehearsal_does_not_take_longer_than_a_minute_where_it_can(clock, seconds, steps):
    """No step begins that would end later; one there must be."""
    clock.first = clock.later = seconds

    facts = rehearsed(clock).facts

    assert (clock.steps, facts["seconds_per_step"]) == (steps, seconds)


def test_everything_is_told(clock):
    """Recipe, size, memory and time; the recipe can be read back."""
    lines = rehearsed(clock).lines

    recipe = tomllib.loads("\n".join(lines[: lines.index("")]))
    assert recipe["network"] == "efficientnet_b0"
    assert lines[lines.index("") + 1 :] == (
        "efficientnet_b0, 1,234,567 parameters",
        "memory: about 2.0 GB for 10 pictures at once, 5.0 GB are free; 40 would fit",
        "time: 2 s a step, 100 steps and about 3 min an epoch",
        "in all about 10 min for 3 epochs; reading the pictures comes on top",
    )


def test_parts_and_processes_share_what_is_at_once(clock):
    """Memory holds only a part of the step."""
    facts = rehearsed(clock, CONFIG.model_copy(update={"accumulate": 2}), processes=2).facts

    assert (facts["pictures_at_once"], facts["bytes_needed"]) == (3, NEED.total(3))


def test_what_does_not_fit_is_told_before_a_step(clock):
    """Nobody waits for it to fail."""
    with pytest.raises(UserError, match="a step of 100 pictures needs about 11 GB of memory"):
        rehearsed(clock, CONFIG.model_copy(update={"batch_size": 100}))

    assert clock.steps == 0


def test_memory_that_runs_out_all_the_same_is_a_user_error(clock):
    """An estimate may be wrong; the step itself is not."""
    work = Work(parameters=1, steps=1, tuning=1)

    def fails() -> None:
        raise MemoryError

    with pytest.raises(UserError, match="memory ran out in a step of 10 pictures"):
        rehearse(fails, CONFIG, work=work, need=NEED, available=5 * 10**9)


def test_a_real_step_is_really_timed():
    """By the clock on the wall."""
    work = Work(parameters=1, steps=1, tuning=0)

    facts = rehearse(lambda: time.sleep(0.01), CONFIG, work=work, need=NEED, available=5 * 10**9).facts

    assert 0.01 <= facts["seconds_per_step"] < 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.837, "0.84 s"), (45, "45 s"), (119, "119 s"), (720, "12 min"), (50_000, "14 h"), (276_480, "3.2 days")],
)
def test_time_is_said_as_people_do(seconds, said):
    """A rough number needs no second digit."""
    assert spoken_time(seconds) == said
