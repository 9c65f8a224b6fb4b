"""Maps, maps with channels last, and tokens are all brought to (N, F, h, w)."""

from __future__ import annotations

import pytest
import torch

from cutis.network.backbone import backbone_of
from cutis.network.layout import ChannelsFirst, TokensToMap
from cutis.vocabulary.errors import UserError

# what gives a map as such, with channels last, as tokens behind one without a place, as tokens alone,
# and through a layer that timm has behind the average
FAMILIES = {
    "densenet121": (64, (2, 1024, 2, 2)),
    "swin_tiny_patch4_window7_224": (64, (2, 768, 2, 2)),
    "vit_tiny_patch16_224": (96, (2, 192, 6, 6)),
    "mixer_s16_224": (96, (2, 512, 6, 6)),
    "convnext_tiny": (64, (2, 768, 2, 2)),
    "mobilenetv3_small_050": (64, (2, 1024, 2, 2)),
}


@pytest.mark.parametrize("architecture", FAMILIES)
def test_every_family_gives_a_map_with_channels_before_places(architecture):
    """The same shape for whatever follows, and the width that the classifier is built for."""
    size, shape = FAMILIES[architecture]

    with torch.device("meta"):
        backbone = backbone_of(architecture, auxiliary=False, size=size)
        feature_map = backbone.neck(backbone.stem(torch.empty(2, 3, size, size)))

    assert feature_map.shape == shape
    assert backbone.features == shape[1]


@pytest.mark.parametrize(("size", "places"), [(32, 1), (64, 1), (224, 1), (380, 5)])
def test_vgg_has_its_wide_hidden_layer_at_every_size(size, places):
    """4,096 features; below 224 pixels the map is stretched to the 7 × 7 places that they look at."""
    with torch.device("meta"):
        backbone = backbone_of("vgg16_bn", auxiliary=False, size=size)
        feature_map = backbone.stem(torch.empty(2, 3, size, size))

    assert feature_map.shape == (2, 4096, places, places)


@pytest.mark.parametrize("architecture", ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "vgg16_bn"])
def test_every_parameter_has_a_gradient(architecture):
    """Nothing is carried along that nothing learns from; several processes would wait for it forever."""
    with torch.device("meta"):
        backbone = backbone_of(architecture, auxiliary=False, size=64)
        backbone.neck(backbone.stem(torch.empty(2, 3, 64, 64))).sum().backward()

    assert [name for name, parameter in backbone.stem.named_parameters() if parameter.grad is None] == []


def test_tokens_are_laid_out_row_by_row():
    """The token without a place is dropped, and the others stand where their patches were."""
    tokens = torch.arange(5.0)[None, :, None].expand(1, 5, 2)

    feature_map = TokensToMap(1, 2)(tokens)

    assert feature_map.shape == (1, 2, 2, 2)
    assert feature_map[0, 1].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_channels_come_first():
    """Each channel keeps its places."""
    feature_map = torch.rand(2, 3, 4, 5)

    assert torch.equal(ChannelsFirst()(feature_map)[1, 4], feature_map[1, :, :, 4])


@pytest.mark.parametrize(
    ("architecture", "size"), [("vit_tiny_patch16_224", 100), ("vgg16_bn", 16), ("efficientformer_l1", 96)]
)
def test_a_size_that_a_network_cannot_take_is_refused(architecture, size):
    """The message names the size, and the one that the network was made for."""
    with pytest.raises(UserError, match=rf"cannot take pictures of {size} pixels(.*\n)*.*224"):
        backbone_of(architecture, auxiliary=False, size=size)


@pytest.mark.parametrize("architecture", ["crossvit_9_240", "deit_tiny_distilled_patch16_224"])
def test_a_network_without_a_map_is_refused(architecture):
    """What cannot say where it looks is no rival here."""
    with pytest.raises(UserError, match="gives no feature map"):
        backbone_of(architecture, auxiliary=False)
