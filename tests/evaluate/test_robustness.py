"""What is left of the figures under disturbance, on the same pictures and by the same rounds."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cutis.evaluate.calibration import calibration_of
from cutis.evaluate.evidence import chance_of_rounds, evidence_of, predictions_of
from cutis.evaluate.material import Material
from cutis.evaluate.robustness import answers_under, robustness_of, some_of
from cutis.imaging.disturbances import DISTURBANCES, Disturbance, Kind
from cutis.vocabulary.case import read_manifest
from cutis.vocabulary.chance import chance
from cutis.vocabulary.outputs import Outputs
from cutis.workspace import Workspace
from factories import a_bundle, a_case, a_dataset, a_manifest

NOTHING = Disturbance(Kind("nothing", (0, 0, 0), "nothing", lambda picture, *_: picture), 1)
GREY = Disturbance(
    Kind("grey", (0, 0, 0), "without colour", lambda picture, *_: picture.convert("L").convert("RGB")), 1
)
ROUNDS = 50


@pytest.fixture
def material(tmp_path):
    """Twelve test pictures of twelve patients, whose colour is the diagnosis."""
    workspace = Workspace(tmp_path)
    a_dataset(workspace, patients=72)
    manifest = read_manifest(workspace.dataset / "manifest.parquet")
    return Material(
        bundle=a_bundle(),
        dataset=workspace.dataset,
        dataset_sha256="1" * 64,
        settled=manifest.of_split("test"),
        indeterminate=manifest.indeterminate_of("test"),
    )


def by_colour(pictures):
    """An engine that reads the diagnosis off the colour."""
    colours = pictures.mean(axis=(2, 3))
    return Outputs(logits=colours * 2, auxiliary_logits=(), features=colours, maps=None)


def examined(material, *disturbances, **options):
    return robustness_of(material, by_colour, disturbances=disturbances, rounds=ROUNDS, **options)


def test_what_changes_no_pixel_changes_no_figure(material):
    """Every difference is 0, and no answer is another."""
    (found,) = examined(material, NOTHING).disturbed

    assert {difference.value for difference in found.differences.values()} == {0.0}
    assert found.changed.value == 0.0
    assert 0 < found.changed.high < 0.4


def test_a_picture_that_lost_what_the_network_looks_at_is_answered_by_guess(material):
    """Without colour all pictures look alike: an AUC of a half, and as many answers changed as were right."""
    found = examined(material, GREY)

    (grey,) = found.disturbed
    assert found.undisturbed["macro_auc"].value == found.undisturbed["argmax/accuracy"].value == 1.0
    assert grey.estimates["macro_auc"].value < 0.9
    assert grey.differences["argmax/balanced_accuracy"].value == pytest.approx(1 / 3 - 1)
    assert grey.changed.value == pytest.approx(2 / 3)
    assert grey.differences["log_loss"].low > 0
    assert grey.differences["log_loss"].method.startswith("paired")


def test_undisturbed_figures_are_those_of_the_evaluation(material):
    """The same preparation, and the same rounds, so the same value and interval."""
    found = examined(material, NOTHING).undisturbed

    paths = material.pictures(material.settled)
    said = answers_under(material, by_colour, material.settled, [])
    predictions = predictions_of(material.settled, np.concatenate(list(said)), rater="invented")
    evidence = evidence_of(predictions, thresholds=np.full(3, 0.3), generator=chance_of_rounds("1" * 64))
    calibration = calibration_of(predictions, malignant=None, generator=chance_of_rounds("1" * 64), rounds=10)
    measured = evidence.estimates | calibration.estimates
    assert len(paths) == 12
    for figure in ("macro_auc", "argmax/balanced_accuracy", "log_loss", "expected_calibration_error"):
        assert found[figure].value == pytest.approx(measured[figure].value)


def test_figures_under_a_disturbance_are_those_of_scikit_learn(material):
    """On what was said of the disturbed pictures."""
    disturbance = next(each for each in DISTURBANCES if each.name == "white balance 3")

    (found,) = examined(material, disturbance).disturbed

    said = np.stack(list(answers_under(material, by_colour, material.settled, [disturbance])))
    truth = predictions_of(material.settled, said[:, 1], rater="invented").truth
    areas = [roc_auc_score(truth == kind, said[:, 1, kind]) for kind in range(3)]
    assert found.estimates["macro_auc"].value == pytest.approx(np.mean(areas), abs=1e-6)
    assert found.changed.value == (said[:, 0].argmax(axis=1) != said[:, 1].argmax(axis=1)).mean()


def test_every_shipped_disturbance_is_told_with_its_figures(material):
    """Thirty of them, as plain data without NaN."""
    found = robustness_of(material, by_colour, rounds=10)

    said = json.loads(json.dumps(found.content(), allow_nan=False))
    assert [each["said"] for each in said["disturbed"]] == [str(each) for each in DISTURBANCES]
    assert set(said["disturbed"][0]["differences"]) == set(said["figures"]) == set(said["undisturbed"])
    assert (said["cases"], said["of_cases"], said["chosen"]) == (12, 12, "all")


def test_the_calibration_error_has_no_interval_but_its_difference_has(material):
    """Chance makes the error larger than it is, of both alike."""
    found = examined(material, next(each for each in DISTURBANCES if each.name == "darker 3"))

    assert found.undisturbed["expected_calibration_error"].low is None
    assert "chance alone makes this figure larger" in found.undisturbed["expected_calibration_error"].note
    assert found.disturbed[0].differences["expected_calibration_error"].low is not None


def test_a_part_of_the_test_says_so_and_is_the_same_every_time(material):
    """At most so many pictures, by the dataset's own chance."""
    first, second = (examined(material, NOTHING, most=6) for _ in range(2))

    assert (first.cases, first.of_cases, first.of_clusters) == (6, 12, 12)
    assert first.content()["chosen"] == "by chance, every diagnosis kept"
    assert first == second


def some_cases():
    """300 patients with two pictures each; nine in ten have a, two have c, and one patient has both b and c."""
    codes = ["b", "c", *"c", *"b" * 28, *"a" * 270]
    pairs = [("b", "c"), *((code, code) for code in codes[2:]), ("a", "a")]
    return a_manifest(
        [
            a_case(2 * patient + eye, diagnosis=code, cluster_id=f"patient{patient:04d}", split="test")
            for patient, pair in enumerate(pairs)
            for eye, code in enumerate(pair)
        ]
    )


@pytest.mark.parametrize("seed", range(5))
def test_whole_patients_are_drawn_and_every_diagnosis_stays(seed):
    """About as often as in the test, never more pictures than asked for."""
    cases = some_cases()

    found = some_of(cases, 100, generator=chance(seed, "test"))

    drawn = found.column("cluster_id")
    assert len(found) in (99, 100)
    assert all(drawn.count(cluster) == 2 for cluster in set(drawn))
    assert set(found.column("diagnosis")) == {"a", "b", "c"}
    assert abs(found.column("diagnosis").count("a") - 90) <= 4
    assert [case for case in cases.cases if case in found.cases] == list(found.cases)


def test_no_diagnosis_is_lost_where_hardly_anything_is_asked_for():
    """Better a few pictures more than a figure of other diagnoses."""
    found = some_of(some_cases(), 1, generator=chance(0))

    assert set(found.column("diagnosis")) == {"a", "b", "c"}
    assert len(found) <= 6


def test_a_small_test_is_disturbed_as_a_whole():
    cases = some_cases()

    assert some_of(cases, len(cases), generator=chance(0)) is cases


def test_a_picture_is_disturbed_before_it_is_prepared(material):
    """Its size is still that of the clinic when the disturbance sees it."""
    sizes = []

    def measure(picture, level, random):
        sizes.append((picture.size, level))
        return picture

    examined(material, replace_kind(measure))

    assert set(sizes) == {((32, 32), 7)}


def replace_kind(change):
    return Disturbance(NOTHING.kind._replace(levels=(7, 7, 7), change=change), 1)


def test_several_views_are_averaged_as_in_the_clinic(material):
    """What the bundle says of turned and mirrored views holds for disturbed pictures, too."""
    batches = []

    def engine(pictures):
        batches.append(len(pictures))
        return by_colour(pictures)

    robustness_of(
        replace(material, bundle=replace(material.bundle, views=2)), engine, disturbances=[NOTHING, GREY], rounds=5
    )

    assert batches == [3] * 24
