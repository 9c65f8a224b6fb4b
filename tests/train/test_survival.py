"""Whatever happens to a training, it ends in the very weights of the undisturbed one."""

from __future__ import annotations

import signal

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import struck
from cutis.runtime.bundle import read_bundle
from cutis.train.stage import train
from factories import a_dataset

SMALL = (
    *("network=mobilenetv2_035", "size=32", "batch_size=4", "learning_rate=1e-3", "warmup_epochs=0"),
    *("ema=0.9", "imbalance=balanced_sampler", "mixup=0.2", "cutmix=1.0", "dropout=0.2", "stochastic_depth=0.1"),
)
EACH_STEP = "minutes_between_checkpoints=0.000001"


@pytest.fixture(autouse=True)
def _one_thread_each(monkeypatch):
    """So do the processes that share a training."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_a_kill_and_a_stop_end_in_the_same_weights(workspace):
    """Killed twice and asked to stop once, the run goes on and ends bit-equal to the undisturbed one."""
    a_dataset(workspace)
    settings = (*SMALL, "epochs=4", EACH_STEP)
    undisturbed = train(workspace, settings=settings, name="undisturbed")

    for blow in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        struck.until_a_checkpoint(workspace.root, settings, blow)
    done = train(workspace, settings=settings, name=struck.NAME)

    assert done.facts["weights_sha256"] == undisturbed.facts["weights_sha256"]


@pytest.mark.parametrize("processes", [1, 2])
def test_kills_at_random_moments_end_in_the_same_weights(workspace, processes):
    """The short form: three kills, of the program or of one of its processes."""
    _kill_at_random(workspace, kills=3, epochs=12, processes=processes)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_twenty_kills_at_random_moments_end_in_the_same_weights(workspace, processes):
    """The long form, on one process and on two."""
    places = _kill_at_random(workspace, kills=20, epochs=150, processes=processes)

    assert len(set(places)) > 10  # it was killed in many places


def _kill_at_random(workspace, *, kills, epochs, processes):
    a_dataset(workspace)
    settings = (*SMALL, f"epochs={epochs}", EACH_STEP)
    undisturbed = train(workspace, settings=settings, name="undisturbed", processes=processes)

    places = struck.at_random(
        workspace.root, settings, kills=kills, processes=processes, random=np.random.default_rng(kills)
    )
    if not workspace.bundle(struck.NAME).exists():  # it was done before the last kill
        train(workspace, settings=settings, name=struck.NAME, processes=processes)

    assert read_bundle(workspace.bundle(struck.NAME)).weights_sha256 == undisturbed.facts["weights_sha256"]
    return places


def test_two_processes_learn_what_one_learns_that_accumulates(workspace):
    """With statistics of normalisation that stay, two ranks and one process with two parts end within 1e-5."""
    a_dataset(workspace)
    settings = (*SMALL, "epochs=1", "learning_rate=1e-4", "frozen_normalisation=true", "mixup=0", "cutmix=0")
    settings = (*settings, "auxiliary_weights=[0, 0, 0, 1, 1, 1, 1]")  # also where a classifier is not taught

    train(workspace, settings=settings, name="shared", processes=2)
    train(workspace, settings=(*settings, "accumulate=2"), name="alone")

    shared, alone = (load_file(read_bundle(workspace.bundle(name)).weights) for name in ("shared", "alone"))
    torch.testing.assert_close(shared, alone, rtol=0, atol=1e-5)


def test_a_rank_that_dies_ends_the_training_with_a_clear_word(workspace):
    """Within thirty seconds, and what was saved is there to go on from."""
    a_dataset(workspace)

    seconds, told = struck.one_rank(workspace.root, (*SMALL, "epochs=400", EACH_STEP))

    assert seconds < 30
    assert "was lost (killed by signal 9)" in told
    assert "goes on from the last checkpoint" in told
    assert list((struck.folder_of(workspace.root) / "checkpoints").glob("*.safetensors"))
