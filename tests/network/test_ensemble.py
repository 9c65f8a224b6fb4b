"""Several classifiers answer as one."""

from __future__ import annotations

import pytest
import torch

from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.network.ensemble import Ensemble


@pytest.fixture
def members():
    torch.manual_seed(0)
    return [Classifier(backbone_of("mobilenetv2_035"), classes=4) for _ in range(3)]


@torch.inference_mode()
def test_answers_are_averaged_and_features_stand_side_by_side(members):
    """Logits of every depth and maps are means over the members; no member's features are lost."""
    images = torch.rand(2, 3, 32, 32)

    together = Ensemble(members).eval()(images)

    alone = [member(images) for member in members]
    torch.testing.assert_close(together.logits, sum(each.logits for each in alone) / 3)
    for depth in range(7):
        mean = sum(each.auxiliary_logits[depth] for each in alone) / 3
        torch.testing.assert_close(together.auxiliary_logits[depth], mean)
    torch.testing.assert_close(together.maps[-1], sum(each.maps[-1] for each in alone) / 3)
    torch.testing.assert_close(together.features, torch.cat([each.features for each in alone], dim=1))
    for stage in range(7):
        side_by_side = torch.cat([each.stage_features[stage] for each in alone], dim=1)
        torch.testing.assert_close(together.stage_features[stage], side_by_side)


@torch.inference_mode()
def test_the_mean_of_each_map_is_still_its_logit(members):
    """A class activation map of an ensemble keeps the promise of its members' maps."""
    together = Ensemble(members).eval()(torch.rand(2, 3, 32, 32))

    for logits, map_ in zip((*together.auxiliary_logits, together.logits), together.maps, strict=True):
        torch.testing.assert_close(map_.mean(dim=(2, 3)), logits, rtol=1e-4, atol=1e-5)


def test_no_maps_are_made_while_training(members):
    """As with a single network."""
    assert Ensemble(members).train()(torch.rand(2, 3, 32, 32)).maps is None


@torch.inference_mode()
def test_rivals_without_auxiliary_classifiers_form_one_too():
    """No heads, no auxiliary logits, one map."""
    rivals = [Classifier(backbone_of("resnet18", auxiliary=False), classes=4) for _ in range(2)]

    together = Ensemble(rivals).eval()(torch.rand(2, 3, 32, 32))

    assert together.auxiliary_logits == ()
    assert len(together.maps) == 1
    assert together.features.shape == (2, 1024)


def test_an_ensemble_of_nobody_is_refused():
    """It would answer nothing."""
    with pytest.raises(ValueError, match="needs a member"):
        Ensemble([])
