"""A small bundle and the release files of it, made once: an export takes a while."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from cutis.release.convert import write_int8, write_onnx, write_openvino
from cutis.runtime.bundle import Bundle, read_bundle
from cutis.runtime.engines import OFFERS
from factories import a_bundle_folder


class Converted(NamedTuple):
    """A bundle, the folder with its converted network, and pictures as they are prepared."""

    bundle: Bundle
    folder: Path
    pictures: np.ndarray  # (N, 3, S, S)


@pytest.fixture(scope="session")
def converted(tmp_path_factory):
    """The small network of a bundle in every form that a release has."""
    folder = tmp_path_factory.mktemp("release")
    bundle = read_bundle(a_bundle_folder(tmp_path_factory.mktemp("bundles") / "invented"))
    pictures = np.random.default_rng(0).normal(size=(6, 3, 32, 32)).astype(np.float32)
    onnx, openvino, _, int8 = (folder / offer.file for offer in OFFERS)
    write_onnx(onnx, bundle)
    write_openvino(openvino, onnx)
    write_int8(int8, openvino, list(pictures[:, None]))
    return Converted(bundle, folder, pictures)
