"""Our maps are Grad-CAM without a backward pass, and every other method keeps what its paper promises."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from cutis.explain.saliency.methods import METHODS, maps_of_pass, methods_of
from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.network.ensemble import Ensemble
from cutis.runtime.maps import Question
from cutis.vocabulary.outputs import Outputs

QUESTIONS = (Question(1), Question(2, 0))
WITHOUT_HEADS = "resnet10t"


def _network(architecture="efficientnet_b0", *, auxiliary=True, seed=0):
    """A small network whose classifiers say something: each has random weights and biases."""
    torch.manual_seed(seed)
    network = Classifier(backbone_of(architecture, auxiliary=auxiliary), classes=3)
    for head in (*network.heads, network.final):
        nn.init.normal_(head.linear.weight)
        nn.init.normal_(head.linear.bias)
    with torch.no_grad():
        for _ in range(3):
            network.train()(torch.randn(8, 3, 64, 64))  # batch statistics, so that no depth fades to nothing
    return network.eval()


@pytest.fixture(scope="module")
def network():
    """EfficientNet-b0 with its seven auxiliary classifiers."""
    return _network()


@pytest.fixture(scope="module")
def picture():
    """One prepared picture."""
    return torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def _by_captum(logits, layer, picture, question):
    """Grad-CAM of Selvaraju et al. without its rectifier, of a logit or of the difference of two."""

    def asked(pictures):
        said = logits(pictures)
        for_it = said[:, question.diagnosis]
        return for_it if question.rather_than is None else for_it - said[:, question.rather_than]

    return LayerGradCam(asked, layer).attribute(picture, relu_attributions=False)[0, 0].detach().numpy()


def _bias(head, question):
    bias = head.linear.bias.detach().numpy()
    return bias[question.diagnosis] - (0 if question.rather_than is None else bias[question.rather_than])


def _expected(logits, layer, head, picture, question):
    """Grad-CAM scaled to our map: its weights are means over the places, ours sums, and it leaves out the bias."""
    theirs = _by_captum(logits, layer, picture, question)
    return theirs.size * theirs + _bias(head, question)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_final_map_is_grad_cam_on_the_output_of_the_neck(network, picture, question):
    """Places times Grad-CAM plus bias, to 1e-4 of the map's range."""
    ours = maps_of_pass(network, picture, question)["final"]

    theirs = _expected(lambda pictures: network(pictures).logits, network.neck, network.final, picture, question)

    assert np.ptp(ours) > 0.1
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.ptp(ours), rtol=0)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("depth", range(7))
def test_each_auxiliary_map_is_grad_cam_on_its_stage_for_that_classifiers_own_logit(network, picture, question, depth):
    """The same scaling, at every depth."""
    ours = maps_of_pass(network, picture, question)[f"stage_{depth + 1}"]

    def logits(pictures):
        return network(pictures).auxiliary_logits[depth]

    theirs = _expected(logits, network.stages[depth], network.heads[depth], picture, question)

    assert np.ptp(ours) > 0.1
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.ptp(ours), rtol=0)


def test_the_final_map_of_an_ensemble_is_the_mean_of_its_members_grad_cams(picture):
    """As its logit is the mean of theirs."""
    members = [_network(seed=seed) for seed in (0, 1)]
    question = QUESTIONS[1]

    ours = maps_of_pass(Ensemble(members).eval(), picture, question)

    theirs = [
        _expected(lambda pictures, each=each: each(pictures).logits, each.neck, each.final, picture, question)
        for each in members
    ]
    np.testing.assert_allclose(ours["final"], np.mean(theirs, axis=0), atol=1e-4 * np.ptp(ours["final"]), rtol=0)
    assert "fused" in ours


def test_the_map_of_a_rival_without_auxiliary_classifiers_is_grad_cam_too(picture):
    """It has the final map alone, and no method is offered that it lacks."""
    rival = _network(WITHOUT_HEADS, auxiliary=False)

    ours = maps_of_pass(rival, picture, QUESTIONS[0])

    theirs = _expected(lambda pictures: rival(pictures).logits, rival.neck, rival.final, picture, QUESTIONS[0])
    assert list(ours) == ["final"]
    np.testing.assert_allclose(ours["final"], theirs, atol=1e-4 * np.ptp(ours["final"]), rtol=0)
    offered = methods_of(0)
    assert set(offered) == {"gradient", "smoothgrad", "integrated_gradients", "grad_cam", "occlusion", "final"}
    assert all(np.isfinite(method.map_of(rival, picture, QUESTIONS[0])).all() for method in offered.values())


def test_our_final_map_less_its_bias_is_grad_cams_positive_part(network, picture):
    """Grad-CAM as it is offered has its rectifier, and is in proportion to ours where ours is above the bias."""
    question = QUESTIONS[1]

    theirs = METHODS["grad_cam"].map_of(network, picture, question)

    ours = METHODS["final"].map_of(network, picture, question) - _bias(network.final, question)
    np.testing.assert_allclose(theirs.size * theirs, np.maximum(ours, 0), atol=1e-4 * np.ptp(ours), rtol=0)


@pytest.mark.parametrize("question", QUESTIONS)
def test_integrated_gradients_add_up_to_what_the_picture_adds_to_the_logit(network, picture, question):
    """Beyond a picture of the mean colour; within a twentieth, with as few steps as are taken."""
    with torch.no_grad():
        logits = network(torch.cat([picture, torch.zeros_like(picture)])).logits.numpy()
    said = logits[:, question.diagnosis] - (0 if question.rather_than is None else logits[:, question.rather_than])

    added = METHODS["integrated_gradients"].map_of(network, picture, question)

    assert added.sum() == pytest.approx(said[0] - said[1], rel=0.05)


class OneWeightPerPixel(nn.Module):
    """A network whose gradient is known: each logit is a weighted sum of the pixels."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, pictures):
        """Return nothing but logits."""
        logits = torch.einsum("nchw,kchw->nk", pictures, self.weights)
        return Outputs(logits=logits, auxiliary_logits=(), features=logits, maps=None)


@pytest.fixture(scope="module")
def weights():
    """Of three diagnoses, by pixel and colour."""
    return torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["gradient", "smoothgrad"])
def test_a_gradient_is_the_greatest_absolute_one_over_the_colours(weights, name):
    """Of a linear network the greatest absolute weight, whatever the noise; of two logits that of their difference."""
    method, network, picture = METHODS[name].map_of, OneWeightPerPixel(weights), torch.rand(1, 3, 16, 16)

    saliency, rather = (method(network, picture, question) for question in (Question(2), Question(2, 0)))

    np.testing.assert_allclose(saliency, weights[2].abs().amax(dim=0).numpy(), atol=1e-5)
    np.testing.assert_allclose(rather, (weights[2] - weights[0]).abs().amax(dim=0).numpy(), atol=1e-5)


def test_occlusion_is_what_covering_a_place_takes_from_the_logit(weights):
    """Of a linear network what its pixels add within each covered square, as a mean over the squares on a place."""
    picture = torch.rand(1, 3, 16, 16)
    added = (weights[1] * picture[0]).sum(dim=0).numpy()

    lost = METHODS["occlusion"].map_of(OneWeightPerPixel(weights), picture, Question(1))

    squares = sliding_window_view(added, (2, 2)).sum(axis=(2, 3))  # an eighth of the side, moved by half of that
    on_a_place = sliding_window_view(np.pad(squares, 1, constant_values=np.nan), (2, 2))
    np.testing.assert_allclose(lost, np.nanmean(on_a_place, axis=(2, 3)), atol=1e-4)


def test_smoothgrad_is_the_same_each_time_and_takes_no_chance_from_others(network, picture):
    """Its noise has a seed of its own, and torch's generator goes on as if nothing had been drawn."""
    torch.manual_seed(3)
    before = torch.random.get_rng_state()

    one, other = (METHODS["smoothgrad"].map_of(network, picture, Question(0)) for _ in range(2))

    np.testing.assert_array_equal(one, other)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_gives_a_finite_map_and_leaves_the_network_as_it_was(network, picture, name):
    """No hook stays, no gradient is kept, and the picture is not touched; the words say what the map is."""
    method, kept = METHODS[name], picture.clone()
    with torch.no_grad():
        before = network(picture).logits

    seen = method.map_of(network, picture, Question(1))

    assert (seen.dtype, seen.ndim) == (np.float32, 2)
    assert np.isfinite(seen).all()
    assert method.is_signed or seen.min() >= 0
    assert torch.equal(picture, kept)
    assert not picture.requires_grad
    assert picture.grad is None
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(part._forward_hooks or part._backward_hooks for part in network.modules())  # noqa: SLF001
    with torch.no_grad():
        assert torch.equal(network(picture).logits, before)
    assert method.what
    assert method.source


def test_the_methods_of_a_network_with_seven_classifiers_are_all_of_them():
    """Each takes the same three things."""
    assert methods_of(7) == METHODS
    for method in METHODS.values():
        assert list(inspect.signature(method.map_of).parameters) == ["network", "picture", "question"]
