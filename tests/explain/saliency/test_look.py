"""What is written down of a case is what the network did with its picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cutis.explain.saliency.choice import Wish
from cutis.explain.saliency.look import look
from cutis.explain.saliency.methods import METHODS
from cutis.imaging.prepare import normalise, prepare
from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import torch_engine, torch_network
from cutis.runtime.maps import Question
from factories import a_bundle_folder, a_picture


@pytest.fixture
def bundle(tmp_path):
    """An untrained network, calibrated."""
    return read_bundle(a_bundle_folder(tmp_path / "bundle", temperatures=(2.5,) * 8))


def test_the_activation_map_sums_up_to_the_logit_and_the_answer_is_calibrated(bundle):
    """The map's mean is the answer's logit; the probability is that of the bundle's temperature."""
    pictures = normalise(prepare(a_picture(), bundle.preparation)[None], bundle.preparation)
    logits = torch_engine(bundle)(pictures).logits[0]

    seen = look(torch_network(bundle), bundle, a_picture())

    assert seen.answer == seen.question.diagnosis == logits.argmax()
    assert seen.maps["final"].mean() == pytest.approx(logits.max(), abs=1e-5)
    assert seen.probabilities[seen.answer] == pytest.approx(1 / np.exp((logits - logits.max()) / 2.5).sum(), abs=1e-5)
    assert seen.gradient.shape == (32, 32)
    assert seen.gradient.max() > 0


def test_the_comparison_adds_up_to_the_difference_of_two_logits(bundle):
    """For a diagnosis rather than another, whichever are wished for."""
    seen = look(torch_network(bundle), bundle, a_picture(), wish=Wish(2, 0))

    logits = seen.outputs.logits[0]
    assert seen.question == (2, 0)
    assert seen.maps["final"].mean() == pytest.approx(logits[2], abs=1e-5)
    assert seen.contrast["final"].mean() == pytest.approx(logits[2] - logits[0], abs=1e-5)


def test_methods_that_are_asked_for_are_of_the_diagnosis_that_is_asked_for(bundle):
    """Each is what its function gives for the prepared picture; nothing is asked of the others."""
    network = torch_network(bundle)
    prepared = torch.from_numpy(normalise(prepare(a_picture(), bundle.preparation)[None], bundle.preparation))

    seen = look(network, bundle, a_picture(), wish=Wish(2, methods=("grad_cam", "smoothgrad")))

    assert tuple(seen.asked) == ("grad_cam", "smoothgrad")
    for name, found in seen.asked.items():
        np.testing.assert_allclose(found, METHODS[name].map_of(network, prepared, Question(2)), atol=1e-6)
    assert look(network, bundle, a_picture()).asked == {}
