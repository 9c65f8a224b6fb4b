"""What is drawn over a picture is what the network did with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cutis.explain.saliency import MOST_CASES, Choice, asked_for, choose_cases, gradient_saliency, look
from cutis.imaging.prepare import normalise, prepare
from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import torch_engine, torch_network
from cutis.vocabulary.outputs import Outputs
from factories import a_bundle_folder, a_picture, some_predictions


class OneWeightPerPixel(nn.Module):
    """A network whose gradient is known: each logit is a weighted sum of the pixels."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, pictures):
        """Return nothing but logits."""
        logits = torch.einsum("nchw,kchw->nk", pictures, self.weights)
        return Outputs(logits=logits, auxiliary_logits=(), features=logits, maps=None)


def test_gradient_saliency_is_the_greatest_absolute_gradient_over_the_colours():
    """Of a linear network that is its greatest absolute weight, by pixel, of the diagnosis asked for."""
    weights = torch.randn(3, 3, 5, 5, generator=torch.Generator().manual_seed(0))

    saliency = gradient_saliency(OneWeightPerPixel(weights), torch.rand(1, 3, 5, 5), 2)

    np.testing.assert_allclose(saliency, weights[2].abs().amax(dim=0).numpy(), atol=1e-7)


def test_the_activation_map_sums_up_to_the_logit_and_the_answer_is_calibrated(tmp_path):
    """The map's mean is the answer's logit; the probability is that of the bundle's temperature."""
    bundle = read_bundle(a_bundle_folder(tmp_path / "bundle", temperatures=(2.5,) * 8))
    pictures = normalise(prepare(a_picture(), bundle.preparation)[None], bundle.preparation)
    logits = torch_engine(bundle)(pictures).logits[0]

    seen = look(torch_network(bundle), bundle, a_picture())

    assert seen.answer == logits.argmax()
    assert seen.activation.mean() == pytest.approx(logits.max(), abs=1e-5)
    assert seen.probability == pytest.approx(1 / np.exp((logits - logits.max()) / 2.5).sum(), abs=1e-5)
    assert seen.gradient.shape == (32, 32)
    assert seen.gradient.max() > 0


def test_the_choice_shows_the_surest_wrong_answers_and_a_right_one_per_diagnosis():
    """The choice follows from the predictions alone, and each case comes with its reason."""
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.05, 0.95], [0.4, 0.6], [0.55, 0.45]])
    truth = np.array([0, 0, 1, 0, 0, 1])
    predictions = some_predictions(cases=6, codes=("a", "b"), truth=truth, probabilities=probabilities)

    choices = choose_cases(predictions)

    assert choices == (
        Choice("case0000", "surest right answer for its diagnosis"),
        Choice("case0002", "surest right answer for its diagnosis"),
        Choice("case0003", "among the surest wrong answers"),
        Choice("case0004", "among the surest wrong answers"),
    )


def test_the_choice_stays_small_and_leaves_out_what_was_never_answered_rightly():
    """With more diagnoses than places the wrong answers keep theirs."""
    codes = tuple(f"d{number}" for number in range(30))
    many = choose_cases(some_predictions(cases=600, codes=codes))
    always_wrong = some_predictions(cases=4, codes=("a", "b"), truth=np.zeros(4, int), probabilities=np.eye(2)[[1] * 4])

    assert len(many) == MOST_CASES
    assert [choice.why for choice in many].count("among the surest wrong answers") == 2
    assert [choice.case_id for choice in choose_cases(always_wrong)] == ["case0000", "case0001"]


def test_a_choice_needs_a_truth():
    """Without one nobody knows what is right."""
    with pytest.raises(ValueError, match="truth"):
        choose_cases(some_predictions(truth=None))


def test_each_case_that_is_asked_for_is_shown_once():
    """Typing a case twice shows it once."""
    assert [choice.case_id for choice in asked_for(("x", "y", "x"))] == ["x", "y"]
