"""What the aided arm shows: the network's calibrated top three, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutis.imaging.decode import decode
from cutis.imaging.prepare import normalise, prepare, spread_back
from cutis.progress import track
from cutis.readers.network import restricted
from cutis.readers.pictures import encoded, filled_up, framed, random_names
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import Engine
from cutis.runtime.maps import FINAL, FUSED, Question, in_pass_maps
from cutis.runtime.predict import outputs_of, probabilities
from cutis.vocabulary.files import write_json

TOP = 3
BLEND = 0.65  # of the colour at the strongest place: the picture is still read beneath it
COLOUR = np.array([255.0, 196.0, 0.0])  # amber: stands out from skin, and in every kind of colour blindness


def aid_of(
    engine: Engine, bundle: Bundle, pictures: Mapping[str, Path], *, diagnoses: Sequence[str]
) -> dict[str, list[tuple[str, float]]]:
    """Return the most probable of the study's diagnoses of each case, at most three, with their probabilities.

    Args:
        engine: runs the bundle's network.
        bundle: that answers, calibrated.
        pictures: the dataset's, by case.
        diagnoses: the only ones that count; their probabilities sum to one.
    """
    kinds = [bundle.taxonomy.codes.index(code) for code in diagnoses]
    said = outputs_of(engine, bundle, list(pictures.values()), what="asking the network")
    chances = restricted(probabilities(bundle, said), kinds)
    return {
        case: [(diagnoses[kind], float(row[kind])) for kind in np.argsort(-row, kind="stable")[:TOP]]
        for case, row in zip(pictures, chances, strict=True)
    }


def write_maps(
    folder: Path,
    engine: Engine,
    bundle: Bundle,
    pictures: Mapping[str, Path],
    *,
    answers: Mapping[str, str],
    frame: tuple[int, int],
) -> dict[str, str]:
    """Write for each case the picture with what speaks for the network's answer, and return its file's name.

    Files are of one length, and their names drawn at random, as those of the pictures.
    """
    folder.mkdir()
    names = dict(zip(pictures, random_names(len(pictures)), strict=True))
    contents = {}
    for case in track(pictures, "drawing where the network looks", total=len(pictures)):
        picture = decode(pictures[case])
        shown = overlaid(picture, _map(engine, bundle, picture, bundle.taxonomy.codes.index(answers[case])))
        contents[names[case]] = encoded(framed(shown, frame))
    length = max(map(len, contents.values()))
    for name, content in sorted(contents.items()):
        (folder / name).write_bytes(filled_up(content, length))
    return names


def overlaid(picture: Image.Image, strength: NDArray[np.float32]) -> Image.Image:
    """Return a picture in grey under a colour, the stronger (H, W) the more of it; nothing where it is NaN."""
    grey = np.asarray(picture.convert("L").convert("RGB"), dtype=np.float64)
    share = np.nan_to_num(strength)[..., None].astype(np.float64) * BLEND
    return Image.fromarray(np.clip(grey * (1 - share) + COLOUR * share, 0, 255).astype(np.uint8))


def write_aid(
    path: Path, top: Mapping[str, list[tuple[str, float]]], maps: Mapping[str, str], *, made_from: dict[str, str]
) -> None:
    """Write the aid of every case."""
    cases: dict[str, Any] = {case: {"top3": said, "map": maps.get(case)} for case, said in sorted(top.items())}
    write_json(path, "aid", {"cases": cases}, made_from=made_from)


def _map(engine: Engine, bundle: Bundle, picture: Image.Image, kind: int) -> NDArray[np.float32]:
    """Return what speaks for a diagnosis (H, W), 0 to 1: all depths joined, or the final one's rise above its mean."""
    outputs = engine(normalise(prepare(picture, bundle.preparation)[None], bundle.preparation))
    maps = in_pass_maps(outputs, Question(kind))
    found = maps[FUSED] if FUSED in maps else np.maximum(maps[FINAL] - maps[FINAL].mean(), 0)
    greatest = float(found.max())
    strength = found / greatest if greatest > 0 else found
    return spread_back(strength, picture.size, bundle.preparation)
