"""The loop learns, and says so when it cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cutis.imaging.prepare import Preparation
from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.network.layers import normalisation_layers
from cutis.train.batches import Batch, Pictures, Step
from cutis.train.config import TrainConfig
from cutis.train.loop import learn, listen_to, new_learner
from cutis.train.loss import Teaching
from cutis.vocabulary.errors import UserError

CONFIG = TrainConfig(
    network="mobilenetv2_050", size=32, learning_rate=3e-3, epochs=10, warmup_epochs=1, dropout=0, auxiliary_weight=1
)
PREPARATION = Preparation(size=32, mean=(0.5,) * 3, std=(0.25,) * 3)
TEACHING = Teaching(stage_weights=CONFIG.stage_weights)


def _network():
    torch.manual_seed(0)
    return Classifier(backbone_of("mobilenetv2_050"), classes=2)


def _two_pictures():
    torch.manual_seed(1)
    return Batch(torch.randn(2, 3, 32, 32), torch.eye(2), ("dark", "bright"))


def _learn(learner, steps, config=CONFIG, *, epoch=1, steps_in_epoch=60):
    return list(learn(learner, steps, config, TEACHING, epoch=epoch, start=0, steps_in_epoch=steps_in_epoch))


def _some_pictures(count, *, size=32):
    array = np.random.default_rng(0).integers(0, 255, size=(count, size, size, 3), dtype=np.uint8)
    diagnosis = np.arange(count) % 2
    names = tuple(f"{n:064x}" for n in range(count))
    return Pictures(
        array=array,
        rows=np.arange(count),
        diagnosis=diagnosis,
        target=np.eye(2, dtype=np.float32)[diagnosis],
        case_ids=names,
        sha256s=names,
        preparation=PREPARATION,
    )


def test_two_pictures_are_learned_by_heart():
    """A network that cannot learn two pictures can learn nothing."""
    losses = _learn(new_learner(_network(), CONFIG), [Step((_two_pictures(),), 2)] * 60)

    assert losses[-1] < 0.15 * losses[0]


def test_the_average_of_the_weights_learns_too_and_answers():
    """With an average, it is what answers; it moves towards the weights and is not them."""
    config = CONFIG.model_copy(update={"ema": 0.5})
    learner = new_learner(_network(), config)

    _learn(learner, [Step((_two_pictures(),), 2)] * 5, config)

    ours, theirs = (each.final.linear.weight for each in (learner.answering, learner.network))
    assert learner.answering is learner.averaged
    assert not torch.equal(ours, theirs)
    assert torch.allclose(ours, theirs, atol=0.1)


def test_a_frozen_start_moves_the_classifiers_alone():
    """Until `frozen_epochs` the pretrained weights stay; then they learn too."""
    config = CONFIG.model_copy(update={"frozen_epochs": 2.0, "warmup_epochs": 0.0})
    learner = new_learner(_network(), config)
    before = {name: parameter.clone() for name, parameter in learner.network.named_parameters()}

    _learn(learner, [Step((_two_pictures(),), 2)] * 3, config, epoch=1)
    moved = {name for name, parameter in learner.network.named_parameters() if not torch.equal(parameter, before[name])}
    _learn(learner, [Step((_two_pictures(),), 2)] * 3, config, epoch=2)

    assert moved
    assert all(name.startswith(("heads.", "final.")) for name in moved)
    assert not torch.equal(learner.network.stem[0].weight, before["stem.0.weight"])


def test_frozen_normalisation_keeps_its_statistics():
    """What was measured on ImageNet stays."""
    config = CONFIG.model_copy(update={"frozen_normalisation": True})
    learner = new_learner(_network(), config)
    before = [layer.running_mean.clone() for layer in normalisation_layers(learner.network)]

    _learn(learner, [Step((_two_pictures(),), 2)] * 2, config)

    after = [layer.running_mean for layer in normalisation_layers(learner.network)]
    assert before
    torch.testing.assert_close(after, before)


def test_parts_of_a_step_sum_to_the_step():
    """With statistics that stay, four pictures at once and in unequal parts give the same weights."""
    config = CONFIG.model_copy(update={"frozen_normalisation": True, "learning_rate": 1e-4})
    torch.manual_seed(2)
    images, target = torch.randn(5, 3, 32, 32), torch.eye(2)[[0, 1, 0, 1, 1]]
    names = tuple("abcde")
    whole = Step((Batch(images, target, names),), 5)
    cut = Step((Batch(images[:3], target[:3], names[:3]), Batch(images[3:], target[3:], names[3:])), 5)
    learners = [new_learner(_network(), config) for _ in range(2)]

    losses = [_learn(learner, [step] * 3, config) for learner, step in zip(learners, (whole, cut), strict=True)]

    torch.testing.assert_close(losses[0], losses[1], rtol=1e-5, atol=1e-5)
    one, other = (dict(learner.network.named_parameters()) for learner in learners)
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_too(precision):
    """With numbers of sixteen bits two pictures are still learned."""
    losses = _learn(new_learner(_network(), CONFIG, precision=precision), [Step((_two_pictures(),), 2)] * 60)

    assert losses[-1] < 0.3 * losses[0]


def test_listening_hears_every_classifier_and_changes_nothing():
    """Eight answers per case, and the weights and statistics stay as they were."""
    network = _network()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}

    heard = listen_to(_some_pictures(2), network, batch_size=2)

    assert len(heard.logits) == 8
    assert heard.truth.tolist() == [0, 1]
    torch.testing.assert_close(dict(network.state_dict()), before)


def test_listening_from_all_sides_does_not_depend_on_how_a_picture_lies():
    """Averaged over eight views, a picture and its mirror image get the same answer."""
    network = _network()
    pictures = _some_pictures(4)
    mirrored = replace(pictures, array=np.ascontiguousarray(pictures.array[:, :, ::-1].swapaxes(1, 2)))

    one, other = (listen_to(each, network, batch_size=4, views=8).logits[-1] for each in (pictures, mirrored))

    np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_loss_that_is_no_number_names_its_cases():
    """The user learns which pictures to look at, and the weights stay."""
    batch = _two_pictures()
    learner = new_learner(_network(), CONFIG)
    broken = batch._replace(images=batch.images * float("nan"))
    before = learner.network.final.linear.weight.clone()

    with pytest.raises(UserError, match="dark, bright"):
        _learn(learner, [Step((broken,), 2)])

    assert torch.equal(learner.network.final.linear.weight, before)


class _Steep(torch.autograd.Function):
    """Hands its input on, and an endless gradient back."""

    @staticmethod
    def forward(_context, value):
        return value.clone()

    @staticmethod
    def backward(_context, slope):
        return slope * float("inf")


def test_a_gradient_that_is_no_number_stops_before_the_weights_are_touched():
    """A finite loss with an endless gradient would make all weights NaN, and the next batch would be blamed."""
    learner = new_learner(_network(), CONFIG)
    learner.network.stem.register_forward_hook(lambda _module, _given, out: _Steep.apply(out))
    before = {name: parameter.clone() for name, parameter in learner.network.named_parameters()}

    with pytest.raises(UserError, match="dark, bright"):
        _learn(learner, [Step((_two_pictures(),), 2)])

    torch.testing.assert_close(dict(learner.network.named_parameters()), before)
