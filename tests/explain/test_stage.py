"""An explanation is drawn from what belongs together, and is there as a whole or not at all."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from cutis.explain.atlas.layout import lay_out, settings_for
from cutis.explain.saliency.choice import Asked
from cutis.explain.stage import explain
from cutis.runtime.atlas import read_atlas
from cutis.runtime.bundle import read_bundle
from cutis.vocabulary.case import read_manifest
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_json, read_table, write_sums
from cutis.vocabulary.predictions import read_predictions
from cutis.workspace import Workspace
from factories import a_dataset


@pytest.fixture
def workspace(evaluated_workspace, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(evaluated_workspace.root, tmp_path / "work", symlinks=True)
    return Workspace(tmp_path / "work")


def test_an_explanation_leaves_figures_an_atlas_and_what_they_were_made_from(workspace):
    """Every file says its kind and format, its sources by sha256, and the licence."""
    done = explain(workspace, "invented")

    folder = workspace.explanation("invented")
    predictions = read_predictions(workspace.evaluation("invented") / "predictions.parquet")
    saliency = read_json(folder / "saliency.json", "saliency")
    atlas, about = read_table(folder / "atlas.parquet", "atlas")
    assert done.wrote == folder
    assert done.next_command == "cutis report"
    assert atlas.column("case_id").to_pylist() == list(predictions.case_ids)
    stages = [f"{axis}_stage_{number}" for number in range(1, 8) for axis in "xy"]
    assert atlas.column_names == ["case_id", "x", "y", "truth", "predicted", "split", "is_placed", *stages]
    features = load_file(workspace.evaluation("invented") / "outputs.safetensors")["features"]
    laid_out = lay_out(features, settings_for(len(features))).atlas
    np.testing.assert_array_equal(atlas.select(["x", "y"]).to_pandas(), laid_out.places)
    kept = read_atlas(folder / "atlas.safetensors")
    np.testing.assert_array_equal(kept.features, laid_out.features)
    assert [predictions.codes[kind] for kind in kept.diagnosis] == atlas.column("truth").to_pylist()
    for depth in about["depths"]:
        assert set(depth["quality"]) == {"trustworthiness/3", "preservation/3"}
        for figure in depth["quality"].values():
            assert 0 < figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert [depth["name"] for depth in about["depths"]] == [*(f"stage {n}" for n in range(1, 8)), "last hidden layer"]
    assert about["settings"]["perplexity"] == pytest.approx((len(predictions) - 1) / 3)
    for said in (saliency, about):
        assert said["made_from"]["weights"] == read_bundle(workspace.bundle("invented")).weights_sha256
        assert set(said["made_from"]) == {"weights", "bundle", "manifest", "predictions", "outputs"}
        assert (said["licence"], said["invented"]) == ("CC0-1.0", False)
    for name in ("atlas", "atlas_stages"):
        ET.parse(folder / "figures" / f"{name}.svg")  # noqa: S314  our own file
    assert "pictures of patients" in (folder / "atlas.html").read_text()
    assert (folder / "atlas" / "0000.webp").exists()
    assert saliency["cases"]
    for case in saliency["cases"]:
        with Image.open(folder / case["file"]) as figure:
            assert figure.width == 1280


def test_the_answer_on_a_figure_is_the_one_that_was_evaluated(workspace):
    """The network is asked again for its maps, of its answer and of that rather than the runner-up."""
    explain(workspace, "invented")

    predictions = read_predictions(workspace.evaluation("invented") / "predictions.parquet")
    for shown in read_json(workspace.explanation("invented") / "saliency.json", "saliency")["cases"]:
        row = predictions.probabilities[predictions.case_ids.index(shown["case_id"])]
        assert shown["answer"] == predictions.codes[row.argmax()]
        assert shown["probability"] == pytest.approx(row.max(), abs=1e-5)
        ranking = [predictions.codes[kind] for kind in np.argsort(-row, kind="stable")]
        assert [shown["maps_of"], shown["rather_than"]] == ranking[:2]


def test_a_case_of_any_split_can_be_asked_for(workspace):
    """The figure's record says which split it is from: what was learned from is explained more easily."""
    explain(workspace, "invented", case_ids=("case0000", "case0015"))

    cases = read_json(workspace.explanation("invented") / "saliency.json", "saliency")["cases"]
    assert [(case["case_id"], case["split"], case["why"]) for case in cases] == [
        ("case0000", "train", "asked for"),
        ("case0015", "test", "asked for"),
    ]


def test_a_diagnosis_can_be_asked_for_rather_than_another(workspace):
    """The record says whom the maps are of, for cases whose answer is another as well."""
    explain(workspace, "invented", case_ids=("case0000", "case0015"), maps=Asked("c", "a"))

    cases = read_json(workspace.explanation("invented") / "saliency.json", "saliency")["cases"]
    assert [(case["maps_of"], case["rather_than"]) for case in cases] == [("c", "a")] * 2


def test_maps_by_other_methods_are_drawn_told_and_kept(workspace):
    """They stand in the record beside those that are always drawn, and in the file of the maps."""
    explain(workspace, "invented", case_ids=("case0000",), maps=Asked(methods=("grad_cam", "grad_cam")))

    folder = workspace.explanation("invented")
    assert "grad_cam" in read_json(folder / "saliency.json", "saliency")["methods"]
    with safe_open(folder / "maps.safetensors", "numpy") as file:
        assert float(abs(file.get_tensor("case0000/grad_cam")).max()) <= 1


@pytest.mark.parametrize("name", ["gradcam", "final", "gradient"])
def test_an_unknown_method_is_refused_before_anything_is_looked_at(workspace, name):
    """Also one whose maps come anyway; the error names those that can be asked for."""
    with pytest.raises(UserError, match=name) as refused:
        explain(workspace, "invented", maps=Asked(methods=(name,)))

    assert "smoothgrad, integrated_gradients, grad_cam, occlusion" in refused.value.mend
    assert not workspace.explanation("invented").exists()


def test_an_unknown_diagnosis_is_refused_before_anything_is_looked_at(workspace):
    """The error names those that the network knows."""
    with pytest.raises(UserError) as refusal:
        explain(workspace, "invented", maps=Asked(rather_than="melanoma"))

    assert refusal.value.mend == "use one of: a, b, c"
    assert not workspace.explanation("invented").exists()


def test_the_maps_are_kept_for_others_in_the_order_of_the_diagnoses(workspace):
    """Half precision, of every diagnosis, with stamp and sources; the mean of each is the logit of the evaluation."""
    predictions = read_predictions(workspace.evaluation("invented") / "predictions.parquet")
    case_id = predictions.case_ids[0]
    explain(workspace, "invented", case_ids=(case_id,))

    folder = workspace.explanation("invented")
    tensors = load_file(folder / "maps.safetensors")
    with safe_open(folder / "maps.safetensors", "numpy") as file:
        said = json.loads(file.metadata()["stamp"])
    outputs = load_file(workspace.evaluation("invented") / "outputs.safetensors")
    stages = {f"stage_{number}": outputs[f"auxiliary_logits.{number - 1}"] for number in range(1, 8)}
    assert (said["kind"], said["format"], said["diagnoses"]) == ("maps", 1, ["a", "b", "c"])
    assert said["made_from"]["weights"] == read_bundle(workspace.bundle("invented")).weights_sha256
    assert set(tensors) == {f"{case_id}/{name}" for name in (*stages, "final", "fused", "gradient")}
    for name, logits in (stages | {"final": outputs["logits"]}).items():
        kept = tensors[f"{case_id}/{name}"]
        assert kept.dtype == np.float16
        np.testing.assert_allclose(kept.astype(float).mean(axis=(1, 2)), logits[0], atol=1e-3)
    assert tensors[f"{case_id}/gradient"].max() == 1


def test_a_case_without_a_settled_diagnosis_can_be_asked_for(workspace):
    """Its figure and record say that nobody knows the truth, and why."""
    manifest = read_manifest(workspace.dataset / "manifest.parquet")
    unresolved = next(case for case in manifest.cases if case.diagnosis is None)

    explain(workspace, "invented", case_ids=(unresolved.case_id,))

    (shown,) = read_json(workspace.explanation("invented") / "saliency.json", "saliency")["cases"]
    assert (shown["truth"], shown["indeterminate"]) == (None, "unresolved votes")


def test_an_unknown_case_is_refused_and_nothing_is_written(workspace):
    """The error says how to find the ids there are."""
    with pytest.raises(UserError, match=r"no case 'nobody'(?s:.*)case_id of this table"):
        explain(workspace, "invented", case_ids=("nobody",))

    assert not workspace.explanation("invented").exists()


def test_a_bundle_that_was_not_evaluated_is_not_explained(workspace):
    """The mend is the command that is missing."""
    workspace.evaluation("invented").unlink()

    with pytest.raises(UserError) as refusal:
        explain(workspace, "invented")

    assert refusal.value.mend == "cutis evaluate invented"


def test_an_evaluation_of_another_dataset_is_not_explained(workspace):
    """Pictures and answers must be of the same cases."""
    a_dataset(workspace, source="another clinic")

    with pytest.raises(UserError, match="made from another manifest"):
        explain(workspace, "invented")


def test_a_changed_picture_is_not_explained(workspace):
    """What would be drawn is not what was evaluated; nothing half-drawn is left."""
    (workspace.dataset / "images" / "case0000.png").write_bytes(b"another")

    with pytest.raises(UserError, match="changed since it was curated"):
        explain(workspace, "invented", case_ids=("case0000",))

    assert not workspace.explanation("invented").exists()


def test_outputs_of_other_cases_are_refused(workspace):
    """A row of the outputs for each row of the predictions, or none of them can be trusted."""
    path = workspace.evaluation("invented") / "outputs.safetensors"
    with safe_open(path, "numpy") as file:
        said = file.metadata()
    save_file({"features": np.ones((3, 4), np.float32)}, path, metadata=said)
    write_sums(path.parent)

    with pytest.raises(UserError, match="3 outputs do not fit"):
        explain(workspace, "invented")


def test_torn_outputs_are_refused(workspace):
    """A damaged file is named; nothing is drawn from half of it."""
    outputs = workspace.evaluation("invented") / "outputs.safetensors"
    outputs.write_bytes(outputs.read_bytes()[:100])

    with pytest.raises(UserError, match=r"changed or is incomplete: outputs\.safetensors"):
        explain(workspace, "invented")


def test_an_explanation_is_not_overwritten_by_chance(workspace):
    """`--again` makes a new version and keeps the old one."""
    explain(workspace, "invented", case_ids=("case0000",))

    with pytest.raises(UserError, match="already there"):
        explain(workspace, "invented")
    explain(workspace, "invented", case_ids=("case0015",), again=True)

    assert (workspace.explanation("invented") / "saliency" / "case0015.png").exists()


def test_a_case_of_another_split_is_placed_and_moves_nobody(workspace):
    """It stands at the end of the table, told apart; the places of the others are those without it."""
    explain(workspace, "invented")
    alone = read_table(workspace.explanation("invented") / "atlas.parquet", "atlas")[0].to_pandas()

    done = explain(workspace, "invented", case_ids=("case0000",), again=True)

    table = read_table(workspace.explanation("invented") / "atlas.parquet", "atlas")[0].to_pandas()
    placed = table[table["is_placed"]]
    assert placed[["case_id", "split"]].to_numpy().tolist() == [["case0000", "train"]]
    assert np.isfinite(placed[["x", "y", "x_stage_1"]].to_numpy(float)).all()
    np.testing.assert_array_equal(table[~table["is_placed"]][["x", "y"]], alone[["x", "y"]])
    assert done.facts["atlas"]["placed"] == 1


def test_an_atlas_of_all_splits_has_them_all(workspace):
    """Asked for by name; what was learned from is told apart by its split."""
    done = explain(workspace, "invented", atlas="all")

    manifest = read_manifest(workspace.dataset / "manifest.parquet")
    counts = {split: len(manifest.of_split(split)) for split in ("test", "train", "tune", "calibrate")}
    assert done.facts["atlas"]["laid_out"] == counts
    assert len(read_atlas(workspace.explanation("invented") / "atlas.safetensors")) == sum(counts.values())
