"""Which pictures come when, changed how, and what they teach."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cutis.imaging.prepare import Preparation
from cutis.train.batches import (
    chosen_from,
    open_pictures,
    plain_batches,
    steps_per_epoch,
    target_of,
    training_steps,
)
from cutis.train.config import TrainConfig
from cutis.train.ranks import Ranks
from cutis.vocabulary.case import Vote
from cutis.workspace import Workspace
from factories import a_case, a_dataset, a_manifest

CPU = torch.device("cpu")
CONFIG = TrainConfig(size=32, batch_size=6)
PREPARATION = Preparation(size=32, mean=(0.5,) * 3, std=(0.25,) * 3)


@pytest.fixture
def pictures(tmp_path):
    workspace = Workspace(tmp_path / "work")
    manifest = a_dataset(workspace)
    return open_pictures(workspace.dataset, manifest, PREPARATION, cache=workspace.cache)


def _steps(pictures, config=CONFIG, *, start=0, ranks=None):
    return list(training_steps(pictures, config, epoch=3, start=start, device=CPU, ranks=ranks or Ranks()))


def test_an_epoch_shows_every_picture_once(pictures):
    """Twenty-four pictures in four steps of six."""
    shown = [case_id for step in _steps(pictures) for part in step.parts for case_id in part.case_ids]

    assert sorted(shown) == sorted(pictures.case_ids)


def test_an_epoch_that_is_taken_up_again_shows_what_is_left(pictures):
    """From step 2 on come the same steps, changed alike."""
    whole, rest = _steps(pictures), _steps(pictures, start=2)

    for before, after in zip(whole[2:], rest, strict=True):
        assert before.parts[0].case_ids == after.parts[0].case_ids
        torch.testing.assert_close(before.parts[0].images, after.parts[0].images, rtol=0, atol=0)


def test_two_processes_share_the_very_parts_of_one_process_that_accumulates(pictures):
    """Two ranks have the parts that one process computes one after the other."""
    alone = _steps(pictures, CONFIG.model_copy(update={"accumulate": 2}))
    shared = [_steps(pictures, ranks=Ranks(rank=rank, world=2)) for rank in (0, 1)]

    for whole, first, second in zip(alone, *shared, strict=True):
        assert [part.case_ids for part in whole.parts] == [first.parts[0].case_ids, second.parts[0].case_ids]
        assert whole.pictures == first.pictures == second.pictures == 6


@pytest.mark.parametrize(("pictures_left", "steps"), [(0, 4), (1, 4), (2, 5), (5, 5)])
def test_a_last_step_without_statistics_is_left_out(pictures_left, steps):
    """A part of one picture has nothing to be normalised by."""
    assert steps_per_epoch(24 + pictures_left, 6) == steps
    assert steps_per_epoch(24 + pictures_left, 6, parts=2) == (steps if pictures_left != 2 else 4)


def test_a_picture_that_comes_again_in_an_epoch_is_changed_otherwise(pictures):
    """A balanced sampler shows rare pictures several times, each time anew."""
    config = CONFIG.model_copy(update={"imbalance": "balanced_sampler"})

    seen: dict[str, list[torch.Tensor]] = {}
    for step in _steps(pictures, config):
        for name, image in zip(step.parts[0].case_ids, step.parts[0].images, strict=True):
            seen.setdefault(name, []).append(image)

    again = [images for images in seen.values() if len(images) > 1]
    assert again
    assert all(not torch.equal(images[0], images[1]) for images in again)


def test_a_choice_of_pictures_keeps_each_with_its_own(pictures):
    """Rows, diagnoses and names stay together."""
    some = chosen_from(pictures, a_manifest([a_case(n) for n in (3, 7, 8)]))

    for batch in plain_batches(some, 8, device=CPU):
        for name, image, target in zip(batch.case_ids, batch.images, batch.target, strict=True):
            at = pictures.case_ids.index(name)
            assert target.argmax() == pictures.diagnosis[at]
            colour = image.mean(dim=(1, 2)).argmax()
            assert colour == target.argmax()  # the plain colour of the factory's picture is its diagnosis
    assert sorted(some.case_ids) == ["case0003", "case0007", "case0008"]


@pytest.mark.parametrize(
    ("confirmed_by", "share", "expected"),
    [
        ("majority", 1.0, [2 / 3, 1 / 3, 0]),
        ("majority", 0.5, [5 / 6, 1 / 6, 0]),
        ("majority", 0.0, [1, 0, 0]),
        ("histology", 1.0, [1, 0, 0]),
    ],
)
def test_raters_who_disagree_teach_their_doubt_unless_it_was_settled_by_proof(confirmed_by, share, expected):
    """Two of three said a; histology needs no vote."""
    votes = tuple(Vote(rater=f"r{n}", code=code) for n, code in enumerate("aab"))

    target = target_of(a_case(votes=votes, confirmed_by=confirmed_by), ("a", "b", "c"), share)

    assert target == pytest.approx(expected)


def test_counts_are_by_diagnosis(pictures):
    """Eight of each in the factory's dataset."""
    assert pictures.counts.tolist() == [8, 8, 8]
    assert np.array_equal(pictures.target.sum(axis=0), [8, 8, 8])
