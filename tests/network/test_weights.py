"""Weights from a file arrive key by key, or an error says all that does not fit."""

from __future__ import annotations

import pytest
import timm
import torch
from safetensors.torch import save_file

from cutis.network.backbone import backbone_of
from cutis.vocabulary.errors import UserError


def a_file(folder, state, **metadata):
    """Write a file of weights and return its path as a recipe gives it."""
    path = folder / "donor.safetensors"
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, path, metadata=metadata or None)
    return str(path)


def state_of(architecture, **options):
    """The weights of a new network of timm."""
    return timm.create_model(architecture, pretrained=False, **options).state_dict()


def halved(state, kind=torch.float16):
    """The same with numbers of half the length."""
    return {key: tensor.to(kind) if tensor.is_floating_point() else tensor for key, tensor in state.items()}


def test_weights_from_a_file_arrive_key_by_key(tmp_path):
    """Every tensor of the file is in the network, and the file's own classifier is left out."""
    donor = timm.create_model("mobilenetv2_050", pretrained=False)
    path = a_file(tmp_path, donor.state_dict(), mean="0.5,0.5,0.5", std="0.4,0.4,0.4")

    backbone = backbone_of("mobilenetv2_050", weights=path)

    torch.testing.assert_close(backbone.stem[0].weight, donor.conv_stem.weight)
    torch.testing.assert_close(backbone.stages[6].state_dict(), donor.blocks[6].state_dict())
    torch.testing.assert_close(backbone.neck[0].weight, donor.conv_head.weight)
    assert backbone.mean == (0.5, 0.5, 0.5)
    assert backbone.std == (0.4, 0.4, 0.4)


@pytest.mark.parametrize(
    ("architecture", "kind", "classifier"),
    [("resnet18", torch.float16, "fc."), ("densenet121", torch.bfloat16, "classifier.")],
)
def test_short_numbers_of_any_network_become_long_ones(tmp_path, architecture, kind, classifier):
    """Half the length on disk, float32 in training; what is left out is the classifier, whatever its name is."""
    state = halved(state_of(architecture), kind)
    path = a_file(tmp_path, state)

    backbone = backbone_of(architecture, weights=path, auxiliary=False)

    loaded = backbone.stem.state_dict()
    assert loaded.keys() == {key for key in state if not key.startswith(classifier)}
    for key, tensor in loaded.items():
        torch.testing.assert_close(tensor, state[key].to(tensor.dtype), rtol=0, atol=0)
    assert {parameter.dtype for parameter in backbone.stem.parameters()} == {torch.float32}


def test_a_file_without_a_classifier_is_welcome(tmp_path):
    """Weights of a backbone alone are as good, with the colours of timm's own."""
    path = a_file(tmp_path, state_of("resnet18", num_classes=0))

    backbone = backbone_of("resnet18", weights=path, auxiliary=False)

    assert backbone.mean == (0.485, 0.456, 0.406)


def test_the_real_imagenet_weights_load(shared_weights):
    """The ImageNet weights of MobileNetV2 fit, with the preparation that they need, whether it has heads or not."""
    path = str(shared_weights("mobilenetv2_100_imagenet.safetensors"))

    listened, plain = (backbone_of("mobilenetv2_100", weights=path, auxiliary=which) for which in (True, False))

    assert listened.mean == listened.std == plain.mean == (0.5, 0.5, 0.5)
    torch.testing.assert_close(plain.stages[6].state_dict(), listened.stages[6].state_dict())


@pytest.mark.filterwarnings("ignore:torch.searchsorted", "ignore:Using a non-tuple sequence")  # timm's own, harmless
@pytest.mark.parametrize("architecture", ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
def test_what_was_learned_of_positions_is_brought_to_our_size(tmp_path, architecture):
    """Weights of 224 pixels serve at 64; all but the positions arrive as they were."""
    state = state_of(architecture)
    path = a_file(tmp_path, halved(state))

    backbone = backbone_of(architecture, weights=path, auxiliary=False, size=64)

    loaded = backbone.stem.state_dict()
    changed = {key for key in loaded if loaded[key].shape != state[key].shape}
    assert changed
    assert all(key.endswith(("pos_embed", "relative_position_bias_table")) for key in changed)
    for key in loaded.keys() - changed:
        torch.testing.assert_close(loaded[key], state[key].half().float(), rtol=0, atol=0)


def test_weights_of_another_width_are_refused_with_their_count(tmp_path):
    """The same keys in other shapes belong to another network."""
    path = a_file(tmp_path, state_of("mobilenetv2_050"))

    with pytest.raises(UserError, match=r"do not fit the network: \d+ of another shape"):
        backbone_of("mobilenetv2_100", weights=path)


def test_all_that_does_not_fit_is_told_at_once(tmp_path):
    """Missing, unknown and misshapen keys are counted, and no more than eight of each are named."""
    state = state_of("resnet18")
    unknown = {f"ours.{number}": torch.zeros(1) for number in range(10)}
    del state["layer1.0.conv1.weight"]
    path = a_file(tmp_path, state | unknown | {"conv1.weight": torch.zeros(2)})

    with pytest.raises(UserError) as caught:
        backbone_of("resnet18", weights=path, auxiliary=False)

    named = ", ".join(sorted(unknown)[:8])
    assert caught.value.what == (
        "these weights do not fit the network: 1 missing (layer1.0.conv1.weight); "
        f"10 not known ({named}, …); 1 of another shape (conv1.weight)"
    )
    assert caught.value.where == path


@pytest.mark.parametrize("prefix", ["module.", "model.", "module._orig_mod."])
def test_what_a_wrapper_has_put_before_every_key_is_named(tmp_path, prefix):
    """Nobody has to guess which part of the name is too much."""
    path = a_file(tmp_path, {f"{prefix}{key}": tensor for key, tensor in state_of("resnet18").items()})

    with pytest.raises(UserError) as caught:
        backbone_of("resnet18", weights=path, auxiliary=False)

    assert caught.value.mend == f"write the file anew without the {prefix!r} before every key"


@pytest.mark.parametrize("mean", ["0.5", "a,b,c"])
def test_colours_that_are_no_three_numbers_are_refused(tmp_path, mean):
    """A preparation is never guessed from half of what a file says."""
    path = a_file(tmp_path, state_of("resnet18"), mean=mean, std="0.5,0.5,0.5")

    with pytest.raises(UserError, match="for three colours"):
        backbone_of("resnet18", weights=path, auxiliary=False)


def test_a_file_that_is_no_safetensors_is_refused(tmp_path):
    """A renamed pickle or text never gets as far as being loaded."""
    (tmp_path / "weights.safetensors").write_text("not weights")

    with pytest.raises(UserError, match="no safetensors file"):
        backbone_of("mobilenetv2_050", weights=str(tmp_path / "weights.safetensors"))


def test_a_missing_weights_file_is_refused(tmp_path):
    """A wrong path is one clear error."""
    with pytest.raises(UserError, match="no weights here"):
        backbone_of("mobilenetv2_050", weights=str(tmp_path / "nothing.safetensors"))
