"""What stands beside scikit-learn is the same task, and a run that was broken off goes on."""

import numpy as np
import pytest


@pytest.fixture
def bench(benchmark_named):
    """The benchmark."""
    return benchmark_named("atlas")


def test_invented_features_are_those_of_a_network(bench):
    """As many, none negative, in groups of unequal size, the same each time."""
    features, groups = bench.invented_features(400)

    assert features.shape == (400, 1792)
    assert features.dtype == np.float32
    assert features.min() >= 0
    assert np.bincount(groups).max() > 5 * np.bincount(groups, minlength=14).min()
    np.testing.assert_array_equal(bench.invented_features(400)[0], features)


def test_a_row_says_how_long_how_good_and_on_what(bench):
    """A small one is measured here; the full ones are in the table."""
    row = bench.measured(bench.Trial("ours", "cutis", 120))

    assert row["key"] == bench.Trial("ours", "cutis", 120).key
    assert row["seconds"] > 0
    assert 0.5 < row["trustworthiness/10"] <= 1
    assert row["seconds_to_place"] < 1


def test_the_table_tells_what_is_measured_and_leaves_out_what_is_not(bench):
    """Ratios are against our own row of the same run."""
    row = {"trustworthiness/10": 0.9, "trustworthiness/30": 0.9, "preservation/10": 0.5, "preservation/30": 0.5}
    row |= {"peak_gb": 1.0, "seconds_of_quality": 2.0, "seconds_to_place": 0.03}
    row |= {"made_with": {"cores": 2, "processor": "one", "cutis": "0"}}
    ours, theirs, *_ = bench.trials(bench.CASES)
    rows = {each.key: row | each._asdict() | {"seconds": seconds} for each, seconds in ((ours, 50.0), (theirs, 150.0))}

    text = bench.table(rows, bench.CASES)

    assert "| scikit-learn | 150 | 3.0 | 0.900 · 0.900 |" in text
    assert "| 13,603 | 50 | 2 | 0.900 · 0.900 | 30 | 1.0 |" in text
    assert "2 of 11 rows are measured, on 2 cores of one, cutis 0." in text
    assert "0 of 11 rows" in bench.table({}, bench.CASES)
