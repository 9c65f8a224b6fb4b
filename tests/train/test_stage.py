"""A training leaves a bundle, and survives what happens to trainings."""

from __future__ import annotations

import errno
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import struck
from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import open_engine, torch_network
from cutis.train import checkpoint
from cutis.train.config import read_recipe
from cutis.train.run import open_run
from cutis.train.stage import train
from cutis.vocabulary.case import read_manifest, write_manifest
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.predictions import read_predictions
from factories import a_dataset

SMALL = ("network=mobilenetv2_035", "size=32", "epochs=2", "batch_size=4", "learning_rate=1e-3", "warmup_epochs=0")


def test_a_training_leaves_a_bundle_that_explains_itself(workspace):
    """Taxonomy, preparation, temperatures, thresholds, licence and hashes stand in the bundle."""
    manifest = a_dataset(workspace, licence="CC BY-NC 4.0", invented=True)

    done = train(workspace, settings=SMALL, name="small")

    bundle = read_bundle(workspace.bundle("small"))
    assert bundle.taxonomy == manifest.taxonomy
    assert bundle.licence == "CC BY-NC 4.0"
    assert bundle.invented
    assert len(bundle.temperatures) == 8
    assert len(bundle.thresholds.values) == 3
    assert bundle.dataset_counts == {"train": 15, "tune": 3, "calibrate": 3, "test": 3}
    assert done.next_command == "cutis evaluate small"
    assert sorted(path.name for path in workspace.bundle("small").iterdir()) == [
        "SHA256SUMS",
        "bundle.json",
        "config.toml",
        "history.jsonl",
        "neighbours.safetensors",
        "trust.safetensors",
        "weights.safetensors",
    ]


def test_the_same_recipe_gives_the_same_weights(workspace):
    """A training is reproducible to the bit on the same processor."""
    a_dataset(workspace)

    for name in ("one", "other"):
        train(workspace, settings=SMALL, name=name)

    one, other = (read_bundle(workspace.bundle(name)).weights_sha256 for name in ("one", "other"))
    assert one == other


def test_other_pseudonyms_give_the_same_weights(workspace):
    """Two workspaces with the same pictures learn the same, whatever they call them."""
    manifest = a_dataset(workspace)
    train(workspace, settings=SMALL, name="one")
    renamed = replace(
        manifest, cases=tuple(replace(case, case_id=f"{99 - n}") for n, case in enumerate(manifest.cases))
    )
    write_manifest(workspace.dataset / "manifest.parquet", renamed, made_from={})

    train(workspace, settings=SMALL, name="other")

    one, other = (read_bundle(workspace.bundle(name)).weights_sha256 for name in ("one", "other"))
    assert one == other


def test_indeterminate_cases_are_not_learned_from(workspace):
    """What nobody could settle teaches nothing, though it lies in the train split."""
    manifest = a_dataset(workspace)
    unsettled = tuple(
        replace(case, diagnosis=None, indeterminate="unresolved votes") if n == 0 else case
        for n, case in enumerate(manifest.cases)
    )
    write_manifest(workspace.dataset / "manifest.parquet", replace(manifest, cases=unsettled), made_from={})

    train(workspace, settings=SMALL, name="small")

    assert read_bundle(workspace.bundle("small")).dataset_counts["train"] == len(manifest.of_split("train")) - 1


def test_the_test_is_not_touched(workspace):
    """A training does not even open the pictures of what it will be measured on."""
    manifest = a_dataset(workspace)
    for case in manifest.of_split("test").cases:
        (workspace.dataset / case.image).unlink()

    train(workspace, settings=SMALL, name="small")

    assert workspace.bundle("small").exists()


def test_what_is_missing_for_calibration_is_told_before_anything_is_learned(workspace):
    """Sets and abstention are fitted last; nobody waits hours for a missing file."""
    manifest = a_dataset(workspace)
    (workspace.dataset / manifest.of_split("calibrate").cases[0].image).unlink()

    with pytest.raises(UserError, match="this picture is missing"):
        train(workspace, settings=SMALL, name="small")

    assert not list(workspace.root.rglob("best-*.safetensors"))


def test_a_dataset_without_calibrate_cases_gives_a_bundle_that_promises_nothing(workspace):
    """No sets and no abstention, and every answer says so."""
    manifest = a_dataset(workspace)
    path = workspace.dataset / "manifest.parquet"
    write_manifest(path, manifest.where(lambda case: case.split != "calibrate"), made_from={})

    train(workspace, settings=SMALL, name="small")

    bundle = read_bundle(workspace.bundle("small"))
    assert (bundle.sets, bundle.reference, bundle.acceptance) == ((), None, None)
    assert any("answers every picture" in warning for warning in bundle.warnings)


def test_the_operating_points_follow_the_rule_of_the_recipe(workspace):
    """A rule that is named is the one that is used, and written down; an unknown one is refused."""
    a_dataset(workspace)

    train(workspace, settings=(*SMALL, "operating_point=sensitivity>=1"), name="sensitive")

    bundle = read_bundle(workspace.bundle("sensitive"))
    assert bundle.thresholds.rule == "sensitivity>=1"
    assert 0 < bundle.thresholds.malignant < 1
    with pytest.raises(UserError, match="unknown rule"):
        train(workspace, settings=(*SMALL, "operating_point=cheapest"), name="other")


def test_a_picture_that_was_changed_after_curation_is_not_learned_from(workspace):
    """What the manifest vouches for is what is learned from, and the wrong pixels stay out of the cache."""
    manifest = a_dataset(workspace)
    picture = workspace.dataset / manifest.of_split("train").cases[0].image
    curated = picture.read_bytes()
    picture.write_bytes((workspace.dataset / manifest.of_split("train").cases[1].image).read_bytes())

    with pytest.raises(UserError, match="changed since it was curated"):
        train(workspace, settings=SMALL, name="small")
    picture.write_bytes(curated)
    train(workspace, settings=SMALL, name="small")


def test_a_mistyped_network_leaves_nothing_in_the_way(workspace):
    """The corrected command works at once."""
    a_dataset(workspace)

    with pytest.raises(UserError, match="unknown network"):
        train(workspace, settings=(*SMALL, "network=mobilnet"), name="small")
    with pytest.raises(UserError, match="cannot be read"):
        train(workspace, settings=(*SMALL, "weights=nowhere.safetensors"), name="small")

    train(workspace, settings=(*SMALL, "precision=bf16"), name="small")


def test_an_existing_bundle_is_not_overwritten_unless_told(workspace):
    """Hours of training are not lost to a repeated command."""
    a_dataset(workspace)
    train(workspace, settings=SMALL, name="small")

    with pytest.raises(UserError, match="--again"):
        train(workspace, settings=SMALL, name="small")
    train(workspace, settings=SMALL, name="small", again=True)


def test_a_class_without_a_case_to_learn_from_is_named(workspace):
    """The user reads which diagnosis is missing, before hours are spent."""
    manifest = a_dataset(workspace)
    without = manifest.where(lambda case: not (case.diagnosis == "b" and case.split == "tune"))
    write_manifest(workspace.dataset / "manifest.parquet", without, made_from={})

    with pytest.raises(UserError, match="no case of b"):
        train(workspace, settings=SMALL)


def test_training_without_a_dataset_says_what_to_run(workspace):
    """The order of the stages is learned from the message."""
    with pytest.raises(UserError, match="cutis curate CLINIC_DIR"):
        train(workspace, settings=SMALL)


def test_another_recipe_does_not_go_on_with_an_unfinished_training(workspace):
    """Weights of two recipes are never mixed."""
    a_dataset(workspace)
    struck.until_a_checkpoint(workspace.root, (*SMALL, "epochs=40"), signal.SIGKILL)

    with pytest.raises(UserError, match="unfinished training by another recipe"):
        train(workspace, settings=(*SMALL, "seed=1"), name="struck")
    train(workspace, settings=(*SMALL, "seed=1"), name="struck", again=True)


def test_every_setting_of_the_method_trains(workspace):
    """What a recipe may say, a training can do; the bundle answers by the views and classifiers that it names."""
    a_dataset(workspace)
    everything = (
        *("auxiliary_profile=rising", "imbalance=logit_adjustment", "focal_gamma=1", "label_smoothing=0.1"),
        *("soft_labels=0.5", "accumulate=2", "layer_decay=0.8", "frozen_epochs=0.5", "ema=0.9", "clip=1"),
        *("precision=auto", "patience=1", "right_angles=true", "mixup=0.2", "cutmix=1", "views=8"),
    )

    train(workspace, settings=(*SMALL, *everything), name="all")

    bundle = read_bundle(workspace.bundle("all"))
    assert bundle.views == 8
    assert 1 <= bundle.speaking <= 8
    recipe = read_recipe(str(workspace.bundle("all") / "config.toml"))
    assert recipe.precision in {"fp32", "bf16"}  # auto was settled by measurement


@pytest.mark.slow
def test_a_compiled_network_trains_and_answers(workspace):
    """`torch.compile` changes how a step is computed, and nothing that is kept."""
    a_dataset(workspace)

    train(workspace, settings=(*SMALL, "compile=true", "ema=0.9"), name="compiled")

    bundle = read_bundle(workspace.bundle("compiled"))
    assert set(load_file(bundle.weights)) == set(torch_network(bundle).state_dict())


def test_any_network_of_timm_trains_without_auxiliary_classifiers(workspace):
    """The rivals take the same road, and their bundle answers."""
    a_dataset(workspace)

    train(workspace, settings=(*SMALL, "network=resnet10t", "auxiliary_weight=0"), name="rival")

    bundle = read_bundle(workspace.bundle("rival"))
    outputs = open_engine(bundle)(np.zeros((1, 3, 32, 32), np.float32))
    assert bundle.auxiliary == 0
    assert outputs.auxiliary_logits == ()


def test_early_stopping_ends_when_nothing_gets_better(workspace):
    """With patience 1 and a rate that learns nothing, few epochs are run."""
    a_dataset(workspace)

    train(workspace, settings=(*SMALL, "epochs=30", "learning_rate=1e-12", "patience=1"), name="early")

    lines = (workspace.bundle("early") / "history.jsonl").read_text().splitlines()
    assert len(lines) < 10


def test_cross_validation_leaves_a_bundle_of_a_network_per_fold(workspace):
    """Two folds, two networks with other weights in one bundle; its answer is their mean."""
    a_dataset(workspace, patients=48)

    done = train(workspace, settings=(*SMALL, "cross_validate=true"), name="folds")

    bundle = read_bundle(workspace.bundle("folds"))
    assert (bundle.members, len(bundle.best_epochs)) == (2, 2)
    manifest = read_manifest(workspace.dataset / "manifest.parquet")
    learned = {case.case_id: case.diagnosis for split in ("train", "tune") for case in manifest.of_split(split).cases}
    held_out = read_predictions(bundle.folder / "out_of_fold.parquet")
    told = [held_out.codes[truth] for truth in held_out.truth]
    assert sorted(held_out.case_ids) == sorted(learned)
    assert dict(zip(held_out.case_ids, told, strict=True)) == learned
    assert bundle.thresholds.chosen_on == "train and tune, out of fold"
    weights = load_file(bundle.weights)
    assert not np.array_equal(weights["members.0.final.linear.weight"], weights["members.1.final.linear.weight"])
    picture = np.random.default_rng(0).normal(size=(1, 3, 32, 32)).astype(np.float32)
    network = torch_network(bundle)
    with torch.inference_mode():
        each = [member(torch.from_numpy(picture)).logits for member in network.members]
    together = open_engine(bundle)(picture)
    np.testing.assert_allclose(together.logits, torch.stack(each).mean(dim=0).numpy(), atol=1e-5)
    assert together.features.shape == (1, 2 * 1280)
    assert "2 networks" in done.lines[0]


def test_a_member_does_not_learn_from_its_own_fold(workspace):
    """Learning and choosing share no case, and calibrate and test stay closed."""
    a_dataset(workspace, patients=48)
    run = open_run(workspace, read_recipe("pocket", ("cross_validate=true",)), name="folds", again=False)

    for member in run.members:
        learning, tuning = (set(cases.column("case_id")) for cases in (member.learning, member.tuning))
        assert not learning & tuning
        assert {case.split for case in (*member.learning.cases, *member.tuning.cases)} == {"train", "tune"}
    assert len({member.config.seed for member in run.members}) == len(run.members)


def test_a_dataset_without_folds_says_so_when_they_are_asked_for(workspace):
    """An older dataset is curated again."""
    manifest = a_dataset(workspace)
    unfolded = replace(manifest, cases=tuple(replace(case, fold=None) for case in manifest.cases))
    write_manifest(workspace.dataset / "manifest.parquet", unfolded, made_from={})

    with pytest.raises(UserError, match="no folds"):
        train(workspace, settings=(*SMALL, "cross_validate=true"))


@pytest.mark.parametrize("settings", [("size=40", "network=vit_tiny_patch16_224", "auxiliary_weight=0")])
def test_an_impossible_size_is_named_before_anything_is_written(workspace, settings):
    """Forty pixels are no whole number of patches."""
    a_dataset(workspace)

    with pytest.raises(UserError, match="40"):
        train(workspace, settings=(*SMALL, *settings), name="small")

    assert not workspace.partial(workspace.bundle("small")).exists()


def test_a_step_that_no_memory_can_hold_is_refused_with_what_would_fit(workspace):
    """Before hours are spent, the user reads a batch size that fits."""
    a_dataset(workspace)

    with pytest.raises(UserError, match="batch_size=") as caught:
        train(workspace, settings=(*SMALL, "size=512", "batch_size=40000"), name="small")

    assert "GB" in caught.value.what


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (("batch_size=6", "accumulate=4"), "cannot be shared in 4 parts"),
        (("batch_size=64", "accumulate=8"), "fewer than one step needs"),
    ],
)
def test_steps_of_too_few_pictures_are_refused(workspace, settings, told):
    """A part of one picture has nothing to be normalised by, and an epoch without a step teaches nothing."""
    a_dataset(workspace)

    with pytest.raises(UserError, match=told):
        train(workspace, settings=(*SMALL, *settings), name="small")


def test_a_full_disk_stops_cleanly_and_the_same_command_goes_on(workspace, monkeypatch):
    """The checkpoint before the one that found no space is whole, and nothing half-written is left."""
    a_dataset(workspace)
    settings = (*SMALL, "epochs=4")
    undisturbed = train(workspace, settings=settings, name="undisturbed")
    saved = []

    def full_at_the_third(path, tensors, said, *, save=checkpoint.save_tensors):
        saved.append(path)
        if len(saved) == 3:
            path.with_name(".half.aside").write_bytes(b"half")
            path.with_name(".half.aside").unlink()
            raise OSError(errno.ENOSPC, "No space left on device")
        save(path, tensors, said)

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save_tensors", full_at_the_third)
        with pytest.raises(UserError, match="no space left"):
            train(workspace, settings=settings, name="full")
    done = train(workspace, settings=settings, name="full")

    assert done.facts["weights_sha256"] == undisturbed.facts["weights_sha256"]
