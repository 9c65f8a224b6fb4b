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


def _of_patients(truth, probabilities):
    """Predictions of as many patients as cases."""
    cases, kinds = probabilities.shape
    return some_predictions(
        cases=cases,
        codes=tuple("abcd"[:kinds]),
        truth=truth,
        probabilities=probabilities,
        cluster_ids=tuple(f"patient{number}" for number in range(cases)),
    )


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
    predictions = _of_patients(truth, probabilities)

    choices = choose_cases(predictions, malignant=(False, False))

    assert choices == (
        Choice("case0003", "among the surest wrong answers"),
        Choice("case0004", "among the surest wrong answers"),
        Choice("case0005", "among the surest wrong answers"),
        Choice("case0000", "surest right answer for its diagnosis"),
        Choice("case0002", "surest right answer for its diagnosis"),
    )


def test_what_is_malignant_and_was_called_benign_is_shown_first_however_sure_other_errors_are():
    """A missed melanoma weighs more than a surer false alarm; one malignant diagnosis for another is no miss."""
    truth = np.array([2, 2, 2, 0, 2])
    answers = np.array([0, 1, 3, 2, 2])
    sure = np.array([0.6, 0.7, 0.8, 0.95, 0.99])
    probabilities = np.full((5, 4), 0.0)
    probabilities[np.arange(5), answers] = sure
    probabilities[np.arange(5), (answers + 1) % 4] = 1 - sure

    choices = choose_cases(_of_patients(truth, probabilities), malignant=(False, False, True, True))

    missed, wrong = "malignant called benign, among the surest", "among the surest wrong answers"
    assert [tuple(choice) for choice in choices[:4]] == [
        ("case0001", missed),
        ("case0000", missed),
        ("case0003", wrong),
        ("case0002", wrong),
    ]


def test_a_patient_is_shown_wrong_once_by_the_surest_picture():
    """Five pictures of one mistaken lesion would fill the gallery and teach nothing more."""
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.7, 0.3], [0.8, 0.2]])
    owners = ("p1", "p1", "p1", "p2")
    predictions = some_predictions(
        cases=4, codes=("a", "b"), truth=np.ones(4, int), probabilities=probabilities, cluster_ids=owners
    )

    choices = choose_cases(predictions, malignant=(False, True))

    assert [choice.case_id for choice in choices] == ["case0001", "case0003"]


def test_the_choice_stays_small_and_leaves_out_what_was_never_answered_rightly():
    """With more diagnoses than places the wrong answers keep theirs."""
    codes = tuple(f"d{number}" for number in range(30))
    many = choose_cases(some_predictions(cases=600, codes=codes), malignant=(False,) * 29 + (True,))
    always_wrong = _of_patients(np.zeros(4, int), np.eye(2)[[1] * 4])

    whys = [choice.why for choice in many]
    assert len(many) == MOST_CASES
    assert whys.count("among the surest wrong answers") == 4
    assert whys.count("malignant called benign, among the surest") == 4
    assert {choice.why for choice in choose_cases(always_wrong, malignant=(False, False))} == {
        "among the surest wrong answers"
    }


def test_a_choice_needs_a_truth():
    """Without one nobody knows what is right."""
    with pytest.raises(ValueError, match="truth"):
        choose_cases(some_predictions(truth=None), malignant=(False, False, True))


def test_each_case_that_is_asked_for_is_shown_once():
    """Typing a case twice shows it once."""
    assert [choice.case_id for choice in asked_for(("x", "y", "x"))] == ["x", "y"]
