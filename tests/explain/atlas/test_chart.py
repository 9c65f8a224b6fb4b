"""Who is on an atlas, what is said of them, and that the maps of the depths can be laid over one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cutis.explain.atlas.chart import cast_of, turned
from cutis.explain.atlas.columns import columns_of
from cutis.explain.atlas.depths import map_to_show, see, small_map
from cutis.explain.atlas.sheets import ACROSS, along_a_curve, write_sheets
from cutis.explain.evaluated import read_evaluated
from cutis.imaging.prepare import Preparation
from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import torch_engine
from cutis.runtime.predict import seen_from_all_sides
from cutis.vocabulary.errors import UserError
from factories import a_bundle_folder, a_case, a_picture, a_taxonomy


@pytest.fixture
def evaluated(evaluated_workspace):
    """Fifteen settled test cases and the rest of their dataset."""
    return read_evaluated(evaluated_workspace, "invented")


def test_an_atlas_is_of_the_test_split_and_others_are_placed_on_it(evaluated):
    """A test case that is asked for is on it already; one of another split, or not settled, is placed."""
    unsettled = next(case.case_id for case in evaluated.manifest.cases if case.indeterminate)
    own = evaluated.predictions.case_ids[0]

    laid_out, placed, asked = cast_of(evaluated, "test", asked=("case0000", own, unsettled, own))

    assert [case.case_id for case in laid_out] == list(evaluated.predictions.case_ids)
    assert [case.case_id for case in placed] == ["case0000", unsettled]
    assert asked == ("case0000", own, unsettled)


def test_an_atlas_of_all_has_every_settled_case_once(evaluated):
    """The test cases first, as they were evaluated."""
    laid_out, placed, _ = cast_of(evaluated, "all", asked=("case0000",))

    settled = {case.case_id for case in evaluated.manifest.cases if case.indeterminate is None}
    assert {case.case_id for case in laid_out} == settled
    assert len(laid_out) == len(settled)
    assert tuple(case.case_id for case in laid_out[:3]) == evaluated.predictions.case_ids[:3]
    assert placed == ()


def test_five_cases_are_too_few_for_an_atlas(evaluated):
    """One error before any picture is opened, which names what would help."""
    few = replace(
        evaluated.predictions,
        case_ids=evaluated.predictions.case_ids[:5],
        cluster_ids=evaluated.predictions.cluster_ids[:5],
        truth=evaluated.predictions.truth[:5],
        probabilities=evaluated.predictions.probabilities[:5],
    )

    with pytest.raises(UserError, match="5 cases are too few") as refusal:
        cast_of(replace(evaluated, predictions=few, features=evaluated.features[:5]), "test")

    assert "--atlas all" in refusal.value.mend


def test_every_stage_gives_its_pooled_map_and_views_are_averaged(tmp_path):
    """The features of a stage are what its classifier hears: the logits follow from them."""
    bundle = read_bundle(a_bundle_folder(tmp_path / "bundle"))
    pictures = np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype(np.float32)
    from safetensors.numpy import load_file

    weights = load_file(bundle.weights)

    said = seen_from_all_sides(torch_engine(bundle), bundle, pictures)

    assert len(said.stage_features) == 7
    for stage, (features, logits) in enumerate(zip(said.stage_features, said.auxiliary_logits, strict=True)):
        heard = features @ weights[f"heads.{stage}.linear.weight"].T + weights[f"heads.{stage}.linear.bias"]
        np.testing.assert_allclose(heard, logits, atol=1e-5)


def test_turning_a_map_changes_no_distance():
    """A mirrored and turned map of the same cases comes to lie on the first one."""
    random = np.random.default_rng(0)
    places = random.normal(size=(40, 2))
    mirrored = places @ np.array([[0.6, 0.8], [0.8, -0.6]])

    back = turned(mirrored, places)

    np.testing.assert_allclose(back - back.mean(axis=0), places - places.mean(axis=0), atol=1e-9)


def test_what_is_known_of_the_cases_is_told_in_words():
    """Diagnoses in their order, verdicts by what matters, and only what was recorded at all."""
    cases = [
        a_case(0, diagnosis="c", device="Z", age=29),
        a_case(1, diagnosis="c", device="A", age=30, split="test"),
        a_case(2, diagnosis="a", device="A", age=80),
        a_case(3, diagnosis=None, indeterminate="unresolved votes"),
        a_case(4, diagnosis="a"),
    ]

    columns = columns_of(cases, np.array([0, 2, 1, 0, 0]), a_taxonomy(), 4)

    said = {each.key: [each.labels[code] for code in each.codes] for each in columns}
    assert said == {
        "truth": ["disease c", "disease c", "disease a", "not settled", "disease a"],
        "answer": ["disease a", "disease c", "disease b", "disease a", "disease a"],
        "verdict": ["malignant called benign", "right", "wrong", "not settled", "right"],
        "split": ["train", "test", "train", "train", "train"],
        "how": ["laid out"] * 4 + ["placed"],
        "device": ["Z", "A", "A", "not known", "not known"],
        "age": ["under 30", "30–44", "75 and older", "not known", "not known"],
    }
    assert next(each.labels for each in columns if each.key == "device") == ("A", "Z", "not known")


def test_rare_words_are_told_together():
    """A legend of a hundred devices would be none."""
    cases = [a_case(number, device=f"device {number:03d}") for number in range(100)] + [a_case(100)]

    (device,) = [each for each in columns_of(cases, np.zeros(101, int), a_taxonomy(), 101) if each.key == "device"]

    assert device.labels[-3:] == ("device 023", "others", "not known")
    assert [device.labels[code] for code in device.codes[[0, 99, 100]]] == ["device 000", "others", "not known"]


def test_a_small_map_lies_over_the_picture_and_is_blank_where_nothing_was_seen():
    """Strong in the upper left; beyond a crop nothing speaks for the answer."""
    seen_map = np.array([[4, -1], [-1, 0]], np.float32)

    squashed = np.asarray(small_map(seen_map, (120, 90), Preparation(32, (0.5,) * 3, (0.25,) * 3)))
    cropped = np.asarray(
        small_map(np.ones((2, 2), np.float32), (180, 90), Preparation(32, (0.5,) * 3, (0.25,) * 3, resize="crop"))
    )

    assert squashed.shape == (12, 12)
    assert squashed[:3, :3].min() > 200
    assert squashed[9:].max() == squashed[:, 9:].max() == 0
    assert cropped[:, :2].max() == cropped[:, 10:].max() == 0
    assert cropped[:, 4:8].min() == 255


def test_a_network_against_its_answer_everywhere_has_a_blank_map():
    """No division by nothing."""
    seen_map = np.full((3, 3), -2, np.float32)

    assert np.asarray(small_map(seen_map, (90, 90), Preparation(32, (0.5,) * 3, (0.25,) * 3))).max() == 0


def test_every_picture_has_its_cell_and_neighbours_share_a_sheet(tmp_path):
    """A picture of any shape keeps its shape; none is lost."""
    cases = [a_case(number) for number in range(ACROSS**2 + 3)]
    places = np.stack([np.arange(len(cases)) % 2 * 1000.0, np.arange(len(cases))], axis=1)

    sheets = write_sheets(tmp_path / "atlas", lambda _: a_picture(width=64, height=160), cases, places)

    assert sorted(sheets.slots.tolist()) == list(range(len(cases)))
    assert (sheets.sizes == (51, 128)).all()
    assert sheets.files == ("0000.webp", "0001.webp")
    left = sheets.slots[places[:, 0] == 0]
    assert left.max() < sheets.slots[places[:, 0] > 0].min()
    assert along_a_curve(np.ones((3, 2))).tolist() == [0, 1, 2]


def test_the_joined_map_is_shown_unless_it_failed(evaluated):
    """Then the final one, and none where that failed too; a network without auxiliary classifiers has it alone."""
    alone = replace(evaluated.bundle, temperatures=(1.0,))
    several = replace(evaluated.bundle, temperatures=(1.0,) * 8)

    assert map_to_show(several, None) == "fused"
    assert map_to_show(several, ("final", "fused", "stage_7")) == "fused"
    assert map_to_show(several, ("final", "stage_7")) == "final"
    assert map_to_show(several, ("gradient",)) is None
    assert map_to_show(alone, None) == "final"


def test_a_map_that_is_not_shown_is_not_kept(evaluated):
    """Nothing of it is in the page's data."""
    engine, cases = torch_engine(evaluated.bundle), evaluated.manifest.of_split("test").cases[:2]

    kept, nothing = (see(engine, evaluated, cases, shown=shown).maps for shown in ("final", None))

    assert kept.max() == 255
    assert nothing.max() == 0
