"""Small pictures of the training cases that a clinic is shown as similar."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from cutis.imaging.decode import decode
from cutis.progress import track
from cutis.release.material import Material
from cutis.runtime.neighbours import read_index
from cutis.runtime.thumbnails import THUMBNAILS, thumbnails_file
from cutis.vocabulary.case import unchanged_picture
from cutis.vocabulary.files import written_aside

LONGEST = 160  # pixels of the longer side
QUALITY = 80  # of JPEG: about 3 kB for a dermoscopic picture
ROOM = 2**14  # bytes that are asked for each of them; the largest of 200 of HAM10000 takes 6 kB


def write_thumbnails(folder: Path, material: Material) -> None:
    """Write a JPEG of every training case that the bundle is compared with, where it carries any.

    Raises:
        UserError: a picture is missing, or not the one that was curated.
    """
    case_ids = compared_with(material)
    if not case_ids:
        return
    known = {case.case_id: case for case in material.manifest.cases}
    pictures = {
        case_id: thumbnail_of(decode(unchanged_picture(material.dataset, known[case_id])))
        for case_id in track(case_ids, "making thumbnails", total=len(case_ids))
    }
    with written_aside(folder / THUMBNAILS) as aside:
        aside.write_bytes(thumbnails_file(pictures, made_from={"manifest": material.bundle.dataset_sha256}))


def compared_with(material: Material) -> tuple[str, ...]:
    """Return the training cases that a picture may be found similar to."""
    path = material.bundle.neighbours
    return read_index(path).case_ids if path.exists() else ()


def thumbnail_of(picture: Image.Image) -> bytes:
    """Return a picture as a small JPEG of nothing but its pixels."""
    small = Image.new("RGB", picture.size)
    small.paste(picture)
    small.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS, reducing_gap=3.0)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()
