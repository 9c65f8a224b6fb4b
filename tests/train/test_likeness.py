"""What a bundle keeps of its training pictures: fitted without leaks, and told with what it was chosen by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cutis.runtime.bundle import read_bundle
from cutis.runtime.neighbours import read_index
from cutis.train.answering import Seen
from cutis.train.batches import chosen_from, open_pictures
from cutis.train.config import TrainConfig
from cutis.train.likeness import with_similar_cases
from cutis.train.run import open_run
from cutis.train.stage import train
from cutis.vocabulary.case import read_manifest, write_manifest
from cutis.vocabulary.files import sha256_of
from cutis.vocabulary.outputs import Outputs
from factories import a_bundle_folder, a_dataset

WIDTH = 6


def opened(workspace, **settings):
    """A run on a dataset of 144 patients, its pictures, and the bundle that it ends in."""
    a_dataset(workspace, patients=144)
    run = open_run(workspace, TrainConfig(network="mobilenetv2_035", size=32, **settings), name="small", again=True)
    folder = a_bundle_folder(
        workspace.root / "bundle", dataset_sha256=sha256_of(workspace.dataset / "manifest.parquet")
    )
    bundle = read_bundle(folder)
    return run, open_pictures(run.dataset, run.pictures, bundle.preparation, cache=workspace.cache), bundle


def features_of(diagnosis, *, told=1.0, seed=0, width=WIDTH):
    """Features that tell the diagnosis, the more clearly the more."""
    random = np.random.default_rng(seed)
    return (told * np.eye(3, width)[diagnosis] + 0.3 * random.normal(size=(len(diagnosis), width))).astype(np.float32)


def of_calibrate(run, **fields):
    """What the network makes of the calibrate split."""
    codes = run.manifest.taxonomy.codes
    features = features_of(
        [codes.index(code) for code in run.manifest.of_split("calibrate").column("diagnosis")], **fields
    )
    return Outputs(logits=features, auxiliary_logits=(), features=features, maps=None)


def seen_of(run, pictures, *, calibrate=True, told=1.0):
    """What a single network makes of all of them."""
    learned, tuning = (chosen_from(pictures, side) for side in (run.members[0].learning, run.members[0].tuning))
    return Seen(
        learned=learned,
        features=features_of(learned.diagnosis),
        tuned=features_of(tuning.diagnosis, seed=1, told=told),
        calibrate=of_calibrate(run, seed=2, told=told) if calibrate else None,
    )


def test_every_case_that_was_learned_from_is_kept_with_its_features(workspace):
    """And none of tune, calibrate or test; each row with its own case."""
    run, pictures, bundle = opened(workspace)
    seen = seen_of(run, pictures)

    found = with_similar_cases(bundle, run, seen, pictures=pictures)
    index = read_index(bundle.neighbours)

    learned = {case.case_id: case for case in run.manifest.of_split("train").cases}
    assert set(index.case_ids) == learned.keys()
    assert index.case_ids == seen.learned.case_ids
    assert np.abs(index.features - seen.features).max() < 2e-3
    for case_id, kind, cluster in zip(index.case_ids, index.diagnosis, index.origin.cluster_ids, strict=True):
        assert (bundle.taxonomy.codes[kind], cluster) == (learned[case_id].diagnosis, learned[case_id].cluster_id)
    assert (found.likeness.cases, found.likeness.chosen_on) == (len(learned), "tune")
    assert found.likeness.space == index.space.kind
    assert -1 < found.likeness.strangers < 1


def test_what_a_similarity_means_is_found_on_calibrate(workspace):
    """On its patients alone; where they were never asked, nothing is said."""
    run, pictures, bundle = opened(workspace)

    told = with_similar_cases(bundle, run, seen_of(run, pictures), pictures=pictures).likeness.nearness
    blind = with_similar_cases(bundle, run, seen_of(run, pictures, told=0.0), pictures=pictures).likeness.nearness
    never = with_similar_cases(bundle, run, seen_of(run, pictures, calibrate=False), pictures=pictures).likeness

    assert told.of_the_others[-1].share.value > 0.9
    assert told.of_the_others[-1].share.clusters == 24
    assert blind.of_the_others[-1].share.value < 0.5
    assert never.nearness is None


def test_a_fold_asks_with_the_member_that_did_not_learn_from_it(workspace):
    """All others know its cases by heart: with features side by side every space would look perfect."""
    run, pictures, bundle = opened(workspace, cross_validate=True)
    fold_of = {case.case_id: place // 3 % 4 for place, case in enumerate(run.manifest.cases)}
    cases = tuple(replace(case, fold=fold_of[case.case_id]) for case in run.manifest.cases)
    run = replace(run, manifest=replace(run.manifest, cases=cases))
    folds = np.array([fold_of[case_id] for case_id in pictures.case_ids])
    blocks = [features_of(pictures.diagnosis, seed=member) for member in range(4)]
    for member, block in enumerate(blocks):
        unseen = folds == member
        block[unseen] = features_of(pictures.diagnosis[unseen], told=0.0, seed=9 + member)
    calibrate = of_calibrate(run, width=4 * WIDTH)
    seen = Seen(learned=pictures, features=np.hstack(blocks), tuned=None, calibrate=calibrate)

    found = with_similar_cases(bundle, run, seen, pictures=pictures).likeness

    assert found.cases == len(pictures)
    assert found.chosen_on == "train and tune, out of fold"
    assert max(trial.precision for trial in found.trials) < 0.55  # chance is 1/3
    assert len(read_index(bundle.neighbours).features[0]) == 4 * WIDTH


def test_where_all_are_of_one_patient_nobody_is_asked(workspace):
    """The simplest space then stands, without a figure, and it is said that nobody told."""
    run, pictures, bundle = opened(workspace)
    path = workspace.dataset / "manifest.parquet"
    manifest = read_manifest(path)
    one = replace(manifest, cases=tuple(replace(case, cluster_id="patient") for case in manifest.cases))
    write_manifest(path, one, made_from={})

    found = with_similar_cases(bundle, replace(run, manifest=one), seen_of(run, pictures), pictures=pictures).likeness

    assert (found.space, found.trials, found.strangers) == ("raw", (), 0.999)
    assert found.chosen_on.startswith("nobody")
    assert found.nearness.said_of("a", 0.9) is None


@pytest.mark.parametrize("wanted", [True, False])
def test_the_recipe_says_whether_training_cases_are_kept(workspace, wanted):
    """With similar_cases = false the bundle has no row of anybody."""
    a_dataset(workspace)
    kept = f"similar_cases={str(wanted).lower()}"

    train(workspace, settings=("network=mobilenetv2_035", "size=32", "epochs=1", "batch_size=4", kept), name="small")

    bundle = read_bundle(workspace.bundle("small").resolve())
    assert (bundle.likeness is not None) == wanted
    assert bundle.neighbours.exists() == wanted
