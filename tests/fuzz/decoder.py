"""Feed spoiled pictures to what a decoder process does with each, in this process, until it dies or the runs are over.

    PYTHONPATH=src:tests python tests/fuzz/decoder.py RUNS FOLDER ENGINE

ENGINE `chance` takes seeds and changes, cuts, repeats, exchanges some of their bytes, or makes them extreme. `atheris`
(`pip install atheris`) also prefers what reaches further in Pillow's Python code and in ours. Whatever raises but a
refusal, and whatever ends this process, is a crash; the bytes that did it then lie in FOLDER/last.
"""

from __future__ import annotations

import io
import json
import mmap
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import numpy as np
from PIL import Image, ImageCms

from cutis.imaging.decoder import answer
from cutis.imaging.limits import MEGA, Limits
from cutis.imaging.prepare import Preparation
from cutis.vocabulary.chance import chance

LIMITS = Limits(pixels=MEGA)  # fewer than usual, for more runs a second
PREPARATION = Preparation(16, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2)).to_dict()
LONGEST = 1 << 16
EXTREME = [
    b"\0",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\x80\0\0\0",
    b"\xff\xda",
    b"\xff\xc0",
]
PNG = b"\x89PNG\r\n\x1a\n"


def seeds() -> Iterator[bytes]:
    """Yield small pictures of every format, and of the modes, packings and metadata that it can have."""
    grey = np.add.outer(np.arange(16), np.arange(24)) * 6 % 256
    picture = Image.fromarray(np.stack([grey, grey[::-1], grey[:, ::-1]], axis=2).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a lesion"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kinds = [("JPEG", {}), ("JPEG", {"progressive": True, "exif": exif, "icc_profile": profile, "comment": b"c"})]
    kinds += [("PNG", {}), ("PNG", {"exif": exif, "icc_profile": profile}), ("BMP", {})]
    kinds += [("WEBP", {}), ("WEBP", {"lossless": True, "exif": exif, "icc_profile": profile})]
    packings = ("tiff_lzw", "tiff_deflate", "packbits", "jpeg", "raw")
    kinds += [("TIFF", {"compression": packing, "exif": exif}) for packing in packings]
    modes = {"JPEG": ["RGB", "L", "CMYK"], "PNG": ["RGB", "RGBA", "LA", "L", "P", "1"], "BMP": ["RGB", "L", "P", "1"]}
    modes |= {"WEBP": ["RGB", "RGBA"], "TIFF": ["RGB", "CMYK", "L"]}
    for kind, options in kinds:
        for mode in modes[kind]:
            yield saved(picture.convert(mode), kind, options)
    frames = {"save_all": True, "append_images": [picture.rotate(90), picture.rotate(180)]}
    for kind in ("PNG", "WEBP", "TIFF"):
        yield saved(picture, kind, frames)


def saved(picture: Image.Image, kind: str, options: dict[str, object]) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def spoiled(content: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """Return a picture's bytes with one to eight things wrong with them."""
    wrong = bytearray(content)
    for _ in range(random.integers(1, 9)):
        length = len(wrong)
        place, end = sorted(random.integers(0, length + 1, 2).tolist())
        if random.random() < 0.5:  # headers lie in front
            place = int(random.integers(0, min(length, 200) + 1))
        match int(random.integers(0, 7)):
            case 0 | 1:
                wrong[place : place + 1] = random.bytes(1)
            case 2:
                extreme = EXTREME[random.integers(0, len(EXTREME))]
                wrong[place : place + len(extreme)] = extreme
            case 3:
                del wrong[place : place + int(random.integers(1, 16))]
            case 4:
                wrong[place:place] = wrong[place : min(end, place + 600)]
            case 5:
                start = int(random.integers(0, len(other)))
                wrong[place : place + 32] = other[start : start + 32]
            case 6 if random.random() < 0.3:
                del wrong[max(place, 8) :]
        if len(wrong) < 2:
            wrong += other
    return bytes(wrong[:LONGEST])


def mended(content: bytes) -> bytes:
    """Return a PNG with right sums, since a wrong one ends it before anything of interest; others as they are."""
    if not content.startswith(PNG) or zlib.crc32(content) % 4 == 0:
        return content
    pieces, place = [content[:8]], 8
    while place + 12 <= len(content):
        length = struct.unpack(">I", content[place : place + 4])[0]
        body = content[place + 4 : place + 8 + length]
        pieces.append(content[place : place + 4] + body + struct.pack(">I", zlib.crc32(body)))
        place += 12 + length
    return b"".join(pieces)


def told(content: bytes) -> str:
    """Return the reason against these bytes, or "picture".

    Raises:
        AssertionError: the decoder's own code failed.
    """
    answered = io.BytesIO()
    question = {"length": len(content), "preparation": PREPARATION}
    answer(question, io.BytesIO(content), answered, limits=LIMITS)
    said = json.loads(answered.getvalue().split(b"\n", 1)[0])
    reason = str(said.get("reason", "picture"))
    assert reason != "decoder died", said["detail"]
    return reason


def main(runs: int, folder: Path, engine: str) -> None:
    """Run so many times; tell the rate and what was answered."""
    outcomes: Counter[str] = Counter()
    started = time.perf_counter()
    (folder / "last").write_bytes(bytes(LONGEST + 8))
    with (folder / "last").open("r+b") as file, mmap.mmap(file.fileno(), 0) as last:

        def once(content: bytes) -> None:
            whole = mended(content)[:LONGEST]
            last[: 8 + len(whole)] = struct.pack("<Q", len(whole)) + whole  # outlives this process
            outcomes[told(whole)] += 1
            count = outcomes.total()
            if count % max(1, runs // 20) == 0 or count == runs:
                rate = count / (time.perf_counter() - started)
                print(json.dumps({"runs": count, "a second": round(rate), **outcomes}), flush=True)  # noqa: T201

        {"chance": by_chance, "atheris": by_atheris}[engine](once, runs, folder)


def by_chance(once, runs: int, _: Path) -> None:
    known = list(seeds())
    random = chance("fuzz the decoder", runs)
    for content in known:
        once(content)
    for _ in range(runs - len(known)):
        first, second = (known[place] for place in random.integers(0, len(known), 2))
        once(spoiled(first, second, random))


def functions_of(*modules: ModuleType) -> Iterator[FunctionType]:
    """Yield the functions that modules define, and their classes' methods, where nearly all of Pillow's code is."""
    for module in modules:
        own = [thing for thing in vars(module).values() if getattr(thing, "__module__", None) == module.__name__]
        places = [own, *(vars(thing).values() for thing in own if isinstance(thing, type))]
        yield from (thing for things in places for thing in things if isinstance(thing, FunctionType))


def by_atheris(once, runs: int, folder: Path) -> None:
    import atheris
    from PIL import BmpImagePlugin, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

    from cutis.imaging import decode, modesty

    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, content in enumerate(seeds()):
        (corpus / f"seed{number}").write_bytes(content)
    modules = (BmpImagePlugin, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
    for function in functions_of(*modules, decode, modesty):
        atheris.instrument_func(function)
    options = [f"-runs={runs}", f"-max_len={LONGEST}", "-seed=6", "-rss_limit_mb=4096", "-print_final_stats=1"]
    known = list(seeds())

    def mutate(content: bytes, most: int, seed: int) -> bytes:
        random = np.random.default_rng(seed)
        if random.random() < 0.5 or len(content) < 2:
            return atheris.Mutate(content, most)
        return spoiled(content, known[random.integers(0, len(known))], random)[:most]

    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/", str(corpus)], once, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
