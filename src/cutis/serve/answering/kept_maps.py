"""The maps that came with an answer, kept small, and shown over the picture when somebody asks.

The maps of every diagnosis and depth are kept, so that no pass is needed to show another one later. Half precision
keeps three digits; a release gives no map finer than an eighth of the picture's side, so that they stay small.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutis.imaging.prepare import Preparation, preparation_from, spread_back
from cutis.runtime.batcher import Said
from cutis.runtime.maps import FUSED, Question, in_pass_maps
from cutis.vocabulary.files import check_stamp, stamp
from cutis.vocabulary.outputs import Outputs

ABOUT = "about"
GREATEST_HALF = 6e4
AMBER = (255, 196, 0)  # stands out from skin, and in every kind of colour blindness


def kept_maps(said: Sequence[Said | None], *, codes: Sequence[str], preparation: Preparation) -> bytes:
    """Return the maps of P pictures as an npz; of a picture that was not judged, None, there are none."""
    about = stamp("maps") | {"diagnoses": list(codes), "preparation": preparation.to_dict()}
    arrays: dict[str, Any] = {ABOUT: np.frombuffer(json.dumps(about).encode(), np.uint8)}
    for place, one in enumerate(said):
        for depth, grid in enumerate(one.maps or () if one is not None else ()):
            arrays[f"{place}/{depth}"] = _half(grid[0])
    written = io.BytesIO()
    np.savez_compressed(written, **arrays)
    return written.getvalue()


def overlay(maps: bytes, *, diagnosis: str, depth: str = FUSED, size: tuple[int, int], picture: int = 0) -> bytes:
    """Return a map as a PNG to lay over a picture: one colour, the stronger the less it is seen through.

    Args:
        maps: by `kept_maps`.
        diagnosis: its code.
        depth: name of the map, as `cutis.runtime.maps` gives it.
        size: width and height to draw, of the picture's own shape, upright.
        picture: which of several.

    Raises:
        LookupError: there is no such diagnosis, depth or picture.
        UserError: the maps are of a newer format.
    """
    strength = strength_of(maps, diagnosis=diagnosis, depth=depth, size=size, picture=picture)
    layer = np.empty((*strength.shape, 4), np.uint8)
    layer[..., :3] = AMBER
    layer[..., 3] = np.rint(255 * strength)
    written = io.BytesIO()
    Image.fromarray(layer).save(written, "PNG", compress_level=1)
    return written.getvalue()


def strength_of(maps: bytes, *, diagnosis: str, depth: str, size: tuple[int, int], picture: int) -> NDArray[np.float32]:
    """Return what speaks for a diagnosis at each pixel (H, W), 0 to 1; 0 where the network did not look.

    Of the joined map the greatest place is 1; of a single depth, of which places speak against too, what lies below
    its mean is 0.
    """
    with np.load(io.BytesIO(maps)) as file:
        about = json.loads(file[ABOUT].tobytes())
        check_stamp(about, "maps", where="maps of an answer")
        names = [name for name in file.files if name.startswith(f"{picture}/")]
        depths = tuple(file[name].astype(np.float32)[None] for name in names)
    if diagnosis not in about["diagnoses"] or not depths:
        raise LookupError(f"no map of {diagnosis} for picture {picture}")
    nothing = np.empty((1, 0), np.float32)
    outputs = Outputs(logits=nothing, auxiliary_logits=(), features=nothing, maps=depths)
    found = in_pass_maps(outputs, Question(about["diagnoses"].index(diagnosis)))[depth]
    above = found if depth == FUSED else np.maximum(found - found.mean(), 0)
    spread = spread_back(above, size, preparation_from(about["preparation"], where="maps of an answer"))
    greatest = float(spread.max())
    return spread / np.float32(greatest) if greatest > 0 else np.zeros_like(spread)


def _half(grid: NDArray[np.float32]) -> NDArray[np.float16]:
    return np.clip(grid, -GREATEST_HALF, GREATEST_HALF).astype(np.float16)
