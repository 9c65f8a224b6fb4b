"""No number is reported bare."""

from dataclasses import replace

from cutis.vocabulary.estimate import Estimate

ESTIMATE = Estimate(value=0.8124, low=0.774, high=0.8461, method="bootstrap", clusters=40, cluster_kind="patient")


def test_a_figure_is_shown_with_its_interval():
    """Three digits and the level."""
    assert str(ESTIMATE) == "0.812 (95% CI 0.774–0.846)"
    assert str(replace(ESTIMATE, level=0.9)).startswith("0.812 (90% CI")


def test_a_figure_without_interval_says_why():
    """One cluster cannot be resampled."""
    assert str(replace(ESTIMATE, low=None, high=None, note="one patient")) == "0.812 (no interval: one patient)"


def test_a_figure_that_cannot_be_computed_says_why():
    """No number is invented."""
    missing = replace(ESTIMATE, value=None, low=None, high=None, note="no positive case")

    assert str(missing) == "not available (no positive case)"


def test_plain_data_and_back():
    """What JSON holds makes the same estimate."""
    assert Estimate(**ESTIMATE.to_dict()) == ESTIMATE
