"""Main plus weighted auxiliary loss, and what changes how much each picture counts."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from cutis.train.loss import Teaching, answer_losses, supervised_losses
from cutis.vocabulary.outputs import Outputs

TRUTH = torch.tensor([0, 2, 1])
TARGET = functional.one_hot(TRUTH, 4).float()


def _outputs():
    torch.manual_seed(0)
    logits, first, second = torch.randn(3, 3, 4).unbind()
    return Outputs(logits=logits, auxiliary_logits=(first, second), features=torch.empty(3, 0), maps=None)


def test_without_auxiliary_weights_only_the_final_classifier_counts():
    """No weight is the plain network."""
    outputs = _outputs()

    losses = supervised_losses(outputs, TARGET, Teaching())

    torch.testing.assert_close(losses, functional.cross_entropy(outputs.logits, TRUTH, reduction="none"))


def test_each_auxiliary_classifier_adds_its_weighted_loss():
    """The sum is main + weight × each, every stage by its own weight."""
    outputs = _outputs()
    each = [
        functional.cross_entropy(logits, TRUTH, reduction="none")
        for logits in (outputs.logits, *outputs.auxiliary_logits)
    ]

    losses = supervised_losses(outputs, TARGET, Teaching(stage_weights=(0.5, 0.25)))

    torch.testing.assert_close(losses, each[0] + 0.5 * each[1] + 0.25 * each[2])


def test_label_smoothing_is_torchs():
    """Our targets are torch's when a share is spread over all diagnoses."""
    outputs = _outputs()

    losses = supervised_losses(outputs, TARGET, Teaching(label_smoothing=0.1))

    expected = functional.cross_entropy(outputs.logits, TRUTH, reduction="none", label_smoothing=0.1)
    torch.testing.assert_close(losses, expected)


def test_class_weights_are_torchs():
    """A weighted diagnosis counts as torch counts it."""
    logits, weights = _outputs().logits, torch.tensor([0.5, 1.0, 2.0, 4.0])

    losses = answer_losses(logits, TARGET, Teaching(class_weights=weights))

    expected = functional.cross_entropy(logits, TRUTH, weight=weights, reduction="none")
    torch.testing.assert_close(losses, expected)


def test_logit_adjustment_is_cross_entropy_of_adjusted_logits():
    """Menon et al. 2021, equation 10: the log prior is added before the softmax."""
    logits, prior = _outputs().logits, torch.tensor([0.7, 0.1, 0.1, 0.1])

    losses = answer_losses(logits, TARGET, Teaching(log_prior=prior.log()))

    expected = functional.cross_entropy(logits + prior.log(), TRUTH, reduction="none")
    torch.testing.assert_close(losses, expected)


def test_focal_loss_is_that_of_its_authors():
    """Lin et al. 2017: (1 − p) to the power of gamma times the cross-entropy."""
    logits = _outputs().logits
    chances = functional.softmax(logits, dim=1)[torch.arange(3), TRUTH]

    losses = answer_losses(logits, TARGET, Teaching(focal_gamma=2.0))

    torch.testing.assert_close(losses, -((1 - chances) ** 2) * chances.log())


def test_focal_loss_of_what_is_known_for_sure_has_a_gradient():
    """A power of zero must not make a gradient that is no number."""
    logits = torch.tensor([[80.0, -80.0]], requires_grad=True)

    answer_losses(logits, torch.tensor([[1.0, 0.0]]), Teaching(focal_gamma=0.5)).sum().backward()

    assert torch.isfinite(logits.grad).all()


def test_two_raters_who_disagree_teach_both_answers():
    """A soft target's loss is the mean of the losses of its parts."""
    logits = _outputs().logits[:1]
    halves = torch.tensor([[0.5, 0.5, 0.0, 0.0]])

    (loss,) = answer_losses(logits, halves, Teaching())

    each = functional.cross_entropy(logits.repeat(2, 1), torch.tensor([0, 1]), reduction="none")
    assert loss.item() == pytest.approx(each.mean().item(), rel=1e-6)
