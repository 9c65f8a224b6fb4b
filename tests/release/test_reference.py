"""What a monitor holds a clinic against: counts of what the network never learned from, and nobody's own values."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutis.release.reference import FEWEST, counted, draw_cases, kinds_told, share_told
from cutis.release.stage import release
from cutis.runtime.predict import Answers
from cutis.runtime.release import read_release
from cutis.runtime.trust import Signals, choose_acceptance
from cutis.vocabulary.case import Quality
from factories import a_bundle, a_case, a_manifest, an_evaluated_workspace
from releases import FAKE


def a_seen_case(number, **fields):
    """Return a case of a patient with two pictures, each measured, by one of four devices."""
    random = np.random.default_rng(number)
    quality = Quality(
        width=600,
        height=450,
        sharpness=float(random.uniform(0.3, 0.6)),
        brightness=float(random.uniform(0.5, 0.7)),
        contrast=0.1,
        marks=("blurred",) if number % 20 == 0 else ("small",) if number % 9 == 0 else (),
    )
    device = ("one", "two", "three", None)[0 if number < 150 else 1 if number < 197 else 2 if number < 199 else 3]
    plain = {
        "cluster_id": f"patient{number // 2:04d}",
        "quality": quality,
        "device": device,
        "split": ("calibrate", "test")[number // 2 % 2],
    }
    return a_case(number, **plain | fields)


def some_answers(count):
    """Return answers of which one in ten is withheld, and one in twenty for its distance."""
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([6, 3, 1], count)
    signals = Signals(1 - probabilities.max(axis=1), np.zeros(count), np.arange(count, dtype=np.float64))
    abstained = np.arange(count) % 10 == 0
    return Answers(probabilities, (), signals, None, abstained, ((),) * count)


def a_watching_bundle():
    """Return a bundle that withholds an answer beyond the distance 89 of 100 of its own pictures."""
    own = Signals(*(np.arange(100.0) for _ in range(3)))
    return a_bundle(acceptance=choose_acceptance(own, [str(n) for n in range(100)], cluster_kind="patient", share=0.9))


def test_only_what_nothing_was_learned_from_counts_and_each_cluster_once():
    """Calibrate and test, settled or not; a picture that no answer is given to counts as a picture."""
    others = [a_seen_case(900 + number, split=split) for number, split in enumerate(("train", "tune"))]
    unsettled = a_seen_case(801, diagnosis=None, indeterminate="unresolved votes", cluster_id="unsettled")
    poor = a_seen_case(800, cluster_id="poor", indeterminate="poor picture")

    drawn = draw_cases(a_manifest([*(a_seen_case(number) for number in range(200)), *others, unsettled, poor]))

    assert len(drawn.cases) == 102
    assert set(Counter(case.cluster_id for case in drawn.cases).values()) == {1}
    assert {"unsettled"} <= {case.cluster_id for case in drawn.cases[: drawn.judged]}
    assert "poor" in {case.cluster_id for case in drawn.cases[drawn.judged :]}
    assert not {case.split for case in drawn.cases} - {"calibrate", "test"}


def test_the_draw_does_not_depend_on_the_order_of_the_table():
    """Chance is keyed by the pictures."""
    cases = [a_seen_case(number) for number in range(100)]

    one, other = (draw_cases(a_manifest(rows)).cases for rows in (cases, cases[::-1]))

    assert {case.case_id for case in one} == {case.case_id for case in other}


def test_what_is_counted_adds_up():
    """Every picture in one bin of each number, every answer in one diagnosis, and the shares as they are."""
    cases = [a_seen_case(number, cluster_id=str(number)) for number in range(200)]
    answers = some_answers(180)

    told = counted(cases, answers, a_watching_bundle())

    sums = {name: sum(each["clusters"]) for name, each in told["numbers"].items()}
    assert sums == dict.fromkeys(("sharpness", "brightness", "contrast", "width", "height"), 200) | dict.fromkeys(
        ("probability", "distance"), 180
    )
    assert told["numbers"]["width"]["clusters"] == [0, 200, 0]
    first = told["kinds"]["first"]
    assert sum(first["clusters"].values()) + first["of_others"] == 180
    assert first["clusters"]["a"] == int((answers.probabilities.argmax(axis=1) == 0).sum())
    assert told["kinds"]["device"] == {"clusters": {"one": 150}, "others": ["three", "two"], "of_others": 49}
    assert told["shares"]["abstained"] == {"clusters": 18, "of": 180}
    assert told["shares"]["unusual"]["clusters"] == pytest.approx(90, abs=6)
    assert told["shares"]["marked"] == {"clusters": 10 + 23 - 2, "of": 200}  # every twentieth, every ninth, two both


def test_a_bundle_that_never_abstains_has_no_such_share():
    """What is not known is not there."""
    told = counted([a_case(number) for number in range(20)], some_answers(20), a_bundle())

    assert told["shares"] == {}
    assert told["numbers"].keys() == {"probability", "distance"}
    assert "device" not in told["kinds"]


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60))
def test_no_word_tells_of_fewer_than_five(words):
    """Rare words stand together, with as many others as hide them, and nothing is lost."""
    told = kinds_told(words, known="abcdefgh")

    if told is None:
        assert len(words) < FEWEST
        return
    assert all(count >= FEWEST for count in told["clusters"].values())
    assert told["of_others"] == 0 or told["of_others"] >= FEWEST
    assert sum(told["clusters"].values()) + told["of_others"] == len(words)
    assert {*told["clusters"], *told["others"]} == set("abcdefgh")


@pytest.mark.parametrize(("holds", "told"), [(0, 0), (1, None), (4, None), (5, 5), (95, 95), (97, None), (100, 100)])
def test_a_share_of_few_is_not_told(holds, told):
    """Neither of the few for whom it holds, nor of the few for whom it does not."""
    assert share_told(np.arange(100) < holds) == {"clusters": told, "of": 100}


def test_a_release_carries_its_reference_and_nobodys_row(tmp_path):
    """It is made from the same evaluation as the rest, and names neither a case nor a patient."""
    workspace = an_evaluated_workspace(tmp_path / "work")

    release(workspace, "invented", parts=FAKE)

    made = read_release(workspace.release("invented"))
    content = made.read("reference.json").decode()
    said = json.loads(content)
    assert said["splits"] == ["calibrate", "test"]
    assert said["clusters"] == said["pictures"] == 30
    assert said["made_from"]["weights"] == made.bundle.weights_sha256
    assert sum(said["numbers"]["probability"]["clusters"]) == 30
    assert "case00" not in content
    assert "patient00" not in content
