"""A network's twin on the meta device."""

from __future__ import annotations

import torch

from cutis.network.twin import twin_of


def test_a_twin_has_shapes_and_no_numbers():
    """VGG-16 takes half a gigabyte; its twin takes nothing."""
    twin = twin_of("vgg16_bn", stochastic_depth=0.0, size=64)

    assert {parameter.device for parameter in twin.network.parameters()} == {torch.device("meta")}


def test_only_a_network_of_one_size_is_told_the_size():
    """A ViT has one position per patch; a ResNet takes any picture."""
    told = {
        name: twin_of(name, stochastic_depth=0.0, size=64).options.get("img_size")
        for name in ("vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "resnet18")
    }

    assert told == {"vit_tiny_patch16_224": 64, "swin_tiny_patch4_window7_224": 64, "resnet18": None}


def test_no_stochastic_depth_is_none_even_where_timm_has_some():
    """Swin skips blocks by default; a recipe that says 0 means 0."""
    twin = twin_of("swin_tiny_patch4_window7_224", stochastic_depth=0.0, size=None)

    assert not [part for part in twin.network.modules() if getattr(part, "drop_prob", 0)]
