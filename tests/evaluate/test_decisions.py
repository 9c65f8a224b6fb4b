"""What *malignant or not* is worth where it is used, held against counting by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cutis.evaluate.decisions import OWN, THRESHOLDS, checked_prevalences, decisions_of, mixes
from cutis.stats.intervals import clusters_in, resample
from cutis.vocabulary.chance import chance
from cutis.vocabulary.errors import UserError
from factories import some_predictions

MALIGNANT = np.array([False, True, True])
ROUNDS = 40


def decided(predictions, *, threshold=0.5, prevalences=(0.02, 0.3), rounds=ROUNDS, **options):
    return decisions_of(
        predictions,
        malignant=MALIGNANT,
        threshold=threshold,
        prevalences=prevalences,
        generator=chance(0, "test"),
        rounds=rounds,
        **options,
    )


def asked_of(predictions):
    """Probability of malignancy, and who is malignant."""
    return predictions.probabilities[:, 1] + predictions.probabilities[:, 2], predictions.truth > 0


def benefit_by_hand(score, has, limit, *, prevalence=None, weights=None):
    """True positives per person, less false ones at the price that the threshold says."""
    weights = np.ones(len(has)) if weights is None else weights
    ill = well = found = alarmed = 0.0
    for chances, is_ill, weight in zip(score, has, weights, strict=True):
        ill, well = ill + weight * is_ill, well + weight * (not is_ill)
        found += weight * (is_ill and chances >= limit)
        alarmed += weight * (not is_ill and chances >= limit)
    share = ill / (ill + well) if prevalence is None else prevalence
    return share * found / ill - (1 - share) * alarmed / well * limit / (1 - limit)


def moved_by_hand(score, before, after):
    """Odds times the ratio of the odds of both prevalences."""
    odds = score / (1 - score) * after / (1 - after) * (1 - before) / before
    return odds / (1 + odds)


def test_net_benefit_at_the_own_prevalence_is_that_of_a_count():
    """With probabilities as they are, beside treating everybody."""
    predictions = some_predictions(cases=157)

    found = decided(predictions)

    score, has = asked_of(predictions)
    lines = found.net_benefit[OWN]
    assert found.own == pytest.approx(has.mean())
    assert [each.value for each in lines["network"]] == pytest.approx(
        [benefit_by_hand(score, has, limit) for limit in THRESHOLDS]
    )
    assert [each.value for each in lines["all"]] == pytest.approx(
        [has.mean() - (1 - has.mean()) * limit / (1 - limit) for limit in THRESHOLDS]
    )


def test_at_a_stated_prevalence_probabilities_are_those_for_it():
    """Moved from the test's own prevalence, unless it is known of which prevalence they are."""
    predictions = some_predictions(cases=157)

    found, known = decided(predictions), decided(predictions, meant_for=0.5)

    score, has = asked_of(predictions)
    for decisions, before in ((found, has.mean()), (known, 0.5)):
        moved = moved_by_hand(score, before, 0.02)
        assert [each.value for each in decisions.net_benefit["0.02"]["network"]] == pytest.approx(
            [benefit_by_hand(moved, has, limit, prevalence=0.02) for limit in THRESHOLDS]
        )
    assert known.net_benefit[OWN] == found.net_benefit[OWN]
    everybody = [each.value for each in found.net_benefit["0.02"]["all"]]
    assert everybody == pytest.approx([0.02 - 0.98 * limit / (1 - limit) for limit in THRESHOLDS])


def test_what_is_known_without_a_test_has_no_interval():
    """Treating everybody at a stated prevalence hangs on no case."""
    found = decided(some_predictions(cases=157)).net_benefit["0.02"]["all"]

    assert all((each.low, each.high) == (None, None) for each in found)
    assert all("all rounds of resampling agree" in each.note for each in found)


def test_intervals_hold_the_rounds_that_drew_whole_patients():
    """Each round counts the cases that it drew."""
    predictions = some_predictions(cases=90)

    found = decided(predictions)

    score, has = asked_of(predictions)
    drawn = np.concatenate(list(resample(clusters_in(predictions), rounds=ROUNDS, generator=chance(0, "test"))))
    moved, limit = moved_by_hand(score, has.mean(), 0.3), 0.1
    rounds = [benefit_by_hand(moved, has, limit, prevalence=0.3, weights=weights) for weights in drawn]
    estimate = found.net_benefit["0.3"]["network"][THRESHOLDS.index(limit)]
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(rounds, [0.025, 0.975], method="weibull")))


def test_predictive_values_of_the_test_are_shares_of_those_who_got_the_answer():
    """The very figures of the evidence, with Wilson's interval by patient."""
    predictions = some_predictions(cases=157)

    found = decided(predictions).predictive_values[OWN]

    score, has = asked_of(predictions)
    flagged = score >= 0.5
    assert found["ppv"].value == pytest.approx(has[flagged].mean())
    assert found["npv"].value == pytest.approx((~has)[~flagged].mean())
    assert found["ppv"].method == "Wilson, clustered by patient"
    assert found["ppv"].clusters == len({predictions.cluster_ids[case] for case in np.flatnonzero(flagged)})


def test_predictive_values_at_a_stated_prevalence_follow_bayes():
    """From sensitivity and specificity at the same threshold."""
    predictions = some_predictions(cases=157)

    found = decided(predictions).predictive_values["0.02"]

    score, has = asked_of(predictions)
    sensitivity, specificity = (score[has] >= 0.5).mean(), (score[~has] < 0.5).mean()
    assert found["ppv"].value == pytest.approx(
        0.02 * sensitivity / (0.02 * sensitivity + 0.98 * (1 - specificity)), abs=1e-12
    )
    assert found["npv"].value == pytest.approx(
        0.98 * specificity / (0.98 * specificity + 0.02 * (1 - sensitivity)), abs=1e-12
    )
    assert found["ppv"].low < found["ppv"].value < found["ppv"].high


def test_no_false_alarm_in_a_small_test_is_no_certain_predictive_value():
    """At 2 % a single one would make it small; all rounds agree on 1, and no interval is made of it."""
    predictions = some_predictions(cases=120)
    never_wrong = np.where(predictions.truth[:, None] == 0, [0.9, 0.05, 0.05], predictions.probabilities)

    found = decided(some_predictions(cases=120, probabilities=never_wrong)).predictive_values

    there = found["0.02"]["ppv"]
    assert there.value == 1.0
    assert (there.low, there.high) == (None, None)
    assert "all rounds of resampling agree" in there.note
    assert "too near 1 for" in there.note
    assert "with a benign diagnosis" in there.note
    assert 0.8 < found[OWN]["ppv"].low < found[OWN]["ppv"].high == 1.0


def test_a_predictive_value_of_an_answer_that_nobody_got_is_none():
    """The threshold lies above all."""
    found = decided(some_predictions(), threshold=1.0).predictive_values

    for at in (OWN, "0.02", "0.3"):
        assert found[at]["ppv"].value is None
        assert "no patients with such an answer" in found[at]["ppv"].note
    assert found["0.02"]["npv"].value == pytest.approx(0.98)


def test_without_a_threshold_there_are_no_predictive_values():
    """A bundle of an early format has none; its decision curve is there all the same."""
    found = decided(some_predictions(), threshold=None)

    assert found.predictive_values == {}
    assert set(found.net_benefit) == {OWN, "0.02", "0.3"}


@pytest.mark.parametrize("kind", [0, 2], ids=["nobody", "everybody"])
def test_a_test_of_one_side_alone_decides_nothing(kind):
    """Nobody malignant, or everybody."""
    assert decided(some_predictions(truth=np.full(60, kind))) is None


def test_one_patient_alone_gives_no_interval():
    """All rounds are the same."""
    found = decided(some_predictions(cluster_ids=("patient",) * 60))

    said = json.loads(json.dumps(found.content(), allow_nan=False))
    curves = [each for lines in said["net_benefit"].values() for line in lines.values() for each in line]
    values = [each for pair in said["predictive_values"].values() for each in pair.values()]
    assert all(each["low"] is None and "only 1 patient" in each["note"] for each in (*curves, *values))


def test_what_is_written_down_reads_without_the_code():
    """Thresholds in the order of the lines, prevalences, and what is assumed."""
    found = decided(some_predictions())

    said = json.loads(json.dumps(found.content(), allow_nan=False))
    assert said["thresholds"] == list(THRESHOLDS)
    assert said["prevalences"] == [0.02, 0.3]
    assert set(said["predictive_values"]) == set(said["net_benefit"]) == {OWN, "0.02", "0.3"}
    assert all(len(line) == len(THRESHOLDS) for line in said["net_benefit"]["0.02"].values())
    assert "only its frequency differs" in said["assumed"]


def test_another_mix_keeps_that_among_the_malignant_and_among_the_benign():
    """And one has all diagnoses that the test contains alike."""
    predictions = some_predictions(cases=10, truth=np.array([0] * 5 + [1] * 4 + [2]))

    found = mixes(predictions, malignant=MALIGNANT, prevalences=[0.1])

    assert found["prevalence_0.1"] == pytest.approx([0.9, 0.08, 0.02])
    assert found["equal_prevalences"] == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(("kind", "alike"), [(0, [1, 0, 0]), (2, [0, 0, 1])])
def test_a_test_of_one_side_alone_has_no_other_mix(kind, alike):
    """What does not occur has no share in any."""
    found = mixes(some_predictions(truth=np.full(60, kind)), malignant=MALIGNANT, prevalences=[0.1])

    assert list(found) == ["equal_prevalences"]
    assert found["equal_prevalences"].tolist() == alike


def test_prevalences_come_once_and_in_order():
    """However they are given."""
    assert checked_prevalences([0.2, 0.02, 0.2]) == (0.02, 0.2)
    assert checked_prevalences([]) == ()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 2.0, float("nan"), float("inf")])
def test_what_is_no_prevalence_is_one_error(share):
    """That names it and what to give."""
    with pytest.raises(UserError, match="is no prevalence") as error:
        checked_prevalences([0.1, share])

    assert f"{share:g}" in error.value.what
    assert error.value.mend == "give a share, such as 0.02"
