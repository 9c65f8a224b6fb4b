"""An explanation says whether its maps mean anything, and shows clinicians only those that do."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from cutis.explain.sanity.examined import Plan
from cutis.explain.sanity.inquiry import FIGURES, Inquiry, drawn_methods, failed_in_words, offered_methods
from cutis.explain.stage import explain
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import check_sums, read_json, write_json
from cutis.vocabulary.predictions import read_predictions
from cutis.workspace import Workspace

PLAN = Plan(cases=12, own_pass_cases=10, seeds=2, cascade_seeds=1, steps=3)


@pytest.fixture
def workspace(evaluated_workspace, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(evaluated_workspace.root, tmp_path / "work", symlinks=True)
    return Workspace(tmp_path / "work")


@pytest.fixture(scope="module")
def examined(evaluated_workspace, tmp_path_factory):
    """A workspace whose maps were examined once."""
    folder = tmp_path_factory.mktemp("examined")
    shutil.copytree(evaluated_workspace.root, folder / "work", symlinks=True)
    workspace = Workspace(folder / "work")
    case_ids = read_predictions(workspace.evaluation("invented") / "predictions.parquet").case_ids
    (folder / "masks").mkdir()
    for case_id in case_ids:
        with Image.open(workspace.dataset / "images" / f"{case_id}.png") as picture:
            mask = np.zeros(picture.size[::-1], np.uint8)
        mask[8:20, 8:20] = 255
        Image.fromarray(mask).save(folder / "masks" / f"{case_id}.png")
    explain(workspace, "invented", inquiry=Inquiry(plan=PLAN, masks=folder / "masks"))
    return workspace


@pytest.mark.slow
def test_every_method_is_measured_with_intervals_and_judged(examined):
    """Stamped, with its sources and the chain of sums; the figures are SVG."""
    folder = examined.explanation("invented")
    said = read_json(folder / "sanity.json", "sanity")

    check_sums(folder.resolve(), "explanation", mend="")
    assert set(said["made_from"]) == {"weights", "bundle", "manifest", "predictions", "outputs"}
    assert {"gradient", "grad_cam", "final", "fused", "stage_1"} <= set(said["methods"])
    assert list(said["targets"]) == ["mask"]
    for name, method in said["methods"].items():
        for part in ("weights", "removal", "stability"):
            assert all(Estimate(**each).cluster_kind == "patient" for each in method[part].values())
        assert (name in said["offered"]) == all(each["passed"] is not False for each in method["verdicts"].values())
    assert set(said["compared"]["less"]) == set(said["methods"]) - {"fused"}
    for figure in FIGURES:
        ET.parse(folder / "figures" / figure)  # noqa: S314  our own file


@pytest.mark.slow
def test_what_was_not_offered_is_not_shown(examined):
    """Neither among the methods of the gallery nor, later, by an explanation of other cases of the same bundle."""
    offered = offered_methods(examined.explanation("invented"))

    explain(examined, "invented", case_ids=("case0015",), again=True)

    folder = examined.explanation("invented")
    assert offered is not None
    assert offered_methods(folder) == offered
    assert set(read_json(folder / "saliency.json", "saliency")["methods"]) <= set(offered)


def test_what_was_not_examined_is_known_to_be_so(workspace):
    """Nothing is offered or withheld, and the stage says what to do."""
    done = explain(workspace, "invented", case_ids=("case0000",))

    assert offered_methods(workspace.explanation("invented")) is None
    assert any("--sanity" in line for line in done.lines)


def test_what_was_asked_for_is_drawn_unless_it_failed(tmp_path):
    """What was never examined is, where something else was; a line names what is not drawn."""
    said = {"offered": ["fused"], "methods": {"fused": {}, "grad_cam": {}}}

    assert drawn_methods(tmp_path, ("grad_cam",)) is None
    assert failed_in_words(tmp_path, ("grad_cam",)) == ()
    write_json(tmp_path / "sanity.json", "sanity", said, made_from={})
    assert drawn_methods(tmp_path, ("grad_cam", "smoothgrad")) == ("fused", "smoothgrad")
    assert failed_in_words(tmp_path, ("grad_cam", "smoothgrad")) == (
        "not drawn, since it failed its examination: grad_cam",
    )


def test_too_few_cases_are_refused_and_nothing_is_written(workspace):
    """On nine patients no interval holds."""
    with pytest.raises(UserError, match="9 cases are too few"):
        explain(workspace, "invented", inquiry=Inquiry(plan=Plan(cases=9)))

    assert not workspace.explanation("invented").exists()


def test_masks_are_asked_for_before_work_begins(workspace, tmp_path):
    """A folder that is not there is one error, and nothing is written."""
    with pytest.raises(UserError, match="no such folder"):
        explain(workspace, "invented", inquiry=Inquiry(plan=PLAN, masks=tmp_path / "nowhere"))

    assert not workspace.explanation("invented").exists()
