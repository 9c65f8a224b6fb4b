"""The loop learns, and says so when it cannot."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cutis.imaging.prepare import Preparation
from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.train.batches import Batch, Pictures
from cutis.train.config import TrainConfig
from cutis.train.loop import learn, learning_rate_at, listen_to, new_optimizer
from cutis.vocabulary.errors import UserError

CONFIG = TrainConfig(network="mobilenetv2_050", size=32, learning_rate=3e-3, epochs=10, warmup_epochs=1, dropout=0)


def _network():
    torch.manual_seed(0)
    return Classifier(backbone_of("mobilenetv2_050"), classes=2)


def _two_pictures():
    torch.manual_seed(1)
    return Batch(torch.randn(2, 3, 32, 32), torch.tensor([0, 1]), ("dark", "bright"))


def test_two_pictures_are_learned_by_heart():
    """A network that cannot learn two pictures can learn nothing."""
    network, batch = _network(), _two_pictures()
    optimizer = new_optimizer(network, CONFIG)

    losses = list(learn(network, [batch] * 60, optimizer, CONFIG, epoch=1, start=0, steps=60))

    assert losses[-1] < 0.15 * losses[0]


def test_listening_hears_every_classifier_and_changes_nothing():
    """Eight answers per case, and the weights and statistics stay as they were."""
    network = _network()
    array = np.random.default_rng(0).integers(0, 255, size=(2, 32, 32, 3), dtype=np.uint8)
    preparation = Preparation(size=32, mean=(0.5,) * 3, std=(0.25,) * 3)
    names = ("one", "two")
    pictures = Pictures(array=array, diagnosis=np.array([0, 1]), case_ids=names, sha256s=names, preparation=preparation)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}

    heard = listen_to(pictures, network, CONFIG)

    assert len(heard.logits) == 8
    assert heard.truth.tolist() == [0, 1]
    torch.testing.assert_close(dict(network.state_dict()), before)


def test_a_loss_that_is_no_number_names_the_cases_of_the_batch():
    """The user learns which pictures to look at."""
    network, batch = _network(), _two_pictures()
    broken = batch._replace(images=batch.images * float("nan"))

    with pytest.raises(UserError, match="dark, bright"):
        list(learn(network, [broken], new_optimizer(network, CONFIG), CONFIG, epoch=0, start=0, steps=1))


def test_the_learning_rate_warms_up_and_falls_to_zero():
    """Up in a line, down in a cosine."""
    assert learning_rate_at(0.5, CONFIG) == pytest.approx(CONFIG.learning_rate / 2)
    assert learning_rate_at(1.0, CONFIG) == pytest.approx(CONFIG.learning_rate)
    assert learning_rate_at(5.5, CONFIG) == pytest.approx(CONFIG.learning_rate / 2)
    assert learning_rate_at(10.0, CONFIG) == pytest.approx(0.0)


def test_single_vectors_do_not_decay():
    """Biases and normalisation stay out of weight decay."""
    decaying, still = new_optimizer(_network(), CONFIG).param_groups

    assert all(parameter.ndim > 1 for parameter in decaying["params"])
    assert all(parameter.ndim == 1 for parameter in still["params"])
    assert still["weight_decay"] == 0
