"""Two treatments, held to what OR-DBM MRMC 2.5 and MRMCaov print, and to what must hold in any design."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.mrmc.study import Asked
from cutis.stats.mrmc.treatments import several_treatments, two_treatments
from cutis.vocabulary.errors import UserError
from reader_studies import published


@pytest.fixture
def vandyke(shared_data):
    """5 readers × 2 treatments × 114 cases."""
    return published(shared_data("reader-study/vandyke.csv"))


@pytest.fixture
def franken(shared_data):
    """4 readers × 2 treatments × 100 cases."""
    return published(shared_data("reader-study/franken.csv"))


def analysed(study, **asked):
    return two_treatments(study.truth, *study.scores, asked=Asked(**asked))


def digits(value, decimals):
    """What holds for a number that was printed with so many decimals."""
    return pytest.approx(value, abs=0.5000001 * 10**-decimals)


def test_the_areas_of_each_reader_are_the_printed_ones(vandyke):
    """Empirical areas, ties one half."""
    found = analysed(vandyke)

    assert found.by_reader[0] == digits([0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066], 8)
    assert found.by_reader[1] == digits([0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169], 8)
    assert found.outcome.difference.value == digits(-0.04380032, 8)


def test_mean_squares_and_jackknife_covariances_are_the_printed_ones(vandyke):
    """Van Dyke, jackknife."""
    parts = analysed(vandyke).components

    assert parts.ms_treatment == digits(0.004796171, 9)
    assert parts.ms_reader == digits(0.00383620, 8)
    assert parts.ms_interaction == digits(0.0005510306, 10)
    assert parts.variance == digits(0.0008022883, 10)
    assert parts.covariance_1 == digits(0.0003466137, 10)
    assert parts.covariance_2 == digits(0.0003440748, 10)
    assert parts.covariance_3 == digits(0.0002390284, 10)


def test_random_readers_and_cases_are_tested_as_printed(vandyke):
    """F, Hillis' degrees of freedom, p, standard error and interval."""
    found = analysed(vandyke)

    assert found.overall.statistic == digits(4.456319, 6)
    assert found.overall.denominator == digits(15.25967, 5)
    assert found.overall.p == digits(0.05166569, 7)
    assert found.outcome.p == digits(0.05166569, 7)
    assert found.outcome.standard_error == digits(0.02074862, 8)
    assert found.outcome.difference.low == digits(-0.08795950, 8)
    assert found.outcome.difference.high == digits(0.00035885, 8)


def test_fixed_readers_and_fixed_cases_are_tested_as_printed(vandyke):
    """A chi-square for these readers, F(1, 4) for these cases."""
    readers, cases = analysed(vandyke, random="cases"), analysed(vandyke, random="readers")

    assert readers.overall.statistic == digits(5.475953, 6)
    assert readers.overall.denominator is None
    assert readers.overall.p == digits(0.01927984, 8)
    assert cases.overall.statistic == digits(8.7040, 4)
    assert cases.overall.denominator == 4
    assert cases.overall.p == digits(0.04195875, 8)


def test_delong_covariances_are_tested_as_printed(vandyke):
    """Van Dyke, DeLong."""
    found = analysed(vandyke, covariance="delong")

    assert found.components.variance == digits(0.0007921325, 10)
    assert found.components.covariance_1 == digits(0.0003420090, 10)
    assert found.components.covariance_2 == digits(0.0003395265, 10)
    assert found.components.covariance_3 == digits(0.0002358497, 10)
    assert found.overall.statistic == digits(4.484854, 6)
    assert found.overall.denominator == digits(15.06611, 5)
    assert found.overall.p == digits(0.05123303, 8)


def test_covariances_in_the_wrong_order_are_constrained_as_printed(franken):
    """Franken has Cov2 < Cov3: their difference counts as 0, and a note says so."""
    found = analysed(franken)

    assert [mean.value for mean in found.means] == digits([0.84774989, 0.83689507], 8)
    assert found.components.variance == digits(0.00152578, 8)
    assert found.components.covariance_1 == digits(0.00079168, 8)
    assert found.components.covariance_2 == digits(0.00048364, 8)
    assert found.components.covariance_3 == digits(0.00051251, 8)
    assert found.overall.statistic == digits(4.69, 2)
    assert found.overall.denominator == pytest.approx(3)
    assert found.overall.p == digits(0.1188, 4)
    assert found.outcome.standard_error == digits(0.00501, 5)
    assert found.outcome.difference.low == digits(-0.00509, 5)
    assert found.outcome.difference.high == digits(0.02680, 5)
    assert "was taken as 0" in found.outcome.difference.note


def test_a_sensitivity_is_one_of_the_diseased_alone(vandyke):
    """The healthy cases change neither it nor its covariance: the same comes out without them."""
    flags = (vandyke.scores >= 3).astype(float)
    diseased = vandyke.truth == 1

    with_all = two_treatments(vandyke.truth, *flags, asked=Asked(endpoint="sensitivity"))
    alone = two_treatments(vandyke.truth[diseased], *flags[:, :, diseased], asked=Asked(endpoint="sensitivity"))

    assert with_all.components == alone.components
    assert with_all.outcome.difference.clusters == 45
    by_hand = np.array([flags[0, 0, diseased], flags[1, 0, diseased]])
    assert with_all.components.variance == pytest.approx(
        np.mean([np.var(row[diseased], ddof=1) / 45 for row in flags.reshape(10, -1)])
    )
    assert with_all.by_reader[:, 0] == pytest.approx(by_hand.mean(axis=1))


def test_cases_of_each_reader_alone_leave_readers_nothing_in_common(vandyke):
    """Cases nested within readers: Cov2 and Cov3 are 0, and the test is the one of the interaction alone."""
    cases = len(vandyke.truth)
    scores = np.full((2, 5, 5 * cases), np.nan)
    for reader in range(5):
        scores[:, reader, reader * cases : (reader + 1) * cases] = vandyke.scores[:, reader]

    found = two_treatments(np.tile(vandyke.truth, 5), *scores)

    assert found.components.covariance_2 == pytest.approx(0, abs=1e-15)
    assert found.components.covariance_3 == pytest.approx(0, abs=1e-15)
    assert found.overall.statistic == pytest.approx(found.components.ms_treatment / found.components.ms_interaction)
    assert found.overall.denominator == pytest.approx(4)


def test_cases_of_each_treatment_alone_leave_treatments_nothing_in_common(vandyke):
    """Cases nested within treatments: Cov1 and Cov3 are 0."""
    cases = len(vandyke.truth)
    scores = np.full((2, 5, 2 * cases), np.nan)
    scores[0, :, :cases], scores[1, :, cases:] = vandyke.scores

    parts = two_treatments(np.tile(vandyke.truth, 2), *scores, asked=Asked(covariance="delong")).components

    assert parts.covariance_1 == parts.covariance_3 == 0
    assert parts.covariance_2 == digits(0.0003395265, 10)


def test_groups_of_readers_with_cases_of_their_own_are_a_split_plot(vandyke):
    """Two readers of different groups share no case, and the mean covariance counts them as 0."""
    scores = np.tile(vandyke.scores, (1, 2, 2))
    cases = len(vandyke.truth)
    scores[:, :5, cases:] = scores[:, 5:, :cases] = np.nan

    split = two_treatments(np.tile(vandyke.truth, 2), *scores, asked=Asked(covariance="delong"))

    assert split.components.covariance_2 == pytest.approx(0.0003395265 * 40 / 90, rel=1e-6)
    assert split.outcome.difference.method.startswith("Obuchowski")


def test_other_readers_with_each_treatment_are_two_groups(vandyke):
    """Readers nested within treatments: the pooled spread of readers, with t (r − 1) degrees of freedom."""
    scores = np.full((2, 9, len(vandyke.truth)), np.nan)
    scores[0, :5], scores[1, 5:] = vandyke.scores[0], vandyke.scores[1, 1:]

    found = two_treatments(vandyke.truth, *scores, asked=Asked(random="readers"))

    spread = (4 * np.var(found.by_reader[0, :5], ddof=1) + 3 * np.var(found.by_reader[1, 5:], ddof=1)) / 7
    assert found.outcome.standard_error == pytest.approx(np.sqrt(spread * (1 / 5 + 1 / 4)))
    assert found.outcome.degrees_of_freedom == 7


def test_gaps_are_answered_by_the_one_shot_method(vandyke):
    """Where readers skip cases here and there, and it agrees with the full study within its error."""
    scores = vandyke.scores.copy()
    scores[:, np.random.default_rng(0).random(scores.shape[1:]) < 0.2] = np.nan

    found = two_treatments(vandyke.truth, *scores)

    assert found.outcome.difference.method.startswith("one-shot")
    assert found.outcome.difference.value == pytest.approx(-0.0438, abs=0.02)
    assert found.outcome.standard_error == pytest.approx(0.0207, rel=0.3)


def test_three_treatments_are_tested_together(vandyke):
    """The F-test has two degrees of freedom, and each pair is told."""
    scores = np.concatenate([vandyke.scores, vandyke.scores[:1] + vandyke.scores[1:]])

    found = several_treatments(vandyke.truth, scores)

    assert found.overall.numerator == 2
    assert set(found.differences) == {(0, 1), (0, 2), (1, 2)}
    assert found.differences[0, 2].standard_error == pytest.approx(found.differences[0, 1].standard_error)


def test_the_same_treatment_twice_has_no_test(vandyke):
    """Nothing varies between a reader and himself: no interval, no p, and a reason."""
    found = two_treatments(vandyke.truth, vandyke.scores[0], vandyke.scores[0])

    assert found.outcome.difference.value == 0
    assert found.outcome.p is None
    assert found.outcome.difference.low is None
    assert "standard error is 0" in found.outcome.difference.note
    assert found.overall.p is None


def test_margins_are_judged_with_student_s_p(vandyke):
    """Non-inferiority of the second treatment within .05 of the first: the one-sided p is that of the t-test."""
    from scipy.stats import t as student

    found = two_treatments(vandyke.truth, *vandyke.scores[::-1], asked=Asked(hypothesis="non-inferiority", margin=0.05))

    assert found.outcome.verdict.shown
    assert found.outcome.verdict.p == pytest.approx(student.sf((0.04380032 + 0.05) / 0.02074862, 15.25967), rel=1e-4)


def test_equivalence_asks_both_sides_at_ninety_percent(vandyke):
    """The interval is one of 90 %, and p the larger of the two."""
    from scipy.stats import t as student

    found = analysed(vandyke, hypothesis="equivalence", margin=0.05).outcome
    turned = two_treatments(
        vandyke.truth, *vandyke.scores[::-1], asked=Asked(hypothesis="equivalence", margin=0.05)
    ).outcome

    assert found.difference.level == pytest.approx(0.90)
    nearer = student.sf((0.05 - 0.04380032) / 0.02074862, 15.25967)
    assert (found.verdict.p, turned.verdict.p) == pytest.approx((nearer, nearer), rel=1e-4)
    assert found.verdict.outcome == "equivalence_not_shown"


def test_few_cases_against_many_readers_count_for_the_degrees_of_freedom():
    """The interval widens, and a note says why; Hillis' are there to be asked for."""
    random = np.random.default_rng(0)
    truth = np.repeat([1, 0], [15, 60])
    scores = truth + random.normal(size=75) + random.normal(size=(2, 40, 75))

    ours = two_treatments(truth, *scores).outcome
    hillis = two_treatments(truth, *scores, asked=Asked(degrees="hillis")).outcome

    assert ours.degrees_of_freedom < hillis.degrees_of_freedom
    assert ours.p > hillis.p
    assert "15 cases on the smaller side against 40 readers" in ours.difference.note


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"endpoint": "kappa"}, "unknown endpoint"),
        ({"random": "nothing"}, "both fixed"),
        ({"covariance": "guess"}, "unknown covariance"),
        ({"endpoint": "accuracy"}, "yes (1) or no (0)"),
    ],
)
def test_what_has_no_sound_method_is_refused_with_its_reason(vandyke, asked, reason):
    """Each refusal names what is wrong, and how to mend it."""
    with pytest.raises(UserError) as refused:
        analysed(vandyke, **asked)

    assert reason in refused.value.what
    assert refused.value.mend


def test_hard_labels_have_no_area(vandyke):
    """One label per reader and case is no rating."""
    with pytest.raises(UserError, match="no area under a ROC curve"):
        two_treatments(vandyke.truth, *(vandyke.scores > 2).astype(float))


@pytest.mark.parametrize(
    ("cases", "readers", "reason"),
    [
        (slice(0, 1), slice(None), "with"),
        (slice(None), slice(0, 1), "single reader"),
    ],
)
def test_too_little_is_refused(vandyke, cases, readers, reason):
    """A single case on a side, or a single reader taken for a sample of readers."""
    order = np.argsort(vandyke.truth, kind="stable")
    picked = np.concatenate([np.flatnonzero(vandyke.truth == 1)[cases], np.flatnonzero(vandyke.truth == 0)])
    picked = picked if cases != slice(None) else order

    with pytest.raises(UserError, match=reason):
        two_treatments(vandyke.truth[picked], *vandyke.scores[:, readers][:, :, picked])


def test_a_single_reader_can_be_asked_about_himself(vandyke):
    """With the readers fixed it is DeLong's paired test."""
    from cutis.stats.areas import areas_under

    found = two_treatments(
        vandyke.truth, *vandyke.scores[:, :1], asked=Asked(random="cases", covariance="delong")
    ).outcome

    pair = areas_under(vandyke.scores[:, 0], vandyke.truth == 1)
    assert found.standard_error == pytest.approx(pair.variance(np.array([1.0, -1.0])) ** 0.5)
