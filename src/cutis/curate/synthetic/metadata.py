"""How pictures are saved: some lie on their side, and some carry the name of an invented person."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

NAME = "Toyperson"  # the family name of everybody in this clinic; it must be found in no dataset made from it
QUALITY = 90

# EXIF's orientation, and how a picture has to be turned before it is stored under it.
TURNS = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}

XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt>
<rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def save(picture: Image.Image, path: Path, fault: str | None, *, person: int) -> None:
    """Save a picture as JPEG or PNG by its suffix, with what its fault makes it carry."""
    title = f"Ada {NAME}, patient {person:04d}"
    if path.suffix == ".png":
        text = PngInfo()
        if fault == "name in PNG text":
            text.add_text("Title", title)
            text.add_itxt("XML:com.adobe.xmp", XMP.format(title=title))
        picture.save(path, pnginfo=text, compress_level=1)
        return
    exif = Image.Exif()
    if fault == "name in EXIF":
        exif[Base.ImageDescription] = title
        exif[Base.Artist] = f"Dr. Max {NAME}"
    if fault == "turned by EXIF":
        orientation = sorted(TURNS)[person % len(TURNS)]
        exif[Base.Orientation] = orientation
        picture = picture.transpose(TURNS[orientation])
    xmp = XMP.format(title=title).encode() if fault == "name in XMP" else b""
    picture.save(path, quality=QUALITY, exif=exif, xmp=xmp)
