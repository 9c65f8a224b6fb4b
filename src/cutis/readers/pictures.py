"""The booth's pictures: one frame, one length in bytes, names drawn at random, nothing of the file but its pixels."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from cutis.imaging.decode import claimed_size, decode
from cutis.progress import track
from cutis.vocabulary.files import written_aside

LONGEST = 1600  # pixels of a frame that is chosen here
QUALITY = 92
BACKGROUND = (0, 0, 0)


def random_names(count: int) -> list[str]:
    """Return file names that tell nothing, in no order; no stored seed gives them."""
    return [f"{secrets.token_hex(16)}.jpg" for _ in range(count)]


def frame_of(sources: Sequence[Path]) -> tuple[int, int]:
    """Return the frame (width, height) that holds each picture as it is; its longer side is `LONGEST` at most."""
    sizes = [claimed_size(source) for source in sources]
    width, height = (max(each) for each in zip(*sizes, strict=True))
    shrink = min(1.0, LONGEST / max(width, height))
    return round(width * shrink), round(height * shrink)


def write_pictures(folder: Path, sources: Mapping[str, Path], *, frame: tuple[int, int]) -> int:
    """Write each picture anew, scaled into the middle of the frame, and return how many bytes every file has.

    Files are written in the order of their names. What a file is shorter than the longest is filled up behind its end
    by bytes that do not pack, so that neither its length nor what is left of it on a packed line tells anything.

    Args:
        folder: where they go.
        sources: by the new name, the file that a picture comes from.
        frame: width and height of all.
    """
    lengths = {}
    for name in track(sorted(sources), "writing the booth's pictures", total=len(sources)):
        content = encoded(framed(decode(sources[name]), frame))
        (folder / name).write_bytes(content)
        lengths[name] = len(content)
    length = max(lengths.values())
    for name in sorted(sources):
        content = (folder / name).read_bytes()
        with written_aside(folder / name) as aside:
            aside.write_bytes(filled_up(content, length))
    return length


def framed(picture: Image.Image, frame: tuple[int, int]) -> Image.Image:
    """Return a picture scaled, its shape kept, into the middle of a frame."""
    width, height = frame
    scale = min(width / picture.width, height / picture.height)
    size = (min(width, max(1, round(picture.width * scale))), min(height, max(1, round(picture.height * scale))))
    canvas = Image.new("RGB", frame, BACKGROUND)
    inner = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    canvas.paste(inner, ((width - size[0]) // 2, (height - size[1]) // 2))
    return canvas


def encoded(picture: Image.Image) -> bytes:
    """Return a picture as JPEG without metadata."""
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    return content.getvalue()


def filled_up(content: bytes, length: int) -> bytes:
    """Return a JPEG with bytes behind its end, which no decoder reads, so that it has exactly this length.

    Raises:
        ValueError: it is longer.
    """
    missing = length - len(content)
    if missing < 0:
        raise ValueError(f"it is {-missing} bytes too long")
    return content + hashlib.shake_256(content).digest(missing)
