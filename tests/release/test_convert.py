"""A converted network says what the trained one says, and its files tell nothing of who made them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import cutis
from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.network.ensemble import Ensemble
from cutis.release.convert import OPSET, OnePass, shrinking, write_onnx, write_openvino
from cutis.runtime.engines import OFFERS, open_engine, torch_engine
from cutis.runtime.maps import Question, in_pass_maps

EXACT = [offer for offer in OFFERS if offer.precision == "fp32"]
exactly = pytest.mark.parametrize("offer", EXACT, ids=[offer.name for offer in EXACT])


@exactly
def test_a_converted_network_says_the_same_from_every_depth(converted, offer):
    """Logits, auxiliary logits and features, for one picture and for several, within rounding."""
    reference = torch_engine(converted.bundle)
    engine = open_engine(converted.bundle, converted.folder / offer.file, precision=offer.precision)

    for pictures in (converted.pictures[:1], converted.pictures):
        said, wanted = engine(pictures), reference(pictures)
        assert len(said.auxiliary_logits) == 7
        by_depth = [(*each.auxiliary_logits, each.logits) for each in (said, wanted)]
        for one, other in zip(*by_depth, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
        np.testing.assert_allclose(said.features, wanted.features, atol=1e-4)


@exactly
def test_maps_leave_on_the_grid_of_the_fused_map_and_join_to_the_same_one(converted, offer):
    """The two finest are brought there before they leave; what a person is shown stays the same."""
    said = open_engine(converted.bundle, converted.folder / offer.file)(converted.pictures)
    wanted = torch_engine(converted.bundle)(converted.pictures)

    assert [each.shape[-1] for each in wanted.maps] == [16, 8, 4, 2, 2, 1, 1, 1]
    assert [each.shape[-1] for each in said.maps] == [4, 4, 4, 2, 2, 1, 1, 1]
    for row, question in ((0, Question(0)), (1, Question(2, 1))):
        ours, theirs = (in_pass_maps(each, question, row=row) for each in (said, wanted))
        np.testing.assert_allclose(ours["fused"], theirs["fused"], rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(ours["stage_4"], theirs["stage_4"], atol=1e-5)


@pytest.mark.parametrize(("side", "grid"), [(16, 4), (190, 48), (150, 38), (7, 3)])
def test_a_map_shrinks_in_the_network_as_it_does_on_the_way_to_the_fused_map(side, grid):
    """Also where the grid does not divide the side, as of EfficientNet-B4 at 380 pixels."""
    each = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    wanted = Image.fromarray(each).resize((grid, grid), Image.Resampling.BOX)

    matrix = shrinking(side, grid)

    np.testing.assert_allclose(matrix.T @ each @ matrix, np.asarray(wanted), atol=1e-5)


def test_the_same_network_gives_the_same_bytes_and_names_no_path_of_this_machine(converted, tmp_path):
    """In another process too, so that a release can be made again and compared."""
    program = (
        "import sys; from pathlib import Path; from cutis.release.convert import write_onnx;"
        "from cutis.runtime.bundle import read_bundle; write_onnx(Path(sys.argv[1]), read_bundle(Path(sys.argv[2])))"
    )
    again = tmp_path / "network.onnx"

    subprocess.run(
        [sys.executable, "-c", program, again, converted.bundle.folder],
        check=True,
        capture_output=True,
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )

    written = (converted.folder / "network.onnx").read_bytes()
    assert again.read_bytes() == written
    for name in ("network.onnx", "openvino/network.xml", "openvino/int8/network.xml"):
        content = (converted.folder / name).read_bytes()
        assert not any(
            path.encode() in content
            for path in (str(converted.folder), str(Path(cutis.__file__).parent), "site-packages", "File ")
        )


def test_the_file_says_its_opset_and_takes_batches_of_any_length(converted):
    """What a reader of the release must know of it."""
    network = onnx.load(converted.folder / "network.onnx")

    assert [each.version for each in network.opset_import if not each.domain] == [OPSET]
    shape = network.graph.input[0].type.tensor_type.shape.dim
    assert shape[0].dim_param
    assert [each.dim_value for each in shape[1:]] == [3, 32, 32]


@pytest.mark.parametrize(("architecture", "members"), [("resnet18", 1), ("mobilenetv2_035", 2)])
def test_rivals_and_ensembles_are_converted_alike(converted, tmp_path, architecture, members):
    """A rival has no auxiliary classifiers and one map; several members answer as one."""
    torch.manual_seed(1)
    auxiliary = members > 1
    networks = [Classifier(backbone_of(architecture, auxiliary=auxiliary, size=32), classes=3) for _ in range(members)]
    save_file((Ensemble(networks) if members > 1 else networks[0]).state_dict(), tmp_path / "weights.safetensors")
    heads = 8 if auxiliary else 1
    bundle = replace(
        converted.bundle, architecture=architecture, members=members, temperatures=(1.0,) * heads, folder=tmp_path
    )

    write_onnx(tmp_path / "network.onnx", bundle)
    write_openvino(tmp_path / "network.xml", tmp_path / "network.onnx")

    wanted = torch_engine(bundle)(converted.pictures)
    for name in ("network.onnx", "network.xml"):
        said = open_engine(bundle, tmp_path / name)(converted.pictures)
        np.testing.assert_allclose(said.logits, wanted.logits, atol=1e-4)
        assert said.features.shape == wanted.features.shape
        assert len(said.maps) == len(wanted.maps) == heads
        assert len(said.auxiliary_logits) == heads - 1


def test_a_network_that_does_not_fit_one_file_is_refused(converted, tmp_path, monkeypatch):
    """ONNX ends at two gibibytes."""
    monkeypatch.setattr("cutis.release.convert.LARGEST", 1000)

    with pytest.raises(Exception, match="do not fit an ONNX file"):
        write_onnx(tmp_path / "network.onnx", converted.bundle)


def test_a_network_without_finer_maps_keeps_them_as_they_are():
    """There is nothing to bring anywhere."""
    network = Classifier(backbone_of("resnet18", auxiliary=False, size=64), classes=3).eval()
    pictures = torch.rand(2, 3, 64, 64)

    with torch.inference_mode():
        said = OnePass(network, size=64).eval()(pictures)

    assert list(said) == ["logits", "features", "maps_1"]
    assert said["maps_1"].shape == (2, 3, 2, 2)
