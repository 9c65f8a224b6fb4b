"""Two treatments in the hands of one reader, held to what is printed of Van Dyke's study."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.mrmc.each_reader import each_reader
from cutis.stats.mrmc.study import Asked
from reader_studies import published


@pytest.fixture
def vandyke(shared_data):
    """5 readers × 2 treatments × 114 cases."""
    return published(shared_data("reader-study/vandyke.csv"))


def digits(value, decimals):
    """What holds for a number that was printed with so many decimals."""
    return pytest.approx(value, abs=0.5000001 * 10**-decimals)


def test_each_reader_by_himself_is_told_as_printed(vandyke):
    """Difference, standard error, p and interval of every reader on other cases (RJafroc's book, FRRC by reader)."""
    printed = [
        (-0.028180354, 0.025512133, 0.269338854, -0.078183215, 0.0218225068),
        (-0.046537842, 0.026301827, 0.076831017, -0.098088476, 0.0050127916),
        (-0.017874396, 0.031209647, 0.566834139, -0.079044180, 0.0432953879),
        (-0.026247987, 0.017291289, 0.129017153, -0.060138290, 0.0076423157),
        (-0.100161031, 0.044057460, 0.023000993, -0.186512066, -0.0138099949),
    ]

    readers = each_reader(vandyke.truth, *vandyke.scores)

    found = [(one.difference.value, one.p, one.difference.low, one.difference.high) for one in readers]
    for one, (value, _, p, low, high) in zip(found, printed, strict=True):
        assert one == digits([value, p, low, high], 8)
    half = [(one.difference.high - one.difference.low) / 2 / 1.959963984540054 for one in readers]
    assert half == digits([row[1] for row in printed], 8)
    assert [one.figures[0].value for one in readers] == digits(
        [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066], 8
    )


def test_a_reader_with_one_treatment_has_no_difference_of_his_own(vandyke):
    """And the others are told as before."""
    scores = vandyke.scores.copy()
    scores[1, 2] = np.nan

    readers = each_reader(vandyke.truth, *scores)

    assert [one is None for one in readers] == [False, False, True, False, False]
    assert readers[0].difference == each_reader(vandyke.truth, *vandyke.scores)[0].difference


def test_a_share_is_the_paired_one_of_the_reader():
    """Of 40 cases, right in 30 and in 22: the difference and the variance of paired shares, by hand."""
    random = np.random.default_rng(0)
    both = (np.arange(40)[None] < [[30], [22]]).astype(float)
    both[1] = random.permutation(both[1])
    apart = both[0] - both[1]

    (reader,) = each_reader(np.ones(40, dtype=np.int64), both[:1], both[1:], asked=Asked(endpoint="right"))

    half = 1.959963984540054 * apart.std(ddof=1) / np.sqrt(40)
    assert reader.difference.value == pytest.approx(0.2)
    assert reader.difference.high - 0.2 == pytest.approx(half)
    assert [figure.value for figure in reader.figures] == pytest.approx([0.75, 0.55])


def test_a_reader_who_never_changes_has_no_p():
    """Nothing varies, so nothing is tested."""
    said = np.tile([1.0, 0.0], 10)[None]

    (reader,) = each_reader(np.ones(20, dtype=np.int64), said, said, asked=Asked(endpoint="right"))

    assert (reader.difference.value, reader.difference.low, reader.p) == (0.0, None, None)
