"""Pictures in, calibrated answers out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cutis.imaging.border import Decoders
from cutis.imaging.decode import UnreadablePicture
from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import open_engine
from cutis.runtime.predict import UNLIKE, diagnose, outputs_of, probabilities, seen_from_all_sides
from cutis.runtime.trust import choose_acceptance, fit_reference, signals_of
from cutis.stats.calibration import softmax
from cutis.stats.conformal import OWN, SetThresholds, fit_set_thresholds
from cutis.stats.recalibration import Recalibration
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.outputs import Outputs
from factories import a_bundle_folder, a_picture


@pytest.fixture
def bundle(tmp_path):
    return read_bundle(a_bundle_folder(tmp_path / "bundle"))


def _engine_that_sees_brightness(pictures):
    """An engine is a function: its logits are the mean of each colour channel."""
    means = pictures.mean(axis=(2, 3))
    return Outputs(logits=means, auxiliary_logits=(means,) * 7, features=means, maps=None)


def test_findings_come_most_probable_first_and_sum_to_one(bundle, tmp_path):
    """The ranking is the answer."""
    a_picture().save(tmp_path / "lesion.png")

    diagnosis = diagnose(_engine_that_sees_brightness, bundle, tmp_path / "lesion.png").diagnosis

    chances = [finding.probability for finding in diagnosis.findings]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1)
    assert diagnosis.warnings == bundle.warnings


def test_a_picture_decoded_at_the_border_gets_the_same_answer(bundle, tmp_path):
    """Where it is decoded changes nothing but what it can do."""
    a_picture().save(tmp_path / "lesion.jpg")
    here = diagnose(_engine_that_sees_brightness, bundle, tmp_path / "lesion.jpg").diagnosis

    with Decoders() as decoders:
        prepared = decoders.prepared_file
        there = diagnose(_engine_that_sees_brightness, bundle, tmp_path / "lesion.jpg", prepared=prepared).diagnosis

    assert there == here


def test_many_pictures_are_answered_in_order_whatever_the_batch(bundle, tmp_path):
    """Row n belongs to path n, and a batch changes no answer."""
    paths = [tmp_path / f"{n}.png" for n in range(35)]
    for n, path in enumerate(paths):
        a_picture(width=40, height=30, seed=n).save(path)

    together = outputs_of(_engine_that_sees_brightness, bundle, paths, what="test")
    alone = outputs_of(_engine_that_sees_brightness, bundle, paths[33:34], what="test")

    assert together.logits.shape == (35, 3)
    np.testing.assert_allclose(together.logits[33], alone.logits[0], rtol=1e-5)
    assert len(together.auxiliary_logits) == 7


def test_probabilities_are_tempered_by_the_final_temperature(bundle):
    """A higher temperature is less sure."""
    logits = np.array([[2.0, 0.0, -1.0]], dtype=np.float32)
    outputs = Outputs(logits=logits, auxiliary_logits=(), features=logits, maps=None)
    scaled = np.exp(logits[0] / bundle.temperature)

    np.testing.assert_allclose(probabilities(bundle, outputs)[0], scaled / scaled.sum(), rtol=1e-6)


def test_several_classifiers_that_speak_are_averaged(bundle):
    """With two speakers the answer is the mean of both, each by its own temperature."""
    speaking = replace(bundle, speaking=2, temperatures=(1.0,) * 6 + (2.0, 1.0))
    first, last = (np.array([row], dtype=np.float32) for row in ([4.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    outputs = Outputs(logits=last, auxiliary_logits=(last,) * 6 + (first,), features=last, maps=None)

    chances = probabilities(speaking, outputs)

    np.testing.assert_allclose(chances, (softmax(first, 2.0) + softmax(last, 1.0)) / 2, rtol=1e-6)


def test_an_answer_from_all_sides_does_not_depend_on_how_the_picture_lies(bundle, tmp_path):
    """Eight views of a picture and of its mirror image are the same eight."""
    seen = replace(bundle, views=8)
    engine = open_engine(bundle)
    picture = np.random.default_rng(0).normal(size=(1, 3, 32, 32)).astype(np.float32)

    one, other = (
        seen_from_all_sides(engine, seen, each).logits for each in (picture, np.ascontiguousarray(picture[..., ::-1]))
    )

    np.testing.assert_allclose(one, other, atol=1e-5)


def test_what_the_speakers_say_is_recalibrated(bundle):
    """A map with a bias moves the answer."""
    bias = Recalibration(kind="vector", values=((1.0, 1.0, 1.0), (0.0, 2.0, 0.0)))
    outputs = Outputs(logits=np.zeros((1, 3), dtype=np.float32), auxiliary_logits=(), features=None, maps=None)

    chances = probabilities(replace(bundle, recalibration=bias), outputs)

    np.testing.assert_allclose(chances[0], softmax(np.array([[0.0, 2.0, 0.0]]))[0])


def test_a_picture_unlike_all_others_is_not_answered(bundle, tmp_path):
    """It says so and why, and a picture like the others is answered, with the set that contains the truth."""
    random = np.random.default_rng(0)
    own = random.normal(size=(120, 3)).astype(np.float32)
    reference = fit_reference(own, np.arange(120) % 3, kinds=3)
    said = Outputs(logits=own, auxiliary_logits=(own,) * 7, features=own, maps=None)
    chances = probabilities(bundle, said)
    signals = signals_of(said, reference, probabilities=chances, temperatures=bundle.temperatures)
    patients = [f"patient{n}" for n in range(120)]
    watched = replace(
        bundle,
        reference=reference,
        acceptance=choose_acceptance(signals, patients, cluster_kind="patient"),
        sets=(fit_set_thresholds(chances, np.arange(120) % 3, of_case=np.arange(120), method="LAC"),),
    )
    a_picture().save(tmp_path / "lesion.png")

    def engine(features):
        row = np.array([features], dtype=np.float32)
        return lambda _: Outputs(logits=own[:1], auxiliary_logits=(own[:1],) * 7, features=row, maps=None)

    usual = diagnose(engine(own[np.argsort(signals.distance)[60]]), watched, tmp_path / "lesion.png").diagnosis
    unusual = diagnose(engine([1e3, 1e3, -1e3]), watched, tmp_path / "lesion.png").diagnosis

    assert (usual.abstained, usual.reasons) == (False, ())
    assert usual.prediction_set
    assert usual.coverage == 0.95
    assert unusual.abstained
    assert "farther from what was learned" in unusual.reasons[0]


@pytest.mark.parametrize(("limit", "unlike"), [(0.9, False), (0.1, True)])
def test_a_set_that_would_be_empty_is_said(bundle, tmp_path, limit, unlike):
    """The most probable diagnosis alone stands in it, and a note that no diagnosis is as probable as it should be."""
    sets = SetThresholds(method="LAC", level=0.9, values=(limit,) * 3, basis=(OWN,) * 3, clusters=(20,) * 3)
    a_picture().save(tmp_path / "lesion.png")

    diagnosis = diagnose(_engine_that_sees_brightness, replace(bundle, sets=(sets,)), tmp_path / "lesion.png").diagnosis

    assert (UNLIKE in diagnosis.warnings) == unlike
    assert diagnosis.warnings[: len(bundle.warnings)] == bundle.warnings
    assert diagnosis.prediction_set[0] == diagnosis.findings[0].code
    assert (len(diagnosis.prediction_set) == 1) == unlike


def test_what_is_no_number_is_no_diagnosis(bundle, tmp_path):
    """One error that names the picture; a program that reads the answer gets no NaN."""
    a_picture().save(tmp_path / "lesion.png")
    nothing = np.full((1, 3), np.nan, dtype=np.float32)

    with pytest.raises(UserError, match="answers with what is no number") as error:
        diagnose(lambda _: Outputs(nothing, (nothing,) * 7, nothing, None), bundle, tmp_path / "lesion.png")

    assert error.value.where.endswith("lesion.png")


def test_a_text_file_is_one_clear_error(bundle, tmp_path):
    """Not every .jpg is a picture."""
    (tmp_path / "letter.jpg").write_text("Dear colleague,")

    with pytest.raises(UnreadablePicture):
        diagnose(_engine_that_sees_brightness, bundle, tmp_path / "letter.jpg")


def test_the_torch_engine_gives_every_depth(bundle):
    """Logits, features and maps of all depths, as numpy arrays."""
    outputs = open_engine(bundle)(np.zeros((2, 3, 32, 32), dtype=np.float32))

    assert outputs.logits.shape == (2, 3)
    assert len(outputs.auxiliary_logits) == 7
    assert len(outputs.maps) == 8
    assert all(isinstance(each, np.ndarray) for each in (*outputs.maps, outputs.features))
