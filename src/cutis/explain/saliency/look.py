"""One case seen by its network: the answer, and where it comes from by every map that is drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from cutis.explain.saliency.choice import ANSWER, Wish, question_of
from cutis.explain.saliency.gradients import gradient
from cutis.explain.saliency.methods import METHODS
from cutis.imaging.prepare import normalise, prepare
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import engine_of
from cutis.runtime.maps import Map, Question, in_pass_maps
from cutis.runtime.predict import averaged, probabilities
from cutis.runtime.views import views_of
from cutis.vocabulary.outputs import Outputs


class Look(NamedTuple):
    """What the network answers for one picture, and which parts of it speak for a diagnosis."""

    answer: int  # index of the most probable diagnosis
    probabilities: NDArray[np.float64]  # (K,) calibrated
    question: Question  # whom the maps are of, and whom the last one compares it with
    gradient: Map  # (S, S), at least 0
    maps: dict[str, Map]  # that came with the answer, by name, of the diagnosis asked for
    contrast: dict[str, Map]  # the same, of that diagnosis rather than the other
    outputs: Outputs[NDArray[np.float32]]  # of the picture as it is, maps of all diagnoses with it
    asked: dict[str, Map]  # by methods that were asked for by name, of the diagnosis asked for


def look(network: nn.Module, bundle: Bundle, picture: Image.Image, *, wish: Wish = ANSWER) -> Look:
    """Ask the network about one upright RGB picture.

    Args:
        network: the bundle's `Classifier` or `Ensemble`, ready to answer.
        bundle: says how a picture is prepared and how probabilities are calibrated.
        picture: as `decode` gives it.
        wish: whom the maps shall be of; the answer rather than the runner-up, where nothing is wished for.
    """
    seen = normalise(prepare(picture, bundle.preparation)[None], bundle.preparation)
    engine = engine_of(network)
    views = [engine(np.ascontiguousarray(view)) for view in views_of(seen, bundle.views)]
    outputs, chances = views[0], probabilities(bundle, averaged(views))[0]
    ranking = np.argsort(-chances, kind="stable").tolist()
    question = question_of(wish, ranking)
    batch, alone = torch.from_numpy(seen).to(next(network.parameters()).device), Question(question.diagnosis)
    return Look(
        answer=ranking[0],
        probabilities=chances,
        question=question,
        gradient=gradient(network, batch, alone),
        maps=in_pass_maps(outputs, alone),
        contrast=in_pass_maps(outputs, question),
        outputs=outputs,
        asked={name: METHODS[name].map_of(network, batch, alone) for name in wish.methods},
    )
