"""Every figure of `measures`, by someone else's count: scikit-learn with weights, torchmetrics with cases repeated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn import metrics as oracle
from torchmetrics.functional import classification as second_oracle

from cutis.stats.metrics import (
    auc_by_diagnosis,
    average_precision,
    confusion_matrix,
    measures,
    precision_recall_curve,
    roc_curve,
)
from factories import some_predictions

EXACT = {"rtol": 0, "atol": 1e-9}
SINGLE = {"rtol": 0, "atol": 1e-6}  # torchmetrics divides in single precision
CODES = ("a", "b", "c", "d")
KINDS = len(CODES)
THRESHOLDS = np.array([0.15, 0.25, 0.375, 0.5])
MALIGNANT = np.array([False, True, False, True])
MALIGNANT_THRESHOLD = 0.375


class Rater(NamedTuple):
    """What a rater said, and the truth."""

    probabilities: np.ndarray
    truth: np.ndarray

    @property
    def has(self):
        """Which diagnosis (N, K) each case has."""
        return self.truth[:, None] == np.arange(KINDS)

    @property
    def said(self):
        """The answer by arg-max."""
        return self.probabilities.argmax(axis=1)

    @property
    def present(self):
        """The diagnoses that the truth contains."""
        return np.unique(self.truth)


def a_rater(*, cases=200):
    predictions = some_predictions(cases=cases, codes=CODES)
    return Rater(predictions.probabilities, predictions.truth)


def tied():
    """In eighths, so that scores are equal across cases and within one, some of them at a threshold, some zero."""
    plain = a_rater()
    eighths = np.random.default_rng(5).multinomial(8, plain.probabilities) / 8
    return Rater(eighths, plain.truth)


def one_absent():
    plain = a_rater()
    return Rater(plain.probabilities, plain.truth % (KINDS - 1))


RATERS = {
    "some": a_rater(),
    "with ties": tied(),
    "without a diagnosis": one_absent(),
    "many": a_rater(cases=1500),  # more steps of a ranking than are taken at once
}


def some_weights(cases):
    """Two rounds of a bootstrap, many cases drawn never, and two rows of uneven fractions."""
    random = np.random.default_rng(7)
    drawn = random.multinomial(cases, np.full(cases, 1 / cases), size=2).astype(float)
    return np.vstack([drawn, random.uniform(0.1, 3, (2, cases))])


def figures_of(rater, weights):
    found = measures(
        rater.probabilities,
        rater.truth,
        codes=CODES,
        thresholds=THRESHOLDS,
        weights=weights,
        malignant=MALIGNANT,
        malignant_threshold=MALIGNANT_THRESHOLD,
    )
    return {str(measure): figure for measure, figure in found.items()}


def yes_or_no(has, flagged, weight, average=None):
    """Each question (N, K) by scikit-learn; `average` as it knows it."""
    told = {"average": average, "sample_weight": weight, "zero_division": np.nan}
    columns = range(has.shape[1])
    each = [oracle.accuracy_score(has[:, kind], flagged[:, kind], sample_weight=weight) for kind in columns]
    return {
        "sensitivity": oracle.recall_score(has, flagged, **told),
        "specificity": oracle.recall_score(~has, ~flagged, **told),
        "accuracy": np.array(each) if average is None else np.mean(each),
        "ppv": oracle.precision_score(has, flagged, **told),
        "npv": oracle.precision_score(~has, ~flagged, **told),
        "f1": oracle.f1_score(has, flagged, **told),
    }


def areas(rater, weight):
    """Areas of each diagnosis, NaN where it is absent, by scikit-learn."""
    by_name = {"auc": oracle.roc_auc_score, "average_precision": oracle.average_precision_score}
    each = {name: np.full(KINDS, np.nan) for name in by_name}
    for name, area in by_name.items():
        for kind in rater.present:
            each[name][kind] = area(rater.has[:, kind], rater.probabilities[:, kind], sample_weight=weight)
    pooled = {
        name: area(rater.has, rater.probabilities, average="micro", sample_weight=weight)
        for name, area in by_name.items()
    }
    return each, pooled


def averaged(prefix, each, pooled, rater, weight):
    """Names under which figures of each diagnosis (K,) and of all pooled are asked for."""
    share = weight @ rater.has
    expected = {}
    for what, figures in each.items():
        expected[f"{prefix}macro_{what}"] = figures[rater.present].mean()
        expected[f"{prefix}weighted_{what}"] = np.average(figures[rater.present], weights=share[rater.present])
        expected[f"{prefix}pooled_{what}"] = pooled[what]
        expected |= {f"{prefix}{what}/{code}": figures[kind] for kind, code in enumerate(CODES)}
    return expected


def by_scikit_learn(rater, weight):
    """Every figure of one row of weights."""
    said, truth, probabilities = rater.said, rater.truth, rater.probabilities
    all_kinds = {"labels": np.arange(KINDS), "sample_weight": weight}
    expected = averaged("", *areas(rater, weight), rater, weight)
    answers = {"argmax": said[:, None] == np.arange(KINDS), "one_vs_rest": probabilities >= THRESHOLDS}
    for convention, flagged in answers.items():
        each = yes_or_no(rater.has, flagged, weight)
        each["f1"][np.setdiff1d(np.arange(KINDS), rater.present)] = np.nan
        expected |= averaged(f"{convention}/", each, yes_or_no(rater.has, flagged, weight, "micro"), rater, weight)
    each = yes_or_no(rater.has, answers["one_vs_rest"], weight)
    balanced = (each["sensitivity"] + each["specificity"]) / 2
    malignant, score = MALIGNANT[truth], probabilities[:, MALIGNANT].sum(axis=1)
    for convention, flagged in {"argmax": MALIGNANT[said], "one_vs_rest": score >= MALIGNANT_THRESHOLD}.items():
        found = yes_or_no(malignant[:, None], flagged[:, None], weight, "binary")
        expected |= {f"{convention}/malignant_{what}": figure for what, figure in found.items()}
    # Of equally probable diagnoses scikit-learn names the last one first, so that it is asked from the last one on.
    backwards = KINDS - 1 - truth, probabilities[:, ::-1]
    return expected | {
        "one_vs_rest/macro_balanced_accuracy": balanced[rater.present].mean(),
        "argmax/accuracy": oracle.accuracy_score(truth, said, sample_weight=weight),
        "argmax/balanced_accuracy": oracle.recall_score(
            truth, said, labels=rater.present, average="macro", sample_weight=weight
        ),
        "argmax/cohen_kappa": oracle.cohen_kappa_score(truth, said, **all_kinds),
        "argmax/matthews_correlation": oracle.matthews_corrcoef(truth, said, sample_weight=weight),
        "log_loss": oracle.log_loss(truth, probabilities, **all_kinds),
        "brier": oracle.brier_score_loss(truth, probabilities, scale_by_half=False, **all_kinds),
        "top_2_accuracy": oracle.top_k_accuracy_score(*backwards, k=2, **all_kinds),
        "top_3_accuracy": oracle.top_k_accuracy_score(*backwards, k=3, **all_kinds),
        "malignant_auc": oracle.roc_auc_score(malignant, score, sample_weight=weight),
        "malignant_average_precision": oracle.average_precision_score(malignant, score, sample_weight=weight),
    }


@pytest.mark.parametrize("who", RATERS)
def test_every_figure_is_that_of_scikit_learn_in_every_round(who):
    """By drawn and by uneven weights, with ties, and NaN for what an absent diagnosis has not."""
    rater = RATERS[who]
    weights = some_weights(len(rater.truth))

    found = figures_of(rater, weights)

    for row, weight in enumerate(weights):
        expected = by_scikit_learn(rater, weight)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert_allclose(found[name][row], value, **EXACT, err_msg=f"{name}, row {row}")


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_averages_by_argmax_are_those_of_scikit_learn(average):
    """Its own averages of many classes, not ours of its classes."""
    rater = RATERS["some"]
    weights = some_weights(len(rater.truth))

    found = figures_of(rater, weights)

    for row, weight in enumerate(weights):
        ppv, sensitivity, f1, _ = oracle.precision_recall_fscore_support(
            rater.truth, rater.said, average=average, sample_weight=weight
        )
        area = oracle.roc_auc_score(
            rater.truth, rater.probabilities, multi_class="ovr", average=average, sample_weight=weight
        )
        precision = oracle.average_precision_score(
            rater.has, rater.probabilities, average=average, sample_weight=weight
        )
        assert_allclose(found[f"argmax/{average}_ppv"][row], ppv, **EXACT)
        assert_allclose(found[f"argmax/{average}_sensitivity"][row], sensitivity, **EXACT)
        assert_allclose(found[f"argmax/{average}_f1"][row], f1, **EXACT)
        assert_allclose(found[f"{average}_auc"][row], area, **EXACT)
        assert_allclose(found[f"{average}_average_precision"][row], precision, **EXACT)


RATES = {
    "sensitivity": second_oracle.multiclass_recall,
    "specificity": second_oracle.multiclass_specificity,
    "ppv": second_oracle.multiclass_precision,
    "npv": second_oracle.multiclass_negative_predictive_value,
    "f1": second_oracle.multiclass_f1_score,
}


def by_torchmetrics(rater, rows):
    """The figures that it has, of the cases in these rows."""
    probabilities, truth, said, has = (
        torch.tensor(of_case[rows]) for of_case in (rater.probabilities, rater.truth, rater.said, 1 * rater.has)
    )
    kinds, labels = {"num_classes": KINDS}, {"num_labels": KINDS, "average": "micro"}
    expected = {
        "argmax/accuracy": second_oracle.multiclass_accuracy(said, truth, **kinds, average="micro"),
        "argmax/cohen_kappa": second_oracle.multiclass_cohen_kappa(said, truth, **kinds),
        "argmax/matthews_correlation": second_oracle.multiclass_matthews_corrcoef(said, truth, **kinds),
        "macro_auc": second_oracle.multiclass_auroc(probabilities, truth, **kinds),
        "macro_average_precision": second_oracle.multiclass_average_precision(probabilities, truth, **kinds),
        "pooled_auc": second_oracle.multilabel_auroc(probabilities, has, **labels),
        "pooled_average_precision": second_oracle.multilabel_average_precision(probabilities, has, **labels),
    }
    for what, rate in RATES.items():
        each = rate(said, truth, **kinds, average="none")
        expected |= {f"argmax/{what}/{code}": each[kind] for kind, code in enumerate(CODES)}
        expected[f"argmax/macro_{what}"] = rate(said, truth, **kinds, average="macro")
        expected[f"argmax/pooled_{what}"] = rate(said, truth, **kinds, average="micro")
    return expected


@pytest.mark.parametrize("who", ["some", "with ties"])
def test_figures_are_those_of_torchmetrics(who):
    """Which knows no weights: a case that was drawn twice is there twice."""
    rater = RATERS[who]
    drawn = some_weights(len(rater.truth))[0]

    found = figures_of(rater, drawn[None])

    for name, value in by_torchmetrics(rater, np.repeat(np.arange(len(drawn)), drawn.astype(int))).items():
        assert_allclose(found[name][0], value.item(), **SINGLE, err_msg=name)


@pytest.mark.parametrize("decimals", [16, 1, 0])
def test_areas_are_those_of_scikit_learn_with_ties(decimals):
    """Coarse rounding makes nearly every score a tie; in the ROC curve each counts one half."""
    rater = RATERS["some"]
    weights = some_weights(len(rater.truth))
    rounded = rater.probabilities.round(decimals)

    by_diagnosis = auc_by_diagnosis(rounded, rater.truth, weights)
    precision = average_precision(rounded[:, 0], rater.has[:, 0], weights)

    for row, weight in enumerate(weights):
        expected = oracle.roc_auc_score(rater.has, rounded, average=None, sample_weight=weight)
        assert_allclose(by_diagnosis[row], expected, **EXACT)
        expected = oracle.average_precision_score(rater.has[:, 0], rounded[:, 0], sample_weight=weight)
        assert_allclose(precision[row], expected, **EXACT)


def test_the_confusion_matrix_is_that_of_scikit_learn():
    """Rows are the truth, columns what was said."""
    rater = RATERS["some"]

    found = confusion_matrix(rater.truth, rater.said, kinds=KINDS)

    np.testing.assert_array_equal(found, oracle.confusion_matrix(rater.truth, rater.said))


@pytest.mark.parametrize("decimals", [16, 1])
def test_the_roc_curve_is_that_of_scikit_learn(decimals):
    """All points, one per distinct score, from nobody to everybody."""
    rater = RATERS["some"]
    scores, positive = rater.probabilities[:, 0].round(decimals), rater.has[:, 0]

    found = roc_curve(scores, positive)

    false_alarms, hits, thresholds = oracle.roc_curve(positive, scores, drop_intermediate=False)
    assert_allclose(found.false_positive_rate, false_alarms, **EXACT)
    assert_allclose(found.sensitivity, hits, **EXACT)
    assert_allclose(found.thresholds, thresholds, **EXACT)


@pytest.mark.parametrize("decimals", [16, 1])
def test_the_precision_recall_curve_is_that_of_scikit_learn(decimals):
    """All its points but the last, which it adds for the drawing; ours run with falling thresholds."""
    rater = RATERS["some"]
    scores, positive = rater.probabilities[:, 0].round(decimals), rater.has[:, 0]

    found = precision_recall_curve(scores, positive)

    precision, recall, thresholds = oracle.precision_recall_curve(positive, scores)
    assert_allclose(found.ppv, precision[-2::-1], **EXACT)
    assert_allclose(found.sensitivity, recall[-2::-1], **EXACT)
    assert_allclose(found.thresholds, thresholds[::-1], **EXACT)
