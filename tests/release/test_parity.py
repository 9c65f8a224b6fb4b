"""A precision that answers otherwise than the trained network is not offered, and it is said why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cutis.release.parity import GATES, Gate, offered, parities, parity_of
from cutis.runtime.engines import OFFERS, open_engine
from cutis.stats.conformal import fit_set_thresholds
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.outputs import Outputs
from factories import a_bundle, a_picture, some_predictions

FP32, _, BF16, INT8 = OFFERS
CASES = 300


@pytest.fixture
def bundle():
    """Two auxiliary classifiers, a prediction set, and one malignant diagnosis."""
    settled = some_predictions(cases=CASES)
    of_case = np.arange(CASES) // 2
    thresholds = fit_set_thresholds(settled.probabilities, settled.truth, of_case=of_case, method="LAC", level=0.9)
    return a_bundle(temperatures=(1.0, 1.0, 1.0), sets=(thresholds,))


def pictures_of(settled, folder):
    paths = [folder / f"{case}.png" for case in settled.case_ids]
    for seed, path in enumerate(paths):
        a_picture(seed=seed).save(path)
    return paths


def _said(settled, *, noise=0.0):
    random = np.random.default_rng(1)
    logits = np.log(settled.probabilities) + noise * random.normal(size=settled.probabilities.shape)
    logits = logits.astype(np.float32)
    return Outputs(logits=logits, auxiliary_logits=(logits, logits), features=logits, maps=None)


def _of(offer, said, bundle):
    settled = some_predictions(cases=CASES)
    return parity_of(offer, said, reference=_said(settled), bundle=bundle, settled=settled)


def _failed(parity):
    return {verdict.gate.figure for verdict in parity.verdicts if not verdict.passed}


@pytest.mark.parametrize("offer", [FP32, BF16, INT8])
def test_what_says_the_same_passes_every_gate(bundle, offer):
    """All figures are nought, and each has been asked."""
    parity = _of(offer, _said(some_predictions(cases=CASES)), bundle)

    assert parity.passed
    assert [verdict.gate for verdict in parity.verdicts] == list(GATES[offer.precision])
    assert parity.figures["largest_probability_difference"].value == 0
    assert parity.figures["macro_auc_difference"].value == 0
    assert parity.figures["first_diagnosis_kept"].value == 1
    assert offered([parity]) == (offer,)


def test_rounding_passes_as_fp32_and_more_than_that_does_not(bundle):
    """One ten-thousandth of probability is the limit."""
    settled = some_predictions(cases=CASES)

    assert _of(FP32, _said(settled, noise=1e-6), bundle).passed
    assert _failed(_of(FP32, _said(settled, noise=1e-2), bundle)) >= {"largest_probability_difference"}


def test_a_spoiled_engine_is_refused_in_every_precision(bundle):
    """Noise in its logits turns answers, sets and figures; none of its precisions is offered."""
    spoiled = _said(some_predictions(cases=CASES), noise=1.5)

    found = [_of(offer, spoiled, bundle) for offer in OFFERS]

    assert offered(found) == ()
    assert _failed(found[0]) == {"largest_probability_difference", "first_diagnosis_changed_beyond_ties"}
    assert _failed(found[2]) >= {"first_diagnosis_kept", "macro_auc_difference", "sets_changed"}


def test_two_diagnoses_swapped_in_one_case_are_found_where_they_are_no_tie(bundle):
    """The figure is the share of cases; of three hundred one is too many for fp32, and few enough for bf16."""
    settled = some_predictions(cases=CASES)
    said = _said(settled)
    logits = said.logits.copy()
    row = int(np.argmax(np.sort(settled.probabilities, axis=1)[:, -1] * (settled.truth == 0)))
    first, second = np.argsort(logits[row])[[-1, -2]]
    logits[row, [first, second]] = logits[row, [second, first]]
    swapped = said._replace(logits=logits)

    assert _of(FP32, swapped, bundle).figures["first_diagnosis_changed_beyond_ties"].value == pytest.approx(1 / CASES)
    assert not _of(FP32, swapped, bundle).passed
    assert "first_diagnosis_kept" not in _failed(_of(BF16, swapped, bundle))


def test_missing_more_of_one_malignant_diagnosis_is_refused_whatever_the_rest_does(bundle):
    """A shift of its logit alone: the worst of all malignant diagnoses counts, under either way of answering."""
    said = _said(some_predictions(cases=CASES))
    shift = np.array([0, 0, -0.4], np.float32)

    parity = _of(INT8, said._replace(logits=said.logits + shift), bundle)

    assert "malignant_sensitivity_difference" in _failed(parity)
    assert parity.figures["malignant_sensitivity_difference"].value < -0.01
    assert parity.figures["malignant_sensitivity_difference"].low is not None


@pytest.mark.parametrize("offer", [FP32, BF16])
@pytest.mark.parametrize("where", ["logits", "features"])
def test_what_is_no_number_is_never_offered(bundle, offer, where):
    """In one case of three hundred; nothing else is computed of it."""
    said = _said(some_predictions(cases=CASES))
    broken = getattr(said, where).copy()
    broken[3, 0] = np.nan

    parity = _of(offer, said._replace(**{where: broken}), bundle)

    assert not parity.passed
    assert _failed(parity) == {"without_a_number"}


def test_a_bundle_without_sets_is_not_asked_for_them(bundle):
    """The gate says so, and what was asked could still fail it."""
    parity = _of(BF16, _said(some_predictions(cases=CASES)), replace(bundle, sets=()))

    verdict = next(each for each in parity.verdicts if each.gate.figure == "sets_changed")
    assert (verdict.passed, verdict.value) == (True, None)
    assert verdict.note


def test_what_could_not_be_computed_was_not_shown(bundle):
    """No malignant case in the split: its sensitivity is not known, so the precision is not offered."""
    settled = some_predictions(cases=CASES)
    benign = replace(settled, truth=settled.truth % 2)

    parity = parity_of(BF16, _said(settled), reference=_said(settled), bundle=bundle, settled=benign)

    assert _failed(parity) == {"malignant_sensitivity_difference"}


@pytest.mark.parametrize(("value", "holds"), [(0.1, True), (-0.1, True), (0.11, False), (None, False), (np.nan, False)])
def test_a_gate_closes_above_its_limit_on_either_side(value, holds):
    """And where there is no figure."""
    assert Gate("figure", 0.1, "a reason").holds(value) is holds


def test_every_gate_has_a_reason_and_every_precision_its_gates():
    """One place says what is asked, and why."""
    assert {offer.precision for offer in OFFERS} == set(GATES)
    assert all(gate.reason for gates in GATES.values() for gate in gates)


def test_engines_of_a_release_are_held_against_pytorch_on_the_same_pictures(converted, tmp_path):
    """fp32 passes, and its figures can be written down; an engine that forgets the normalisation is found."""
    settled = some_predictions(cases=12)
    paths = pictures_of(settled, tmp_path)

    def opening(offer):
        engine = open_engine(converted.bundle, converted.folder / offer.file, precision=offer.precision)
        return engine if offer.engine == "onnxruntime" else lambda pictures: engine(pictures + 3)

    exact, spoiled = parities(OFFERS[:2], opening, bundle=converted.bundle, paths=paths, settled=settled)

    assert exact.passed
    assert not spoiled.passed
    assert exact.to_dict()["figures"]["largest_probability_difference"]["value"] < 1e-4
    assert exact.to_dict()["gates"][1]["limit"] == 1e-4


def test_what_this_machine_cannot_run_is_not_judged_and_so_not_offered(converted, tmp_path):
    """The others are; the reason is written down."""
    settled = some_predictions(cases=3)
    paths = pictures_of(settled, tmp_path)

    def opening(offer):
        if offer.precision == "bf16":
            raise UserError("this processor does not compute in bf16", where="here", mend="use another")
        return open_engine(converted.bundle, converted.folder / offer.file, precision=offer.precision)

    found = parities((OFFERS[2], OFFERS[0]), opening, bundle=converted.bundle, paths=paths, settled=settled)

    assert offered(found) == OFFERS[:1]
    assert found[0].to_dict()["not_judged"] == "this processor does not compute in bf16"
    assert found[0].to_dict()["passed"] is False
