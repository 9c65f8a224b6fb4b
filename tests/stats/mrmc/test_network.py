"""One network against readers: the published numbers, and what is said where cases are few."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.mrmc.network import one_network
from cutis.stats.mrmc.roe_metz import invent_network_and_readers, variances_of
from cutis.stats.mrmc.study import Asked
from cutis.stats.mrmc.treatments import two_treatments
from cutis.stats.resampling import clusters_of
from cutis.vocabulary.errors import UserError
from reader_studies import hard_labels, seeded_standalone


def test_the_seeded_study_comes_out_as_published():
    """Effect, p, interval and degrees of freedom are those that RJafroc gives for the same data."""
    found = one_network(*seeded_standalone()).outcome

    assert found.difference.value == pytest.approx(-0.00584125, abs=1e-12)
    assert found.p == pytest.approx(0.6560453, abs=5e-8)
    assert found.difference.low == pytest.approx(-0.03233184, abs=5e-9)
    assert found.difference.high == pytest.approx(0.02064934, abs=5e-9)
    assert found.degrees_of_freedom == pytest.approx(31.00905, abs=5e-6)


def test_the_network_as_a_second_treatment_gives_the_same():
    """Its scores repeated for each reader: the same effect, interval and p."""
    study = seeded_standalone()
    repeated = np.broadcast_to(study.network, study.readers.shape)

    alone = one_network(*study).outcome
    paired = two_treatments(study.truth, repeated, study.readers).outcome

    assert paired.difference.value == pytest.approx(alone.difference.value)
    assert (paired.difference.low, paired.difference.high) == pytest.approx(
        (alone.difference.low, alone.difference.high)
    )
    assert paired.p == pytest.approx(alone.p)
    assert paired.degrees_of_freedom == pytest.approx(alone.degrees_of_freedom)


def test_labels_are_compared_by_sensitivity_and_specificity():
    """Ratings cut at a threshold: the share of the network, less the mean share of the readers."""
    study = seeded_standalone()
    flags, of_network = (study.readers > 0.5).astype(float), (study.network > 0.5).astype(float)

    found = one_network(study.truth, of_network, flags, asked=Asked(endpoint="specificity"))

    healthy = study.truth == 0
    assert found.network.value == pytest.approx(1 - of_network[healthy].mean())
    assert found.mean_reader.value == pytest.approx(1 - flags[:, healthy].mean())
    assert found.outcome.difference.value == pytest.approx(found.network.value - found.mean_reader.value)


def test_a_network_without_a_miss_in_twenty_cases_is_not_thereby_better():
    """The normal test sees no spread of the network; Wilson's interval of 20 of 20 reaches down to .84."""
    study = hard_labels(readers=280, cases=20, share=2.3, seed=1)
    perfect = np.ones(20)

    found = one_network(study.truth, perfect, study.readers, asked=Asked(endpoint="sensitivity"))

    assert 0.9 < found.mean_reader.value < 0.97
    assert found.classical.p < 0.05
    assert found.outcome.p > 0.05
    assert found.outcome.difference.low < 0 < found.outcome.difference.high
    assert "fewer than 20 cases" in found.outcome.difference.note


def test_p_and_interval_of_few_cases_never_contradict_each_other():
    """The bound that ends the interval of 95 % has the p of 2.5 % on that side."""
    study = hard_labels(readers=30, cases=25, share=1.2, seed=3)
    asked = Asked(endpoint="right", hypothesis="non-inferiority", margin=0.3)

    found = one_network(study.truth, study.network, study.readers, asked=asked).outcome
    at_the_end = one_network(
        study.truth,
        study.network,
        study.readers,
        asked=Asked(endpoint="right", hypothesis="non-inferiority", margin=-found.difference.low),
    ).outcome

    assert found.difference.method.startswith("Wilson")
    assert at_the_end.verdict.p == pytest.approx(0.025, abs=1e-6)


def test_enough_cases_are_tested_as_published():
    """From 20 expected misses on the plain test is the one that is told."""
    study = hard_labels(readers=20, cases=300, share=1.0)

    found = one_network(study.truth, study.network, study.readers, asked=Asked(endpoint="right"))

    assert found.outcome == found.classical


def test_readers_of_parts_are_paired_with_the_network_on_their_cases():
    """Where all cases were read equally often, the network's figure is that of all cases."""
    study = hard_labels(readers=12, cases=60, share=0.4)
    blocks = np.arange(60) % 3 == (np.arange(12) % 3)[:, None]
    readers = np.where(blocks, study.readers, np.nan)

    found = one_network(study.truth, study.network, readers, asked=Asked(endpoint="right"))

    assert found.outcome.difference.value == pytest.approx(study.network.mean() - np.nanmean(readers))
    assert f"the network has {study.network.mean():.3f}" in found.classical.difference.note


def test_without_gaps_the_one_shot_method_says_nearly_the_same():
    """Two ways to the same variance."""
    study = seeded_standalone()

    plain = one_network(*study).outcome
    one_shot = one_network(*study, asked=Asked(method="one-shot")).outcome

    assert one_shot.difference.value == pytest.approx(plain.difference.value)
    assert one_shot.standard_error == pytest.approx(plain.standard_error, rel=0.01)


def test_pictures_of_one_patient_are_no_independent_witnesses():
    """Every case twice, as two pictures of one patient: the same interval as every case once."""
    study = hard_labels(readers=10, cases=200, share=0.5)
    twice = [np.repeat(each, 2, axis=-1) for each in study]
    patients = clusters_of([f"{number // 2:04}" for number in range(400)], kind="patient")

    once = one_network(*study, asked=Asked(endpoint="right")).outcome
    clustered = one_network(*twice, asked=Asked(endpoint="right", clusters=patients)).outcome

    assert clustered.standard_error == pytest.approx(once.standard_error)
    assert clustered.difference.cluster_kind == "patient"
    assert clustered.difference.clusters == 200


@pytest.mark.parametrize("covariance", ["jackknife", "delong"])
def test_areas_of_clustered_cases_vary_by_patient(covariance):
    """Every case twice again: jackknife and Obuchowski's covariance see half as many witnesses as pictures."""
    study = seeded_standalone()
    twice = [np.repeat(each, 2, axis=-1) for each in study]
    patients = clusters_of([f"{number // 2:04}" for number in range(2000)], kind="patient")

    once = one_network(*study, asked=Asked(covariance=covariance)).outcome
    clustered = one_network(*twice, asked=Asked(covariance=covariance, clusters=patients)).outcome

    assert clustered.standard_error == pytest.approx(once.standard_error, rel=1e-3)


def test_patients_with_both_sides_are_left_out_whole():
    """The jackknife over patients is the one of areas computed anew without each of them."""
    from cutis.stats.mrmc.endpoints import measure_raters

    random = np.random.default_rng(5)
    truth = random.integers(0, 2, 40)
    owner = np.repeat(np.arange(20), 2)
    scores = np.round(truth + random.normal(size=(3, 40)), 1)

    found = measure_raters(scores, truth, endpoint="auc", of_case=owner)
    left_out = np.array(
        [measure_raters(scores[:, owner != each], truth[owner != each], endpoint="auc").values for each in range(20)]
    )

    assert found.covariance == pytest.approx(19 / 20 * 19 * np.cov(left_out.T))


def test_a_single_reader_cannot_stand_for_readers():
    """It is refused, with the question that can be asked instead."""
    study = hard_labels(readers=1, cases=100, share=1.0)

    with pytest.raises(UserError, match="single reader") as refused:
        one_network(*study, asked=Asked(endpoint="right"))

    assert 'random="cases"' in refused.value.mend
    assert one_network(*study, asked=Asked(endpoint="right", random="cases")).outcome.p is not None


def test_a_network_with_gaps_is_refused():
    """Its answers are there for every case, or the case is left out."""
    study = seeded_standalone()
    network = study.network.copy()
    network[3] = np.nan

    with pytest.raises(UserError, match="answered every case"):
        one_network(study.truth, network, study.readers)


def test_a_mean_over_diagnoses_with_gaps_is_refused():
    """There is no one-shot variance of it here; the reason names the way that is left."""
    study = hard_labels(readers=6, cases=60, share=0.5)
    readers = study.readers.copy()
    readers[0, 0] = np.nan

    with pytest.raises(UserError, match="one-shot variance of balanced_right") as refused:
        one_network(np.arange(60) % 3, study.network, readers, asked=Asked(endpoint="balanced_right"))

    assert "two-way bootstrap" in refused.value.mend


def test_no_figure_leaves_zero_and_one():
    """Ten cases, nearly all right: the interval of the mean reader ends at 1."""
    study = hard_labels(readers=4, cases=10, share=2.5, seed=2)

    found = one_network(*study, asked=Asked(endpoint="right"))

    assert found.mean_reader.value > 0.9
    assert found.mean_reader.high == 1.0


def test_at_the_paper_s_shape_what_is_told_errs_as_often_as_promised():
    """280 readers, 20 cases of a diagnosis, hard labels, no difference: the plain test finds one far too often.

    400 studies: an error of 5 % has a standard error of one point.
    """
    variances = variances_of("HL", area=0.855)
    means = [np.full(20, variances.mean_for_share(0.95, is_network=own)) for own in (True, False)]
    truth, plain, told = np.ones(20, dtype=np.int64), 0, 0
    for block in range(4):
        generator = np.random.default_rng(block)
        network, readers = invent_network_and_readers(
            truth, tuple(means), variances, studies=100, readers=280, generator=generator
        )
        for own, each in zip(network > 0, readers > 0, strict=True):
            found = one_network(truth, own.astype(float), each.astype(float), asked=Asked(endpoint="sensitivity"))
            plain += found.classical.p < 0.05
            told += found.outcome.p < 0.05

    assert plain / 400 > 0.15
    assert told / 400 < 0.09
