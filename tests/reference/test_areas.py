"""Areas with their variance, held to published numbers, another implementation and the printed formula."""

from __future__ import annotations

import csv
from itertools import product

import numpy as np
import pytest
from confidenceinterval.delong import delong_roc_variance
from scipy.stats import brunnermunzel
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from cutis.stats.areas import areas_under


def test_van_dykes_readers_have_the_published_areas_and_covariances(shared_data):
    """Five readers, two treatments, 114 cases, as printed by OR-DBM MRMC 2.5 and MRMCaov, to every digit printed."""
    with (shared_data("reader-study") / "vandyke.csv").open(encoding="utf-8") as file:
        rows = [
            {name: int(float(row[name])) for name in ("reader", "treatment", "case", "truth", "rating")}
            for row in csv.DictReader(file)
        ]
    cases = sorted({row["case"] for row in rows})
    ratings, truth = np.zeros((2, 5, len(cases))), np.zeros(len(cases), dtype=bool)
    for row in rows:
        ratings[row["treatment"] - 1, row["reader"] - 1, cases.index(row["case"])] = row["rating"]
        truth[cases.index(row["case"])] = row["truth"] == 1

    found = areas_under(ratings.reshape(10, -1), truth)

    published = [
        [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066],
        [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169],
    ]
    assert found.values.reshape(2, 5) == pytest.approx(np.array(published), abs=5e-9)
    same_treatment, same_reader = (np.equal.outer(each, each) for each in (np.arange(10) // 5, np.arange(10) % 5))
    means = [
        found.covariance[kind].mean()
        for kind in (
            same_treatment & same_reader,
            ~same_treatment & same_reader,
            same_treatment & ~same_reader,
            ~same_treatment & ~same_reader,
        )
    ]
    assert means == pytest.approx([0.0007921325, 0.0003420090, 0.0003395265, 0.0002358497], abs=5e-11)


@pytest.mark.parametrize("seed", range(5))
def test_delong_is_that_of_the_confidenceinterval_package(seed):
    """The area and its variance, also with ties; that package ranks in single precision."""
    random = np.random.default_rng(seed)
    positive = random.random(200) < 0.3
    scores = (random.normal(size=200) + positive).round(2 if seed % 2 else 6)

    found = areas_under(scores[None], positive)

    area, variance = delong_roc_variance(positive.astype(int), scores)
    assert found.values[0] == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
    assert found.values[0] == pytest.approx(area, abs=1e-6)
    assert found.covariance[0, 0] == pytest.approx(float(variance), abs=1e-8)


def test_degrees_of_freedom_are_those_of_brunner_and_munzel():
    """Their test that an area is one half uses DeLong's variance and Satterthwaite's degrees of freedom."""
    random = np.random.default_rng(0)
    positive = np.arange(70) < 18
    scores = random.normal(size=70) + 0.3 * positive
    alone = np.ones(1)

    found = areas_under(scores[None], positive)

    result = brunnermunzel(scores[~positive], scores[positive])
    statistic = (found.values[0] - 0.5) / np.sqrt(found.variance(alone))
    assert statistic == pytest.approx(result.statistic, rel=1e-9)
    assert 2 * student.sf(abs(statistic), found.degrees_of_freedom(alone)) == pytest.approx(result.pvalue, rel=1e-9)


def obuchowski(scores, positive, of_case):
    """The formulas of section 3 of Obuchowski (1997), written out as sums over clusters, cases and pairs."""
    raters, clusters = range(len(scores)), sorted(set(of_case.tolist()))
    of_positive = {i: [k for k in range(len(positive)) if of_case[k] == i and positive[k]] for i in clusters}
    of_negative = {i: [k for k in range(len(positive)) if of_case[k] == i and not positive[k]] for i in clusters}
    all_positive = [k for i in clusters for k in of_positive[i]]
    all_negative = [k for i in clusters for k in of_negative[i]]
    m, n = len(all_positive), len(all_negative)
    i10, i01, i_all = sum(map(bool, of_positive.values())), sum(map(bool, of_negative.values())), len(clusters)

    def psi(r, k, j):
        return 1.0 if scores[r][k] > scores[r][j] else 0.5 if scores[r][k] == scores[r][j] else 0.0

    theta = [sum(psi(r, k, j) for k, j in product(all_positive, all_negative)) / (m * n) for r in raters]
    v10 = [{i: sum(psi(r, k, j) for k in of_positive[i] for j in all_negative) / n for i in clusters} for r in raters]
    v01 = [{i: sum(psi(r, k, j) for j in of_negative[i] for k in all_positive) / m for i in clusters} for r in raters]
    covariance = np.empty((len(scores), len(scores)))
    for r, s in product(raters, raters):
        x = {q: {i: v10[q][i] - len(of_positive[i]) * theta[q] for i in clusters} for q in (r, s)}
        y = {q: {i: v01[q][i] - len(of_negative[i]) * theta[q] for i in clusters} for q in (r, s)}
        s10 = i10 / ((i10 - 1) * m) * sum(x[r][i] * x[s][i] for i in clusters)
        s01 = i01 / ((i01 - 1) * n) * sum(y[r][i] * y[s][i] for i in clusters)
        s11 = i_all / (i_all - 1) * sum(x[r][i] * y[s][i] for i in clusters)
        s11_turned = i_all / (i_all - 1) * sum(x[s][i] * y[r][i] for i in clusters)
        covariance[r, s] = s10 / m + s01 / n + (s11 + s11_turned) / (m * n)
    return np.array(theta), covariance


@pytest.mark.parametrize("seed", range(4))
def test_obuchowski_is_the_printed_formula(seed):
    """Of three raters, with ties, clusters of one to five cases and clusters that have both sides."""
    random = np.random.default_rng(seed)
    of_case = np.repeat(np.arange(14), random.integers(1, 6, 14))
    positive = random.random(len(of_case)) < 0.4
    scores = (random.normal(size=(3, len(of_case))) + positive + random.normal(size=14)[of_case]).round(1)

    found = areas_under(scores, positive, of_case)

    theta, covariance = obuchowski(scores, positive, of_case)
    assert found.values == pytest.approx(theta, abs=1e-12)
    assert found.covariance == pytest.approx(covariance, abs=1e-12)
    assert abs(found.shared).max() > 0
