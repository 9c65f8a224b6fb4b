"""Own against foreign pictures: which side is which, ties, weights and intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cutis.stats.foreign import estimate_foreign, foreign_answered, foreign_auroc, foreign_measures
from cutis.stats.metrics import Measure

SIDES = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=40).filter(
    lambda cases: len({foreign for _, foreign in cases}) == 2
)


def test_foreign_pictures_with_the_higher_signal_are_told_apart_wholly():
    """AUROC 1, and none is answered; the other way round it is 0, and all are."""
    signal, foreign = np.arange(40.0), np.arange(40) >= 20
    once = np.ones((1, 40))

    assert_allclose([foreign_auroc(signal, foreign, once)[0], foreign_answered(signal, foreign, once)[0]], [1, 0])
    assert_allclose([foreign_auroc(-signal, foreign, once)[0], foreign_answered(-signal, foreign, once)[0]], [0, 1])


def test_a_share_of_foreign_pictures_is_answered_with_95_of_100_own_ones():
    """Own signals 0 to 99: 95 are answered up to 94, and with them the foreign ones at 10, 94 and no more."""
    signal = np.concatenate([np.arange(100.0), [10, 94, 94.5, 200]])
    foreign = np.arange(104) >= 100

    assert_allclose(foreign_answered(signal, foreign, np.ones((1, 104))), [0.5])


def test_a_signal_that_is_everywhere_the_same_answers_everybody():
    """Ties enter together, and count one half in the area."""
    foreign = np.arange(10) >= 5
    once = np.ones((1, 10))

    assert_allclose(foreign_answered(np.zeros(10), foreign, once), [1])
    assert_allclose(foreign_auroc(np.zeros(10), foreign, once), [0.5])


def test_a_signal_that_is_infinite_is_the_highest():
    """What is no number is never answered, as long as few own ones are like that."""
    signal = np.concatenate([np.arange(100.0), [np.inf] * 2])
    foreign = np.arange(102) >= 100

    assert_allclose(foreign_answered(signal, foreign, np.ones((1, 102))), [0])


@settings(max_examples=40, deadline=None)
@given(SIDES, st.integers(0, 2**32 - 1))
def test_a_weight_is_a_number_of_equal_pictures(cases, seed):
    """In every round of a bootstrap; where a side was not drawn there is no figure."""
    signal, foreign = (np.array(each) for each in zip(*cases, strict=True))
    times = np.random.default_rng(seed).integers(0, 3, (4, len(signal)))

    found = foreign_answered(signal.astype(float), foreign, times.astype(float))

    for row, count in zip(found, times, strict=True):
        at = np.repeat(np.arange(len(signal)), count)
        if len(set(foreign[at])) < 2:
            assert np.isnan(row)
        else:
            once = np.ones((1, len(at)))
            assert_allclose(row, foreign_answered(signal[at].astype(float), foreign[at], once)[0])


@settings(max_examples=40, deadline=None)
@given(SIDES)
def test_only_the_order_of_the_signals_counts(cases):
    """Any rising scale gives the same figures."""
    signal, foreign = (np.array(each) for each in zip(*cases, strict=True))
    once = np.ones((1, len(signal)))

    plain, scaled = (
        foreign_measures({"it": each}, foreign, once) for each in (signal.astype(float), np.exp(signal.astype(float)))
    )

    assert plain == scaled


def test_estimates_hold_the_plain_figures_in_intervals_by_cluster():
    """The share rests on the foreign clusters, the area on both sides."""
    random = np.random.default_rng(0)
    foreign = np.repeat([False, True], [200, 80])
    signals = {"distance": random.normal(size=280) + foreign, "nothing": random.normal(size=280)}
    ids = [f"lesion{at // 2}" for at in range(280)]
    plain = foreign_measures(signals, foreign, np.ones((1, 280)))

    found = estimate_foreign(
        signals, foreign, ids, cluster_kind="lesion", generator=np.random.default_rng(1), rounds=200
    )

    for measure, value in plain.items():
        estimate = found[str(measure)]
        assert estimate.value == pytest.approx(value[0])
        assert estimate.low < estimate.value < estimate.high
    assert (found["distance/auroc"].clusters, found["distance/fpr95"].clusters) == (140, 40)
    assert found["nothing/auroc"].low < 0.5 < found["nothing/auroc"].high
    assert str(Measure("distance", "auroc")) in found


def test_where_no_foreign_picture_is_answered_in_any_round_the_share_still_has_an_interval():
    """Wilson's, with foreign clusters for trials; the area has none, and says why."""
    foreign = np.repeat([False, True], [100, 30])
    signal = {"it": np.arange(130.0)}

    found = estimate_foreign(
        signal,
        foreign,
        [str(at) for at in range(130)],
        cluster_kind="patient",
        generator=np.random.default_rng(0),
        rounds=50,
    )

    assert 0 < found["it/fpr95"].high < 0.15
    assert (found["it/auroc"].low, found["it/auroc"].value) == (None, 1)
    assert "all rounds" in found["it/auroc"].note


def test_without_foreign_pictures_there_is_nothing_to_say():
    """Nor without own ones."""
    with pytest.raises(ValueError, match="foreign"):
        estimate_foreign(
            {"it": np.zeros(3)},
            np.zeros(3, bool),
            ["a", "b", "c"],
            cluster_kind="lesion",
            generator=np.random.default_rng(0),
        )
