"""The protocol: who reads what in which order, and that it stays as it was frozen."""

from dataclasses import replace

import pytest

from cutis.readers.protocol import PlannedCase, Slot, begin, begun_under, order_of, read_protocol, write_protocol
from cutis.vocabulary.errors import SafetyRefusal, UserError
from factories import a_protocol

PUBLISHED = ["case0005", "case0002", "case0003"]


def _with_repeats(**fields):
    protocol = a_protocol(measured=40, **fields)
    repeated = {f"case{n:04d}" for n in range(5)}
    return replace(protocol, cases=tuple(replace(case, repeated=case.case_id in repeated) for case in protocol.cases))


def test_everybody_reads_the_same_in_an_order_of_his_own():
    """Same cases, other order; the same order whenever it is asked for; none of it for practice."""
    protocol = a_protocol(measured=30)

    first, second = (order_of(protocol, slot) for slot in ("r1", "r2"))

    assert {turn.case_id for turn in first} == {case.case_id for case in protocol.measured}
    assert sorted(first) == sorted(second)
    assert first != second
    assert order_of(protocol, "r1") == first
    assert {turn.case_id for turn in order_of(protocol, "r1", 0)} == {"practice0", "practice1"}


def test_another_seed_is_another_order():
    """The stored seed decides, and no library's generator."""
    assert order_of(a_protocol(), "r1") != order_of(a_protocol(seed=8), "r1")


def test_the_order_is_the_one_that_was_published():
    """A change of these three would change running studies."""
    assert [turn.case_id for turn in order_of(a_protocol(), "r1")][:3] == PUBLISHED


@pytest.mark.parametrize("slot", ["r1", "r2", "r3"])
def test_a_repeated_case_comes_again_much_later(slot):
    """Once on each occasion, and a sixth of the way lies between at least."""
    turns = order_of(_with_repeats(), slot)

    for case in [f"case{n:04d}" for n in range(5)]:
        first, second = (place for place, turn in enumerate(turns) if turn.case_id == case)
        assert (turns[first].occasion, turns[second].occasion) == (1, 2)
        assert second - first >= len(turns) / 6


def test_a_crossover_shows_every_case_once_in_each_arm_and_in_another_session():
    """Half of the cases change over; half of the places begin without the network's answer."""
    protocol = a_protocol(measured=20, design="crossover", washout_days=28)

    for slot, begins in (("r1", "unaided"), ("r2", "aided")):
        one, two = (order_of(protocol, slot, session) for session in protocol.sessions)
        arms = [{turn.case_id: turn.arm for turn in session} for session in (one, two)]
        assert len(one) == len(two) == 20
        assert all({arms[0][case], arms[1][case]} == {"unaided", "aided"} for case in arms[0])
        assert [turn.arm for turn in one] == [begins] * 10 + [one[-1].arm] * 10
        assert {one[0].arm, one[-1].arm} == {"unaided", "aided"}


def test_in_one_sitting_the_same_case_comes_with_the_network_at_once():
    """First without, then with it."""
    turns = order_of(a_protocol(design="sequential"), "r1")

    pairs = list(zip(turns[::2], turns[1::2], strict=True))
    assert all(one.case_id == two.case_id for one, two in pairs)
    assert {(one.arm, two.arm) for one, two in pairs} == {("unaided", "aided")}


def test_a_place_with_a_share_reads_no_more():
    """What stands at a place is what is read there."""
    protocol = a_protocol(slots=(Slot(name="r1", cases=("case0003", "case0001")),))

    assert {turn.case_id for turn in order_of(protocol, "r1")} == {"case0001", "case0003"}


def test_an_unknown_place_or_session_is_refused():
    """Both say what there is."""
    with pytest.raises(UserError, match="no place 'r9'"):
        order_of(a_protocol(), "r9")
    with pytest.raises(UserError, match="no session 2"):
        order_of(a_protocol(), "r1", 2)


def test_a_protocol_comes_back_as_it_was(tmp_path):
    """With the same hash."""
    protocol = _with_repeats(design="crossover", aid=("top3", "map"))
    write_protocol(tmp_path / "plan.json", protocol, made_from={})

    assert read_protocol(tmp_path / "plan.json") == protocol


def test_a_protocol_that_was_edited_is_refused(tmp_path):
    """One letter is enough."""
    path = tmp_path / "plan.json"
    write_protocol(path, a_protocol(), made_from={})
    path.write_text(path.read_text().replace('"seed": 7', '"seed": 8'))

    with pytest.raises(SafetyRefusal, match="changed since it was frozen"):
        read_protocol(path)


def test_every_field_counts_for_the_hash():
    """What is shown, to whom, in which order, and what the study is to show."""
    protocol = a_protocol()
    changes = (
        {"seed": 8},
        {"none_of_these": True},
        {"shown": ("age",)},
        {"endpoint": replace(protocol.endpoint, margin=0.05)},
        {"cases": (PlannedCase(case_id="x", picture="y", beside={}), *protocol.cases)},
    )

    assert len({protocol.sha256, *(replace(protocol, **change).sha256 for change in changes)}) == 1 + len(changes)


def test_after_the_first_reading_no_other_protocol_goes_on(tmp_path):
    """The first answer ties the study to its protocol; the same one may go on."""
    begin(tmp_path, a_protocol())
    begin(tmp_path, a_protocol())

    assert begun_under(tmp_path) == a_protocol().sha256
    with pytest.raises(SafetyRefusal, match="changed after the first reading"):
        begin(tmp_path, a_protocol(seed=8))
