"""All ways to ask a network where an answer comes from, each a function of the same type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from torch import Tensor, nn

from cutis.explain.saliency.gradients import grad_cam, gradient, integrated_gradients, occlusion, smoothgrad
from cutis.network.backbone import STAGES
from cutis.runtime.engines import engine_of
from cutis.runtime.maps import FINAL, FUSED, Map, Question, in_pass_maps
from cutis.vocabulary.errors import UserError

GRADIENT = "gradient"  # drawn of every case
MapMethod: TypeAlias = Callable[[nn.Module, Tensor, Question], Map]  # network, (1, 3, S, S), question → (h, w)


class Method(NamedTuple):
    """A way to make a map, and what it is in words."""

    map_of: MapMethod
    what: str
    source: str
    is_signed: bool  # whether a negative value speaks against the diagnosis
    in_pass: bool = False  # whether it comes with the answer

    def in_words(self) -> dict[str, str]:
        """Return what it is and where it is from."""
        return {"what": self.what, "source": self.source}


def _from_the_pass(name: str) -> MapMethod:
    def map_of(network: nn.Module, picture: Tensor, question: Question) -> Map:
        return maps_of_pass(network, picture, question)[name]

    return map_of


def maps_of_pass(network: nn.Module, picture: Tensor, question: Question) -> dict[str, Map]:
    """Return all maps of one prepared picture (1, 3, S, S) that one forward pass leaves, by name."""
    return in_pass_maps(engine_of(network)(picture.detach().cpu().numpy()), question)


def methods_of(auxiliary: int) -> dict[str, Method]:
    """Return the methods that a network with so many auxiliary classifiers has."""
    lacking = {f"stage_{number}" for number in range(auxiliary + 1, STAGES + 1)} | ({FUSED} if not auxiliary else set())
    return {name: method for name, method in METHODS.items() if name not in lacking}


def asked_methods(names: Sequence[str]) -> tuple[str, ...]:
    """Return the methods that were asked for by name, each once; those that are always drawn need not be.

    Raises:
        UserError: none of these, or one whose maps come with the answer.
    """
    known = [name for name, method in METHODS.items() if not method.in_pass and name != GRADIENT]
    for name in names:
        if name not in known:
            raise UserError(f"unknown method {name!r}", where="--method", mend=f"use one of: {', '.join(known)}")
    return tuple(dict.fromkeys(names))


METHODS: dict[str, Method] = {
    GRADIENT: Method(
        gradient,
        "absolute gradient of the logit by each pixel, the largest of the three colour channels",
        "Simonyan, Vedaldi, Zisserman, ICLR workshop 2014; by captum",
        is_signed=False,
    ),
    "smoothgrad": Method(
        smoothgrad,
        "the gradient's mean over noisy copies of the picture, its absolute value, the largest of the three channels",
        "Smilkov et al., arXiv:1706.03825, 2017; by captum",
        is_signed=False,
    ),
    "integrated_gradients": Method(
        integrated_gradients,
        "what each pixel adds to the logit on the way from a picture of the mean colour, summed over the channels",
        "Sundararajan, Taly, Yan, ICML 2017; by captum",
        is_signed=True,
    ),
    "grad_cam": Method(
        grad_cam,
        "the last feature map, its channels weighted by the mean gradient of the logit, positive part",
        "Selvaraju et al., ICCV 2017; by captum",
        is_signed=False,
    ),
    "occlusion": Method(
        occlusion,
        "what the logit loses when a square of the picture is covered by the mean colour, a mean over the squares",
        "Zeiler, Fergus, ECCV 2014; by captum",
        is_signed=True,
    ),
    **{
        f"stage_{number}": Method(
            _from_the_pass(f"stage_{number}"),
            f"what each place adds to the logit of the auxiliary classifier of stage {number}; its mean is that logit",
            "Zhou, Khosla, Lapedriza, Oliva, Torralba, CVPR 2016, of each depth; from the forward pass",
            is_signed=True,
            in_pass=True,
        )
        for number in range(1, STAGES + 1)
    },
    FINAL: Method(
        _from_the_pass(FINAL),
        "what each place adds to the logit of the final classifier; its mean is that logit",
        "Zhou, Khosla, Lapedriza, Oliva, Torralba, CVPR 2016; from the forward pass",
        is_signed=True,
        in_pass=True,
    ),
    FUSED: Method(
        _from_the_pass(FUSED),
        "all depths joined: what each of them says of a place for the diagnosis rather than for the others, multiplied",
        "cutis; from the forward pass",
        is_signed=False,
        in_pass=True,
    ),
}
