"""From the bytes of a file to an upright sRGB picture, or to one clear reason why not.

Files are hostile until decoded: only five formats are tried, each by its own signature, and the size that the header
claims is checked before a pixel is decoded, and so is how much work it asks for. Limits on memory and time need a
process of their own: `cutis.imaging.border` calls this in one.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageCms
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from cutis.imaging.limits import LIMITS, MEGA, Limits
from cutis.imaging.modesty import TooMuch, require_few_scans, require_file_fits, require_modest, require_size
from cutis.vocabulary.errors import UserError

READERS: dict[str, type[ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
    "WEBP": WebPImageFile,
}
# How the files begin. A text may begin with BM, so the size of the bitmap's header is asked for as well.
SIGNATURES = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "BMP": rb"BM.{12}[\x0c-\x7c]\0\0\0",
    "WEBP": rb"RIFF.{4}WEBP",
    "GIF": rb"GIF8",
    "PDF": rb"%PDF",
    "PostScript": rb"%!PS|\xc5\xd0\xd3\xc6",
    "Photoshop": rb"8BPS",
    "icon": rb"\0\0[\1\2]\0",
    "portable anymap": rb"P[1-7]\s",
    "JPEG 2000": rb"\0\0\0\x0cjP|\xff\x4f\xff\x51",
    "JPEG XL": rb"\0\0\0\x0cJXL|\xff\x0a",
    "HEIC, AVIF or film": rb".{4}ftyp",
    "SVG": rb"\s*<(?:svg|\?xml)",
    "DICOM": rb".{128}DICM",
}
LONGEST_SIGNATURE = 132

# What Pillow raises on malformed data of these formats, found by its tests, ours and fuzzing; anything else is a bug.
MALFORMED = (
    OSError,
    SyntaxError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    EOFError,
    struct.error,
    zlib.error,
    AssertionError,  # Pillow asserts some of what a file claims
)

ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
TIFF_TAGS = {
    "exif": (34665, 34853),  # the EXIF and GPS directories
    "xmp": (700,),
    "iptc": (33723, 34377),
    "text": (269, 270, 271, 272, 285, 305, 306, 315, 316, 33432),  # names, descriptions, makers, dates, copyright
}


# Why a file gives no picture, each with how to mend it.
REASONS = {
    "not an image": "remove it, or give the picture that belongs here",
    "truncated": "copy or export the picture again from where it came",
    "unsupported format": "save it as one of {kinds}, with 8 bits per channel",
    "too many pixels": "give at most {megapixels} megapixels and {side} pixels a side",
    "too costly": "open it in a program that you trust, and save it again as an ordinary picture",
    "decoder died": "look at where the picture comes from before you give it again: it may be made to do harm",
}


class UnreadablePicture(UserError):
    """A file that gives no picture; `reason` is one word of the table of rejected rows, `detail` tells more."""

    @property
    def reason(self) -> str:
        """One of the keys of `REASONS`."""
        return self.what.partition(": ")[0]

    @property
    def detail(self) -> str:
        """What exactly is wrong with this file."""
        return self.what.partition(": ")[2]


def decode(source: Path | bytes, *, limits: Limits = LIMITS) -> Image.Image:
    """Return the picture of a file: RGB, upright, in sRGB, and with nothing of the file but its pixels.

    The EXIF orientation and the colour profile are applied. What is transparent lies on white, as on paper. Of several
    frames the first counts. Of 16 bits per channel the upper eight are kept.

    Raises:
        UnreadablePicture: the bytes hold no picture that can be decoded within the limits.
        UserError: the file cannot be opened.
    """
    with _opened(source, limits) as picture:
        picture.load()
        colours, opacity = _layers(picture, name_of(source))
        colours = _in_srgb(colours, picture.info.get("icc_profile"))
        clean = Image.new("RGB", colours.size, "white")
        clean.paste(colours, mask=opacity)
        turn = UPRIGHT.get(_orientation(picture))
    return clean if turn is None else clean.transpose(turn)


def claimed_size(source: Path | bytes, *, limits: Limits = LIMITS) -> tuple[int, int]:
    """Return the width and height that a picture's header claims, before it is turned upright; no pixel is decoded.

    Raises:
        UnreadablePicture, UserError: as `decode`, as far as a header can tell.
    """
    with _opened(source, limits) as picture:
        return picture.size


def carried_metadata(source: Path | bytes) -> tuple[str, ...]:
    """Return which kinds of metadata a file carries: "exif", "xmp", "comment", "iptc", "text".

    Raises:
        UnreadablePicture, UserError: as `decode`.
    """
    with _opened(source) as picture:
        if isinstance(picture, PngImageFile):
            picture.load()  # a PNG may keep its texts behind its pixels
        info = picture.info
        found = {"exif": "exif" in info, "xmp": "xmp" in info, "comment": "comment" in info}
        found["iptc"] = "photoshop" in info  # IPTC lives in Photoshop's block
        found["text"] = isinstance(picture, PngImageFile) and any(key != "XML:com.adobe.xmp" for key in picture.text)
        if isinstance(picture, TiffImageFile):
            found |= {kind: any(tag in picture.tag_v2 for tag in tags) for kind, tags in TIFF_TAGS.items()}
    return tuple(kind for kind, carried in found.items() if carried)


@contextmanager
def _opened(source: Path | bytes, limits: Limits = LIMITS) -> Iterator[ImageFile]:
    """Lend a picture of which only the header is read; what goes wrong with it is an UnreadablePicture."""
    name = name_of(source)
    with open_source(source) as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of broken tags; the picture counts, its tags are dropped
        kind = _format_of(stream, name)
        try:
            require_modest(stream, kind, limits=limits)
            picture = READERS[kind](stream)
            require_size(picture.size, limits=limits)
            require_file_fits(stream, picture.size, limits=limits)
            if kind == "JPEG":
                require_few_scans(stream, picture.size, limits=limits)
            yield picture
        except TooMuch as error:
            raise unreadable(error.reason, error.detail, name, limits) from None
        except UserError:
            raise
        except Image.DecompressionBombError as error:
            raise unreadable("too many pixels", str(error), name) from error
        except MALFORMED as error:
            if "too large for PngImagePlugin" in str(error):
                raise unreadable("too costly", str(error), name, limits) from error
            if re.search("[Uu]nsupported|cannot handle", str(error)):
                raise unreadable("unsupported format", str(error), name) from error
            raise unreadable("truncated", f"cut off or damaged ({error})", name) from error


def open_source(source: Path | bytes) -> IO[bytes]:
    """Open bytes, or a file that holds some; a folder, a pipe or a device does not, and to wait for it may never end.

    Raises:
        UnreadablePicture: it is no such file.
        UserError: it cannot be opened.
    """
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        if stat.S_ISREG(source.stat().st_mode):
            return source.open("rb")
    except OSError as error:
        what = f"this file cannot be opened: {error.strerror}"
        raise UserError(what, where=str(source), mend="check the path") from error
    raise unreadable("not an image", "it is a folder, a pipe or a device", str(source))


def _format_of(stream: IO[bytes], name: str) -> str:
    head = stream.read(LONGEST_SIGNATURE)
    stream.seek(0)
    found = next((kind for kind, begin in SIGNATURES.items() if re.match(begin, head, re.DOTALL)), None)
    if found in READERS:
        return found
    if found:
        raise unreadable("unsupported format", f"this is {found}", name)
    raise unreadable("not an image", "it begins as no picture does" if head else "it is empty", name)


def _layers(picture: ImageFile, name: str) -> tuple[Image.Image, Image.Image | None]:
    """Return the colours (L, RGB or CMYK, 8 bits) and the opacity (L), where there is any."""
    mode = picture.mode
    if mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)), None
    if mode in {"I", "F"}:
        raise unreadable("unsupported format", "32-bit grey values, of which none is known to be white", name)
    if picture.has_transparency_data:
        layers = picture.convert("RGBA")
        return layers.convert("RGB"), layers.getchannel("A")
    if mode in {"L", "RGB", "CMYK"}:
        return picture, None
    return picture.convert("L" if mode == "1" else "RGB"), None


def _in_srgb(colours: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        # A profile that is broken, or made for other channels, says nothing of these colours: they stay as they are.
        with suppress(ImageCms.PyCMSError, *MALFORMED):
            of_device, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
            converted = ImageCms.profileToProfile(colours, of_device, srgb, renderingIntent=intent, outputMode="RGB")
            if converted is not None:
                return converted
    return colours if colours.mode == "RGB" else colours.convert("RGB")  # a copy would be as large as the picture


def _orientation(picture: ImageFile) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except MALFORMED:  # the picture counts; metadata that cannot be read turn nothing
        return 1


def unreadable(reason: str, detail: str, name: str, limits: Limits = LIMITS) -> UnreadablePicture:
    """Return the refusal of a picture of this name, with how to mend it."""
    room = {"kinds": ", ".join(READERS), "megapixels": f"{limits.pixels / MEGA:g}", "side": limits.side}
    mend = REASONS[reason].format(**room)
    return UnreadablePicture(f"{reason}: {detail}", where=name, mend=mend)


def name_of(source: Path | bytes) -> str:
    """Return what an error calls a picture."""
    return f"a picture of {len(source)} bytes" if isinstance(source, bytes) else str(source)
