"""Maps by gradients and by covering parts, all computed by captum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerGradCam, NoiseTunnel, Occlusion, Saliency
from torch import Tensor, nn

from cutis.runtime.maps import Map, Question
from cutis.vocabulary.chance import seed_of

NOISY_COPIES = 16
NOISE = 0.15  # standard deviation of the noise, as a share of the picture's range (Smilkov et al. 2017: .1 to .2)
STEPS = 32
PASSES_AT_ONCE = 4  # with their gradients each of b4 at 380 pixels takes about a gigabyte
WINDOW, STRIDE = 8, 16  # a covered square is an eighth of the side, and moves by half of that
SEED = 0


def gradient(network: nn.Module, picture: Tensor, question: Question) -> Map:
    """Return the saliency map (S, S) of one prepared picture (1, 3, S, S), by Simonyan et al. 2014, section 3.1."""
    return _greatest(Saliency(logit_of(network, question)).attribute(picture.clone().requires_grad_(), abs=True))


def smoothgrad(network: nn.Module, picture: Tensor, question: Question) -> Map:
    """Return the gradient (S, S) as a mean over noisy copies, by Smilkov et al. 2017; the same at each call."""
    tunnel = NoiseTunnel(Saliency(logit_of(network, question)))
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(SEED, "smoothgrad"))
        mean = tunnel.attribute(
            picture.clone().requires_grad_(),
            nt_type="smoothgrad",
            nt_samples=NOISY_COPIES,
            nt_samples_batch_size=PASSES_AT_ONCE,
            stdevs=NOISE * float(picture.max() - picture.min()),
            abs=False,
        )
    return _greatest(mean.abs())


def integrated_gradients(network: nn.Module, picture: Tensor, question: Question) -> Map:
    """Return what each pixel (S, S) adds on the straight way from the mean colour, by Sundararajan et al. 2017.

    The sum over the pixels is the logit less that of a picture of the mean colour, but for the error of `STEPS` steps.
    """
    added = IntegratedGradients(logit_of(network, question)).attribute(
        picture.clone().requires_grad_(), n_steps=STEPS, internal_batch_size=PASSES_AT_ONCE
    )
    return _plain(added[0].sum(dim=0))


def grad_cam(network: nn.Module, picture: Tensor, question: Question) -> Map:
    """Return Grad-CAM (h, w) of the last feature map, by Selvaraju et al. 2017, equations 1 and 2.

    Of an ensemble it is the mean of its members'.
    """
    members = list(getattr(network, "members", [network]))
    maps = [
        LayerGradCam(logit_of(member, question), member.neck).attribute(picture, relu_attributions=True)[0, 0]
        for member in members
    ]
    return _plain(torch.stack(maps).mean(dim=0))


def occlusion(network: nn.Module, picture: Tensor, question: Question) -> Map:
    """Return what covering each place (S, S) takes from the logit, by Zeiler and Fergus 2014."""
    size = picture.shape[-1]
    window, stride = max(1, size // WINDOW), max(1, size // STRIDE)
    with torch.no_grad():
        lost = Occlusion(logit_of(network, question)).attribute(
            picture,
            sliding_window_shapes=(3, window, window),
            strides=(3, stride, stride),
            perturbations_per_eval=PASSES_AT_ONCE,
        )
    return _plain(lost[0].mean(dim=0))


def logit_of(network: nn.Module, question: Question) -> Callable[[Tensor], Tensor]:
    """Return the function from pictures (N, 3, S, S) to what the question asks for, (N,)."""

    def asked(pictures: Tensor) -> Tensor:
        logits: Tensor = network(pictures).logits
        for_it = logits[:, question.diagnosis]
        return for_it if question.rather_than is None else for_it - logits[:, question.rather_than]

    return asked


def _greatest(attributions: Tensor) -> Map:
    return _plain(attributions[0].amax(dim=0))


def _plain(tensor: Tensor) -> Map:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype=np.float32)
