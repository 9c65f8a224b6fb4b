"""When pictures or answers are no longer what they were, and when that is an alarm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clinic_pasts import DAY, a_reference, said_to_be, seen_in
from cutis.serve.answer import Reason, State
from cutis.serve.monitor.drifting import recent_of, watched
from cutis.serve.monitor.past import Seen, glimpses_of
from cutis.serve.monitor.rules import Rules
from cutis.serve.reference import DIFFERENCE, DISTANCE, INDEX

NOW = 1_800_000_000.0
CODES = ("a", "b", "c")


def weeks(*windows, lesions=120, seed=1, **fields):
    """Examinations of windows of 28 days, the newest first, each with how much darker its pictures are."""
    chance = np.random.default_rng(seed)
    found = []
    for window, darker in enumerate(windows):
        for number in range(lesions):
            code = str(chance.choice(CODES, p=[0.5, 0.25, 0.25]))
            state = State.UNSURE if chance.random() < 0.05 else State.ANSWERED
            picture = seen_in(chance, darker=darker)
            answer = said_to_be(code, float(chance.beta(6, 2)), state=state, pictures=(picture,))
            at = NOW - (window * 28 + 28 * (number + 0.5) / lesions) * DAY
            device = str(chance.choice(["Lens A", "Lens B"]))
            plain = {"seconds": 0.2, "is_silent": False, "release_sha256": "r", "device": device}
            case = f"{window}-{number}"
            found.append(Seen(id=case, case_id=case, at=at, state=state, answer=answer, **plain | fields))
    return found


def look(seen, rules=None, **more):
    """Watch, and return the states by what and figure."""
    told = {"rules": rules or Rules(), "release_sha256": "r", "now": NOW} | more
    own = glimpses_of(seen, release_sha256=told["release_sha256"])
    return {(each.what, each.figure): each.state for each in watched(a_reference(), own, **told)}


def test_where_nothing_changed_nothing_is_an_alarm():
    """Pictures and answers as the reference's, in both windows."""
    states = look(weeks(0.0, 0.0))

    assert set(states.values()) == {"steady"}
    assert ("sharpness", INDEX) in states
    assert ("sharpness", DISTANCE) in states
    assert ("first", INDEX) in states
    assert ("abstained", DIFFERENCE) in states


def test_darker_pictures_in_two_windows_in_a_row_are_an_alarm():
    """Of brightness alone; in one window they are told, and no alarm."""
    both, newest, gone = (look(weeks(*windows)) for windows in ((0.1, 0.1), (0.1, 0.0), (0.0, 0.1)))

    assert (both["brightness", INDEX], both["brightness", DISTANCE]) == ("alarm", "alarm")
    assert newest["brightness", INDEX] == "beyond"
    assert gone["brightness", INDEX] == "steady"
    assert [what for (what, _), state in both.items() if state == "alarm"] == ["brightness", "brightness"]


def test_the_rules_say_how_far_and_how_long():
    """One window is enough where the rule says so, and a higher limit is none yet."""
    seen = weeks(0.1, 0.0)

    assert look(seen, Rules(windows=1))["brightness", INDEX] == "alarm"
    assert look(seen, Rules(windows=1, index=9, distance=0.99))["brightness", INDEX] == "steady"


@pytest.mark.parametrize("lesions", [0, 10, 49])
def test_too_few_lesions_say_nothing(lesions):
    """Neither an alarm nor that all is well."""
    assert set(look(weeks(0.3, 0.3, lesions=lesions)).values()) == {"few"}


def test_a_rule_may_ask_for_more_lesions():
    """Then fewer of them are too few."""
    assert set(look(weeks(0.1, 0.1), Rules(lesions=200)).values()) == {"few"}


def test_only_answers_of_the_release_itself_are_compared():
    """Another one's reference is another one's."""
    assert set(look(weeks(0.1, 0.1, release_sha256="other")).values()) == {"few"}


def test_more_abstentions_are_an_alarm():
    """By the difference of shares."""
    seen = weeks(0.0, 0.0)
    for number in range(0, len(seen), 3):
        seen[number] = replace(seen[number], answer=replace(seen[number].answer, state=State.UNSURE))

    assert look(seen)["abstained", DIFFERENCE] == "alarm"


def test_an_unusable_picture_is_measured_and_has_no_answer():
    """Its brightness counts, its probability is not known."""
    picture = seen_in(np.random.default_rng(0))
    answer = said_to_be("a", state=State.UNUSABLE, pictures=(picture,), findings=(), prediction_set=())
    far = said_to_be("a", state=State.FOREIGN, reasons=(Reason(key="distance"),))
    plain = {"at": NOW, "is_silent": False, "device": None, "seconds": 0.1, "release_sha256": "r"}
    seen = [
        Seen(id="1", case_id="1", state=State.UNUSABLE, answer=answer, **plain),
        Seen(id="2", case_id="2", state=State.FOREIGN, answer=far, **plain),
    ]

    found = recent_of(glimpses_of(seen, release_sha256="r"))

    assert found.numbers["brightness"][0] == picture.brightness
    assert found.numbers["probability"][0] is None
    assert found.kinds["first"] == [None, "a"]
    assert found.shares["abstained"] == [None, True]
    assert found.shares["unusual"] == [None, True]
