"""Threat 8: what a camera or an archive wrote into a file is nowhere in what is kept, be it sealed or opened."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import select

from clinics import a_clinic
from cutis.serve.journal.exporting import exported
from cutis.serve.record.examinations import Part, contents_of
from cutis.serve.tables import CLINIC
from cutis.web.tables import GROUND
from factories import a_picture

PLANTED = "MUELLER-19470502"
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:creator>{PLANTED}</dc:creator></x:xmpmeta>'


def a_jpeg_that_tells():
    """A JPEG with the name of a patient in EXIF, its thumbnail, XMP, a comment, and behind its end."""
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = exif[0x8298] = PLANTED  # description, artist, copyright
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + PLANTED.encode()  # comment of the user
    written = io.BytesIO()
    picture = a_picture(width=320, height=240)
    picture.save(written, "JPEG", quality=92, exif=exif, xmp=XMP.encode(), comment=PLANTED.encode())
    return written.getvalue() + PLANTED.encode()


def a_png_that_tells():
    """The same in the text chunks of a PNG, plain and compressed."""
    told = PngImagePlugin.PngInfo()
    told.add_text("Patient", PLANTED)
    told.add_text("Comment", PLANTED * 3, zip=True)
    told.add_itxt("XML:com.adobe.xmp", XMP)
    written = io.BytesIO()
    a_picture(width=320, height=240).save(written, "PNG", pnginfo=told)
    return written.getvalue()


@pytest.fixture
def clinic(tmp_path, database_url, answerer):
    """A clinic that shows its answers."""
    with a_clinic(tmp_path / "clinic", database_url, answerer=answerer) as knocked:
        yield knocked


@pytest.mark.parametrize("make", [a_jpeg_that_tells, a_png_that_tells])
def test_nothing_that_a_file_tells_beside_its_pixels_is_kept(clinic, tmp_path, make):
    """Searched in every content once it is opened, every row, every file, and the log."""
    assert PLANTED.encode() in make()
    made = clinic.examined(make(), device="DermLite")
    vault = clinic.clinic.vault

    with clinic.ground.database.reading() as connection:
        opened = [each for part in Part for each in contents_of(connection, vault, made, part)]
        lines = "\n".join(exported(connection, vault)).encode()
        rows = [
            repr(row).encode()
            for table in [*CLINIC.tables.values(), *GROUND.tables.values()]
            for row in connection.execute(select(table))
        ]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    places = [*opened, *map(_unpacked, opened), lines, *rows, *files, clinic.site.log.getvalue().encode()]
    assert len(opened) == 4
    assert [place for place in places if _is_in(place)] == []


def test_what_is_kept_of_a_patient_is_noise_on_the_disk(clinic, tmp_path):
    """Note, device, number and picture: none stands in a file of the database as it came."""
    made = clinic.examined(note=f"called {PLANTED}", accession=PLANTED)
    with clinic.ground.database.reading() as connection:
        [picture] = contents_of(connection, clinic.clinic.vault, made, Part.PICTURE)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("cutis.sqlite*"))
    with clinic.ground.database.reading() as connection:
        for table in CLINIC.tables.values():
            values = [value for row in connection.execute(select(table)) for value in row]
            kept += b"".join(value if isinstance(value, bytes) else str(value).encode() for value in values)

    assert not _is_in(kept)
    assert picture[200:240] not in kept


def _is_in(place):
    """Say whether the name is there, as it was written or in wide letters."""
    return PLANTED.encode() in place or PLANTED.encode("utf-16-le") in place or PLANTED.encode().hex().encode() in place


def _unpacked(content):
    """Return what a picture or an archive holds, where it can be opened."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return repr(picture.info).encode() + repr(dict(picture.getexif())).encode()
    except OSError:
        pass
    try:
        with np.load(io.BytesIO(content)) as archive:
            return b"".join(archive[name].tobytes() for name in archive.files)
    except (OSError, ValueError, EOFError, zlib.error):
        return b""
