"""Invented studies have the structure that their name promises."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from cutis.stats.mrmc.components import components_of
from cutis.stats.mrmc.contrasts import between_treatments
from cutis.stats.mrmc.endpoints import measure_raters
from cutis.stats.mrmc.roe_metz import MEANS, STRUCTURES, invent_network_and_readers, invent_ratings, variances_of

TRUTH = np.repeat([1, 0], [50, 50])


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_parts_of_a_rating_that_are_of_the_case_sum_to_one(structure):
    """As in their table, at each area."""
    for mean, high in zip(MEANS, (0.011, 0.03, 0.056), strict=True):
        found = variances_of(structure, area=NormalDist().cdf(mean / 2**0.5))

        assert found.case + found.treatment_case + found.reader_case + found.error == pytest.approx(1)
        assert found.reader == found.treatment_reader == pytest.approx(high if structure[1] == "H" else 0.0055)


def test_two_ratings_have_in_common_what_the_structure_says():
    """The correlation of two readers on a case is that of the case and of its treatment; with two treatments, less."""
    variances = variances_of("HL", area=0.855)
    ratings = invent_ratings(
        np.zeros(4000, dtype=np.int64),
        np.zeros(2),
        variances,
        studies=1,
        readers=2,
        generator=np.random.default_rng(0),
    )[0]

    assert np.corrcoef(ratings[0, 0], ratings[0, 1])[0, 1] == pytest.approx(0.6, abs=0.05)
    assert np.corrcoef(ratings[0, 0], ratings[1, 1])[0, 1] == pytest.approx(0.3, abs=0.05)
    assert np.corrcoef(ratings[0, 0], ratings[1, 0])[0, 1] == pytest.approx(0.5, abs=0.05)


def test_network_and_readers_have_the_areas_that_are_asked_for():
    """Both in expectation, the network without a reader's variance."""
    variances = variances_of("HH", area=0.9)
    means = [variances.mean_for_area(0.9, is_network=is_network) * TRUTH for is_network in (True, False)]

    network, readers = invent_network_and_readers(
        TRUTH, tuple(means), variances, studies=600, readers=3, generator=np.random.default_rng(0)
    )

    both = np.concatenate([network[:, None], readers], axis=1)
    areas = measure_raters(both, TRUTH, endpoint="auc", covariance="delong").values.mean(axis=0)
    assert areas == pytest.approx([0.9] * 4, abs=0.006)


@pytest.mark.parametrize(("area", "least", "most"), [(0.855, 0.035, 0.065), (0.961, 0.02, 0.065)])
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("covariance", ["jackknife", "delong"])
def test_under_no_effect_the_test_errs_as_often_as_promised(structure, area, least, most, covariance):
    """2,000 studies of five readers and 50 + 50 cases: 3.5 to 6.5 % rejected at .855, 2 to 6.5 % at .961.

    Where two treatments are alike, an interval covers as often as the test does not reject.
    """
    mean = MEANS[1] if area == 0.855 else MEANS[2]
    generator = np.random.default_rng(2024)
    rejected = 0
    for _ in range(10):
        ratings = invent_ratings(
            TRUTH,
            np.array([mean, mean]),
            variances_of(structure, area=area),
            studies=200,
            readers=5,
            generator=generator,
        )
        measured = measure_raters(ratings.reshape(200, 10, 100), TRUTH, endpoint="auc", covariance=covariance)
        means = measured.values.reshape(200, 2, 5).mean(axis=-1)
        parts = components_of(measured.values.reshape(200, 2, 5), measured.covariance)
        contrast = between_treatments(means[:, 0] - means[:, 1], parts)
        half = contrast.half(0.95)
        assert ((contrast.p < 0.05) == (np.abs(contrast.difference) > half)).all()
        rejected += int((contrast.p < 0.05).sum())

    assert least <= rejected / 2000 <= most
