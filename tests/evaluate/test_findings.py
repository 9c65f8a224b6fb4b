"""All that is measured of one bundle: by the same rounds, under names known before, and never a number made up."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cutis.evaluate.abstention import abstention_of
from cutis.evaluate.calibration import calibration_of, sets_of
from cutis.evaluate.decisions import decisions_of, mixes
from cutis.evaluate.evidence import chance_of_rounds, evidence_of, predictions_of
from cutis.evaluate.findings import malignant_among, measured_of, names_of_figures
from cutis.evaluate.lesions import by_lesion
from cutis.evaluate.record import measured_content
from cutis.evaluate.subgroups import subgroups_of
from cutis.runtime.bundle import Thresholds
from cutis.runtime.predict import answers_of
from cutis.runtime.trust import choose_acceptance, fit_reference, signals_of
from cutis.stats.conformal import fit_set_thresholds
from cutis.vocabulary.outputs import Outputs
from factories import a_bundle, a_case, a_manifest, a_taxonomy

CODES = ("a", "b", "c")
MALIGNANT = np.array([False, False, True])
PREVALENCES = (0.02, 0.2)
THRESHOLDS = Thresholds(rule="Youden", chosen_on="tune", values=(0.3, 0.35, 0.3), malignant=0.25)


def some_outputs(truth, *, seed=0):
    """What a network says of cases of these diagnoses, right more often than not."""
    random = np.random.default_rng(seed)
    hint = np.eye(3)[truth]
    logits = [random.normal(size=(len(truth), 3)) + depth * hint for depth in (0.5, 1.0, 1.5)]
    features = random.normal(size=(len(truth), 5)) + 2 * np.eye(3, 5)[truth]
    return Outputs(logits[-1], tuple(logits[:-1]), features, None)


def some_cases(truth, *, patients=None, lesions=2):
    """Cases of these diagnoses, two a lesion and two a patient, if not said otherwise."""
    return a_manifest(
        [
            a_case(
                number,
                diagnosis=CODES[kind],
                cluster_id=f"patient{number // 2 if patients is None else number % patients}",
                lesion_id=f"lesion{number // lesions}/{kind}",
                split="test",
                age=20.0 + number % 60,
                sex=("female", "male")[number % 2],
            )
            for number, kind in enumerate(truth)
        ]
    )


def watched(bundle):
    """The bundle with sets and abstention, fitted on cases of its own."""
    truth = np.arange(180) % 3
    said, learned = some_outputs(truth, seed=1), some_outputs(truth, seed=2)
    chances = answers_of(bundle, said).probabilities
    reference = fit_reference(learned.features, truth, kinds=3)
    signals = signals_of(said, reference, probabilities=chances, temperatures=bundle.temperatures)
    fitted = [
        fit_set_thresholds(chances, truth, of_case=np.arange(180), method=method, level=0.9)
        for method in ("LAC", "APS")
    ]
    acceptance = choose_acceptance(signals, [f"own{n}" for n in range(180)], cluster_kind="patient", share=0.8)
    return replace(bundle, sets=tuple(fitted), reference=reference, acceptance=acceptance)


PLAIN = a_bundle(temperatures=(1.0,) * 3, thresholds=THRESHOLDS)
WATCHED = watched(PLAIN)
TRUTH = np.random.default_rng(3).integers(0, 3, 90)


def measured(bundle=WATCHED, truth=TRUTH, *, outputs=None, **options):
    """Answers, what was said, and all that was measured of it."""
    cases = some_cases(truth, **options)
    cases = replace(cases, taxonomy=bundle.taxonomy)
    answers = answers_of(bundle, some_outputs(truth) if outputs is None else outputs)
    said = predictions_of(cases, answers.probabilities, rater="invented")
    found = measured_of(bundle, cases, said, answers=answers, dataset_sha256="1" * 64, prevalences=PREVALENCES)
    return cases, answers, said, found


@pytest.fixture(scope="module")
def whole():
    """All that there can be."""
    return measured()


def estimates_in(content, path=""):
    """Yield every estimate of plain data by its path."""
    if isinstance(content, dict) and {"value", "low", "high", "method"} <= content.keys():
        yield path, content
    elif isinstance(content, dict):
        for key, each in content.items():
            yield from estimates_in(each, f"{path}/{key}")
    elif isinstance(content, list):
        for place, each in enumerate(content):
            yield from estimates_in(each, f"{path}/{place}")


def written(found, bundle):
    """All that was measured as plain data; NaN and infinity are no JSON."""
    content = measured_content(found, bundle) | {
        "evidence": {name: estimate.to_dict() for name, estimate in found.evidence.estimates.items()},
        "subgroups": found.subgroups.content(),
    }
    return json.loads(json.dumps(content, allow_nan=False))


def test_everything_is_drawn_by_the_same_rounds(whole):
    """Each part is what it is alone, by the chance of the dataset; so that figures can be read beside each other."""
    cases, answers, said, found = whole

    def chance():
        return chance_of_rounds("1" * 64)

    asked = {"thresholds": np.array(THRESHOLDS.values), "malignant": MALIGNANT, "malignant_threshold": 0.25}
    prevalences = mixes(said, malignant=MALIGNANT, prevalences=PREVALENCES)
    sets = [
        sets_of(said, sets, fitted, abstained=answers.abstained, prevalences=prevalences, generator=chance())
        for sets, fitted in zip(answers.sets, WATCHED.sets, strict=True)
    ]
    abstention = abstention_of(said, answers, WATCHED.acceptance, malignant=MALIGNANT, generator=chance())
    assert found.evidence.estimates == evidence_of(said, generator=chance(), **asked).estimates
    assert found.calibration == calibration_of(said, malignant=MALIGNANT, generator=chance())
    assert list(found.sets) == sets
    assert found.abstention.content() == abstention.content()
    assert found.decisions == decisions_of(
        said, malignant=MALIGNANT, threshold=0.25, prevalences=PREVALENCES, generator=chance()
    )
    lesions = by_lesion(said, cases)
    assert found.by_lesion.estimates == evidence_of(lesions, generator=chance(), **asked).estimates
    assert found.subgroups == subgroups_of(said, cases, generator=chance())


def test_the_rounds_hang_on_the_dataset(whole):
    """Another dataset, other rounds; the figures are the same, their intervals are not."""
    cases, answers, said, found = whole

    other = measured_of(WATCHED, cases, said, answers=answers, dataset_sha256="2" * 64, prevalences=PREVALENCES)

    before, after = (each.evidence.estimates["macro_auc"] for each in (found, other))
    assert before.value == after.value
    assert (before.low, before.high) != (after.low, after.high)


def test_figures_that_are_told_twice_are_the_same(whole):
    """Accuracy, predictive values of *malignant or not*, and coverage, wherever they stand."""
    _, _, said, found = whole

    evidence = found.evidence.estimates
    assert found.abstention.estimates["accuracy"] == evidence["argmax/accuracy"]
    assert found.decisions.predictive_values["own"] == {
        what: evidence[f"one_vs_rest/malignant_{what}"] for what in ("ppv", "npv")
    }
    wrong = found.abstention.risk["uncertainty"][-1]
    assert wrong.value == pytest.approx(1 - evidence["argmax/accuracy"].value)
    answers = found.calibration.reliability["answer"]
    assert sum(each.cases * each.observed.value for each in answers) == pytest.approx(
        len(said) * evidence["argmax/accuracy"].value
    )


@pytest.mark.parametrize(
    ("malignant", "threshold"), [(("c",), 0.25), (("c",), None), ((), None), (CODES, None)], ids=str
)
def test_the_names_of_figures_are_known_before_any_case_is(malignant, threshold):
    """Exactly those that an evaluation has, whatever of its diagnoses are malignant, and whether it flags them."""
    taxonomy = a_taxonomy()
    diseases = tuple(replace(disease, malignant=disease.code in malignant) for disease in taxonomy.diseases)
    bundle = a_bundle(
        temperatures=(1.0,) * 3,
        taxonomy=replace(taxonomy, diseases=diseases),
        thresholds=replace(THRESHOLDS, malignant=threshold),
    )

    found = measured(bundle)[-1]

    assert sorted(names_of_figures(bundle)) == sorted(found.evidence.estimates)
    assert (malignant_among(bundle.taxonomy) is None) == (malignant != ("c",))


def test_what_a_bundle_does_not_have_is_not_measured():
    """No sets, nothing that watches, and no lesion with two pictures."""
    found = measured(PLAIN, lesions=1)[-1]

    said = written(found, PLAIN)
    assert (said["sets"], said["abstention"], said["by_lesion"]) == ([], None, None)
    assert said["decisions"]["net_benefit"].keys() == {"own", "0.02", "0.2"}


def test_where_all_diagnoses_are_benign_nothing_is_asked_of_malignancy():
    """No decisions, no mixes, no figures."""
    taxonomy = a_taxonomy()
    benign = replace(taxonomy, diseases=tuple(replace(disease, malignant=False) for disease in taxonomy.diseases))

    found = measured(replace(WATCHED, taxonomy=benign, thresholds=replace(THRESHOLDS, malignant=None)))[-1]

    assert found.decisions is None
    assert not any("malignant" in name for name in (*found.evidence.estimates, *found.calibration.estimates))
    assert not any("coverage_at" in name for name in found.sets[0].estimates)


def test_decisions_know_of_which_prevalences_the_probabilities_are():
    """A bundle that was taught that half of all is malignant says so, whatever the test has."""
    taught_alike = replace(PLAIN, mix=(0.25, 0.25, 0.5))

    _, _, said, found = measured(taught_alike)

    assert found.decisions == decisions_of(
        said,
        malignant=MALIGNANT,
        threshold=0.25,
        prevalences=PREVALENCES,
        generator=chance_of_rounds("1" * 64),
        meant_for=0.5,
    )
    assert found.decisions != measured(PLAIN)[-1].decisions


@pytest.mark.parametrize(
    "what",
    [
        "whole",
        "a diagnosis is absent",
        "one patient alone",
        "nobody is malignant",
        "always the same answer",
        "one case",
    ],
)
def test_what_cannot_be_computed_is_none_and_says_why(what):
    """In every estimate of every part: no number without a ground, no gap without a reason."""
    options = {
        "a diagnosis is absent": {"truth": TRUTH % 2 * 2},
        "one patient alone": {"patients": 1},
        "nobody is malignant": {"truth": TRUTH % 2},
        "always the same answer": {
            "outputs": some_outputs(TRUTH)._replace(logits=np.tile([9.0, 0.0, 0.0], (len(TRUTH), 1)))
        },
        "one case": {"truth": TRUTH[:1]},
    }

    found = list(estimates_in(written(measured(**options.get(what, {}))[-1], WATCHED)))

    unexplained = {
        path: estimate
        for path, estimate in found
        if not estimate["note"] and None in (estimate["value"], estimate["low"], estimate["high"])
    }
    halves = [path for path, estimate in found if (estimate["low"] is None) != (estimate["high"] is None)]
    assert len(found) > 200
    assert unexplained == {}
    assert halves == []


def test_an_absent_diagnosis_is_named_wherever_it_would_have_counted():
    """It has no figure of its own, and no macro figure counts it."""
    found = measured(truth=TRUTH % 2 * 2)[-1]

    evidence = found.evidence.estimates
    assert evidence["auc/b"].value is None
    assert "no patients with b" in evidence["auc/b"].note
    assert evidence["argmax/sensitivity/b"].value is None
    assert "not in this test: b" in evidence["macro_auc"].note
    assert evidence["macro_auc"].value == pytest.approx((evidence["auc/a"].value + evidence["auc/c"].value) / 2)
    assert found.sets[0].estimates["coverage/b"].note == "no patients with b"
    assert found.abstention.estimates["answered/b"].value is None


def test_one_patient_alone_has_no_interval_that_can_be_relied_on():
    """Whatever still has two ends says that a single patient is too few."""
    found = measured(patients=1)[-1]

    for path, estimate in estimates_in(written(found, WATCHED)):
        if estimate["low"] is not None:
            assert "only 1 patient" in estimate["note"], path
