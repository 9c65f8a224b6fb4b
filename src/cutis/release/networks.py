"""The networks of a release: converted, and held against the trained one on the test split."""

from __future__ import annotations

from pathlib import Path

from cutis.imaging.prepare import normalise, prepared_file
from cutis.progress import say
from cutis.release.contents import Passed
from cutis.release.convert import write_int8, write_onnx, write_openvino
from cutis.release.material import Material
from cutis.release.parity import parities
from cutis.release.reduced import keep_first_layers
from cutis.runtime.engines import OFFERS, open_engine
from cutis.vocabulary.case import Case, unchanged_picture
from cutis.vocabulary.chance import chance
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import write_json

PARITY = "parity.json"
TUNED_ON = 300  # pictures of tune: more move the ranges of int8 no further
FARTHEST = "largest_probability_difference"


def convert(material: Material, folder: Path) -> None:
    """Write the network as ONNX and OpenVINO; with pictures of tune, what stays exact in bf16, and the ranges of int8.

    Raises:
        UserError: there is no case of tune, a picture was changed, or the network does not fit a file.
    """
    bundle = material.bundle
    onnx, openvino, _, int8 = (folder / offer.file for offer in OFFERS)
    pictures = [
        normalise(
            prepared_file(unchanged_picture(material.dataset, case), bundle.preparation)[None], bundle.preparation
        )
        for case in some_of_tune(material)
    ]
    say("writing the network as ONNX and OpenVINO")
    write_onnx(onnx, bundle)
    write_openvino(openvino, onnx)
    exact = keep_first_layers(openvino, bundle, pictures)
    say(f"finding the ranges of int8 on {len(pictures)} pictures of tune")
    write_int8(int8, openvino, pictures, exact=exact)


def compare(material: Material, folder: Path) -> tuple[Passed, ...]:
    """Write parity.json, and return what passed its gates.

    Raises:
        UserError: a picture was changed.
    """
    bundle = material.bundle
    found = parities(
        OFFERS,
        lambda offer: open_engine(bundle, folder / offer.file, precision=offer.precision),
        bundle=bundle,
        paths=material.tested,
        settled=material.predictions,
    )
    content = {"bundle": bundle.name, "split": "test", "cases": len(material.predictions)}
    content["offers"] = [each.to_dict() for each in found]
    write_json(folder / PARITY, "parity", content, made_from=material.made_from)
    return tuple(Passed(each.offer, float(each.figures[FARTHEST].value or 0)) for each in found if each.passed)


def some_of_tune(material: Material) -> list[Case]:
    """Return cases of tune, never of test: by them it is rounded, by those it is judged.

    Raises:
        UserError: there are none.
    """
    cases = material.manifest.of_split("tune").cases
    if not cases:
        mend = "curate again with a tune split: cutis curate"
        raise UserError(
            "what may be rounded is found on pictures of tune, and there are none",
            where=str(material.dataset),
            mend=mend,
        )
    chosen = chance("rounded", material.bundle.weights_sha256).permutation(len(cases))[:TUNED_ON]
    return [cases[row] for row in sorted(chosen)]
