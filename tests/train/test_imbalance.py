"""Rare diagnoses count or come more often, as strongly as a recipe says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cutis.train.config import TrainConfig
from cutis.train.imbalance import class_weights, order_of_epoch, teaching_of
from cutis.vocabulary.chance import chance

COUNTS = np.array([900, 90, 10])
DIAGNOSIS = np.repeat([0, 1, 2], COUNTS)


def test_class_weights_keep_the_size_of_the_loss():
    """Their mean over the archive is 1, so a learning rate stays right."""
    weights = class_weights(COUNTS, 1.0)

    assert weights @ COUNTS / COUNTS.sum() == pytest.approx(1)
    assert weights[2] / weights[0] == pytest.approx(90)


def test_strength_zero_leaves_the_archive_as_it_is():
    """The knob at zero does nothing."""
    assert class_weights(COUNTS, 0.0) == pytest.approx([1, 1, 1])


def test_a_plain_epoch_shows_each_picture_once():
    """Nothing is left out and nothing comes twice."""
    order = order_of_epoch(DIAGNOSIS, TrainConfig(), chance("test"))

    assert sorted(order.tolist()) == list(range(1000))


def test_a_balanced_sampler_shows_each_diagnosis_as_often():
    """Within what chance allows, a third of the pictures each."""
    config = TrainConfig(imbalance="balanced_sampler")

    order = order_of_epoch(DIAGNOSIS, config, chance("test"))

    assert np.bincount(DIAGNOSIS[order]) == pytest.approx([333, 333, 333], abs=60)


def test_a_half_strong_sampler_stands_between():
    """Strength is an exponent: the square root here."""
    config = TrainConfig(imbalance="balanced_sampler", imbalance_strength=0.5)

    shown = np.bincount(DIAGNOSIS[order_of_epoch(DIAGNOSIS, config, chance("test"))])

    expected = np.sqrt(COUNTS) / np.sqrt(COUNTS).sum() * 1000
    assert shown == pytest.approx(expected, abs=60)


@pytest.mark.parametrize("way", ["none", "weighted_loss", "balanced_sampler", "logit_adjustment"])
def test_each_way_changes_one_thing_alone(way):
    """Weights for the weighted loss, a prior for logit adjustment, nothing in the loss for the others."""
    teaching = teaching_of(TrainConfig(imbalance=way), COUNTS, torch.device("cpu"))

    assert (teaching.class_weights is not None) == (way == "weighted_loss")
    assert (teaching.log_prior is not None) == (way == "logit_adjustment")


def test_the_prior_is_the_archives_mix():
    """exp(prior) sums to one."""
    teaching = teaching_of(TrainConfig(imbalance="logit_adjustment"), COUNTS, torch.device("cpu"))

    assert teaching.log_prior.exp().tolist() == pytest.approx((COUNTS / 1000).tolist())
