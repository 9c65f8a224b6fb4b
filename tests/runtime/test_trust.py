"""When not to answer: signals, what joins them, and what is said of a refusal."""

from __future__ import annotations

import json
import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.numpy import load, save

from cutis.runtime.trust import (
    Signals,
    abstentions,
    acceptance_from,
    choose_acceptance,
    combined,
    disagreement,
    fit_reference,
    reference_from,
    signals_of,
)
from cutis.stats.calibration import softmax
from cutis.vocabulary.outputs import Outputs

TEMPERATURES = (1.0,) * 7 + (1.5,)


def some_outputs(pictures=200, *, seed=0, width=6, kinds=3):
    """What a network says: features and logits around the diagnosis, at every depth more so."""
    random = np.random.default_rng(seed)
    diagnosis = np.arange(pictures) % kinds
    hint = np.eye(kinds)[diagnosis]
    depths = [random.normal(size=(pictures, kinds)) + depth / 3 * hint for depth in range(1, 9)]
    features = random.normal(size=(pictures, width)) + 3 * np.eye(kinds, width)[diagnosis]
    return Outputs(depths[-1], tuple(depths[:-1]), features.astype(np.float32), None), diagnosis


def heard(outputs, reference):
    """The signals of what a network says."""
    chances = softmax(outputs.logits, TEMPERATURES[-1])
    return signals_of(outputs, reference, probabilities=chances, temperatures=TEMPERATURES)


@pytest.fixture(scope="module")
def reference():
    """A reference that was fitted on other pictures."""
    outputs, diagnosis = some_outputs(300, seed=1)
    return fit_reference(outputs.features, diagnosis, kinds=3)


@pytest.fixture(scope="module")
def acceptance(reference):
    """An acceptance of 95 % on the pictures of a hundred patients, two each."""
    signals = heard(some_outputs()[0], reference)
    return choose_acceptance(signals, [f"patient{at // 2}" for at in range(200)], cluster_kind="patient")


def taken(outputs, at):
    """The outputs of some pictures, in this order."""
    return Outputs(outputs.logits[at], tuple(each[at] for each in outputs.auxiliary_logits), outputs.features[at], None)


def test_signals_come_without_scipy_and_torch():
    """They stand on the way to an answer."""
    heavy = "('scipy', 'sklearn', 'pandas', 'torch')"
    script = f"import sys, cutis.runtime.trust; sys.exit(any(n in sys.modules for n in {heavy}))"

    finished = run([sys.executable, "-c", script], check=False)

    assert finished.returncode == 0


def test_uncertainty_is_what_the_answer_leaves_over(reference):
    """One less the highest probability."""
    outputs, _ = some_outputs()

    found = heard(outputs, reference).uncertainty

    assert_allclose(found, 1 - softmax(outputs.logits, 1.5).max(axis=1))


def test_classifiers_that_say_the_same_do_not_disagree_however_undecided():
    """And two that are sure of different things disagree by ln 2."""
    sure, other = np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]])
    undecided = np.full((1, 3), 1 / 3)

    assert_allclose(disagreement([undecided] * 8), 0, atol=1e-12)
    assert_allclose(disagreement([sure, other]), np.log(2))


def test_a_network_without_auxiliary_classifiers_never_disagrees(reference):
    """Its signal is 0 everywhere, and takes nothing from the others."""
    outputs, _ = some_outputs()
    alone = Outputs(outputs.logits, (), outputs.features, None)
    chances = softmax(outputs.logits, 1.5)

    signals = signals_of(alone, reference, probabilities=chances, temperatures=(1.5,))
    acceptance = choose_acceptance(signals, [str(at) for at in range(200)], cluster_kind="patient")

    assert_allclose(signals.disagreement, 0, atol=1e-12)
    assert 0.95 <= np.mean(~abstentions(signals, acceptance).abstained) < 1


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(20)))
def test_a_signal_does_not_depend_on_the_order_of_the_pictures(reference, order):
    """Each picture has its own."""
    outputs, _ = some_outputs()

    plain, shuffled = (heard(taken(outputs, list(at)), reference) for at in (range(20), order))

    for before, after in zip(plain, shuffled, strict=True):
        assert_allclose(after, before[list(order)], rtol=1e-9)


def test_of_the_split_it_was_chosen_on_the_stated_share_is_answered(reference):
    """Each patient counted once; here all have two pictures. Elsewhere about as many are answered."""
    own, new = (heard(some_outputs(pictures, seed=pictures)[0], reference) for pictures in (2000, 3000))
    acceptance = choose_acceptance(own, [f"patient{at // 2}" for at in range(2000)], cluster_kind="patient")

    answered = [np.mean(~abstentions(signals, acceptance).abstained) for signals in (own, new)]

    assert 0.95 <= answered[0] < 0.96
    assert answered[1] == pytest.approx(0.95, abs=0.015)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.sampled_from([-1e3, 1e3]))
def test_a_picture_far_from_all_that_was_learned_is_refused_however_sure_the_network_is(
    acceptance, reference, direction, far
):
    """And the reason is its distance alone."""
    sure = np.array([[30.0, 0.0, 0.0]])
    features = far * np.eye(6, dtype=np.float32)[direction : direction + 1]

    found = abstentions(heard(Outputs(sure, (sure,) * 7, features, None), reference), acceptance)

    assert found.abstained[0]
    assert found.reasons == (
        ("it is farther from what was learned than in all pictures of the 100 patients that it is compared with",),
    )


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_what_is_no_number_is_refused(acceptance, reference, broken):
    """A network that fails says nothing of value."""
    outputs, _ = some_outputs(1)
    features = np.full_like(outputs.features, broken)

    signals = heard(Outputs(outputs.logits, outputs.auxiliary_logits, features, None), reference)

    assert not np.isnan(signals.distance).any()
    assert abstentions(signals, acceptance).abstained.all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2), st.floats(0, 5))
def test_what_is_joined_never_falls_where_one_signal_rises(acceptance, reference, signal, step):
    """Monotone in each of the three."""
    before = heard(some_outputs(30, seed=4)[0], reference)

    after = before._replace(**{Signals._fields[signal]: before[signal] + step})

    assert (combined(after, acceptance) >= combined(before, acceptance)).all()


def test_whoever_is_refused_is_told_why_and_whoever_is_answered_is_not(acceptance, reference):
    """The most unusual signal comes first."""
    random = np.random.default_rng(0)
    signals = Signals(random.uniform(0, 1, 50), random.uniform(0, 0.5, 50), random.uniform(0, 60, 50))

    found = abstentions(signals, acceptance)

    assert found.abstained.any()
    assert_array_equal([bool(reasons) for reasons in found.reasons], found.abstained)
    assert_array_equal(found.abstained, combined(signals, acceptance) > acceptance.abstain_above)


def test_a_reason_says_how_unusual_the_picture_is():
    """In per cent of the clinic's own pictures, rounded down: two of 400 patients have one that is as odd."""
    rising = np.arange(400.0)
    acceptance = choose_acceptance(
        Signals(rising, rising, rising), [str(at) for at in range(400)], cluster_kind="patient"
    )
    signals = Signals(np.array([398.0]), np.zeros(1), np.zeros(1))

    (reasons,) = abstentions(signals, acceptance).reasons

    assert reasons == ("its most probable diagnosis is less probable than in 99.2 % of the clinic's own pictures",)


def test_with_too_few_patients_everything_is_answered_and_it_says_so(reference):
    """79 are needed for 95 %."""
    signals = heard(some_outputs(78)[0], reference)
    acceptance = choose_acceptance(signals, [str(at) for at in range(78)], cluster_kind="patient")

    found = abstentions(signals, acceptance)

    assert not found.abstained.any()
    assert found.reasons == ((),) * 78
    assert acceptance.warning == (
        "It answers every picture: 78 patients are too few to say which are unusual (79 are needed)."
    )


def test_one_that_abstains_has_nothing_to_warn_of(acceptance):
    """The warning is empty."""
    assert acceptance.warning == ""


def test_what_is_kept_is_read_back_and_refuses_the_same_pictures():
    """By JSON and safetensors, to the bit; and no array has a row for every picture it was fitted on."""
    learned, diagnosis = some_outputs(300, seed=1)
    reference = fit_reference(learned.features, diagnosis, kinds=3)
    own, new = (heard(some_outputs(200, seed=seed)[0], reference) for seed in (0, 5))
    acceptance = choose_acceptance(own, [str(at) for at in range(200)], cluster_kind="patient")

    tensors = load(save(reference.tensors() | acceptance.tensors()))
    again = acceptance_from(json.loads(json.dumps(acceptance.to_dict())), tensors)
    signals = heard(some_outputs(200, seed=5)[0], reference_from(tensors))

    assert_array_equal(signals.distance, new.distance)
    assert_array_equal(abstentions(signals, again).abstained, abstentions(new, acceptance).abstained)
    assert again.to_dict() == acceptance.to_dict()
    assert max(max(each.shape, default=1) for each in reference.tensors().values()) < 300


def test_a_picture_that_stirs_nothing_is_refused(acceptance, reference):
    """Its features are weak, or none at all: in the middle of all others, but for their length."""
    outputs, _ = some_outputs(40)

    for weakness in (0.01, 0.0):
        weak = outputs._replace(features=weakness * outputs.features)

        assert abstentions(heard(weak, reference), acceptance).abstained.all()


def test_a_tensor_that_is_missing_is_named(reference):
    """A torn file is no reference."""
    tensors = reference.tensors()
    del tensors["learned.directions"]

    with pytest.raises(KeyError, match=r"learned\.directions"):
        reference_from(tensors)
