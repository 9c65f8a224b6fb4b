"""Small pictures of the training cases that a clinic is shown as similar: one file, by the name of the case.

They are pictures of patients, and lie beside the rows of `runtime.neighbours`, which name the same cases: what is
published carries neither. There is nothing in them but pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from cutis.runtime.sealed import Sealed
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_stamp, stamp

THUMBNAILS = "thumbnails.safetensors"


def thumbnails_file(pictures: Mapping[str, bytes], *, made_from: Mapping[str, str]) -> bytes:
    """Return one stamped safetensors file of JPEGs by case."""
    from safetensors.numpy import save

    about = {"stamp": json.dumps(stamp("thumbnails") | {"made_from": dict(made_from)})}
    return save({case_id: np.frombuffer(picture, np.uint8) for case_id, picture in pictures.items()}, about)


def read_thumbnails(sealed: Sealed) -> dict[str, bytes]:
    """Read all thumbnails of a checked folder, by case; one that carries none has none.

    Raises:
        UserError: the file is damaged, or of a newer format.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if THUMBNAILS not in sealed.entries:
        return {}
    where, content = str(sealed.folder / THUMBNAILS), sealed.read(THUMBNAILS)
    try:
        found = load(content)
        check_stamp(_stamp_of(content), "thumbnails", where=where)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        mend = "make the release again: cutis release --again"
        raise UserError(f"these thumbnails cannot be read: {error}", where=where, mend=mend) from error
    return {case_id: pixels.tobytes() for case_id, pixels in found.items()}


def _stamp_of(content: bytes) -> dict[str, object]:
    """Return the stamp in the head of a safetensors file: eight bytes with its length, then JSON."""
    length = int.from_bytes(content[:8], "little")
    said: dict[str, object] = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["stamp"])
    return said
