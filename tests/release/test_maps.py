"""A clinic is shown the maps that passed their examination, and no others."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cutis.release.maps import offered_by
from cutis.release.sign import seal
from cutis.release.stage import release
from cutis.runtime.atlas import Atlas, write_atlas
from cutis.runtime.bundle import read_bundle
from cutis.runtime.maps import Question, in_pass_maps
from cutis.runtime.offered import UNTOLD, names_of_maps
from cutis.runtime.release import read_release
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of, write_json, write_sums
from cutis.vocabulary.outputs import Outputs
from factories import a_release_folder, an_evaluated_workspace
from releases import FAKE

RULES = {"weights": {"asks": "it goes with the weights", "why": "…"}, "stability": {"asks": "it stays", "why": "…"}}


def a_verdict(*, passed, value=0.25):
    """Return what an examination says of one rule."""
    estimate = {
        "value": value,
        "low": value - 0.05,
        "high": value + 0.05,
        "method": "invented",
        "clusters": 40,
        "cluster_kind": "patient",
    }
    return {"passed": passed, "tests": [{"estimate": estimate, "limit": 0.2, "must_be_above": False}]}


def a_sanity(**passed):
    """Return an examination in which these maps passed or failed by their weights."""
    return {
        "rules": RULES,
        "plan": {"cases": 40},
        "cluster_kind": "patient",
        "offered": [name for name, is_passed in passed.items() if is_passed],
        "methods": {
            name: {"verdicts": {"weights": a_verdict(passed=is_passed), "stability": a_verdict(passed=None)}}
            for name, is_passed in passed.items()
        },
    }


def explained(workspace, sanity, *, weights=None):
    """Leave an explanation of the workspace's bundle: an atlas, and this examination of its maps."""
    bundle = read_bundle(workspace.bundle("invented").resolve())
    sums = {"weights": weights or bundle.weights_sha256, "bundle": sha256_of(bundle.folder / "bundle.json")}
    atlas = Atlas(
        mean=np.zeros(4, np.float32),
        axes=np.eye(4, 2, dtype=np.float32),
        features=np.zeros((6, 2), np.float32),
        places=np.arange(12.0).reshape(6, 2),
        diagnosis=np.array([0, 1, 2, 0, 1, -1]),
    )
    with workspace.new_version(workspace.explanation("invented"), again=True) as folder:
        write_json(folder / "saliency.json", "saliency", {}, made_from=sums)
        write_json(folder / "sanity.json", "sanity", sanity, made_from=sums)
        write_atlas(folder / "atlas.safetensors", atlas, about={})
        write_sums(folder)


def test_the_maps_are_those_that_a_forward_pass_leaves():
    """Their names are those by which an answer finds them, whatever depth the network has."""
    maps = tuple(np.zeros((1, 3, 4, 4), np.float32) for _ in range(4))
    outputs = Outputs(np.zeros((1, 3)), (), np.zeros((1, 3)), maps)

    assert set(names_of_maps(3)) == in_pass_maps(outputs, Question(0)).keys()
    assert names_of_maps(0) == ("final",)


def test_a_map_that_failed_is_left_out_with_what_was_measured():
    """What passed is offered, the joined map first; what was not asked is not offered either."""
    found = offered_by(a_sanity(final=True, fused=True, stage_2=False, grad_cam=True), auxiliary=2)

    assert found.offered == ("fused", "final")
    assert found.left_out.keys() == {"stage_1", "stage_2"}
    assert "it goes with the weights (measured: 0.250 (95% CI 0.200–0.300))" in found.left_out["stage_2"]
    assert "it stays" not in found.left_out["stage_2"]
    assert "not among the maps" in found.left_out["stage_1"]


def test_without_an_examination_no_map_is_offered():
    """Each one with what to do about it."""
    found = offered_by(None, auxiliary=1)

    assert found.offered == ()
    assert set(found.left_out) == {"fused", "final", "stage_1"}
    assert all("cutis explain --sanity" in reason for reason in found.left_out.values())


def test_a_release_carries_what_an_explanation_of_the_same_weights_found(tmp_path):
    """The maps that may be shown and the map of cases; what is of other weights counts for nothing."""
    workspace = an_evaluated_workspace(tmp_path / "work")
    explained(workspace, a_sanity(fused=True, final=False))

    told = release(workspace, "invented", parts=FAKE)
    made = read_release(workspace.release("invented"))
    said = made.read("maps.json").decode()
    explained(workspace, a_sanity(fused=True), weights="f" * 64)
    release(workspace, "invented", parts=FAKE, again=True)
    later = read_release(workspace.release("invented"))

    assert made.maps_offered().offered == ("fused",)
    assert told.facts["maps"] == ["fused"]
    assert made.sealed.manifest["made_from"].keys() >= {"sanity", "atlas"}
    atlas = made.atlas()
    assert atlas is not None
    assert atlas.diagnosis.tolist() == [0, 1, 2, 0, 1, -1]
    assert json.loads(said)["examined"]["plan"] == {"cases": 40}
    assert "case00" not in said
    assert later.maps_offered().offered == ()
    assert later.atlas() is None


def test_an_older_release_offers_no_map_and_still_opens(tmp_path):
    """Nobody knows what its maps are worth."""
    a_release_folder(tmp_path / "release")

    assert read_release(tmp_path / "release").maps_offered() == ((), {"final": UNTOLD})


@pytest.mark.parametrize(
    "said",
    ["[]", "{}", '{"kind": "offered-maps", "format": 1}', '{"kind": "offered-maps", "format": 2, "offered": []}'],
)
def test_what_says_nothing_of_maps_is_refused(tmp_path, said):
    """A newer format is not guessed at, and half a file is none."""
    folder = a_release_folder(tmp_path / "release")
    (folder / "maps.json").write_text(said)
    seal(folder, about={}, made_from={})

    with pytest.raises(UserError):
        read_release(folder).maps_offered()
