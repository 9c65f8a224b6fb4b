"""Maps of probabilities: what they undo, what they leave alone, and which is chosen."""

from __future__ import annotations

import json
import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cutis.stats.calibration import softmax
from cutis.stats.metrics import log_losses
from cutis.stats.recalibration import (
    MAPS,
    Recalibration,
    choose_recalibration,
    fit_recalibration,
    recalibrated,
    recalibration_from,
)
from cutis.vocabulary.chance import chance


def drawn(cases, *, kinds=3, per_cluster=2, seed=0, scale=2.0):
    """Logits, the truth that they describe exactly, and the cluster of each case."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=scale, size=(cases, kinds))
    truth = (random.random((cases, 1)) > softmax(logits).cumsum(axis=1)).sum(axis=1)
    return logits, truth, np.arange(cases) // per_cluster


def chosen(probabilities, truth, of_case, **fields):
    return choose_recalibration(probabilities, truth, of_case=of_case, generator=chance(0, "folds"), **fields)


def test_well_calibrated_probabilities_are_left_alone():
    """Identity wins against three maps that could at best do nothing."""
    logits, truth, of_case = drawn(3000)

    found = chosen(softmax(logits), truth, of_case)

    assert found.recalibration == Recalibration(kind="identity")
    assert [trial.kind for trial in found.trials] == list(MAPS)


def test_a_network_too_sure_of_itself_gets_a_temperature():
    """Logits twice too large: T = 2, and no more pliable map."""
    logits, truth, of_case = drawn(3000)

    found = chosen(softmax(2 * logits), truth, of_case).recalibration

    assert found.kind == "temperature"
    assert found.values[0][0] == pytest.approx(2, rel=0.1)


def test_wrong_biases_get_a_vector():
    """A bias for each diagnosis undoes what one temperature cannot."""
    logits, truth, of_case = drawn(3000)
    said = softmax(2 * logits + [1.5, 0, -1.5])

    found = chosen(said, truth, of_case).recalibration

    assert found.kind == "vector"
    assert np.abs(said - softmax(logits)).mean() > 0.1
    assert np.abs(recalibrated(said, found) - softmax(logits)).mean() < 0.01


def test_a_bent_probability_gets_a_curve():
    """A probability pushed towards one half and past it: only a curve finds the way back."""
    random = np.random.default_rng(0)
    meant = random.random(4000)
    truth = (random.random(4000) < meant).astype(np.int64)
    said = 0.5 + 4 * (meant - 0.5) ** 3

    found = chosen(np.column_stack([1 - said, said]), truth, np.arange(4000)).recalibration

    assert found.kind == "isotonic"
    assert np.abs(recalibrated(np.column_stack([1 - said, said]), found)[:, 1] - meant).mean() < 0.03


def test_curves_are_not_tried_on_few_clusters():
    """999 patients are too few, however many pictures they have."""
    logits, truth, of_case = drawn(1998)

    few, enough = chosen(softmax(logits), truth, of_case), chosen(*_with_one_more(logits, truth, of_case))

    assert [trial.kind for trial in few.trials] == ["identity", "temperature", "vector"]
    assert [trial.kind for trial in enough.trials] == ["identity", "temperature", "vector", "isotonic"]


def _with_one_more(logits, truth, of_case):
    return softmax(np.vstack([logits, logits[:1]])), np.append(truth, truth[0]), np.append(of_case, of_case.max() + 1)


def test_a_difference_that_chance_explains_leaves_the_simplest():
    """The chosen kind need not have the lowest log loss, only one within a standard error of it."""
    logits, truth, of_case = drawn(200, seed=6)

    found = chosen(softmax(1.05 * logits), truth, of_case)

    trials = {trial.kind: trial for trial in found.trials}
    assert trials["temperature"].above_best == 0
    assert 0 < trials["identity"].above_best < trials["identity"].standard_error
    assert found.recalibration.kind == "identity"


def test_pictures_of_a_patient_are_no_independent_evidence():
    """The same pictures ten times over, as ten pictures of each patient: what is chosen by them stays the same."""
    logits, truth, of_case = drawn(150, per_cluster=1, seed=5)
    rows = np.repeat(np.arange(150), 10)

    once = chosen(softmax(1.3 * logits), truth, of_case)
    copied = chosen(softmax(1.3 * logits)[rows], truth[rows], of_case[rows])

    # The ridge alone sees more cases; identity and temperature come out the same.
    for before, after in list(zip(once.trials, copied.trials, strict=True))[:2]:
        assert after.log_loss == pytest.approx(before.log_loss)
    assert once.recalibration.kind == copied.recalibration.kind


def test_no_patient_is_in_two_folds(monkeypatch):
    """Each of five fits lacks eight of forty patients with all their pictures, and every patient is lacked once."""
    truth = np.repeat(np.arange(40) % 2, 6)
    of_case = np.repeat(np.arange(40), 6)
    seen = []

    def learn(probabilities, _truth, _weights):
        seen.append(set(probabilities[:, 0]))
        return ()

    monkeypatch.setitem(MAPS, "spy", MAPS["identity"]._replace(fit=learn))

    chosen(np.column_stack([of_case / 100, 1 - of_case / 100]), truth, of_case)

    everybody = set.union(*seen)
    unseen = [everybody - learned for learned in seen]
    assert [len(fold) for fold in unseen] == [8] * 5
    assert set.union(*unseen) == everybody


def test_the_same_chance_deals_the_same_folds():
    """And another one deals others."""
    logits, truth, of_case = drawn(300)

    first, again = (chosen(softmax(2 * logits), truth, of_case) for _ in range(2))
    other = choose_recalibration(softmax(2 * logits), truth, of_case=of_case, generator=chance(1, "folds"))

    assert first == again
    assert first.trials != other.trials


def test_one_patient_alone_is_refused():
    """Nobody would be left unseen."""
    logits, truth, _ = drawn(10)

    with pytest.raises(ValueError, match="two clusters"):
        chosen(softmax(logits), truth, np.zeros(10, dtype=np.int64))


@pytest.mark.parametrize("kind", ["temperature", "vector", "isotonic"])
def test_a_weight_of_three_is_a_case_counted_three_times(kind):
    """For every map that learns; the ridge and the floor go by how many rows there are, which differs a little."""
    logits, truth, _ = drawn(80)
    times = np.random.default_rng(1).integers(1, 4, 80)
    rows = np.repeat(np.arange(80), times)
    said = softmax(1.5 * logits)

    weighted = fit_recalibration(kind, said, truth=truth, weights=times.astype(np.float64))
    counted = fit_recalibration(kind, said[rows], truth=truth[rows])

    tolerance = 0.05 if kind == "vector" else 0.02 if kind == "isotonic" else 1e-9
    assert_allclose(recalibrated(said, weighted), recalibrated(said, counted), atol=tolerance)


@pytest.mark.parametrize("kind", list(MAPS))
def test_a_map_is_plain_data_that_json_carries(kind):
    """To the last digit."""
    logits, truth, _ = drawn(60)
    fitted = fit_recalibration(kind, softmax(logits), truth=truth)

    back = recalibration_from(json.loads(json.dumps(fitted.to_dict())))

    assert back == fitted


def test_an_unknown_map_is_refused():
    """With the known ones named."""
    with pytest.raises(ValueError, match="identity, temperature, vector, isotonic"):
        recalibration_from({"kind": "beta", "values": []})


@pytest.mark.parametrize("kind", list(MAPS))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_map_gives_probabilities(kind, data):
    """Rows sum to one, nothing is negative, whatever was said: zeros, ones and equal rows too."""
    rows = data.draw(st.lists(st.tuples(*[st.integers(0, 3)] * 3).filter(any), min_size=6, max_size=20))
    said = np.array(rows) / np.array(rows).sum(axis=1, keepdims=True)
    truth = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows))))

    found = recalibrated(said, fit_recalibration(kind, said, truth=truth))

    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert_allclose(found.sum(axis=1), 1)


def test_a_curve_says_of_nothing_that_it_cannot_be():
    """A diagnosis that nobody with a low probability had keeps Laplace's 1 / (N + 2)."""
    said = np.column_stack([np.linspace(0, 1, 50), 1 - np.linspace(0, 1, 50)])
    truth = (said[:, 0] < 0.5).astype(np.int64)

    found = recalibrated(said, fit_recalibration("isotonic", said, truth=truth))

    assert found.min() == pytest.approx((1 / 52) / (1 + 1 / 52))
    assert log_losses(found, 1 - truth).max() < 4


def test_a_rare_diagnosis_cannot_run_away():
    """One case, always said to be the most probable: the ridge holds its scale and bias."""
    logits, truth, _ = drawn(500, kinds=4)
    truth[truth == 3] = 0
    logits[0], truth[0] = [-5, -5, -5, 9], 3

    scales, biases = fit_recalibration("vector", softmax(logits), truth=truth).values

    assert 0 <= scales[3] < 5
    assert abs(biases[3]) < 5


def test_maps_are_applied_without_scipy():
    """They stand on the way to an answer."""
    script = (
        "import sys, numpy as np; from cutis.stats.recalibration import Recalibration, recalibrated;"
        "p = np.full((2, 2), 0.5);"
        "[recalibrated(p, Recalibration(kind=k, values=v)) for k, v in (('identity', ()), ('temperature', ((2.0,),)),"
        " ('vector', ((1.0, 1.0), (0.0, 0.0))), ('isotonic', ((0.0, 1.0),) * 4))];"
        "sys.exit(any(n in sys.modules for n in ('scipy', 'sklearn')))"
    )

    assert run([sys.executable, "-c", script], check=False).returncode == 0
