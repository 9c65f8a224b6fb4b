"""What not answering gains and loses, held against plain loops."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from cutis.evaluate.abstention import ACCURACIES, COMBINED, COVERED, RISKS, abstention_of, answered_at, signals_with
from cutis.runtime.predict import Answers
from cutis.runtime.trust import Signals, abstentions, choose_acceptance, combined
from cutis.stats.intervals import clusters_in, resample
from cutis.stats.proportions import wilson
from cutis.vocabulary.chance import chance
from factories import some_predictions

MALIGNANT = np.array([False, False, True])
ROUNDS = 40


def some_signals(cases, *, seed=0):
    """Three signals with ties in the second."""
    random = np.random.default_rng(seed)
    return Signals(random.random(cases), random.integers(0, 6, cases) / 6, random.random(cases) * 9)


def some_acceptance(*, share=0.8, clusters=60):
    return choose_acceptance(
        some_signals(clusters, seed=1), [f"own{n}" for n in range(clusters)], cluster_kind="patient", share=share
    )


def some_answers(predictions, acceptance, *, abstained=None):
    signals = some_signals(len(predictions))
    who, why = abstentions(signals, acceptance)
    return Answers(
        predictions.probabilities,
        (),
        signals,
        combined(signals, acceptance),
        who if abstained is None else abstained,
        why,
    )


def abstained_from(predictions, *, abstained=None, malignant=MALIGNANT, rounds=ROUNDS):
    acceptance = some_acceptance()
    answers = some_answers(predictions, acceptance, abstained=abstained)
    generator = chance(0, "test")
    found = abstention_of(predictions, answers, acceptance, malignant=malignant, generator=generator, rounds=rounds)
    return answers, found


def by_trust(signal):
    """The sets of cases that can be answered together: all up to a signal, the most trusted first."""
    return [[case for case, own in enumerate(signal) if own <= limit] for limit in sorted(set(signal))]


def risk_by_hand(signal, wrong, coverage, weights=None):
    """The share of wrong answers among the fewest cases that make up the coverage."""
    weights = np.ones(len(signal)) if weights is None else weights
    for members in by_trust(signal):
        if weights[members].sum() >= coverage * weights.sum() - 1e-9:
            return np.average(wrong[members], weights=weights[members])
    raise AssertionError


def test_the_risk_at_each_coverage_is_that_of_a_loop():
    """Of each of the three signals and of the one that joins them; the accuracies are one less such risks."""
    predictions = some_predictions(cases=80)

    answers, found = abstained_from(predictions)

    wrong = (predictions.probabilities.argmax(axis=1) != predictions.truth).astype(float)
    signals = signals_with(answers.signals, answers.unusual)
    assert list(found.risk) == ["uncertainty", "disagreement", "distance", COMBINED]
    for name, signal in signals.items():
        by_hand = [risk_by_hand(signal, wrong, coverage) for coverage in COVERED]
        assert [each.value for each in found.risk[name]] == pytest.approx(by_hand)
        for what, coverage in ACCURACIES.items():
            assert found.by_signal[name][what].value == pytest.approx(1 - risk_by_hand(signal, wrong, coverage))
    assert found.risk["distance"][-1].value == pytest.approx(wrong.mean())


def test_intervals_hold_the_rounds_that_drew_whole_patients():
    """Each round answers the share of the cases that it drew."""
    predictions = some_predictions(cases=80)

    answers, found = abstained_from(predictions)

    wrong = (predictions.probabilities.argmax(axis=1) != predictions.truth).astype(float)
    drawn = np.concatenate(list(resample(clusters_in(predictions), rounds=ROUNDS, generator=chance(0, "test"))))
    risks = [risk_by_hand(answers.signals.distance, wrong, 0.5, weights) for weights in drawn]
    estimate = found.risk["distance"][COVERED.index(0.5)]
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(risks, [0.025, 0.975], method="weibull")))


def test_the_area_is_the_mean_risk_over_cases_as_they_come_to_be_answered():
    """And the excess what is left of it when every wrong answer comes last."""
    predictions = some_predictions(cases=80)

    answers, found = abstained_from(predictions)

    wrong = (predictions.probabilities.argmax(axis=1) != predictions.truth).astype(float)
    for name, signal in signals_with(answers.signals, answers.unusual).items():
        area = np.mean([wrong[signal <= own].mean() for own in signal])
        rate = wrong.mean()
        best = rate + (1 - rate) * math.log(1 - rate)
        assert found.by_signal[name]["aurc"].value == pytest.approx(area)
        assert found.by_signal[name]["excess_aurc"].value == pytest.approx(area - best)


def test_a_risk_rests_on_those_that_are_answered():
    """Four of eighty cases are no eighty, and where none of them is wrong this proves as little as four cases can."""
    predictions = some_predictions(cases=80, cluster_ids=tuple(f"patient{n}" for n in range(80)))
    right = some_predictions(
        cases=80, cluster_ids=predictions.cluster_ids, probabilities=0.1 + 0.7 * np.eye(3)[predictions.truth]
    )

    answers, found = abstained_from(right)

    first = found.risk["distance"][0]
    assert np.count_nonzero(answered_at(answers.signals.distance, 0.05)) == 4
    assert (first.value, first.clusters) == (0.0, 4)
    assert (first.low, first.high) == pytest.approx(tuple(wilson(0, 4)))
    assert "only 4 patients: too few" in first.note
    assert found.risk["distance"][-1].clusters == 80
    assert found.by_signal["disagreement"]["accuracy_at_80"].clusters == np.count_nonzero(
        answered_at(answers.signals.disagreement, 0.8)
    )


@pytest.mark.parametrize("coverage", [0.05, 0.2, 0.5, 0.95, 1.0])
def test_those_that_are_answered_at_a_coverage_are_the_fewest(coverage):
    """With all that have the signal of the last one; one less and they would not make up the share."""
    signal = some_signals(60).disagreement

    answered = answered_at(signal, coverage)

    fewer = signal < signal[answered].max()
    assert answered.mean() >= coverage
    assert fewer.mean() < coverage
    assert answered.tolist() == (signal <= signal[answered].max()).tolist()


def test_shares_of_the_rule_are_counted():
    """Who is answered, how rightly, and what becomes of the malignant."""
    predictions = some_predictions(cases=80)

    answers, found = abstained_from(predictions)

    said, truth, abstained = predictions.probabilities.argmax(axis=1), predictions.truth, answers.abstained
    rows = list(zip(said, truth, abstained, strict=True))
    by_hand = {
        "answered": [not left for _, _, left in rows],
        "accuracy": [say == true for say, true, _ in rows],
        "accuracy_where_answered": [say == true for say, true, left in rows if not left],
        "accuracy_where_abstained": [say == true for say, true, left in rows if left],
        "answered/b": [not left for _, true, left in rows if true == 1],
        "malignant_called_benign": [say != 2 for say, true, _ in rows if true == 2],
        "malignant_called_benign_and_answered": [say != 2 and not left for say, true, left in rows if true == 2],
        "malignant_answered": [not left for _, true, left in rows if true == 2],
        "benign_answered": [not left for _, true, left in rows if true != 2],
    }
    assert 0 < abstained.sum() < 80
    assert {name: found.estimates[name].value for name in by_hand} == pytest.approx(
        {name: np.mean(each) for name, each in by_hand.items()}
    )
    assert set(found.estimates) - set(by_hand) == {"answered/a", "answered/c", "answered_of_one_picture"}


def test_the_wanted_share_is_meant_for_one_picture_of_a_patient():
    """One patient with eighteen unanswered pictures is one of three."""
    predictions = some_predictions(cases=20, cluster_ids=("many",) * 18 + ("one", "two"))

    _, found = abstained_from(predictions, abstained=np.arange(20) < 18)

    assert found.estimates["answered"].value == pytest.approx(0.1)
    assert found.estimates["answered_of_one_picture"].value == pytest.approx(2 / 3)


def test_nobody_abstained_from_leaves_the_other_side_empty():
    """None, and of whom; the answered are all."""
    _, found = abstained_from(some_predictions(), abstained=np.zeros(60, dtype=bool))

    assert found.estimates["accuracy_where_abstained"].value is None
    assert found.estimates["accuracy_where_abstained"].note == "no patients that are not answered"
    assert found.estimates["accuracy_where_answered"].value == found.estimates["accuracy"].value
    assert found.estimates["answered"].high == 1.0


def test_everybody_abstained_from_leaves_nobody_answered():
    """No accuracy where it answers, and no missed malignancy that was answered."""
    _, found = abstained_from(some_predictions(), abstained=np.ones(60, dtype=bool))

    assert found.estimates["accuracy_where_answered"].value is None
    assert found.estimates["accuracy_where_answered"].note == "no patients that are answered"
    assert found.estimates["answered"].value == 0.0
    assert found.estimates["malignant_called_benign_and_answered"].value == 0.0


def test_where_nobody_is_malignant_their_shares_are_none():
    """Said of whom there is nobody; a diagnosis that nobody has likewise."""
    _, found = abstained_from(some_predictions(truth=np.arange(60) % 2))

    for name in ("malignant_called_benign", "malignant_called_benign_and_answered", "malignant_answered"):
        assert found.estimates[name].value is None
        assert found.estimates[name].note == "no patients with a malignant diagnosis"
    assert found.estimates["answered/c"].note == "no patients with c"


def test_without_malignancy_nothing_is_said_of_it():
    """Where all diagnoses are alike in it."""
    _, found = abstained_from(some_predictions(), malignant=None)

    assert not any("malignant" in name for name in found.estimates)


def test_one_patient_alone_is_named_as_too_few():
    """In every figure, as plain data."""
    _, found = abstained_from(some_predictions(cluster_ids=("patient",) * 60))

    said = json.loads(json.dumps(found.content(), allow_nan=False))
    assert "only 1 patient" in said["by_signal"]["distance"]["aurc"]["note"]
    assert said["by_signal"]["distance"]["aurc"]["low"] is None
    assert all("only 1 patient" in each["note"] for each in said["risk_coverage"]["risk"]["distance"])


def test_what_is_written_down_reads_without_the_code():
    """Wanted share, what each signal means, and a curve point for each coverage."""
    _, found = abstained_from(some_predictions())

    said = json.loads(json.dumps(found.content(), allow_nan=False))
    assert (said["wanted"], said["clusters"], said["abstains"]) == (0.8, 60, True)
    assert set(said["meanings"]) == set(said["by_signal"]) == set(said["risk_coverage"]["risk"])
    assert said["risk_coverage"]["coverage"] == list(RISKS.values())
    assert all(len(line) == len(COVERED) for line in said["risk_coverage"]["risk"].values())


@pytest.mark.parametrize("lacking", ["truth", "signals", "unusual"])
def test_without_truth_or_signals_nothing_is_measured(lacking):
    """A mistake of the caller."""
    predictions = some_predictions(**({"truth": None} if lacking == "truth" else {}))
    acceptance = some_acceptance()
    answers = some_answers(predictions, acceptance)
    if lacking != "truth":
        answers = answers._replace(**{lacking: None})

    with pytest.raises(ValueError, match="a truth and by signals"):
        abstention_of(predictions, answers, acceptance, malignant=None, generator=chance(0))
