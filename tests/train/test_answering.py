"""What is fitted on tune and on calibrate, by patient, and never on test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cutis.runtime.bundle import read_bundle
from cutis.stats.calibration import answer_of, choose_speakers, choose_thresholds, fit_temperature, softmax
from cutis.stats.operating_points import youden
from cutis.stats.recalibration import choose_recalibration, fit_recalibration, recalibrated
from cutis.train.answering import Seen, Trained, answering_of, seen_by, trusted
from cutis.train.batches import open_pictures
from cutis.train.config import TrainConfig
from cutis.train.loop import Heard
from cutis.train.run import Run, open_run
from cutis.vocabulary.case import read_manifest, write_manifest
from cutis.vocabulary.chance import chance
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of
from factories import a_bundle, a_bundle_folder, a_case, a_dataset, a_manifest, a_taxonomy


def a_run(truth, patients, *, taxonomy=None, **settings):
    """A training whose tune cases have these diagnoses and patients; nothing of it lies on disk."""
    taxonomy = taxonomy or a_taxonomy()
    cases = [
        a_case(number, diagnosis=taxonomy.codes[kind], cluster_id=f"patient{patient}", split="tune")
        for number, (kind, patient) in enumerate(zip(truth, patients, strict=True))
    ]
    return Run(
        name="invented",
        config=TrainConfig(**settings),
        manifest=a_manifest(cases, taxonomy=taxonomy),
        dataset=Path("nowhere"),
        dataset_sha256="0" * 64,
        pretrained="none",
        resolved="",
        folder=Path("nowhere"),
        tracking=Path("nowhere"),
    )


def heard_by(run, logits, cases):
    """A member that was heard of these cases, by their numbers and in this order."""
    codes, rows = run.manifest.taxonomy.codes, run.manifest.cases
    truth = np.array([codes.index(rows[number].diagnosis) for number in cases])
    return Trained(
        folder=Path("nowhere"),
        heard=Heard(tuple(each[cases].astype(np.float32) for each in logits), truth),
        heard_of=tuple(rows[number].case_id for number in cases),
        best_epoch=0,
        best_score=0.0,
        precision="fp32",
    )


def some_logits(truth, *, classifiers=2, seed=0, sharp=1.5):
    """What classifiers say of cases of these diagnoses, each surer than it is right."""
    random = np.random.default_rng(seed)
    hint = sharp * np.eye(3)[truth]
    return [2 * (random.normal(size=(len(truth), 3)) + hint) for _ in range(classifiers)]


def alike(truth, patients, *, seed=4):
    """What one classifier says where all pictures of a patient look nearly alike."""
    random = np.random.default_rng(seed)
    of_patient = 2 * random.normal(size=(max(patients) + 1, 3))
    return [of_patient[patients] + 0.8 * np.eye(3)[truth] + random.normal(scale=0.05, size=(len(truth), 3))]


def test_recalibration_is_chosen_by_patient():
    """Twenty pictures of a patient that look alike are no twenty witnesses: a patient is never in two folds."""
    patients = np.repeat(np.arange(12), 20)
    truth = patients % 3
    run, logits = a_run(truth, patients), alike(truth, patients)

    found = answering_of(run, [heard_by(run, logits, np.arange(240))])

    said = answer_of([logits[0].astype(np.float32)], found.speakers.temperatures)
    by_patient, by_picture = (
        choose_recalibration(said, truth, of_case=of_case, generator=chance(0, "recalibration")).recalibration
        for of_case in (patients, np.arange(240))
    )
    assert found.recalibration == by_patient
    assert by_patient.kind != by_picture.kind == "vector"


def test_the_chance_of_the_folds_is_that_of_the_recipe():
    """The same seed deals the same folds."""
    patients = np.arange(90) // 2
    truth = np.arange(90) % 3
    logits = some_logits(truth)

    first, again = (
        answering_of(run, [heard_by(run, logits, np.arange(90))]) for run in [a_run(truth, patients, seed=5)] * 2
    )

    assert first[:-1] == again[:-1]
    np.testing.assert_array_equal(first.said, again.said)


def test_one_patient_leaves_probabilities_as_they_are_said():
    """Nobody is left to be unseen."""
    truth = np.arange(30) % 3
    run = a_run(truth, np.zeros(30, dtype=int))

    found = answering_of(run, [heard_by(run, some_logits(truth), np.arange(30))])

    assert found.recalibration.kind == "identity"


def test_thresholds_are_chosen_on_what_is_answered():
    """After temperatures, speakers and recalibration, by the rule of the recipe; also of *malignant or not*."""
    patients = np.arange(120) // 2
    truth = np.arange(120) % 3
    run, logits = a_run(truth, patients), [each + np.array([4, 0, -2]) for each in some_logits(truth, classifiers=3)]

    found = answering_of(run, [heard_by(run, logits, np.arange(120))])

    speaking = found.speakers.speaking
    said = answer_of(
        [each.astype(np.float32) for each in logits[-speaking:]],
        found.speakers.temperatures[-speaking:],
        temperature_of_mean=found.speakers.temperature_of_mean,
    )
    chances = recalibrated(said, found.recalibration)
    assert found.recalibration.kind == "vector"
    assert found.thresholds.values == pytest.approx(choose_thresholds(chances, truth))
    assert found.thresholds.malignant == pytest.approx(youden(chances[:, 2], truth == 2))
    assert (found.thresholds.rule, found.thresholds.chosen_on) == ("Youden", "tune")


@pytest.mark.parametrize("malignant", [False, True], ids=["benign", "malignant"])
def test_there_is_no_threshold_for_malignant_where_all_diagnoses_are_alike(malignant):
    """None, rather than one that says yes to everybody or to nobody."""
    taxonomy = a_taxonomy()
    diseases = tuple(replace(disease, malignant=malignant) for disease in taxonomy.diseases)
    truth = np.arange(60) % 3
    run = a_run(truth, np.arange(60), taxonomy=replace(taxonomy, diseases=diseases))

    found = answering_of(run, [heard_by(run, some_logits(truth), np.arange(60))])

    assert found.thresholds.malignant is None
    assert all(0 < each < 1 for each in found.thresholds.values)


def test_under_a_balanced_mix_each_diagnosis_counts_the_same():
    """Temperature and recalibration are those of cases weighed so; the thresholds look at the cases as they are."""
    truth = np.array([0] * 80 + [1] * 30 + [2] * 10)
    patients = np.arange(120)
    run, logits = a_run(truth, patients, imbalance="weighted_loss", answer="final"), some_logits(truth, classifiers=1)

    found = answering_of(run, [heard_by(run, logits, np.arange(120))])

    weights = np.array([1 / np.count_nonzero(truth == kind) for kind in truth])
    (said,) = (each.astype(np.float32) for each in logits)
    temperature = fit_temperature(said, truth, weights)
    assert found.speakers.temperatures == pytest.approx((temperature,), rel=1e-6)
    assert temperature != pytest.approx(fit_temperature(said, truth), rel=1e-3)
    chosen = choose_recalibration(
        softmax(said, temperature),
        truth,
        of_case=patients,
        generator=chance(0, "recalibration"),
        weights=weights,
    ).recalibration
    assert found.recalibration.kind == chosen.kind
    chances = recalibrated(softmax(said, temperature), found.recalibration)
    assert found.thresholds.values == pytest.approx(choose_thresholds(chances, truth))
    assert found.mix == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_a_half_balanced_mix_lies_between():
    """To the power of a half: each diagnosis weighs as the root of its number."""
    truth = np.array([0] * 64 + [1] * 16 + [2] * 4)
    run = a_run(truth, np.arange(84), imbalance="weighted_loss", imbalance_strength=0.5)

    found = answering_of(run, [heard_by(run, some_logits(truth), np.arange(84))])

    assert found.mix == pytest.approx((8 / 14, 4 / 14, 2 / 14))


def test_without_balance_the_mix_is_that_of_the_cases():
    """The archive's own."""
    truth = np.array([0] * 64 + [1] * 16 + [2] * 4)
    run = a_run(truth, np.arange(84))

    assert answering_of(run, [heard_by(run, some_logits(truth), np.arange(84))]).mix == pytest.approx(
        (64 / 84, 16 / 84, 4 / 84)
    )


def test_only_the_final_classifier_speaks_where_the_recipe_says_so():
    """Else as many as answer best together."""
    truth = np.arange(120) % 3
    logits = some_logits(truth, classifiers=3)
    final, together = (
        answering_of(run, [heard_by(run, logits, np.arange(120))])
        for run in (a_run(truth, np.arange(120), answer=answer) for answer in ("final", "tune"))
    )

    said = [each.astype(np.float32) for each in logits]
    assert final.speakers.speaking == 1
    assert together.speakers == choose_speakers(said, truth, most=3)
    assert together.speakers.speaking > 1


def test_of_several_members_the_right_cases_join_the_right_patients():
    """Each was heard of the fold that it did not learn from, in an order of its own."""
    patients = np.repeat(np.arange(12), 20)
    truth = patients % 3
    run, logits = a_run(truth, patients, cross_validate=True), alike(truth, patients)
    order = np.random.default_rng(0).permutation(240)
    folds = [order[patients[order] % 2 == fold] for fold in (1, 0)]

    found = answering_of(run, [heard_by(run, logits, fold) for fold in folds])

    heard_in_turn = np.concatenate(folds)
    said = answer_of([logits[0][heard_in_turn].astype(np.float32)], found.speakers.temperatures)
    chosen = choose_recalibration(
        said,
        truth[heard_in_turn],
        of_case=patients[heard_in_turn],
        generator=chance(0, "recalibration"),
    ).recalibration
    alone = answering_of(run, [heard_by(run, logits, np.arange(240))])
    assert found.recalibration == chosen == fit_recalibration(chosen.kind, said, truth=truth[heard_in_turn])
    assert found.recalibration.kind != "vector"  # as it would be where pictures were taken for patients
    assert found.speakers.temperatures == pytest.approx(alone.speakers.temperatures)
    assert found.thresholds.values == pytest.approx(alone.thresholds.values)
    assert found.thresholds.chosen_on == "train and tune, out of fold"


SETTINGS = {"network": "mobilenetv2_035", "size": 32, "acceptance": 0.5, "coverage": 0.5}


@pytest.fixture
def calibrated(workspace):
    """What a bundle answers by on a dataset of 144 patients, 24 of them in calibrate; and how it was made to."""
    a_dataset(workspace, patients=144)

    def fit():
        run = open_run(workspace, TrainConfig(**SETTINGS), name="small", again=True)
        dataset = sha256_of(workspace.dataset / "manifest.parquet")
        folder = workspace.root / f"bundle {len(list(workspace.root.iterdir()))}"
        bundle = read_bundle(a_bundle_folder(folder, dataset_sha256=dataset))
        pictures = open_pictures(run.dataset, run.pictures, bundle.preparation, cache=workspace.cache)
        return trusted(bundle, run, seen_by(bundle, run, pictures))

    return fit


def altered(workspace, split, change, *, most=1):
    """Change the first settled cases of a split."""
    path = workspace.dataset / "manifest.parquet"
    manifest = read_manifest(path)
    first = {case.case_id for case in manifest.of_split(split).cases[:most]}
    cases = tuple(change(case) if case.case_id in first else case for case in manifest.cases)
    write_manifest(path, replace(manifest, cases=cases), made_from={})


def another_picture(workspace, case):
    """Put another picture in place of that of a case."""
    path = workspace.dataset / case.image
    Image.effect_mandelbrot((32, 32), (-3, -2.5, 2, 2.5), 50).convert("RGB").save(path)
    return replace(case, sha256=sha256_of(path))


def parts_of(bundle):
    """All that calibrate decides, and what the training pictures give, as plain numbers."""
    tails = np.concatenate([np.concatenate([tail.values, tail.at_or_above]) for tail in bundle.acceptance.tails])
    return bundle.sets, bundle.acceptance.abstain_above, tails.tolist()


def test_sets_and_acceptance_are_fitted_on_calibrate(workspace, calibrated):
    """Two kinds of sets and an acceptance of the share that the recipe names, of as many patients as there are."""
    bundle = calibrated()

    assert [each.method for each in bundle.sets] == ["LAC", "APS"]
    assert {each.level for each in bundle.sets} == {0.5}
    assert bundle.sets[0].clusters == (8, 8, 8)
    assert (bundle.acceptance.share, bundle.acceptance.clusters, bundle.acceptance.cluster_kind) == (
        0.5,
        24,
        "patient",
    )
    assert bundle.acceptance.abstain_above is not None
    assert bundle.reference.learned.means.shape[0] == 3


@pytest.mark.parametrize("split", ["test", "tune"])
def test_what_test_and_tune_show_changes_neither_sets_nor_acceptance(workspace, calibrated, split):
    """Another diagnosis, another picture: both are as if never seen."""
    before = parts_of(calibrated())

    altered(workspace, split, lambda case: replace(another_picture(workspace, case), diagnosis="c"))

    assert parts_of(calibrated()) == before


def test_another_diagnosis_in_calibrate_changes_the_sets_alone(workspace, calibrated):
    """What is unusual does not hang on what it is called."""
    sets, limit, tails = parts_of(calibrated())

    altered(workspace, "calibrate", lambda case: replace(case, diagnosis="b"))

    after = parts_of(calibrated())
    assert after[0] != sets
    assert after[0][0].clusters == (7, 9, 8)
    assert after[1:] == (limit, tails)


def test_other_pictures_in_calibrate_change_both(workspace, calibrated):
    """Their answers are others, and so is what is unusual."""
    sets, _, tails = parts_of(calibrated())

    altered(workspace, "calibrate", lambda case: another_picture(workspace, case), most=24)

    after = parts_of(calibrated())
    assert after[0] != sets
    assert after[2] != tails


def test_an_indeterminate_case_of_calibrate_decides_nothing(workspace, calibrated):
    """It has no truth that a set could hold."""
    altered(workspace, "calibrate", lambda case: replace(case, diagnosis=None, indeterminate="unresolved votes"))

    bundle = calibrated()

    assert bundle.acceptance.clusters == 23
    assert sum(bundle.sets[0].clusters) == 23


def test_a_picture_of_calibrate_that_is_not_the_one_that_was_curated_is_refused(workspace, calibrated):
    """Named, before anything is fitted."""
    altered(workspace, "calibrate", lambda case: replace(another_picture(workspace, case), sha256=case.sha256))

    with pytest.raises(UserError, match="changed since it was curated"):
        calibrated()


def test_without_calibrate_cases_a_bundle_stays_as_it_is():
    """It makes no sets, and says that it answers everything."""
    truth = np.arange(6) % 3
    bundle = a_bundle()

    found = trusted(bundle, a_run(truth, truth), Seen(learned=None, features=None, tuned=None, calibrate=None))

    assert found is bundle
    assert any("answers every picture" in warning for warning in found.warnings)
