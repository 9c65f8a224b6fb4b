"""Where the network looks: the gradient of its answer, and the map that its last classifier sums up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from captum.attr import Saliency
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from cutis.imaging.prepare import normalise, prepare
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import engine_of
from cutis.runtime.predict import probabilities, seen_from_all_sides
from cutis.vocabulary.predictions import Predictions

MOST_CASES = 24
MOST_WRONG = 4  # of the malignant called benign, and as many of all other wrong answers
MISSED = "malignant called benign, among the surest"
WRONG = "among the surest wrong answers"
RIGHT = "surest right answer for its diagnosis"
METHODS: dict[str, dict[str, str]] = {
    "gradient": {
        "what": "absolute gradient of the answer's logit by each pixel, the largest of the three colour channels",
        "source": "Simonyan, Vedaldi, Zisserman, ICLR workshop 2014; by captum.attr.Saliency",
    },
    "class_activation": {
        "what": "what each place adds to the answer's logit in the final classifier; the mean over the places is it",
        "source": "Zhou, Khosla, Lapedriza, Oliva, Torralba, CVPR 2016; from the forward pass",
    },
}


class Choice(NamedTuple):
    """A case to be shown, and why."""

    case_id: str
    why: str


class Look(NamedTuple):
    """What the network answers for one picture, and which parts of it the answer rests on."""

    answer: int  # index of the most probable diagnosis
    probability: float  # calibrated
    gradient: NDArray[np.float32]  # (S, S), at least 0
    activation: NDArray[np.float32]  # (h, w), whose mean is the logit of the answer


def choose_cases(predictions: Predictions, *, malignant: Sequence[bool]) -> tuple[Choice, ...]:
    """Choose what is worth a look: the surest wrong answers, then for each diagnosis the surest right one.

    Of the wrong answers those come first that call a malignant diagnosis benign. A patient, or a lesion where no
    patient is known, is shown wrong once, by the surest picture. The same predictions give the same choice; a diagnosis
    that was never answered rightly has none.

    Args:
        predictions: with truth.
        malignant: (K,) which diagnoses are.

    Raises:
        ValueError: there is no truth.
    """
    truth, probabilities = predictions.truth, predictions.probabilities
    if truth is None:
        raise ValueError("a choice of right and wrong answers needs a truth")
    is_malignant, answers = np.asarray(malignant, dtype=np.bool_), probabilities.argmax(axis=1)
    surest_first = np.argsort(-probabilities.max(axis=1), kind="stable")
    is_missed = is_malignant[truth] & ~is_malignant[answers]
    is_wrong = answers != truth
    missed = _once_each(surest_first[is_missed[surest_first]], predictions.cluster_ids)
    others = _once_each(surest_first[(is_wrong & ~is_missed)[surest_first]], predictions.cluster_ids)
    right = [
        next((case for case in surest_first if answers[case] == truth[case] == kind), None)
        for kind in range(len(predictions.codes))
    ]
    shown = [(case, MISSED) for case in missed[:MOST_WRONG]] + [(case, WRONG) for case in others[:MOST_WRONG]]
    shown += [(case, RIGHT) for case in right if case is not None]
    return tuple(Choice(predictions.case_ids[case], why) for case, why in shown[:MOST_CASES])


def _once_each(cases: NDArray[np.int64], cluster_ids: Sequence[str]) -> list[int]:
    """Return the first case of each cluster, in their order."""
    first: dict[str, int] = {}
    for case in cases.tolist():
        first.setdefault(cluster_ids[case], case)
    return list(first.values())


def asked_for(case_ids: Sequence[str]) -> tuple[Choice, ...]:
    """Choose the cases that were named, each once."""
    return tuple(Choice(case_id, "asked for") for case_id in dict.fromkeys(case_ids))


def look(network: nn.Module, bundle: Bundle, picture: Image.Image) -> Look:
    """Ask the network about one upright RGB picture.

    Args:
        network: the bundle's `Classifier`, ready to answer.
        bundle: says how a picture is prepared and how probabilities are calibrated.
        picture: as `decode` gives it.
    """
    seen = normalise(prepare(picture, bundle.preparation)[None], bundle.preparation)
    batch = torch.from_numpy(seen).to(next(network.parameters()).device)
    with torch.no_grad():
        outputs = network(batch)
    chances = probabilities(bundle, seen_from_all_sides(engine_of(network), bundle, seen))[0]
    answer = int(chances.argmax())
    return Look(
        answer=answer,
        probability=float(chances[answer]),
        gradient=gradient_saliency(network, batch, answer),
        activation=outputs.maps[-1][0, answer].cpu().numpy(),
    )


def gradient_saliency(network: nn.Module, batch: Tensor, answer: int) -> NDArray[np.float32]:
    """Return the saliency map (S, S) of one prepared picture (1, 3, S, S), by Simonyan et al. 2014, section 3.1."""

    def logits(pictures: Tensor) -> Any:
        return network(pictures).logits

    gradient = Saliency(logits).attribute(batch.requires_grad_(), target=answer, abs=True)
    saliency: NDArray[np.float32] = gradient[0].amax(dim=0).detach().cpu().numpy()
    return saliency
