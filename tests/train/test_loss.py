"""Main plus weighted auxiliary loss."""

from __future__ import annotations

import torch
from torch.nn import functional

from cutis.train.loss import supervised_loss
from cutis.vocabulary.outputs import Outputs

TRUTH = torch.tensor([0, 2, 1])


def _outputs():
    torch.manual_seed(0)
    logits, first, second = torch.randn(3, 3, 4).unbind()
    return Outputs(logits=logits, auxiliary_logits=(first, second), features=torch.empty(3, 0), maps=None)


def test_without_auxiliary_weight_only_the_final_classifier_counts():
    """Weight zero is the plain network."""
    outputs = _outputs()

    loss = supervised_loss(outputs, TRUTH, auxiliary_weight=0)

    torch.testing.assert_close(loss, functional.cross_entropy(outputs.logits, TRUTH))


def test_each_auxiliary_classifier_adds_its_weighted_loss():
    """The sum is main + weight × each."""
    outputs = _outputs()
    each = [functional.cross_entropy(logits, TRUTH) for logits in (outputs.logits, *outputs.auxiliary_logits)]

    loss = supervised_loss(outputs, TRUTH, auxiliary_weight=0.5)

    torch.testing.assert_close(loss, each[0] + 0.5 * (each[1] + each[2]))
